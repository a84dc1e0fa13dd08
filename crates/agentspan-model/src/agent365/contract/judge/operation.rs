//! Whether the operation is one that the service takes.

use super::super::observed::{ObservedSpan, is_exported};
use super::super::operation::Operation;
use super::super::rule::RuleId;
use super::super::rule_set::RuleSet;
use super::Findings;
use crate::agent365::Profile;
use crate::agent365::mapping::APPLY_GUARDRAIL;
use crate::keys;

pub(super) fn check(
    span: &ObservedSpan<'_>,
    rule_set: RuleSet,
    package: Profile,
    findings: &mut Findings,
) {
    let key = keys::GEN_AI_OPERATION_NAME;
    match span.text(key) {
        Some(name) if Operation::named(name).is_some() => {}
        Some("Chat") => findings.add_attribute(RuleId::R02, span, key),
        Some(name)
            if rule_set == RuleSet::PackageFilter
                && is_exported(name)
                && !package.leaves_out(name) => {}
        // Both packages export it, and nobody saw the service drop it.
        Some(APPLY_GUARDRAIL) => findings.suspect(RuleId::R01, span),
        _ => findings.add_attribute(RuleId::R01, span, key),
    }
}
