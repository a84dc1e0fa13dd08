//! A normal span in the words of a rendering.

use serde_json::Value;

use super::facts::{NormalSpan, OperationName};
use super::{gen_ai, open_inference};
use crate::attribute::AttributeValue::{F64, I64, Str};
use crate::attribute::KeyVisitor;
use crate::keys::{self, dialects};
use crate::mapping::Rendering;
use crate::mapping::gen_ai_v0_1::InWordsOfV0_1;

impl NormalSpan {
    /// Shows what the span says in the words of a rendering. No key is shown twice.
    ///
    /// A fact for which a vocabulary has no word is shown in that of the GenAI conventions.
    /// [`Rendering::AgentSpec`] shows nothing: that vocabulary is that of Agent Spec spans.
    pub fn visit(&self, rendering: Rendering, visitor: &mut impl KeyVisitor) {
        let visitor: &mut dyn KeyVisitor = visitor;
        match rendering {
            Rendering::AgentSpec => return,
            Rendering::GenAi | Rendering::Agent365(_) => gen_ai::visit(self, rendering, visitor),
            Rendering::GenAiV0_1 => {
                let runs_agent = matches!(
                    self.operation,
                    OperationName::InvokeAgent | OperationName::InvokeWorkflow
                );
                let mut words = InWordsOfV0_1::new(visitor, runs_agent && !self.is_client);
                gen_ai::visit(self, rendering, &mut words);
            }
            Rendering::OpenInference => open_inference::visit(self, visitor),
        }
        let error_type = self.error.as_ref().and_then(|e| e.error_type.as_deref());
        text(keys::ERROR_TYPE, error_type, visitor);
    }
}

/// Whether an attribute says nothing but how `tracing` is used.
#[must_use]
pub fn is_tracing_noise(key: &str) -> bool {
    let prefixes = dialects::TRACING_NOISE_PREFIXES;
    dialects::TRACING_NOISE.contains(&key) || prefixes.iter().any(|prefix| key.starts_with(prefix))
}

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
        let parts: Value = parts.iter().map(super::facts::part_value).collect();
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

impl NormalSpan {
    pub(super) fn is_tool(&self) -> bool {
        self.operation == OperationName::ExecuteTool
    }
}
