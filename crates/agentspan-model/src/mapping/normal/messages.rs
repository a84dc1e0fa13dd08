//! The inputs and outputs of a model or an agent, wherever a convention has them.

use serde_json::Value;

use super::content_part::{part, taken};
use super::facts::{NormalMessage, NormalSpan, OperationName};
use super::json_messages;
use super::lenient_json;
use super::list_messages;
use super::reader::Reader;
use super::source::SourceValue;
use crate::agent365::{MessagePart, MessageRole};
use crate::agentspec::Sensitive;
use crate::keys::{self, dialects};

pub(super) fn read(reader: &Reader<'_, '_>, normal: &mut NormalSpan) {
    if normal.operation == OperationName::ExecuteTool {
        return;
    }
    normal.instructions = Sensitive::new(instructions(reader));
    normal.input = Sensitive::new(input(reader).unwrap_or_default());
    let mut output = output(reader).unwrap_or_default();
    if normal.operation.is_inference() {
        with_reason_of_choice(reader, &mut output);
    }
    normal.output = Sensitive::new(output);
    normal.tool_definitions = Sensitive::new(definitions(reader));
    let _ = reader.text(&[keys::INPUT_MIME_TYPE, keys::OUTPUT_MIME_TYPE]);
}

fn instructions(reader: &Reader<'_, '_>) -> Vec<MessagePart> {
    let parts = reader.first(&[keys::GEN_AI_SYSTEM_INSTRUCTIONS], |value| match value {
        SourceValue::Text("") => None,
        SourceValue::Text(text) => Some(match lenient_json::parse(text) {
            Some(Value::Array(items)) => items.iter().flat_map(parts_of).collect(),
            Some(Value::String(text)) => vec![MessagePart::text(text)],
            Some(one) if !is_unknown(&one) => parts_of(&one),
            _ => vec![MessagePart::text(*text)],
        }),
        SourceValue::Texts(texts) if !texts.is_empty() => {
            Some(texts.iter().map(|text| MessagePart::text(*text)).collect())
        }
        _ => None,
    });
    parts.unwrap_or_default()
}

/// Whether a value is neither a message nor a part of a type that is known: instructions in JSON of their own.
fn is_unknown(value: &Value) -> bool {
    !is_message(value) && matches!(part(value), None | Some(MessagePart::Generic { .. }))
}

fn is_message(value: &Value) -> bool {
    value.get("role").is_some() || value.get("parts").is_some()
}

/// Instructions are parts, and whole messages for some.
fn parts_of(value: &Value) -> Vec<MessagePart> {
    let messages = is_message(value).then(|| json_messages::messages(value, &MessageRole::System));
    match messages.flatten() {
        Some(messages) => messages.into_iter().flat_map(|it| it.parts).collect(),
        None => part(value).into_iter().collect(),
    }
}

/// The first place that has messages counts, those with roles and parts before single texts.
fn input(reader: &Reader<'_, '_>) -> Option<Vec<NormalMessage>> {
    let user = MessageRole::User;
    let list = list_messages::of_open_inference(reader, keys::LLM_INPUT_MESSAGES);
    let older = list_messages::of_traceloop(reader, dialects::GEN_AI_PROMPT);
    let said = texts(reader, &[keys::GEN_AI_INPUT_MESSAGES], &user);
    let of_langfuse = texts(reader, &[dialects::LANGFUSE_INPUT], &user);
    let others = [
        keys::INPUT_VALUE,
        dialects::GEN_AI_PROMPT,
        dialects::TRACELOOP_ENTITY_INPUT,
    ];
    let single = values(reader, &others, &user);
    let of_logfire = || in_json(reader, dialects::LOGFIRE_REQUEST_DATA, "/messages", &user);
    said.or(list)
        .or(older)
        .or_else(of_logfire)
        .or(of_langfuse)
        .or(single)
        .or_else(|| in_events(reader, &Asked))
}

