//! Names that tell destinations apart in logs, reports and metrics.

use std::collections::BTreeSet;
use std::iter;

/// The names that are taken.
#[derive(Debug, Default)]
pub(crate) struct DestinationNames(BTreeSet<String>);

impl DestinationNames {
    /// `wanted`, with a number if it is taken, as for metrics: the second `otlp` is `otlp/2`.
    pub(crate) fn take(&mut self, wanted: &str) -> String {
        let numbered = (2_u64..).map(|number| format!("{wanted}/{number}"));
        let mut names = iter::once(wanted.to_owned()).chain(numbered);
        let free = names.find(|name| self.0.insert(name.clone()));
        free.unwrap_or_else(|| wanted.to_owned())
    }
}

impl FromIterator<String> for DestinationNames {
    fn from_iter<I: IntoIterator<Item = String>>(taken: I) -> Self {
        Self(taken.into_iter().collect())
    }
}
