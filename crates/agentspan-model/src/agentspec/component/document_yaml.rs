//! Agent Spec documents in YAML.

use std::collections::BTreeMap;

use super::{
    Component, DocumentReader,
    document::{component, components},
};
use crate::agentspec::{ReadError, yaml};

impl DocumentReader {
    /// Reads the component that a document in YAML is about, as [`read`](Self::read) does for JSON.
    ///
    /// Only with the feature `yaml`. Documents are YAML 1.1, as PyYAML reads it for `pyagentspec`: `yes`, `no`,
    /// `on` and `off` are booleans, as keys too; `012` is ten and `1:30` is ninety; `26.3` is a number
    /// and `26.3.1` is text. Dates become texts, `.nan` and `.inf` become the texts `NaN` and `Infinity`,
    /// keys become texts, and of keys that are repeated the last one counts.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and when the text is not YAML 1.1, has more than one document, tags that
    /// JSON has no values for, or aliases that stand for more than 16 MiB.
    pub fn read_yaml(&self, document: &str) -> Result<Component, ReadError> {
        self.read_source(&yaml::source(document)?, component)
    }

    /// Reads a document in YAML that only lists components, as
    /// [`read_referenced`](Self::read_referenced) does for JSON. Only with the feature `yaml`.
    ///
    /// # Errors
    ///
    /// As [`read_yaml`](Self::read_yaml), and when the document has other members.
    pub fn read_referenced_yaml(
        &self,
        document: &str,
    ) -> Result<BTreeMap<String, Component>, ReadError> {
        self.read_source(&yaml::source(document)?, components)
    }
}
