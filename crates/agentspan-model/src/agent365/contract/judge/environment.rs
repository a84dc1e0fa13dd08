//! Whether the environment switches on what it needs.

use super::super::finding::Finding;
use super::super::rule::RuleId;
use super::{Findings, Judge};
use crate::agent365::environment::{
    ENABLE_A365_OBSERVABILITY, ENABLE_A365_OBSERVABILITY_EXPORTER, ENABLE_OBSERVABILITY,
};

impl Judge<'_> {
    /// The findings of the environment's variables. `variable` returns the value of one, if it is
    /// set.
    #[must_use]
    pub fn judge_environment(
        &self,
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Vec<Finding> {
        let mut findings = Findings::default();
        let is_on = |name| variable(name).is_some_and(|value| is_truth(&value));
        let observes = is_on(ENABLE_OBSERVABILITY) || is_on(ENABLE_A365_OBSERVABILITY);
        if observes && !is_on(ENABLE_A365_OBSERVABILITY_EXPORTER) {
            findings.add_at_large(RuleId::R44);
        }
        findings.0
    }
}

fn is_truth(value: &str) -> bool {
    let words = ["true", "1", "yes", "on"];
    words
        .iter()
        .any(|word| value.trim().eq_ignore_ascii_case(word))
}
