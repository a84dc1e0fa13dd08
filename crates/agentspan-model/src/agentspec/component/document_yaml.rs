//! Agent Spec documents in YAML.

use std::collections::BTreeMap;

use super::{
    Component, DocumentReader,
    document::{component, components},
};
use crate::agentspec::{ReadError, yaml};

impl DocumentReader {
    /// Reads the component of a YAML document, like [`read`](Self::read) for JSON.
    ///
    /// Needs the feature `yaml`. Documents are YAML 1.1, as PyYAML reads it for `pyagentspec`:
    /// `yes`, `no`, `on` and `off` are booleans, also as keys; `012` is ten and `1:30` is ninety;
    /// `26.3` is a number and `26.3.1` is text. Dates become texts, `.nan` and `.inf` become the
    /// texts `NaN` and `Infinity`, keys become texts, and if a key is repeated, the last value
    /// counts.
    ///
    /// # Errors
    ///
    /// The same as of [`read`](Self::read), or the text is not YAML 1.1, has more than one
    /// document, has tags without a JSON equivalent, or has aliases that expand to more than 16
    /// MiB.
    pub fn read_yaml(&self, document: &str) -> Result<Component, ReadError> {
        self.read_source(&yaml::source(document)?, component)
    }

    /// Reads a YAML document that only lists components, like
    /// [`read_referenced`](Self::read_referenced) for JSON. Needs the feature `yaml`.
    ///
    /// # Errors
    ///
    /// The same as of [`read_yaml`](Self::read_yaml), or the document has other members.
    pub fn read_referenced_yaml(
        &self,
        document: &str,
    ) -> Result<BTreeMap<String, Component>, ReadError> {
        self.read_source(&yaml::source(document)?, components)
    }
}
