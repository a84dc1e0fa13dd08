//! Messages, tool calls and parameters between a runtime and a language model.

use std::{borrow::Cow, fmt};

use super::{
    Json,
    dump::member_set,
    unknown_members::{OtherParameters, UnknownMembers},
};

/// A message of a prompt.
///
/// A prompt is sensitive as a whole, so messages are wrapped in a [`Sensitive`](super::Sensitive).
/// Even without the wrapper, `Debug` does not show the content, and there is no `Serialize`:
///
/// ```compile_fail,E0277
/// # use agentspan_model::agentspec::Message;
/// let text = serde_json::to_string(&Message::new("user", "secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The id of the message, if it has one.
    pub id: Option<String>,
    /// The text.
    pub content: String,
    /// The sender, if known.
    pub sender: Option<String>,
    /// The sender's role, typically `user`, `assistant` or `system`.
    pub role: Cow<'static, str>,
    unknown: UnknownMembers,
}

member_set!(Message { id = None, content, sender = None, role } + unknown);

impl Message {
    /// Creates a message without id and sender.
    #[must_use]
    pub fn new(role: impl Into<Cow<'static, str>>, content: impl Into<String>) -> Self {
        Self {
            id: None,
            content: content.into(),
            sender: None,
            role: role.into(),
            unknown: UnknownMembers::default(),
        }
    }

    /// Sets the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the sender.
    #[must_use]
    pub fn with_sender(mut self, sender: impl Into<String>) -> Self {
        self.sender = Some(sender.into());
        self
    }
}

/// Shows the role only.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A tool call that a model requests.
///
/// Tool calls are sensitive as a whole, see [`Message`]:
///
/// ```compile_fail,E0277
/// # use agentspan_model::agentspec::ToolCall;
/// let text = serde_json::to_string(&ToolCall::new("call", "tool", "{}"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCall {
    /// The id of the call.
    pub call_id: String,
    /// The tool's name.
    pub tool_name: String,
    /// The arguments, as JSON text.
    pub arguments: String,
    unknown: UnknownMembers,
}

member_set!(
    ToolCall {
        call_id,
        tool_name,
        arguments
    } + unknown
);

impl ToolCall {
    /// Creates a call with its arguments as JSON text.
    #[must_use]
    pub fn new(
        call_id: impl Into<String>,
        tool_name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self {
            call_id: call_id.into(),
            tool_name: tool_name.into(),
            arguments: arguments.into(),
            unknown: UnknownMembers::default(),
        }
    }
}

/// Shows the id only.
impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("call_id", &self.call_id)
            .finish_non_exhaustive()
    }
}

/// The parameters of a generation. They are not sensitive.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LlmGenerationConfig {
    /// The maximum number of output tokens.
    pub max_tokens: Option<i64>,
    /// The sampling temperature.
    pub temperature: Option<f64>,
    /// The probability mass for sampling (top-p).
    pub top_p: Option<f64>,
    /// Parameters with other names, which Agent Spec allows.
    others: OtherParameters,
}

member_set!(LlmGenerationConfig {
    max_tokens = None,
    temperature = None,
    top_p = None,
} + others);

impl LlmGenerationConfig {
    /// Creates a configuration without parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of output tokens.
    #[must_use]
    pub fn with_max_tokens(mut self, max_tokens: i64) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets the sampling temperature.
    #[must_use]
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets the probability mass for sampling (top-p).
    #[must_use]
    pub fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Adds a parameter with another name. Masked dumps show it, too.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.others.push(name, value.into());
        self
    }

    /// A parameter with another name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Json> {
        self.others.get(name)
    }
}