fn output(reader: &Reader<'_, '_>) -> Option<Vec<NormalMessage>> {
    let assistant = MessageRole::Assistant;
    let list = list_messages::of_open_inference(reader, keys::LLM_OUTPUT_MESSAGES);
    let list = list.filter(|messages| messages.iter().any(|message| !message.parts.is_empty()));
    let older = list_messages::of_traceloop(reader, dialects::GEN_AI_COMPLETION);
    let said = texts(reader, &[keys::GEN_AI_OUTPUT_MESSAGES], &assistant);
    let of_langfuse = texts(reader, &[dialects::LANGFUSE_OUTPUT], &assistant);
    let others = [
        keys::OUTPUT_VALUE,
        keys::GEN_AI_EVENT_CONTENT,
        dialects::GEN_AI_COMPLETION,
        dialects::TRACELOOP_ENTITY_OUTPUT,
    ];
    let single = values(reader, &others, &assistant);
    let place = dialects::LOGFIRE_RESPONSE_DATA;
    let of_logfire = || {
        in_json(reader, place, "/message", &assistant)
            .or_else(|| in_json(reader, place, "/combined_chunk_content", &assistant))
    };
    said.or(list)
        .or(older)
        .or_else(of_logfire)
        .or(of_langfuse)
        .or(single)
        .or_else(|| in_events(reader, &Answered))
}

/// Messages in a text: JSON that is messages, else the text itself.
fn texts(reader: &Reader<'_, '_>, keys: &[&str], role: &MessageRole) -> Option<Vec<NormalMessage>> {
    if let Some(text) = reader.text(keys) {
        return Some(messages_of(text, role));
    }
    // A list with a text for each message.
    let items = reader.first(keys, |value| match value {
        SourceValue::Texts(items) if !items.is_empty() => Some(items),
        _ => None,
    })?;
    let messages = items.iter().flat_map(|text| messages_of(text, role));
    Some(messages.collect())
}

/// As [`texts`], under keys that may hold anything: a list of texts, a quoted text and an empty list are no messages.
fn values(
    reader: &Reader<'_, '_>,
    keys: &[&str],
    role: &MessageRole,
) -> Option<Vec<NormalMessage>> {
    let text = reader.text(keys)?;
    let holds_objects = lenient_json::parse(text).is_some_and(|value| match value {
        Value::Object(_) => true,
        Value::Array(items) => items.first().is_some_and(Value::is_object),
        _ => false,
    });
    Some(if holds_objects {
        messages_of(text, role)
    } else {
        vec![NormalMessage::text(role.clone(), text)]
    })
}

fn messages_of(text: &str, role: &MessageRole) -> Vec<NormalMessage> {
    let messages = lenient_json::parse(text);
    let messages = messages.and_then(|value| json_messages::messages(&value, role));
    messages.unwrap_or_else(|| vec![NormalMessage::text(role.clone(), text)])
}

/// Messages in a member of a JSON text that holds more, and stays under its key.
fn in_json(
    reader: &Reader<'_, '_>,
    key: &str,
    place: &str,
    role: &MessageRole,
) -> Option<Vec<NormalMessage>> {
    let value = lenient_json::parse(reader.peek(key)?)?;
    json_messages::messages(value.pointer(place)?, role)
}

/// The side whose contents an event holds.
trait Side {
    /// The role of what an event of this name holds, if it is of this side.
    fn role(&self, event: &str) -> Option<MessageRole>;
    /// The keys of the contents.
    fn keys(&self) -> [&'static str; 3];
}

struct Asked;
struct Answered;

impl Side for Asked {
    fn role(&self, event: &str) -> Option<MessageRole> {
        Some(match event {
            keys::GEN_AI_SYSTEM_MESSAGE_EVENT => MessageRole::System,
            keys::GEN_AI_USER_MESSAGE_EVENT
            | keys::GEN_AI_INFERENCE_DETAILS_EVENT
            | dialects::GEN_AI_CONTENT_PROMPT_EVENT => MessageRole::User,
            keys::GEN_AI_ASSISTANT_MESSAGE_EVENT => MessageRole::Assistant,
            keys::GEN_AI_TOOL_MESSAGE_EVENT => MessageRole::Tool,
            _ => return None,
        })
    }

