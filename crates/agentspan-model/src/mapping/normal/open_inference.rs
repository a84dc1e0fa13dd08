//! The words of OpenInference, written with what writes those of Agent Spec spans.

use serde_json::{Map, Number, Value};

use super::content_part::taken;
use super::facts::{NormalMessage, NormalSpan, OperationName};
use super::gen_ai::said;
use super::json_messages::answers_in_one;
use super::words::{shown, text, visit_agent_details, visit_definitions, visit_instructions};
use crate::agent365::{MessagePart, MessageRole};
use crate::attribute::AttributeValue::{Bool, I64, Static, Str, StrList};
use crate::attribute::{Key, KeyVisitor};
use crate::json_writer::to_json;
use crate::keys::{self, dialects};
use crate::mapping::open_inference::{
    CallPlace, JSON, MessageFields, Place, RoleAndContent, indexed, mime_type_of, value,
    visit_arguments, visit_tokens, visit_tool_call,
};
use crate::mapping::story::Content;

pub(super) fn visit(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let (kind, stands_for) = kind(normal);
    visitor.visit_key(keys::OPENINFERENCE_SPAN_KIND.into(), Static(kind));
    if normal.operation != stands_for {
        let operation = normal.operation.as_str();
        visitor.visit_key(keys::GEN_AI_OPERATION_NAME.into(), Str(operation));
    }
    let agent_key = if normal.operation.is_agent() {
        keys::AGENT_NAME
    } else {
        keys::GEN_AI_AGENT_NAME
    };
    text(agent_key, normal.agent.name.as_deref(), visitor);
    visit_agent_details(normal, visitor);
    let session = normal.session_id.as_deref();
    let session = session.or(normal.conversation_id.as_deref());
    text(keys::SESSION_ID, session, visitor);
    let conversation = normal.conversation_id.as_deref();
    text(keys::GEN_AI_CONVERSATION_ID, conversation, visitor);
    visit_call(normal, visitor);
    if normal.is_tool() {
        visit_tool(normal, visitor);
    } else if normal.operation.is_inference() {
        visit_conversation(normal, visitor);
    } else {
        visit_instructions(normal, visitor);
        visit_definitions(normal, visitor);
        for (place, messages, role) in [
            (Place::Input, &normal.input, MessageRole::User),
            (Place::Output, &normal.output, MessageRole::Assistant),
        ] {
            let messages = messages.reveal().map(Vec::as_slice).unwrap_or_default();
            visit_value(place, messages, &role, visitor);
        }
    }
}

/// The kind, and the operation that it stands for: any other one is named beside it.
fn kind(normal: &NormalSpan) -> (&'static str, OperationName) {
    match &normal.operation {
        operation if operation.is_inference() => ("LLM", OperationName::Chat),
        OperationName::Embeddings => ("EMBEDDING", OperationName::Embeddings),
        OperationName::Retrieval => ("RETRIEVER", OperationName::Retrieval),
        OperationName::ExecuteTool => ("TOOL", OperationName::ExecuteTool),
        OperationName::ApplyGuardrail => ("GUARDRAIL", OperationName::ApplyGuardrail),
        OperationName::InvokeAgent | OperationName::CreateAgent => {
            ("AGENT", OperationName::InvokeAgent)
        }
        _ => ("CHAIN", OperationName::Other(String::new())),
    }
}

/// Tokens are added up over a trace, so that the sum which an agent says is left out.
fn visit_call(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let call = &normal.call;
    let model = call.response_model.as_deref().or(call.model());
    text(keys::LLM_MODEL_NAME, model, visitor);
    text(keys::LLM_PROVIDER, call.provider.as_deref(), visitor);
    let parameters = parameters(normal);
    if !parameters.is_empty() {
        let parameters = Value::Object(parameters).to_string();
        visitor.visit_key(keys::LLM_INVOCATION_PARAMETERS.into(), Str(&parameters));
    }
    // For these, OpenInference has no words.
    text(
        keys::GEN_AI_RESPONSE_ID,
        call.response_id.as_deref(),
        visitor,
    );
    text(
        keys::GEN_AI_OUTPUT_TYPE,
        call.output_type.as_deref(),
        visitor,
    );
    if let Some(is_streamed) = call.is_streamed {
        visitor.visit_key(keys::GEN_AI_REQUEST_STREAM.into(), Bool(is_streamed));
    }
    text(
        keys::LLM_FINISH_REASON,
        call.finish_reasons.first().map(String::as_str),
        visitor,
    );
    if call.finish_reasons.len() > 1 {
        let reasons: Vec<_> = call.finish_reasons.iter().map(String::as_str).collect();
        let key = keys::GEN_AI_RESPONSE_FINISH_REASONS;
        visitor.visit_key(key.into(), StrList(&reasons));
    }
    if normal.is_sum() {
        return;
    }
    let usage = &normal.usage;
    visit_tokens(usage.input, usage.output, visitor);
    for (key, tokens) in [
        (dialects::LLM_TOKEN_COUNT_CACHE_READ, usage.cache_read),
        (dialects::LLM_TOKEN_COUNT_CACHE_WRITE, usage.cache_write),
        (dialects::LLM_TOKEN_COUNT_REASONING, usage.reasoning),
    ] {
        if let Some(tokens) = tokens {
            visitor.visit_key(key.into(), I64(tokens));
        }
    }
}

