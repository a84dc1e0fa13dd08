//! Names that tell destinations apart in logs, reports and metrics.

use std::collections::BTreeSet;
use std::iter;

use agentspan_discovery::ShownValue;

use crate::install_error::InstallError;

/// How long a name may be, in characters.
const MAX: usize = 100;

/// The names that are taken.
#[derive(Debug, Default)]
pub(crate) struct DestinationNames(BTreeSet<String>);

impl DestinationNames {
    /// `wanted`, with a number if it is taken, as for metrics: the second `otlp` is `otlp/2`.
    pub(crate) fn take(&mut self, wanted: &str) -> Result<String, InstallError> {
        if !is_fit(wanted) {
            let name = ShownValue(wanted).to_string();
            return Err(InstallError::Name { name });
        }
        let numbered = (2_u64..).map(|number| format!("{wanted}/{number}"));
        let mut names = iter::once(wanted.to_owned()).chain(numbered);
        let free = names.find(|name| self.0.insert(name.clone()));
        Ok(free.unwrap_or_else(|| wanted.to_owned()))
    }
}

/// Whether a name breaks no line of a log or a report.
fn is_fit(name: &str) -> bool {
    let is_quote = |c: &char| matches!(c, '"' | '\'' | '\\');
    // A whole text, because a mark is shown with the letter before it.
    let text: String = name.chars().filter(|c| !is_quote(c)).collect();
    let is_shown = text.escape_debug().eq(text.chars());
    !name.trim().is_empty() && name.chars().count() <= MAX && is_shown
}

impl FromIterator<String> for DestinationNames {
    fn from_iter<I: IntoIterator<Item = String>>(taken: I) -> Self {
        Self(taken.into_iter().collect())
    }
}
