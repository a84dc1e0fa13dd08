//! The parts of messages, in the forms of the GenAI conventions and of the APIs of OpenAI,
//! Anthropic, Gemini and Bedrock.

use serde_json::{Map, Value};

use super::lenient_json;
use super::tool::json_or_text;
use crate::agent365::{MessagePart, Modality};

/// A part of a message; parts of unknown types are kept as they are.
pub(super) fn part(value: &Value) -> Option<MessagePart> {
    match value {
        Value::String(text) => Some(MessagePart::text(text)),
        Value::Object(object) => part_of(object),
        _ => None,
    }
}

/// The part that these are the members of.
pub(super) fn part_of(object: &Map<String, Value>) -> Option<MessagePart> {
    let Some(part_type) = object.get("type").and_then(Value::as_str) else {
        return Some(without_type(object));
    };
    let text = || text(object, &["content", "text"]);
    let known = match part_type {
        "text" | "input_text" | "output_text" => text().map(MessagePart::text),
        "tool_call" | "tool_use" | "function_call" => tool_call(object),
        "tool_call_response" | "tool_result" | "function_call_output" => {
            let is_empty = |(name, value): (&String, &Value)| name == "type" || value.is_null();
            if object.iter().all(is_empty) {
                return None;
            }
            Some(tool_result(object))
        }
        "reasoning" | "thinking" | "reasoning_text" => reasoning(object),
        "image_url" | "input_image" => image_url(object),
        "image" => anthropic_image(object),
        "input_audio" => input_audio(object),
        _ => None,
    };
    let known = known.or_else(|| {
        let part = serde_json::from_value(Value::Object(object.clone())).ok();
        part.filter(|part| !matches!(part, MessagePart::Generic { .. }))
    });
    Some(known.unwrap_or_else(|| generic(part_type, object)))
}

/// A part of Gemini or of Bedrock, which a member names in place of a type, or a text.
fn without_type(object: &Map<String, Value>) -> MessagePart {
    // Python's types of Gemini have underscores, its JSON has capitals.
    let member = |names: &[&str]| {
        let mut members = names.iter().filter_map(|name| object.get(*name));
        members.find_map(Value::as_object)
    };
    let call = member(&["functionCall", "function_call", "toolUse"]);
    let result = member(&["functionResponse", "function_response"]);
    let result = result.map(|result| (result, "response"));
    let result = result.or_else(|| Some((member(&["toolResult"])?, "content")));
    let is_thought = object.get("thought") == Some(&Value::Bool(true));
    let known = if let Some(call) = call {
        tool_call(call)
    } else if let Some((result, place)) = result {
        Some(MessagePart::ToolCallResponse {
            id: tool_call_id(result),
            response: result.get(place).and_then(said),
        })
    } else if let Some(content) = text(object, &["content", "text"]) {
        Some(if is_thought {
            MessagePart::Reasoning { content }
        } else {
            MessagePart::Text { content }
        })
    } else {
        bedrock_reasoning(object)
            .or_else(|| gemini_data(member(&["inlineData", "inline_data"])?))
            .or_else(|| gemini_file(member(&["fileData", "file_data"])?))
            .or_else(|| bedrock_image(member(&["image"])?))
    };
    known.unwrap_or_else(|| {
        // Its only member says what it is.
        let mut names = object.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => MessagePart::Generic {
                part_type: only.clone(),
                data: object.clone(),
            },
            _ => generic("", object),
        }
    })
}

/// A call as OpenAI has it, with a function, or beside its type.
pub(super) fn tool_call(object: &Map<String, Value>) -> Option<MessagePart> {
    let function = object.get("function").and_then(Value::as_object);
    let function = function.unwrap_or(object);
    let arguments = ["arguments", "args", "input"];
    let mut arguments = arguments
        .iter()
        .filter_map(|name| said(function.get(*name)?));
    Some(MessagePart::ToolCall {
        name: text(function, &["name"])?,
        id: tool_call_id(object),
        arguments: arguments.next(),
    })
}

pub(super) fn tool_call_id(object: &Map<String, Value>) -> Option<String> {
    text(
        object,
        &["call_id", "tool_call_id", "tool_use_id", "toolUseId", "id"],
    )
}

