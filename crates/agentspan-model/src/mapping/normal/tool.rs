//! The facts of a span about the tool that it executes.

use serde_json::Value;

use super::facts::{NormalSpan, OperationName};
use super::lenient_json;
use super::reader::Reader;
use crate::agentspec::Sensitive;
use crate::keys::{self, dialects};

/// The name of the tool that is executed.
pub(super) fn name<'a>(reader: &Reader<'_, 'a>, operation: &OperationName) -> Option<&'a str> {
    if *operation != OperationName::ExecuteTool {
        return None;
    }
    let names = [
        keys::GEN_AI_TOOL_NAME,
        keys::TOOL_NAME,
        dialects::TRACELOOP_ENTITY_NAME,
    ];
    // OpenInference and Langfuse may have it in the name of the span only.
    let is_named_so =
        || reader.has(keys::OPENINFERENCE_SPAN_KIND) || reader.has(dialects::LANGFUSE_TYPE);
    let named = || is_named_so().then_some(reader.span.name);
    reader.text(&names).or_else(named)
}

pub(super) fn read(reader: &Reader<'_, '_>, normal: &mut NormalSpan) {
    if normal.operation != OperationName::ExecuteTool {
        return;
    }
    let tool = &mut normal.tool;
    tool.name = name(reader, &normal.operation).map(str::to_owned);
    let ids = [
        keys::GEN_AI_TOOL_CALL_ID,
        keys::TOOL_CALL_ID,
        dialects::TOOL_ID,
    ];
    let of_langfuse = || reader.texts(&[dialects::LANGFUSE_TOOL_CALL_ID])?.pop();
    tool.call_id = reader.owned(&ids).or_else(of_langfuse);
    tool.tool_type = reader.owned(&[keys::GEN_AI_TOOL_TYPE]);
    tool.description = reader.owned(&[keys::GEN_AI_TOOL_DESCRIPTION, keys::TOOL_DESCRIPTION]);
    let arguments = [
        keys::GEN_AI_TOOL_CALL_ARGUMENTS,
        keys::GEN_AI_TOOL_ARGUMENTS,
        keys::INPUT_VALUE,
        dialects::LANGFUSE_INPUT,
        dialects::TRACELOOP_ENTITY_INPUT,
    ];
    tool.arguments = reader
        .text(&arguments)
        .map(|text| json_or_text(text).into());
    let results = [
        keys::GEN_AI_TOOL_CALL_RESULT,
        keys::GEN_AI_EVENT_CONTENT,
        keys::OUTPUT_VALUE,
        dialects::LANGFUSE_OUTPUT,
        dialects::TRACELOOP_ENTITY_OUTPUT,
    ];
    let result = reader.text(&results).map(json_or_text);
    tool.result = result.map(|value| Sensitive::new(said_in(value)));
    // Both follow from the values.
    let _ = reader.text(&[keys::INPUT_MIME_TYPE, keys::OUTPUT_MIME_TYPE]);
    if reader.has(keys::TOOL_CALL_FUNCTION_ARGUMENTS) {
        let repeated = [
            keys::TOOL_PARAMETERS,
            keys::TOOL_CALL_FUNCTION_NAME,
            keys::TOOL_CALL_FUNCTION_ARGUMENTS,
        ];
        let _ = reader.text(&repeated);
    }
}

/// A JSON object or list as such; all else is text, numbers that may be meant as text included.
pub(super) fn json_or_text(text: &str) -> Value {
    match lenient_json::parse_inside(text) {
        Some(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => value,
        _ => text.into(),
    }
}

/// LangChain wraps what a tool gave back in a message.
fn said_in(value: Value) -> Value {
    let is_message = value.get("type").and_then(Value::as_str) == Some("tool");
    let content = value
        .get("data")
        .or_else(|| value.get("kwargs"))
        .unwrap_or(&value)
        .get("content");
    match content {
        Some(Value::String(text)) if is_message => json_or_text(text),
        _ => value,
    }
}
