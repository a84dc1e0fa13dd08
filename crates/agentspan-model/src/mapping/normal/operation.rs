//! The operation of a span, as each convention states it.

use serde_json::Value;

use super::facts::OperationName;
use super::lenient_json;
use super::reader::Reader;
use crate::keys::{self, dialects};

/// `None` for a span that does nothing that has a name in the GenAI conventions.
pub(super) fn of(reader: &Reader<'_, '_>) -> Option<OperationName> {
    let operation = by_gen_ai(reader)
        .or_else(|| by_open_inference(reader))
        .or_else(|| by_traceloop(reader))
        .or_else(|| by_langfuse(reader));
    match operation {
        Some(Said::Operation(operation)) => Some(operation),
        Some(Said::Nothing) => None,
        None => by_what_it_says(reader),
    }
}

/// The meaning of a convention's word for the kind of a span.
enum Said {
    Operation(OperationName),
    /// A step of something else, for which the GenAI conventions have no name.
    Nothing,
}

impl From<OperationName> for Said {
    fn from(operation: OperationName) -> Self {
        Self::Operation(operation)
    }
}

fn by_gen_ai(reader: &Reader<'_, '_>) -> Option<Said> {
    let name = reader.text(&[keys::GEN_AI_OPERATION_NAME])?;
    Some(match name {
        // Agent 365 0.1.0.
        "Chat" => OperationName::Chat.into(),
        "TextCompletion" => OperationName::TextCompletion.into(),
        "GenerateContent" => OperationName::GenerateContent.into(),
        // Before 1.30.
        "completion" => OperationName::TextCompletion.into(),
        "embedding" => OperationName::Embeddings.into(),
        "unknown" => Said::Nothing,
        name => OperationName::from(name).into(),
    })
}

fn by_open_inference(reader: &Reader<'_, '_>) -> Option<Said> {
    let kind = reader.text(&[keys::OPENINFERENCE_SPAN_KIND])?;
    Some(match &*kind.to_ascii_uppercase() {
        "LLM" => OperationName::Chat.into(),
        "EMBEDDING" => OperationName::Embeddings.into(),
        "RETRIEVER" => OperationName::Retrieval.into(),
        "AGENT" => OperationName::InvokeAgent.into(),
        "TOOL" => OperationName::ExecuteTool.into(),
        "GUARDRAIL" => OperationName::ApplyGuardrail.into(),
        // LangChain calls the run of an agent a chain, and names it after the agent.
        "CHAIN" if langchain_agent(reader).as_deref() == Some(reader.span.name) => {
            OperationName::InvokeAgent.into()
        }
        _ => Said::Nothing,
    })
}

/// The name of the agent that LangChain does something for.
pub(super) fn langchain_agent(reader: &Reader<'_, '_>) -> Option<String> {
    let metadata = reader.peek(keys::METADATA)?;
    let metadata = lenient_json::parse(metadata)?;
    let name = metadata.get("lc_agent_name").and_then(Value::as_str)?;
    Some(name.to_owned())
}

fn by_traceloop(reader: &Reader<'_, '_>) -> Option<Said> {
    if let Some(kind) = reader.text(&[dialects::LLM_REQUEST_TYPE]) {
        return Some(match kind {
            "chat" => OperationName::Chat.into(),
            "completion" => OperationName::TextCompletion.into(),
            "embedding" => OperationName::Embeddings.into(),
            _ => Said::Nothing,
        });
    }
    Some(match reader.text(&[dialects::TRACELOOP_SPAN_KIND])? {
        "workflow" => OperationName::InvokeWorkflow.into(),
        "agent" => OperationName::InvokeAgent.into(),
        "tool" => OperationName::ExecuteTool.into(),
        _ => Said::Nothing,
    })
}

fn by_langfuse(reader: &Reader<'_, '_>) -> Option<Said> {
    Some(match reader.text(&[dialects::LANGFUSE_TYPE])? {
        "generation" => OperationName::Chat.into(),
        "embedding" => OperationName::Embeddings.into(),
        "retriever" => OperationName::Retrieval.into(),
        "agent" => OperationName::InvokeAgent.into(),
        "tool" => OperationName::ExecuteTool.into(),
        "guardrail" => OperationName::ApplyGuardrail.into(),
        _ => Said::Nothing,
    })
}

/// The first versions of the conventions named no operation.
fn by_what_it_says(reader: &Reader<'_, '_>) -> Option<OperationName> {
    if reader.has(keys::GEN_AI_TOOL_NAME) {
        return Some(OperationName::ExecuteTool);
    }
    let is_call = [
        keys::GEN_AI_REQUEST_MODEL,
        keys::GEN_AI_RESPONSE_MODEL,
        keys::LLM_MODEL_NAME,
    ];
    is_call
        .iter()
        .any(|key| reader.has(key))
        .then_some(OperationName::Chat)
}
