//! Messages in a text of JSON, in the forms of the GenAI conventions, of OpenAI's two APIs and of Anthropic's.

use serde_json::{Map, Value};

use super::content_part::{generic, part, part_of, tool_call, tool_call_id, unwrapped};
use super::facts::NormalMessage;
use super::tool::json_or_text;
use crate::agent365::{MessagePart, MessageRole};

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
            // The answer of Ollama.
            if let Some(answer @ Value::Object(_)) = object.get("message") {
                let mut message = message(answer, role)?;
                let reason = object.get("done_reason").and_then(Value::as_str);
                message.finish_reason = message.finish_reason.or(reason.map(str::to_owned));
                return Some(vec![message]);
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
    if let Some(message) = response_item(object) {
        return Some(message);
    }
    let (object, of_type) = of_langchain(object);
    let is_message = ["role", "parts", "content", "tool_calls"]
        .iter()
        .any(|member| object.contains_key(*member));
    if !is_message {
        return None;
    }
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let named = text("role").map(known_role).or(of_type);
    let role = named.unwrap_or_else(|| role.clone());
    let mut parts: Vec<_> = reasoning_beside(object).into_iter().collect();
    for member in ["parts", "content"] {
        match object.get(member) {
            Some(result) if is_result(member, object, &role) => {
                parts.push(MessagePart::ToolCallResponse {
                    id: tool_call_id(object),
                    response: result_of(result),
                });
            }
            Some(Value::Array(items)) => parts.extend(items.iter().filter_map(part)),
            Some(Value::String(text)) if !text.is_empty() => parts.push(MessagePart::text(text)),
            Some(one @ Value::Object(_)) => parts.extend(part(one)),
            Some(number @ (Value::Number(_) | Value::Bool(_))) => {
                parts.push(MessagePart::text(number.to_string()));
            }
            _ => {}
        }
    }
    parts.extend(refusal_beside(object));
    if let Some(Value::Array(calls)) = object.get("tool_calls") {
        parts.extend(calls.iter().filter_map(call_or_rest));
    }
    // OpenAI's first API for calls, which had one of them.
    let first_call = object.get("function_call").and_then(Value::as_object);
    let first_call = first_call.and_then(tool_call);
    parts.extend(first_call);
    let reasons = ["finish_reason", "stop_reason"];
    let finish_reason = reasons.into_iter().find_map(text).map(str::to_owned);
    let name = text("name").map(str::to_owned);
    let mut message = NormalMessage::new(role, parts);
    message.name = name.filter(|_| message.role != MessageRole::Tool);
    message.finish_reason = finish_reason;
    Some(with_role_of_results(message))
}

/// Whether a member of a message is what a tool gave back, and not a list of parts that say so themselves.
fn is_result(member: &str, message: &Map<String, Value>, role: &MessageRole) -> bool {
    let says_so = |items: &Vec<Value>| {
        let mut parts = items.iter().filter_map(part);
        parts.any(|part| matches!(part, MessagePart::ToolCallResponse { .. }))
    };
    member == "content"
        && *role == MessageRole::Tool
        && match message.get(member) {
            Some(Value::Array(items)) => !says_so(items),
            Some(one @ Value::Object(_)) => !says_so(&vec![one.clone()]),
            Some(Value::String(text)) if !text.is_empty() => true,
            Some(Value::String(_) | Value::Null) | None => tool_call_id(message).is_some(),
            Some(_) => true,
        }
}

/// The result of a tool: a text in a part of its own is the text.
fn result_of(value: &Value) -> Option<Value> {
    let only = match value {
        Value::Array(items) => match &items[..] {
            [only] => only,
            _ => value,
        },
        value => value,
    };
    match (only, part(only)) {
        (Value::Null, _) => None,
        (Value::Object(_), Some(MessagePart::Text { content })) => Some(json_or_text(&content)),
        _ => Some(unwrapped(value)),
    }
}

/// The reasoning of a model, where its API has that beside the answer: DeepSeek, OpenRouter,
/// Ollama.
fn reasoning_beside(message: &Map<String, Value>) -> Option<MessagePart> {
    let members = ["reasoning_content", "reasoning", "thinking"];
    let mut texts = members
        .iter()
        .filter_map(|name| message.get(*name)?.as_str());
    let content = texts.find(|text| !text.is_empty())?.to_owned();
    Some(MessagePart::Reasoning { content })
}

/// Why OpenAI's model does not answer.
fn refusal_beside(message: &Map<String, Value>) -> Option<MessagePart> {
    let refusal = message.get("refusal").filter(|text| text.is_string())?;
    let mut data = Map::new();
    data.insert("refusal".into(), refusal.clone());
    Some(MessagePart::Generic {
        part_type: "refusal".into(),
        data,
    })
}

/// A call, or what there is of one that names nothing.
fn call_or_rest(call: &Value) -> Option<MessagePart> {
    let call = call.as_object()?;
    Some(tool_call(call).unwrap_or_else(|| generic("tool_call", call)))
}

/// LangChain names the author by the type of the message, and may wrap its members.
fn of_langchain(object: &Map<String, Value>) -> (&Map<String, Value>, Option<MessageRole>) {
    let role = |object: &Map<String, Value>| match object.get("type")?.as_str()? {
        "human" | "HumanMessage" | "HumanMessageChunk" => Some(MessageRole::User),
        "ai" | "AIMessage" | "AIMessageChunk" => Some(MessageRole::Assistant),
        "system" | "SystemMessage" => Some(MessageRole::System),
        "tool" | "function" | "ToolMessage" => Some(MessageRole::Tool),
        _ => None,
    };
    let is_wrapped = object.get("type").and_then(Value::as_str) == Some("constructor");
    let inner = match (object.get("kwargs"), object.get("data")) {
        (Some(Value::Object(inner)), _) if is_wrapped => inner,
        (_, Some(Value::Object(inner))) if role(object).is_some() => inner,
        _ => return (object, role(object)),
    };
    (inner, role(inner).or_else(|| role(object)))
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
    let item_type = object.get("type").and_then(Value::as_str)?;
    if object.contains_key("role") {
        return None;
    }
    let (role, part) = match item_type {
        "function_call" | "custom_tool_call" => (MessageRole::Assistant, tool_call(object)?),
        kind if kind.ends_with("_call_output") => {
            let response = object.get("output").and_then(result_of);
            let id = tool_call_id(object);
            let part = MessagePart::ToolCallResponse { id, response };
            (MessageRole::Tool, part)
        }
        // The calls of the provider's tools, and the reasoning of the model.
        kind if kind == "reasoning" || kind.ends_with("_call") || kind.starts_with("mcp_") => {
            (MessageRole::Assistant, part_of(object)?)
        }
        _ => return None,
    };
    Some(NormalMessage::new(role, vec![part]))
}
