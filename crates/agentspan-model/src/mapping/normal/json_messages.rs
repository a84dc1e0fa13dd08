//! Messages in a text of JSON, in the forms of the GenAI conventions, of OpenAI's two APIs and of Anthropic's.

use serde_json::{Map, Value};

use super::facts::NormalMessage;
use super::lenient_json;
use super::tool::json_or_text;
use crate::agent365::{MessagePart, MessageRole, Modality};

/// The messages in a value. `None` if it is none of the known forms.
///
/// `role` is that of messages that name none.
pub(super) fn messages(value: &Value, role: &MessageRole) -> Option<Vec<NormalMessage>> {
    match value {
        Value::Array(items) => {
            let messages = items.iter().map(|item| message(item, role));
            messages.collect::<Option<Vec<_>>>().map(answers_in_one)
        }
        Value::Object(object) => {
            // Gemini's request has contents.
            for list in ["messages", "contents"] {
                if let Some(list @ Value::Array(_)) = object.get(list) {
                    return messages(list, role);
                }
            }
            if let Some(Value::Array(candidates)) = object.get("candidates") {
                let messages = candidates.iter().map(|it| candidate_message(it, role));
                return messages.collect();
            }
            // The answer of OpenAI's APIs.
            if let Some(Value::Array(choices)) = object.get("choices") {
                let messages = choices.iter().map(|choice| choice_message(choice, role));
                return messages.collect();
            }
            if let Some(list @ Value::Array(_)) = object.get("output") {
                return messages(list, role);
            }
            // The answer of Bedrock's Converse.
            if let Some(answer) = value.pointer("/output/message") {
                let mut message = message(answer, role)?;
                let reason = object.get("stopReason").and_then(Value::as_str);
                message.finish_reason = reason.map(str::to_owned);
                return Some(vec![message]);
            }
            message(value, role).map(|message| vec![message])
        }
        Value::String(text) => Some(vec![NormalMessage::text(role.clone(), text)]),
        _ => None,
    }
}

fn choice_message(choice: &Value, role: &MessageRole) -> Option<NormalMessage> {
    let mut message = message(choice.get("message")?, role)?;
    let reason = choice.get("finish_reason").and_then(Value::as_str);
    message.finish_reason = reason.map(str::to_owned);
    Some(message)
}

/// An answer of Gemini.
fn candidate_message(candidate: &Value, role: &MessageRole) -> Option<NormalMessage> {
    let mut message = message(candidate.get("content")?, role)?;
    let reason = candidate.get("finishReason").and_then(Value::as_str);
    message.finish_reason = reason.map(str::to_owned);
    Some(message)
}

/// OpenAI's Responses have an item for each call and each text of one answer.
pub(super) fn answers_in_one(messages: Vec<NormalMessage>) -> Vec<NormalMessage> {
    let mut joined: Vec<NormalMessage> = Vec::with_capacity(messages.len());
    for message in messages {
        let is_call = |part: &MessagePart| matches!(part, MessagePart::ToolCall { .. });
        match joined.last_mut() {
            Some(last)
                if last.role == MessageRole::Assistant
                    && message.role == MessageRole::Assistant
                    && message.parts.iter().all(is_call)
                    && !message.parts.is_empty()
                    && last.parts.last().is_some_and(is_call) =>
            {
                last.parts.extend(message.parts);
            }
            _ => joined.push(message),
        }
    }
    joined
}

fn message(value: &Value, role: &MessageRole) -> Option<NormalMessage> {
    let object = match value {
        Value::String(text) => return Some(NormalMessage::text(role.clone(), text)),
        Value::Object(object) => object,
        _ => return None,
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if let Some(message) = response_item(object) {
        return Some(message);
    }
    let is_message = ["role", "parts", "content", "tool_calls"]
        .iter()
        .any(|member| object.contains_key(*member));
    if !is_message {
        return None;
    }
    let role = text("role").map_or_else(|| role.clone(), known_role);
    let mut parts = Vec::new();
    for member in ["parts", "content"] {
        match object.get(member) {
            Some(Value::Array(items)) => parts.extend(items.iter().filter_map(part)),
            Some(Value::String(text)) if role == MessageRole::Tool => {
                parts.push(MessagePart::ToolCallResponse {
                    id: tool_call_id(object),
                    response: Some(json_or_text(text)),
                });
            }
            Some(Value::String(text)) if !text.is_empty() => parts.push(MessagePart::text(text)),
            Some(one @ Value::Object(_)) => parts.extend(part(one)),
            Some(number @ (Value::Number(_) | Value::Bool(_))) => {
                parts.push(MessagePart::text(number.to_string()));
            }
            _ => {}
        }
    }
    if let Some(Value::Array(calls)) = object.get("tool_calls") {
        parts.extend(calls.iter().filter_map(tool_call));
    }
    let finish_reason = text("finish_reason").map(str::to_owned);
    let name = text("name").map(str::to_owned);
    let mut message = NormalMessage::new(role, parts);
    message.name = name.filter(|_| message.role != MessageRole::Tool);
    message.finish_reason = finish_reason;
    Some(with_role_of_results(message))
}

/// rig says that a user brings the results of tools.
fn with_role_of_results(mut message: NormalMessage) -> NormalMessage {
    let mut parts = message.parts.iter();
    let is_result = |part: &MessagePart| matches!(part, MessagePart::ToolCallResponse { .. });
    if !message.parts.is_empty() && parts.all(is_result) {
        message.role = MessageRole::Tool;
    }
    message
}

/// The roles of other APIs that mean the same.
pub(super) fn known_role(role: &str) -> MessageRole {
    match role {
        "human" => MessageRole::User,
        "ai" | "model" => MessageRole::Assistant,
        "developer" => MessageRole::System,
        "function" => MessageRole::Tool,
        role => MessageRole::from(role),
    }
}

/// An item of OpenAI's Responses that is no message.
fn response_item(object: &Map<String, Value>) -> Option<NormalMessage> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    match text("type")? {
        "function_call" => {
            let call = tool_call(&Value::Object(object.clone()))?;
            Some(NormalMessage::new(MessageRole::Assistant, vec![call]))
        }
        "function_call_output" => {
            let response = MessagePart::ToolCallResponse {
                id: tool_call_id(object),
                response: object.get("output").map(unwrapped),
            };
            Some(NormalMessage::new(MessageRole::Tool, vec![response]))
        }
        _ => None,
    }
}