    fn keys(&self) -> [&'static str; 3] {
        [
            keys::GEN_AI_INPUT_MESSAGES,
            dialects::GEN_AI_PROMPT,
            "content",
        ]
    }
}

impl Side for Answered {
    fn role(&self, event: &str) -> Option<MessageRole> {
        let is_answer = [
            keys::GEN_AI_CHOICE,
            keys::GEN_AI_INFERENCE_DETAILS_EVENT,
            dialects::GEN_AI_CONTENT_COMPLETION_EVENT,
        ];
        is_answer.contains(&event).then_some(MessageRole::Assistant)
    }

    fn keys(&self) -> [&'static str; 3] {
        [
            keys::GEN_AI_OUTPUT_MESSAGES,
            dialects::GEN_AI_COMPLETION,
            "message",
        ]
    }
}

/// The conventions had contents in events before they had them in attributes, and some have them in both.
fn in_events(reader: &Reader<'_, '_>, side: &dyn Side) -> Option<Vec<NormalMessage>> {
    let mut messages = Vec::new();
    for event in reader.events() {
        let Some(role) = side.role(event.name) else {
            continue;
        };
        let text = side.keys().into_iter().find_map(|key| event.text(key));
        let mut of_event = text.map_or_else(Vec::new, |text| messages_of(text, &role));
        if let [only] = &mut of_event[..] {
            let reason = event
                .text("finish_reason")
                .filter(|reason| !reason.is_empty());
            only.finish_reason = only.finish_reason.take().or(reason.map(str::to_owned));
        }
        messages.extend(of_event);
    }
    (!messages.is_empty()).then_some(messages)
}

/// OpenInference has one reason, beside the messages.
fn with_reason_of_choice(reader: &Reader<'_, '_>, output: &mut [NormalMessage]) {
    let reasons = reader.texts(&[keys::LLM_FINISH_REASON]);
    let reason = reasons.and_then(|reasons| reasons.into_iter().next());
    if let (Some(reason), [only]) = (reason, output) {
        only.finish_reason.get_or_insert(reason);
    }
}

fn definitions(reader: &Reader<'_, '_>) -> Vec<Value> {
    if let Some(tools) = reader.first(&[keys::GEN_AI_TOOL_DEFINITIONS], defined) {
        return tools.into_iter().map(flat).collect();
    }
    if let Some(tools) = reader.list(keys::LLM_TOOLS) {
        let schemas = tools
            .iter()
            .filter_map(|tool| tool.text(keys::TOOL_JSON_SCHEMA));
        return schemas.filter_map(lenient_json::parse).map(flat).collect();
    }
    let functions = reader.list(dialects::LLM_REQUEST_FUNCTIONS);
    let functions = functions.into_iter().flatten().map(|function| {
        let mut tool = serde_json::Map::new();
        tool.insert("type".into(), "function".into());
        for member in ["name", "description", "parameters"] {
            if let Some(text) = function.text(member) {
                let value = match member {
                    "parameters" => super::tool::json_or_text(text),
                    _ => text.into(),
                };
                tool.insert(member.into(), value);
            }
        }
        Value::Object(tool)
    });
    functions.collect()
}

/// The tools in a JSON text or in a list of them: an array, an object that has it, or a single tool.
fn defined(value: &SourceValue<'_>) -> Option<Vec<Value>> {
    let text = match value {
        SourceValue::Text(text) => *text,
        SourceValue::Texts(texts) => {
            let tools = texts.iter().map(|text| lenient_json::parse(text));
            let tools: Option<Vec<_>> = tools.collect();
            return tools.filter(|tools| !tools.is_empty() && tools.iter().all(Value::is_object));
        }
        _ => return None,
    };
    match lenient_json::parse(text)? {
        Value::Array(tools) => Some(tools),
        Value::Object(mut members) => match taken(&mut members, "tools") {
            Some(Value::Array(tools)) => Some(tools),
            Some(_) => None,
            None => Some(vec![Value::Object(members)]),
        },
        _ => None,
    }
}

/// OpenAI's Chat Completions have the members of a tool in a function, the conventions beside its type.
fn flat(mut tool: Value) -> Value {
    if let Some(members) = tool.as_object_mut() {
        if let Some(Value::Object(function)) = taken(members, "function") {
            members.extend(function);
        }
    }
    tool
}
