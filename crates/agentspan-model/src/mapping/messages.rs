//! Messages in the form of the GenAI conventions: a role and parts.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::llm_call::{self, FinishReasonNames};
use super::story::Story;
use crate::agentspec::{LlmGenerationResponse, Message, ToolCall};

/// The messages of a prompt.
pub(super) struct Prompt<'a>(pub(super) &'a [Message]);

impl Serialize for Prompt<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(PromptMessage))
    }
}

struct PromptMessage<'a>(&'a Message);

impl Serialize for PromptMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.0;
        let part = match &*message.role {
            "tool" => Part::ToolCallResponse(message),
            _ => Part::Text(&message.content),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", &message.role)?;
        if let Some(sender) = message
            .sender
            .as_deref()
            .filter(|sender| !sender.is_empty())
        {
            map.serialize_entry("name", sender)?;
        }
        map.serialize_entry("parts", &[part])?;
        map.end()
    }
}

/// A list with one message of one text.
pub(super) struct OneText<'a> {
    pub(super) role: &'static str,
    pub(super) text: &'a str,
    /// Messages of models have one, those of others have none.
    pub(super) finish_reason: Option<&'static str>,
}

impl Serialize for OneText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = MessageOf {
            role: self.role,
            parts: [Part::Text(self.text)],
            finish_reason: self.finish_reason,
        };
        [message].serialize(serializer)
    }
}

#[derive(Serialize)]
struct MessageOf<P> {
    role: &'static str,
    parts: P,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
}

/// A list with the message that a model answers with, as far as it may be shown.
pub(super) struct Answer<'a> {
    response: &'a LlmGenerationResponse,
    finish_reason: Option<&'static str>,
}

impl<'a> Answer<'a> {
    /// An answer that broke off has the reason that the conventions have for failures, since they want one.
    pub(super) fn of(response: &'a LlmGenerationResponse, story: &Story<'_>) -> Self {
        let finish_reason = if story.broke_off() {
            Some("error")
        } else {
            llm_call::finish_reason(response, story, FinishReasonNames::GenAi)
        };
        Self {
            response,
            finish_reason,
        }
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = MessageOf {
            role: "assistant",
            parts: AnswerParts(self.response),
            finish_reason: self.finish_reason,
        };
        [message].serialize(serializer)
    }
}

struct AnswerParts<'a>(&'a LlmGenerationResponse);

impl Serialize for AnswerParts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_seq(None)?;
        let content = self.0.content.reveal().and_then(Option::as_deref);
        if let Some(content) = content.filter(|content| !content.is_empty()) {
            parts.serialize_element(&Part::Text(content))?;
        }
        for call in self.0.tool_calls.reveal().into_iter().flatten() {
            parts.serialize_element(&Part::ToolCall(call))?;
        }
        parts.end()
    }
}

/// A list with one text, as system instructions are written.
pub(super) struct Instructions<'a>(pub(super) &'a str);

impl Serialize for Instructions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [Part::Text(self.0)].serialize(serializer)
    }
}

enum Part<'a> {
    Text(&'a str),
    ToolCall(&'a ToolCall),
    /// Agent Spec does not say which call a message answers, unless the message has the id of the call.
    ToolCallResponse(&'a Message),
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Text(content) => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("content", content)?;
            }
            Self::ToolCall(call) => {
                map.serialize_entry("type", "tool_call")?;
                map.serialize_entry("id", &call.call_id)?;
                map.serialize_entry("name", &call.tool_name)?;
                // Arguments that are not JSON, as some models write, are kept as text.
                match serde_json::from_str::<&RawValue>(&call.arguments) {
                    Ok(json) => map.serialize_entry("arguments", json)?,
                    Err(_) => map.serialize_entry("arguments", &call.arguments)?,
                }
            }
            Self::ToolCallResponse(message) => {
                map.serialize_entry("type", "tool_call_response")?;
                if let Some(id) = &message.id {
                    map.serialize_entry("id", id)?;
                }
                map.serialize_entry("response", &message.content)?;
            }
        }
        map.end()
    }
}
