//! Messages as the vectors write them, as our types.

use agentspan_model::agent365::{
    ChatMessage, InputMessages, OutputMessage, OutputMessages, Response,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use serde_json::{Map, Value};

/// A text, a list of texts, or `{"messages": […]}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct InputMessagesInput(pub(crate) InputMessages);

/// The same of what comes out.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct OutputMessagesInput(pub(super) OutputMessages);

/// The same, or `{"dict": {…}}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct ResponseInput(pub(super) Response);

impl TryFrom<Value> for InputMessagesInput {
    type Error = serde_json::Error;

    fn try_from(input: Value) -> Result<Self, Self::Error> {
        Ok(Self(match input {
            Value::String(text) => text.into(),
            Value::Array(_) => serde_json::from_value::<Vec<String>>(input)?.into(),
            structured => messages::<ChatMessage>(structured)?.into(),
        }))
    }
}

impl TryFrom<Value> for OutputMessagesInput {
    type Error = serde_json::Error;

    fn try_from(input: Value) -> Result<Self, Self::Error> {
        Ok(Self(match input {
            Value::String(text) => text.into(),
            Value::Array(_) => serde_json::from_value::<Vec<String>>(input)?.into(),
            structured => messages::<OutputMessage>(structured)?.into(),
        }))
    }
}

impl TryFrom<Value> for ResponseInput {
    type Error = serde_json::Error;

    fn try_from(mut input: Value) -> Result<Self, Self::Error> {
        let dict = input.as_object_mut().and_then(|map| map.remove("dict"));
        Ok(Self(match dict {
            Some(dict) => serde_json::from_value::<Map<String, Value>>(dict)?.into(),
            None => OutputMessagesInput::try_from(input)?.0.into(),
        }))
    }
}

/// The messages of `{"messages": […]}`, whose parts name their class in `part`.
fn messages<M: DeserializeOwned>(mut input: Value) -> Result<Vec<M>, serde_json::Error> {
    let parts = input
        .get_mut("messages")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| serde_json::Error::custom("these are no messages"))?
        .iter_mut()
        .filter_map(|message| message.get_mut("parts"))
        .filter_map(Value::as_array_mut)
        .flatten();
    for part in parts {
        rename(part);
    }
    serde_json::from_value(input["messages"].take())
}

/// Gives a part the members of its JSON.
fn rename(part: &mut Value) {
    let Some(members) = part.as_object_mut() else {
        return;
    };
    let class = members.remove("part").unwrap_or_default();
    if class == "generic" {
        members
            .entry("data")
            .or_insert_with(|| Value::Object(Map::new()));
    } else {
        members.insert("type".to_owned(), class);
    }
    if let Some(modality) = members.get_mut("modality") {
        if let Some(name) = modality.get("enum").and_then(Value::as_str) {
            *modality = name.to_lowercase().into();
        }
    }
}
