//! What passes between a runtime and a language model.

use std::{borrow::Cow, fmt};

use super::{
    Json,
    dump::member_set,
    unknown_members::{OtherParameters, UnknownMembers},
};

/// A message of a prompt.
///
/// A prompt is sensitive as a whole, so messages travel inside of a [`Sensitive`](super::Sensitive).
/// Outside of it, `Debug` does not show the content either, and there is no `Serialize`:
///
/// ```compile_fail,E0277
/// # use agentspan_model::agentspec::Message;
/// let text = serde_json::to_string(&Message::new("user", "secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Identifies the message, if somebody gave it an id.
    pub id: Option<String>,
    /// The text.
    pub content: String,
    /// Who sent it, if known.
    pub sender: Option<String>,
    /// The sender's role, typically `user`, `assistant` or `system`.
    pub role: Cow<'static, str>,
    unknown: UnknownMembers,
}

member_set!(Message { id = None, content, sender = None, role } + unknown);

impl Message {
    /// A message without id and sender.
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

    /// Sets who sent it.
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

/// A call of a tool that a model asks for.
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
    /// Identifies the call.
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
    /// A call with its arguments as JSON text.
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

/// How a model is asked to generate. Nothing in it is sensitive.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LlmGenerationConfig {
    /// How many tokens it may generate at most.
    pub max_tokens: Option<i64>,
    /// The sampling temperature.
    pub temperature: Option<f64>,
    /// The probability mass that sampling is limited to.
    pub top_p: Option<f64>,
    /// Parameters of other names, which Agent Spec allows.
    others: OtherParameters,
}

member_set!(LlmGenerationConfig {
    max_tokens = None,
    temperature = None,
    top_p = None,
} + others);

impl LlmGenerationConfig {
    /// A configuration that leaves everything to the model.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many tokens it may generate at most.
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

    /// Sets the probability mass that sampling is limited to.
    #[must_use]
    pub fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Adds a parameter of another name. It is shown in masked dumps too.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.others.push(name, value.into());
        self
    }

    /// A parameter of another name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Json> {
        self.others.get(name)
    }
}