fn tool_result(object: &Map<String, Value>) -> MessagePart {
    // Named differently by almost everyone.
    let results = ["response", "result", "content", "output"];
    let mut results = results.iter().filter_map(|name| said(object.get(*name)?));
    MessagePart::ToolCallResponse {
        id: tool_call_id(object),
        response: results.next(),
    }
}

/// A thought: a text, or what OpenAI's Responses show of it, in several texts.
fn reasoning(object: &Map<String, Value>) -> Option<MessagePart> {
    let texts = |name: &str| {
        let items = object.get(name)?.as_array()?;
        let texts: Option<Vec<_>> = items
            .iter()
            .map(|item| text(item.as_object()?, &["text", "content"]))
            .collect();
        texts.filter(|texts| !texts.is_empty())
    };
    let content = text(object, &["content", "text", "thinking"])
        .or_else(|| Some(texts("content").or_else(|| texts("summary"))?.join("\n")))?;
    Some(MessagePart::Reasoning { content })
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

fn anthropic_image(object: &Map<String, Value>) -> Option<MessagePart> {
    let source = object.get("source")?.as_object()?;
    let modality = Modality::Image;
    let mime_type = text(source, &["media_type"]);
    Some(match text(source, &["type"])?.as_str() {
        "base64" => MessagePart::Blob {
            modality,
            content: text(source, &["data"])?,
            mime_type,
        },
        "url" => MessagePart::Uri {
            modality,
            uri: text(source, &["url"])?,
            mime_type,
        },
        "file" => MessagePart::File {
            modality,
            file_id: text(source, &["file_id"])?,
            mime_type,
        },
        _ => return None,
    })
}

fn input_audio(object: &Map<String, Value>) -> Option<MessagePart> {
    let audio = object.get("input_audio")?.as_object()?;
    Some(MessagePart::Blob {
        modality: Modality::Audio,
        content: text(audio, &["data"])?,
        mime_type: text(audio, &["format"]).map(|format| format!("audio/{format}")),
    })
}

fn gemini_data(data: &Map<String, Value>) -> Option<MessagePart> {
    let mime_type = text(data, &["mimeType", "mime_type"])?;
    Some(MessagePart::Blob {
        modality: modality(&mime_type)?,
        content: text(data, &["data"])?,
        mime_type: Some(mime_type),
    })
}

fn gemini_file(file: &Map<String, Value>) -> Option<MessagePart> {
    let mime_type = text(file, &["mimeType", "mime_type"])?;
    Some(MessagePart::Uri {
        modality: modality(&mime_type)?,
        uri: text(file, &["fileUri", "file_uri"])?,
        mime_type: Some(mime_type),
    })
}

fn bedrock_reasoning(object: &Map<String, Value>) -> Option<MessagePart> {
    let thought = object.get("reasoningContent")?.get("reasoningText")?;
    let content = text(thought.as_object()?, &["text"])?;
    Some(MessagePart::Reasoning { content })
}

fn bedrock_image(image: &Map<String, Value>) -> Option<MessagePart> {
    let format = text(image, &["format"])?;
    let source = image.get("source")?.as_object()?;
    Some(MessagePart::Blob {
        modality: Modality::Image,
        content: text(source, &["bytes"])?,
        mime_type: Some(format!("image/{format}")),
    })
}

fn modality(mime_type: &str) -> Option<Modality> {
    match mime_type.split_once('/')?.0 {
        "image" => Some(Modality::Image),
        "video" => Some(Modality::Video),
        "audio" => Some(Modality::Audio),
        _ => None,
    }
}

/// The first of the members that is a text.
fn text(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let mut values = names.iter().filter_map(|name| object.get(*name));
    values.find_map(Value::as_str).map(str::to_owned)
}

/// The value, unless it is `null`, which says nothing.
fn said(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| unwrapped(value))
}

/// JSON in a text is what the text stands for.
pub(super) fn unwrapped(value: &Value) -> Value {
    match value {
        Value::String(text) => json_or_text(text),
        value => lenient_json::inside(value),
    }
}

/// Takes a member out. The others keep their order, which `remove` changes where `serde_json` keeps one.
pub(super) fn taken(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let value = members.get_mut(name).map(Value::take)?;
    members.retain(|other, _| other != name);
    Some(value)
}

/// A part of an unknown type, with all of its members.
pub(super) fn generic(part_type: &str, object: &Map<String, Value>) -> MessagePart {
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
