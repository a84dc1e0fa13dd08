//! The input and output messages of models and agents.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json_text::{array_of, write_json};
use super::{FinishReason, MessagePart, MessageRole};
use crate::escape::push_quoted;
use crate::masked::Masked;

/// An input message of a model or an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatMessage {
    /// The role of the author.
    pub role: MessageRole,
    /// The parts of the message; `Debug` masks them.
    #[serde(default)]
    pub parts: Vec<MessagePart>,
    /// The name of the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ChatMessage {
    /// A message with these parts.
    #[must_use]
    pub fn new(role: impl Into<MessageRole>, parts: impl Into<Vec<MessagePart>>) -> Self {
        Self {
            role: role.into(),
            parts: parts.into(),
            name: None,
        }
    }

    /// A message with one text.
    #[must_use]
    pub fn text(role: impl Into<MessageRole>, text: impl Into<String>) -> Self {
        Self::new(role, [MessagePart::text(text)])
    }

    /// Sets the name of the author.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// An output message of a model or an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutputMessage {
    /// The role of the author.
    pub role: MessageRole,
    /// The parts of the message; `Debug` masks them.
    #[serde(default)]
    pub parts: Vec<MessagePart>,
    /// The name of the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The finish reason. The default is [`FinishReason::Stop`].
    #[serde(default = "stop")]
    pub finish_reason: FinishReason,
}

fn stop() -> FinishReason {
    FinishReason::Stop
}

impl OutputMessage {
    /// A message with these parts and the finish reason [`FinishReason::Stop`].
    #[must_use]
    pub fn new(role: impl Into<MessageRole>, parts: impl Into<Vec<MessagePart>>) -> Self {
        Self {
            role: role.into(),
            parts: parts.into(),
            name: None,
            finish_reason: FinishReason::Stop,
        }
    }

    /// A message with one text and the finish reason [`FinishReason::Stop`].
    #[must_use]
    pub fn text(role: impl Into<MessageRole>, text: impl Into<String>) -> Self {
        Self::new(role, [MessagePart::text(text)])
    }

    /// Sets the name of the author.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the finish reason.
    #[must_use]
    pub fn with_finish_reason(mut self, finish_reason: impl Into<FinishReason>) -> Self {
        self.finish_reason = finish_reason.into();
        self
    }
}

/// The input of a model or an agent: a text, a list of texts, or structured messages.
///
/// 2.0.0 writes all of them as messages with parts; texts become messages with the role `user`.
/// 0.1.0 only defines texts, and we write structured messages in the form of 2.0.0.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum InputMessages {
    /// One text.
    Text(String),
    /// One text for each message.
    Texts(Vec<String>),
    /// Messages with roles and parts.
    Structured {
        /// The messages.
        messages: Vec<ChatMessage>,
    },
}

/// The output of a model or an agent: a text, a list of texts, or structured messages.
///
/// Like [`InputMessages`], but texts become messages with the role `assistant` and the finish
/// reason `stop`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum OutputMessages {
    /// One text.
    Text(String),
    /// One text for each message.
    Texts(Vec<String>),
    /// Messages with roles, parts and finish reasons.
    Structured {
        /// The messages.
        messages: Vec<OutputMessage>,
    },
}

/// The answer of an agent: messages, or the result of a tool.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Response {
    /// Messages.
    Messages(OutputMessages),
    /// The result of a tool, a JSON object.
    ToolResult(Map<String, Value>),
}

impl InputMessages {
    /// The text of a JSON array of messages, as 2.0.0 writes it.
    ///
    /// Messages that are nested more than 128 levels deep become one message with the role `system`
    /// that gives their number, as in the reference.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        match self {
            Self::Text(text) => input_texts_to_json(&[text]),
            Self::Texts(texts) => input_texts_to_json(texts),
            Self::Structured { messages } => {
                write_json(messages, 256).unwrap_or_else(|| fallback(messages.len(), None))
            }
        }
    }
}