/// The parameters under the names of OpenAI's API, as instrumentations of OpenInference write them.
fn parameters(normal: &NormalSpan) -> Map<String, Value> {
    let call = &normal.call;
    let parameters = &call.parameters;
    let mut object = Map::new();
    if let Some(model) = &call.request_model {
        object.insert("model".into(), model.as_str().into());
    }
    for (name, number) in [
        ("max_tokens", parameters.max_tokens),
        ("seed", parameters.seed),
        ("n", parameters.choice_count),
    ] {
        if let Some(number) = number {
            object.insert(name.into(), number.into());
        }
    }
    for (name, number) in [
        ("temperature", parameters.temperature),
        ("top_p", parameters.top_p),
        ("top_k", parameters.top_k),
        ("frequency_penalty", parameters.frequency_penalty),
        ("presence_penalty", parameters.presence_penalty),
    ] {
        if let Some(number) = number.and_then(Number::from_f64) {
            object.insert(name.into(), number.into());
        }
    }
    object
}

fn visit_conversation(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let output = normal.output.reveal().map(Vec::as_slice);
    let [input, output] = [&normal.conversation(), output.unwrap_or_default()].map(|messages| {
        let messages = messages.iter().flat_map(one_result_each);
        answers_in_one(messages.collect())
    });
    visit_value(Place::Input, &input, &MessageRole::User, visitor);
    visit_value(Place::Output, &output, &MessageRole::Assistant, visitor);
    for (list, messages) in [
        (keys::LLM_INPUT_MESSAGES, input),
        (keys::LLM_OUTPUT_MESSAGES, output),
    ] {
        for (index, message) in messages.iter().enumerate() {
            visit_message(list, index, message, visitor);
        }
    }
    let tools = normal.tool_definitions.reveal().into_iter().flatten();
    for (index, tool) in tools.enumerate() {
        let schema = function_tool(tool).to_string();
        let key = indexed(keys::LLM_TOOLS, index, keys::TOOL_JSON_SCHEMA);
        visitor.visit_key(key, Str(&schema));
    }
}

/// A message of OpenInference holds the result of one call, or no result, and calls after all else.
fn one_result_each(message: &NormalMessage) -> Vec<NormalMessage> {
    let is_result = |part: &MessagePart| matches!(part, MessagePart::ToolCallResponse { .. });
    if message.parts.len() < 2 {
        return vec![message.clone()];
    }
    let chunks = message
        .parts
        .chunk_by(|a, b| !is_result(a) && !is_result(b));
    let messages = chunks.map(|parts| NormalMessage {
        role: match parts {
            [part] if is_result(part) => MessageRole::Tool,
            _ => message.role.clone(),
        },
        parts: with_calls_last(parts),
        ..message.clone()
    });
    messages.collect()
}

fn with_calls_last(parts: &[MessagePart]) -> Vec<MessagePart> {
    let mut parts = parts.to_vec();
    parts.sort_by_key(|part| matches!(part, MessagePart::ToolCall { .. }));
    parts
}

fn visit_message(
    list: &'static str,
    index: usize,
    message: &NormalMessage,
    visitor: &mut dyn KeyVisitor,
) {
    let mut responses = message.parts.iter().filter_map(|part| match part {
        MessagePart::ToolCallResponse { id, response } => Some((id.as_deref(), response)),
        _ => None,
    });
    let response = responses.next();
    let is_text = |part: &MessagePart| matches!(part, MessagePart::Text { .. });
    let is_call = |part: &MessagePart| matches!(part, MessagePart::ToolCall { .. });
    let texts = message.parts.iter().filter(|part| is_text(part)).count();
    let is_plain = message
        .parts
        .iter()
        .all(|part| is_text(part) || is_call(part))
        && texts <= 1;
    let content = match response {
        Some((_, response)) => response.as_ref().map(shown),
        None => said(message).filter(|_| is_plain),
    };
    let fields = MessageFields {
        role: message.role.as_str(),
        content: content.as_deref(),
        name: message.name.as_deref(),
        tool_call_id: response.and_then(|(id, _)| id),
    };
    fields.visit(list, index, visitor);
    let others = message.parts.iter().filter(|part| !is_call(part));
    if response.is_none() && !is_plain {
        for (inner, part) in others.enumerate() {
            visit_content_part(list, index, inner, part, visitor);
        }
    }
    let calls = message.parts.iter().filter_map(|part| match part {
        MessagePart::ToolCall {
            name,
            id,
            arguments,
        } => Some((name, id, arguments)),
        _ => None,
    });
    for (inner, (name, id, arguments)) in calls.enumerate() {
        let place = CallPlace {
            list,
            message: index,
            index: inner,
        };
        let arguments = arguments.as_ref().map(shown);
        visit_tool_call(place, id.as_deref(), name, arguments.as_deref(), visitor);
    }
}

