//! The words that the renderings share.

use serde_json::Value;

use super::facts::{NormalSpan, part_value};
use crate::attribute::AttributeValue::{F64, I64, Str};
use crate::attribute::KeyVisitor;
use crate::keys;

pub(super) fn text(key: &'static str, value: Option<&str>, visitor: &mut dyn KeyVisitor) {
    if let Some(value) = value {
        visitor.visit_key(key.into(), Str(value));
    }
}

/// JSON as a text, and a text as it is.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The parameters for which all vocabularies but OpenInference have their own words, in the words
/// of the GenAI conventions.
pub(super) fn visit_parameters(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let parameters = &normal.call.parameters;
    for (key, number) in [
        (keys::GEN_AI_REQUEST_MAX_TOKENS, parameters.max_tokens),
        (keys::GEN_AI_REQUEST_SEED, parameters.seed),
        (keys::GEN_AI_REQUEST_CHOICE_COUNT, parameters.choice_count),
    ] {
        if let Some(number) = number {
            visitor.visit_key(key.into(), I64(number));
        }
    }
    for (key, number) in [
        (keys::GEN_AI_REQUEST_TEMPERATURE, parameters.temperature),
        (keys::GEN_AI_REQUEST_TOP_P, parameters.top_p),
        (keys::GEN_AI_REQUEST_TOP_K, parameters.top_k),
        (
            keys::GEN_AI_REQUEST_FREQUENCY_PENALTY,
            parameters.frequency_penalty,
        ),
        (
            keys::GEN_AI_REQUEST_PRESENCE_PENALTY,
            parameters.presence_penalty,
        ),
    ] {
        if let Some(number) = number {
            visitor.visit_key(key.into(), F64(number));
        }
    }
}

/// The agent's id, description and version, which only the GenAI conventions and Agent 365 have words for.
pub(super) fn visit_agent_details(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let agent = &normal.agent;
    text(keys::GEN_AI_AGENT_ID, agent.id.as_deref(), visitor);
    let description = agent.description.as_deref();
    text(keys::GEN_AI_AGENT_DESCRIPTION, description, visitor);
    text(
        keys::GEN_AI_AGENT_VERSION,
        agent.version.as_deref(),
        visitor,
    );
}

/// The instructions, unless a rendering has them among the messages.
pub(super) fn visit_instructions(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let parts = normal
        .instructions
        .reveal()
        .filter(|parts| !parts.is_empty());
    if let Some(parts) = parts {
        let parts: Value = parts.iter().map(part_value).collect();
        let key = keys::GEN_AI_SYSTEM_INSTRUCTIONS;
        visitor.visit_key(key.into(), Str(&parts.to_string()));
    }
}

/// The tools that may be called, in the words of the GenAI conventions.
pub(super) fn visit_definitions(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let tools = normal.tool_definitions.reveal();
    if let Some(tools) = tools.filter(|tools| !tools.is_empty()) {
        let tools: Value = tools.iter().cloned().collect();
        let key = keys::GEN_AI_TOOL_DEFINITIONS;
        visitor.visit_key(key.into(), Str(&tools.to_string()));
    }
}
