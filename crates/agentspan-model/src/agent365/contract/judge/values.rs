//! Whether the values of attributes are the right ones.

use super::super::attribute::Attribute;
use super::super::observed::{ObservedSpan, Wire};
use super::super::rule::RuleId;
use super::Findings;
use crate::agent365::ClientAddress;
use crate::keys;
use crate::mapping::normal::SourceValue;

pub(super) fn check(span: &ObservedSpan<'_>, findings: &mut Findings) {
    check_ids(span, findings);
    let mut check = |rule, key, is_wrong: fn(&str) -> bool| {
        if span.text(key).is_some_and(is_wrong) {
            findings.add_attribute(rule, span, key);
        }
    };
    check(RuleId::R14, keys::MICROSOFT_CHANNEL_NAME, |name| {
        name.eq_ignore_ascii_case("teams")
    });
    // An id of Teams and other channels, which Entra does not know.
    check(RuleId::R16, keys::USER_ID, |id| id.starts_with("29:"));
    check(RuleId::R18, keys::CLIENT_ADDRESS, |address| {
        ClientAddress::parse(address).is_err()
    });
    check(RuleId::R24, keys::GEN_AI_TOOL_CALL_RESULT, is_bare_date);
    let result = span.value(keys::GEN_AI_TOOL_CALL_RESULT);
    if result.is_some_and(|result| !matches!(result, SourceValue::Text(_))) {
        findings.add_attribute(RuleId::R24, span, keys::GEN_AI_TOOL_CALL_RESULT);
    }
    if span.wire == Some(Wire::Standard) {
        for (key, value) in &span.attributes {
            let is_text = matches!(value, SourceValue::Text(_));
            if !is_text && Attribute::with_key(key).is_some() {
                findings.add_attribute(RuleId::R23, span, key);
            }
        }
    }
}

/// Ids that must differ, or must not.
fn check_ids(span: &ObservedSpan<'_>, findings: &mut Findings) {
    let is_same = |one: &str, other: &str| match (span.text(one), span.text(other)) {
        (Some(one), Some(other)) => one.trim().eq_ignore_ascii_case(other.trim()),
        _ => false,
    };
    let agent = keys::GEN_AI_AGENT_ID;
    for (rule, key, of) in [
        (RuleId::R04, agent, keys::MICROSOFT_AGENT_BLUEPRINT_ID),
        (RuleId::R05, agent, keys::MICROSOFT_AGENT_USER_ID),
        (RuleId::R16, keys::USER_ID, agent),
        (RuleId::R17, keys::MICROSOFT_AGENT_USER_ID, keys::USER_ID),
        (RuleId::R58, keys::MICROSOFT_CALLER_AGENT_ID, agent),
    ] {
        if is_same(key, of) {
            findings.add_attribute(rule, span, key);
        }
    }
    let sessions = [keys::SESSION_ID, keys::MICROSOFT_SESSION_ID];
    if sessions.iter().all(|key| span.text(key).is_some()) && !is_same(sessions[0], sessions[1]) {
        findings.add_attribute(RuleId::R57, span, keys::MICROSOFT_SESSION_ID);
    }
    // The documentation shows GUIDs as ids of agents with an Entra registration.
    let is_in_entra = span.text(agent).is_some_and(is_guid);
    for key in [keys::MICROSOFT_AGENT_PLATFORM_ID, keys::GEN_AI_AGENT_TYPE] {
        if is_in_entra && span.text(key).is_some() {
            findings.add_attribute(RuleId::R30, span, key);
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Whether a text is a date of ISO 8601 and nothing else, maybe in quotes.
fn is_bare_date(text: &str) -> bool {
    let text = text.trim().trim_matches('"');
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let is_date = {
        let parts: Vec<&str> = date.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        lengths == [4, 2, 2] && parts.iter().all(is_number)
    };
    let is_of_time = |byte: u8| byte.is_ascii_digit() || b":.+-Z".contains(&byte);
    is_date && time.bytes().all(is_of_time)
}