fn tool_call_id(object: &Map<String, Value>) -> Option<String> {
    let ids = ["call_id", "tool_call_id", "tool_use_id", "toolUseId", "id"];
    let mut ids = ids.iter().filter_map(|id| object.get(*id));
    ids.find_map(Value::as_str).map(str::to_owned)
}

/// A call as OpenAI has it, with a function, or beside its type.
fn tool_call(value: &Value) -> Option<MessagePart> {
    let object = value.as_object()?;
    let function = object.get("function").unwrap_or(value);
    let name = function.get("name").and_then(Value::as_str)?;
    let arguments = ["arguments", "args", "input"];
    let mut arguments = arguments.iter().filter_map(|member| function.get(*member));
    Some(MessagePart::ToolCall {
        name: name.to_owned(),
        id: tool_call_id(object),
        arguments: arguments.next().map(unwrapped),
    })
}

/// JSON in a text is what the text stands for.
fn unwrapped(value: &Value) -> Value {
    match value {
        Value::String(text) => json_or_text(text),
        value => lenient_json::inside(value),
    }
}

/// A part of a message; parts of unknown types are kept as they are.
pub(super) fn part(value: &Value) -> Option<MessagePart> {
    let object = match value {
        Value::String(text) => return Some(MessagePart::text(text)),
        Value::Object(object) => object,
        _ => return None,
    };
    let text = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| object.get(*name));
        values.find_map(Value::as_str).map(str::to_owned)
    };
    let part_type = object.get("type").and_then(Value::as_str);
    if let Some(part) = named_by_member(object).filter(|_| part_type.is_none()) {
        return Some(part);
    }
    let known = match part_type {
        Some("text" | "input_text" | "output_text") | None => {
            text(&["content", "text"]).map(|content| MessagePart::Text { content })
        }
        Some("tool_call" | "tool_use" | "function_call") => tool_call(value),
        Some("tool_call_response" | "tool_result" | "function_call_output") => {
            // Named differently by almost everyone.
            let results = ["response", "result", "content", "output"];
            let mut results = results.iter().filter_map(|name| object.get(*name));
            Some(MessagePart::ToolCallResponse {
                id: tool_call_id(object),
                response: results.next().map(unwrapped),
            })
        }
        Some("reasoning" | "thinking") => {
            text(&["content", "text", "thinking"]).map(|content| MessagePart::Reasoning { content })
        }
        Some("image_url" | "input_image") => image_url(object),
        Some(_) => serde_json::from_value(value.clone())
            .ok()
            .filter(|part| !matches!(part, MessagePart::Generic { .. })),
    };
    Some(known.unwrap_or_else(|| generic(part_type.unwrap_or_default(), object)))
}

/// A part of Gemini or of Bedrock, which a member names in place of a type.
fn named_by_member(object: &Map<String, Value>) -> Option<MessagePart> {
    let member = |name: &str| object.get(name).and_then(Value::as_object);
    if let Some(call) = object.get("functionCall").or_else(|| object.get("toolUse")) {
        return tool_call(call);
    }
    let (result, place) = member("functionResponse")
        .map(|result| (result, "response"))
        .or_else(|| Some((member("toolResult")?, "content")))?;
    Some(MessagePart::ToolCallResponse {
        id: tool_call_id(result),
        response: result.get(place).map(unwrapped),
    })
}

fn image_url(object: &Map<String, Value>) -> Option<MessagePart> {
    let place = object.get("image_url")?;
    let uri = place.get("url").unwrap_or(place).as_str()?;
    Some(MessagePart::Uri {
        modality: Modality::Image,
        uri: uri.to_owned(),
        mime_type: None,
    })
}

/// Takes a member out. The others keep their order, which `remove` changes where `serde_json` keeps one.
pub(super) fn taken(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let value = members.get_mut(name).map(Value::take)?;
    members.retain(|other, _| other != name);
    Some(value)
}

fn generic(part_type: &str, object: &Map<String, Value>) -> MessagePart {
    let mut data = object.clone();
    taken(&mut data, "type");
    // As Agent 365 writes such parts.
    let data = match taken(&mut data, "data") {
        Some(Value::Object(inner)) if data.is_empty() => inner,
        Some(other) => {
            data.insert("data".into(), other);
            data
        }
        None => data,
    };
    MessagePart::Generic {
        part_type: part_type.to_owned(),
        data,
    }
}
