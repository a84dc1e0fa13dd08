//! Whether a span has what its operation must have.

use super::super::attribute::Attribute;
use super::super::attributes::ATTRIBUTES;
use super::super::observed::ObservedSpan;
use super::super::operation::Operation;
use super::super::requirement::Requirement;
use super::super::rule::RuleId;
use super::super::rule_set::RuleSet;
use super::Findings;
use crate::agent365::mapping::leaves_out_usual_port;
use crate::agent365::{ExecutionType, Profile};
use crate::keys;
use crate::mapping::normal::SourceValue;

/// Whether the package would send the span to somebody. The first generation makes texts of numbers.
pub(super) fn check_identity(span: &ObservedSpan<'_>, package: Profile, findings: &mut Findings) {
    for key in [package.tenant_id_key(), keys::GEN_AI_AGENT_ID] {
        let is_blank = |value: &SourceValue<'_>| matches!(value, SourceValue::Text(text) if text.trim().is_empty());
        if span.value(key).is_none_or(is_blank) {
            findings.add_attribute(RuleId::R03, span, key);
        }
    }
}

pub(super) fn check(
    span: &ObservedSpan<'_>,
    rule_set: RuleSet,
    scopes: Option<Profile>,
    findings: &mut Findings,
) {
    let Some(operation) = span.operation() else {
        // Whatever the operation is, a span without an identity is not sent.
        for key in [keys::MICROSOFT_TENANT_ID, keys::GEN_AI_AGENT_ID] {
            if span.text(key).is_none() {
                findings.add_attribute(RuleId::R03, span, key);
            }
        }
        return;
    };
    let is_embodied = has_any(span, &EMBODIED);
    let calls_between_agents = has_any(span, &BETWEEN_AGENTS)
        || span.text(keys::GEN_AI_EXECUTION_TYPE) == Some(ExecutionType::AgentToAgent.as_str());
    let may_lack_port = span.value(keys::SERVER_ADDRESS).is_some()
        && scopes.is_some_and(|profile| leaves_out_usual_port(profile, operation));
    for attribute in ATTRIBUTES {
        if may_lack_port && attribute.key == keys::SERVER_PORT {
            continue;
        }
        let is_mandatory = match attribute.requirement(operation, rule_set) {
            Requirement::Mandatory => true,
            Requirement::MandatoryUnlessFailed => !span.has_failed(),
            Requirement::MandatoryIfEmbodied => is_embodied,
            Requirement::MandatoryBetweenAgents => calls_between_agents,
            Requirement::Optional
            | Requirement::Unclear
            | Requirement::OnlyOnError
            | Requirement::OnlyWithoutEntra
            | Requirement::NotSent => false,
        };
        if is_mandatory && !span.has(attribute) {
            findings.add_attribute(rule_of(attribute, operation), span, attribute.key);
        }
    }
}

/// The attributes that show that an agent has an Entra user of its own.
const EMBODIED: [&str; 2] = [
    keys::MICROSOFT_AGENT_USER_ID,
    keys::MICROSOFT_AGENT_USER_EMAIL,
];

/// The attributes that show that an agent calls another one.
const BETWEEN_AGENTS: [&str; 3] = [
    keys::MICROSOFT_CALLER_AGENT_ID,
    keys::MICROSOFT_CALLER_AGENT_NAME,
    keys::MICROSOFT_CALLER_AGENT_BLUEPRINT_ID,
];

fn has_any(span: &ObservedSpan<'_>, keys: &[&str]) -> bool {
    keys.iter().any(|key| span.text(key).is_some())
}

/// The answer of a run has a rule of its own.
fn rule_of(attribute: &Attribute, operation: Operation) -> RuleId {
    let is_answer = attribute.key == keys::GEN_AI_OUTPUT_MESSAGES;
    match operation {
        Operation::InvokeAgent if is_answer => RuleId::R21,
        _ => attribute.rule,
    }
}