impl OutputMessages {
    /// The text of a JSON array of messages, as 2.0.0 writes it.
    ///
    /// Messages that are nested more than 128 levels deep become one message with the role `system`
    /// that gives their number, as in the reference.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        match self {
            Self::Text(text) => output_texts_to_json(&[text]),
            Self::Texts(texts) => output_texts_to_json(texts),
            Self::Structured { messages } => write_json(messages, 256)
                .unwrap_or_else(|| fallback(messages.len(), Some(&FinishReason::Error))),
        }
    }
}

/// Texts as the JSON of messages of the role `user`.
pub(super) fn input_texts_to_json<S: AsRef<str>>(texts: &[S]) -> String {
    texts_to_json(texts, &MessageRole::User, None)
}

/// Texts as the JSON of messages of the role `assistant`, finished with `stop`.
pub(super) fn output_texts_to_json<S: AsRef<str>>(texts: &[S]) -> String {
    texts_to_json(texts, &MessageRole::Assistant, Some(&FinishReason::Stop))
}

/// Messages of one text each, with the members in the reference's order.
fn texts_to_json<S: AsRef<str>>(
    texts: &[S],
    role: &MessageRole,
    finish_reason: Option<&FinishReason>,
) -> String {
    array_of(texts, 100, |out, text| {
        out.extend_from_slice(br#"{"role": "#);
        push_quoted(out, role.as_str());
        out.extend_from_slice(br#", "parts": [{"content": "#);
        push_quoted(out, text);
        out.extend_from_slice(br#", "type": "text"}]"#);
        if let Some(reason) = finish_reason {
            out.extend_from_slice(br#", "finish_reason": "#);
            push_quoted(out, reason.as_str());
        }
        out.push(b'}');
    })
}

/// Stands for messages that cannot be written.
fn fallback(count: usize, finish_reason: Option<&FinishReason>) -> String {
    #[derive(Serialize)]
    struct Stub<'a> {
        role: MessageRole,
        parts: [StubPart; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        finish_reason: Option<&'a FinishReason>,
    }
    #[derive(Serialize)]
    struct StubPart {
        r#type: &'static str,
        content: String,
    }
    let noun = if count == 1 { "message" } else { "messages" };
    let stub = Stub {
        role: MessageRole::System,
        parts: [StubPart {
            r#type: "text",
            content: format!("[serialization failed: {count} {noun}]"),
        }],
        finish_reason,
    };
    write_json(&[stub], 128).unwrap_or_default()
}

macro_rules! from_texts {
    ($($messages:ident of $message:ident),*) => {
        $(
            impl From<&str> for $messages {
                fn from(text: &str) -> Self {
                    Self::Text(text.to_owned())
                }
            }

            impl From<String> for $messages {
                fn from(text: String) -> Self {
                    Self::Text(text)
                }
            }

            impl From<&String> for $messages {
                fn from(text: &String) -> Self {
                    Self::Text(text.clone())
                }
            }

            impl From<Vec<String>> for $messages {
                fn from(texts: Vec<String>) -> Self {
                    Self::Texts(texts)
                }
            }

            impl From<Vec<$message>> for $messages {
                fn from(messages: Vec<$message>) -> Self {
                    Self::Structured { messages }
                }
            }

            /// Shows the number of messages, but not their content.
            impl fmt::Debug for $messages {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    match self {
                        Self::Text(_) => f.debug_tuple("Text").field(&Masked).finish(),
                        Self::Texts(texts) => f
                            .debug_list()
                            .entries(texts.iter().map(|_| Masked))
                            .finish(),
                        Self::Structured { messages } => messages.fmt(f),
                    }
                }
            }
        )*
    };
}

from_texts!(InputMessages of ChatMessage, OutputMessages of OutputMessage);

macro_rules! response_from {
    ($($type:ty),*) => {
        $(impl From<$type> for Response {
            fn from(messages: $type) -> Self {
                Self::Messages(messages.into())
            }
        })*
    };
}

response_from!(
    OutputMessages,
    &str,
    String,
    Vec<String>,
    Vec<OutputMessage>
);

impl From<Map<String, Value>> for Response {
    fn from(result: Map<String, Value>) -> Self {
        Self::ToolResult(result)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(messages) => messages.fmt(f),
            Self::ToolResult(_) => f.debug_tuple("ToolResult").field(&Masked).finish(),
        }
    }
}
