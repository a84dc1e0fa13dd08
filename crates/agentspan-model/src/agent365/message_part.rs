//! The parts of a message.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::Modality;
use crate::masked::Masked;

/// A part of a message, in the form of the GenAI semantic conventions.
///
/// In JSON, it has the member `type`, such as `tool_call`. `Debug` masks the content of the part.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessagePart {
    /// Text.
    Text {
        /// The text.
        content: String,
    },
    /// A tool call that the model requests.
    ToolCall {
        /// The name of the tool.
        name: String,
        /// The id of the call.
        #[serde(default)]
        id: Option<String>,
        /// The arguments: an object, a list, or text.
        #[serde(default)]
        arguments: Option<Value>,
    },
    /// The result of a tool call.
    ToolCallResponse {
        /// The id of the call.
        #[serde(default)]
        id: Option<String>,
        /// The result, any JSON.
        #[serde(default)]
        response: Option<Value>,
    },
    /// The reasoning of a model.
    Reasoning {
        /// The text.
        content: String,
    },
    /// Inline media.
    Blob {
        /// The kind of media.
        modality: Modality,
        /// The bytes in base64.
        content: String,
        /// The MIME type.
        #[serde(default)]
        mime_type: Option<String>,
    },
    /// A file that the provider already has.
    File {
        /// The kind of media.
        modality: Modality,
        /// The id of the file.
        file_id: String,
        /// The MIME type.
        #[serde(default)]
        mime_type: Option<String>,
    },
    /// Media at a URI.
    Uri {
        /// The kind of media.
        modality: Modality,
        /// The address.
        uri: String,
        /// The MIME type.
        #[serde(default)]
        mime_type: Option<String>,
    },
    /// A tool call that the provider runs itself.
    ServerToolCall {
        /// The name of the tool.
        name: String,
        /// The provider's data about the call.
        server_tool_call: Map<String, Value>,
        /// The id of the call.
        #[serde(default)]
        id: Option<String>,
    },
    /// The result of a tool call that the provider ran itself.
    ServerToolCallResponse {
        /// The provider's data about the result.
        server_tool_call_response: Map<String, Value>,
        /// The id of the call.
        #[serde(default)]
        id: Option<String>,
    },
    /// A part of any other type.
    #[serde(untagged)]
    Generic {
        /// The type.
        #[serde(rename = "type")]
        part_type: String,
        /// The text.
        data: Map<String, Value>,
    },
}

impl MessagePart {
    /// A text part.
    #[must_use]
    pub fn text(content: impl Into<String>) -> Self {
        Self::Text {
            content: content.into(),
        }
    }

    /// The member `type` of the part's JSON.
    #[must_use]
    pub fn part_type(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolCallResponse { .. } => "tool_call_response",
            Self::Reasoning { .. } => "reasoning",
            Self::Blob { .. } => "blob",
            Self::File { .. } => "file",
            Self::Uri { .. } => "uri",
            Self::ServerToolCall { .. } => "server_tool_call",
            Self::ServerToolCallResponse { .. } => "server_tool_call_response",
            Self::Generic { part_type, .. } => part_type,
        }
    }

    /// Shows the members other than `type` to `member`, in the reference's order.
    fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Text { content } | Self::Reasoning { content } => {
                map.serialize_entry("content", content)
            }
            Self::ToolCall {
                name,
                id,
                arguments,
            } => {
                map.serialize_entry("name", name)?;
                known(map, "id", id)?;
                known(map, "arguments", &not_null(arguments))
            }
            Self::ToolCallResponse { id, response } => {
                known(map, "id", id)?;
                known(map, "response", &not_null(response))
            }
            Self::Blob {
                modality,
                content: place,
                mime_type,
            } => media(map, modality, "content", place, mime_type),
            Self::File {
                modality,
                file_id: place,
                mime_type,
            } => media(map, modality, "file_id", place, mime_type),
            Self::Uri {
                modality,
                uri: place,
                mime_type,
            } => media(map, modality, "uri", place, mime_type),
            Self::ServerToolCall {
                name,
                server_tool_call,
                id,
            } => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("server_tool_call", server_tool_call)?;
                known(map, "id", id)
            }
            Self::ServerToolCallResponse {
                server_tool_call_response,
                id,
            } => {
                map.serialize_entry("server_tool_call_response", server_tool_call_response)?;
                known(map, "id", id)
            }
            Self::Generic { data, .. } => map.serialize_entry("data", data),
        }
    }
}

/// Writes `type` last, as the reference does; that of a generic part comes first there.
impl Serialize for MessagePart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let is_generic = matches!(self, Self::Generic { .. });
        if is_generic {
            map.serialize_entry("type", self.part_type())?;
        }
        self.members(&mut map)?;
        if !is_generic {
            map.serialize_entry("type", self.part_type())?;
        }
        map.end()
    }
}

fn known<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: &Option<T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}

/// Python has one value for what is null and what is not there.
fn not_null(value: &Option<Value>) -> Option<&Value> {
    value.as_ref().filter(|value| !value.is_null())
}

fn media<M: SerializeMap>(
    map: &mut M,
    modality: &Modality,
    place_name: &'static str,
    place: &str,
    mime_type: &Option<String>,
) -> Result<(), M::Error> {
    map.serialize_entry("modality", modality.as_str())?;
    map.serialize_entry(place_name, place)?;
    known(map, "mime_type", mime_type)
}

impl fmt::Debug for MessagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagePart")
            .field("type", &self.part_type())
            .field("content", &Masked)
            .finish()
    }
}
