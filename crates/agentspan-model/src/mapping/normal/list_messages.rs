//! Messages in lists of keys, as OpenInference and OpenLLMetry have them.

use super::content_part::part;
use super::facts::NormalMessage;
use super::json_messages::{answers_in_one, known_role};
use super::lenient_json;
use super::reader::{Element, Reader};
use super::tool::json_or_text;
use crate::agent365::{MessagePart, MessageRole, Modality};
use crate::keys::{self, dialects};
use serde_json::Value;

/// Messages of OpenInference, `llm.input_messages.N.message.role`. `None` if there are none.
pub(super) fn of_open_inference(reader: &Reader<'_, '_>, list: &str) -> Option<Vec<NormalMessage>> {
    let elements = reader.list(list)?;
    let messages = elements.iter().map(|element| {
        let message = Fields {
            role: element.text(keys::MESSAGE_ROLE),
            content: element.text(keys::MESSAGE_CONTENT),
            contents: element.list(dialects::MESSAGE_CONTENTS),
            tool_call_id: element.text(keys::MESSAGE_TOOL_CALL_ID),
            name: element.text(keys::MESSAGE_NAME),
            calls: element.list(keys::MESSAGE_TOOL_CALLS),
            first_call: tool_call(
                element.text(dialects::MESSAGE_FUNCTION_CALL_NAME),
                None,
                element.text(dialects::MESSAGE_FUNCTION_CALL_ARGUMENTS),
            ),
        };
        let call = |call: &Element<'_, '_>| {
            tool_call(
                call.text(keys::TOOL_CALL_FUNCTION_NAME),
                call.text(keys::TOOL_CALL_ID),
                call.text(keys::TOOL_CALL_FUNCTION_ARGUMENTS),
            )
        };
        message.into_message(list == keys::LLM_OUTPUT_MESSAGES, call)
    });
    Some(answers_in_one(messages.collect()))
}

/// Messages of OpenLLMetry, `gen_ai.prompt.N.role`. `None` if there are none.
pub(super) fn of_traceloop(reader: &Reader<'_, '_>, list: &str) -> Option<Vec<NormalMessage>> {
    let elements = reader.list(list)?;
    let messages = elements.iter().map(|element| {
        let message = Fields {
            role: element.text("role"),
            content: element.text("content"),
            contents: Vec::new(),
            tool_call_id: element.text("tool_call_id"),
            name: None,
            calls: element.list("tool_calls"),
            first_call: None,
        };
        let call = |call: &Element<'_, '_>| {
            tool_call(call.text("name"), call.text("id"), call.text("arguments"))
        };
        let is_output = list == dialects::GEN_AI_COMPLETION;
        let mut message = message.into_message(is_output, call);
        message.finish_reason = element.text("finish_reason").map(str::to_owned);
        message
    });
    Some(messages.collect())
}

/// The fields of a message under whatever keys.
struct Fields<'s, 'a> {
    role: Option<&'a str>,
    content: Option<&'a str>,
    contents: Vec<Element<'s, 'a>>,
    tool_call_id: Option<&'a str>,
    name: Option<&'a str>,
    calls: Vec<Element<'s, 'a>>,
    /// As OpenAI's first API for calls has it.
    first_call: Option<MessagePart>,
}

impl<'s, 'a> Fields<'s, 'a> {
    fn into_message(
        self,
        is_output: bool,
        call: impl Fn(&Element<'s, 'a>) -> Option<MessagePart>,
    ) -> NormalMessage {
        let usual = if is_output {
            MessageRole::Assistant
        } else {
            MessageRole::User
        };
        let role = self.role.map_or(usual, known_role);
        let mut parts: Vec<_> = self.contents.iter().filter_map(content_part).collect();
        let text = self.content.filter(|text| !text.is_empty());
        let says_something = text.is_some() || !parts.is_empty();
        if self.tool_call_id.is_some() || (role == MessageRole::Tool && says_something) {
            let texts = parts.iter().filter_map(|part| match part {
                MessagePart::Text { content } => Some(content.as_str()),
                _ => None,
            });
            let texts: String = texts.collect();
            let response = json_or_text(text.unwrap_or(&texts));
            parts = vec![MessagePart::ToolCallResponse {
                id: self.tool_call_id.map(str::to_owned),
                response: says_something.then_some(response),
            }];
        } else if let Some(text) = text.filter(|_| parts.is_empty()) {
            parts = content_parts(text);
        }
        parts.extend(self.calls.iter().filter_map(call));
        parts.extend(self.first_call);
        let mut message = NormalMessage::new(role, parts);
        message.name = self.name.map(str::to_owned);
        message.name = message.name.filter(|_| message.role != MessageRole::Tool);
        message
    }
}

/// OpenLLMetry has a content of several parts as a JSON text.
fn content_parts(text: &str) -> Vec<MessagePart> {
    let is_part = |value: &Value| value.get("type").is_some_and(Value::is_string);
    match lenient_json::parse(text) {
        Some(Value::Array(items)) if !items.is_empty() && items.iter().all(is_part) => {
            items.iter().filter_map(part).collect()
        }
        _ => vec![MessagePart::text(text)],
    }
}

fn content_part(element: &Element<'_, '_>) -> Option<MessagePart> {
    for (key, modality) in [
        (dialects::MESSAGE_CONTENT_IMAGE_URL, Modality::Image),
        (dialects::MESSAGE_CONTENT_AUDIO_URL, Modality::Audio),
    ] {
        if let Some(uri) = element.text(key) {
            return Some(MessagePart::Uri {
                modality,
                uri: uri.to_owned(),
                mime_type: None,
            });
        }
    }
    let text = element.text(dialects::MESSAGE_CONTENT_TEXT)?;
    let content = text.to_owned();
    Some(match element.text(dialects::MESSAGE_CONTENT_TYPE) {
        Some("reasoning") => MessagePart::Reasoning { content },
        _ => MessagePart::Text { content },
    })
}

fn tool_call(name: Option<&str>, id: Option<&str>, arguments: Option<&str>) -> Option<MessagePart> {
    Some(MessagePart::ToolCall {
        name: name?.to_owned(),
        id: id.map(str::to_owned),
        arguments: arguments.map(json_or_text),
    })
}