/// A part beside others; of parts that OpenInference has no words for, the JSON.
fn visit_content_part(
    list: &'static str,
    index: usize,
    inner_index: usize,
    part: &MessagePart,
    visitor: &mut dyn KeyVisitor,
) {
    let key = |member| Key::Nested {
        list,
        index,
        inner: dialects::MESSAGE_CONTENTS,
        inner_index,
        member,
    };
    let (kind, member, content) = match part {
        MessagePart::Text { content } => ("text", dialects::MESSAGE_CONTENT_TEXT, content.clone()),
        MessagePart::Reasoning { content } => {
            ("reasoning", dialects::MESSAGE_CONTENT_TEXT, content.clone())
        }
        MessagePart::Uri { uri, .. } => ("image", dialects::MESSAGE_CONTENT_IMAGE_URL, uri.clone()),
        other => (
            "text",
            dialects::MESSAGE_CONTENT_TEXT,
            super::facts::part_value(other).to_string(),
        ),
    };
    visitor.visit_key(key(dialects::MESSAGE_CONTENT_TYPE), Static(kind));
    visitor.visit_key(key(member), Str(&content));
}

/// The input or the output as one value: one text as it is, several messages as JSON.
fn visit_value(
    place: Place,
    messages: &[NormalMessage],
    usual: &MessageRole,
    visitor: &mut dyn KeyVisitor,
) {
    let is_text = |part: &MessagePart| matches!(part, MessagePart::Text { .. });
    let are_texts = messages.iter().all(|m| m.parts.iter().all(is_text));
    match messages {
        [] => {}
        // An empty value says nothing, and a reader takes it for no message.
        [only] if are_texts && only.role == *usual => {
            if let Some(text) = said(only).filter(|text| !text.is_empty()) {
                let mime_type = mime_type_of(&text);
                value(place, Some(Content::Shown(&text)), mime_type, visitor);
            }
        }
        messages if are_texts => {
            let texts: Vec<_> = messages
                .iter()
                .map(|m| said(m).unwrap_or_default())
                .collect();
            let both = messages.iter().zip(&texts);
            let both = both.map(|(message, content)| RoleAndContent {
                role: message.role.as_str(),
                content,
            });
            let json = to_json(&both.collect::<Vec<_>>());
            value(place, Some(Content::Shown(&json)), JSON, visitor);
        }
        messages => {
            // Reasons have a key of their own.
            let without_reason = |message: &NormalMessage| NormalMessage {
                finish_reason: None,
                ..message.clone()
            };
            let messages = messages.iter().map(without_reason);
            let json: Value = messages.map(|message| message.to_value()).collect();
            value(
                place,
                Some(Content::Shown(&json.to_string())),
                JSON,
                visitor,
            );
        }
    }
}

fn visit_tool(normal: &NormalSpan, visitor: &mut dyn KeyVisitor) {
    let tool = &normal.tool;
    text(keys::TOOL_NAME, tool.name.as_deref(), visitor);
    text(keys::TOOL_DESCRIPTION, tool.description.as_deref(), visitor);
    text(keys::TOOL_CALL_ID, tool.call_id.as_deref(), visitor);
    text(keys::GEN_AI_TOOL_TYPE, tool.tool_type.as_deref(), visitor);
    let arguments = tool.arguments.as_ref().and_then(|value| value.reveal());
    if let Some(arguments) = arguments.map(shown) {
        let name = tool.name.as_deref().unwrap_or_default();
        let mime_type = mime_type_of(&arguments);
        value(
            Place::Input,
            Some(Content::Shown(&arguments)),
            mime_type,
            visitor,
        );
        visit_arguments(name, &arguments, visitor);
    }
    let result = tool.result.as_ref().and_then(|value| value.reveal());
    if let Some(result) = result.map(shown) {
        let mime_type = mime_type_of(&result);
        value(
            Place::Output,
            Some(Content::Shown(&result)),
            mime_type,
            visitor,
        );
    }
}

/// A tool with its members in a function, as OpenAI and OpenInference have it.
fn function_tool(tool: &Value) -> Value {
    let Value::Object(members) = tool else {
        return tool.clone();
    };
    if members.get("type").and_then(Value::as_str) != Some("function") {
        return tool.clone();
    }
    let mut function = members.clone();
    taken(&mut function, "type");
    let mut outer = Map::new();
    outer.insert("type".into(), "function".into());
    outer.insert("function".into(), Value::Object(function));
    Value::Object(outer)
}
