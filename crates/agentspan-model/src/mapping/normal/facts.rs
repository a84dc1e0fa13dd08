//! The facts of a span as types.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::agent365::open_text::open_text;
use crate::agent365::{MessagePart, MessageRole};
use crate::agentspec::Sensitive;

open_text! {
    /// The operation of a span, as defined by the GenAI semantic conventions.
    pub enum OperationName {
        /// A model answers a conversation.
        Chat = "chat",
        /// A model continues a text.
        TextCompletion = "text_completion",
        /// A model generates content of several modalities.
        GenerateContent = "generate_content",
        /// A model embeds texts.
        Embeddings = "embeddings",
        /// Documents are retrieved.
        Retrieval = "retrieval",
        /// An agent is created.
        CreateAgent = "create_agent",
        /// An agent is invoked.
        InvokeAgent = "invoke_agent",
        /// A workflow of agents is run.
        InvokeWorkflow = "invoke_workflow",
        /// A tool is executed.
        ExecuteTool = "execute_tool",
        /// An agent answers (Agent 365).
        OutputMessages = "output_messages",
        /// A guardian evaluates content or an action (Agent 365).
        ApplyGuardrail = "apply_guardrail",
    }
}

impl OperationName {
    /// Whether a model is called with input and output messages.
    #[must_use]
    pub fn is_inference(&self) -> bool {
        matches!(
            self,
            Self::Chat | Self::TextCompletion | Self::GenerateContent
        )
    }

    /// Whether the usage of such a span repeats that of spans below it.
    pub(super) fn sums_up(&self) -> bool {
        !(self.is_inference() || *self == Self::Embeddings)
    }

    /// Whether it concerns an agent or a group of agents.
    #[must_use]
    pub fn is_agent(&self) -> bool {
        matches!(
            self,
            Self::InvokeAgent | Self::CreateAgent | Self::InvokeWorkflow | Self::OutputMessages
        )
    }
}

/// The facts of a span, independent of its convention.
///
/// Contents are [`Sensitive`]: `Debug` does not show them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormalSpan {
    /// The operation.
    pub operation: OperationName,
    /// The agent that runs the operation, or for which it runs.
    pub agent: AgentFacts,
    /// The call of a model, or the model of an agent.
    pub call: CallFacts,
    /// The tool that is executed.
    pub tool: ToolFacts,
    /// The used tokens. For an agent, they are the sum of the calls below it, so do not add them to
    /// those: see [`is_sum`](Self::is_sum).
    pub usage: Usage,
    /// The instructions of a model or an agent, in addition to its messages.
    pub instructions: Sensitive<Vec<MessagePart>>,
    /// The input messages.
    pub input: Sensitive<Vec<NormalMessage>>,
    /// The output messages.
    pub output: Sensitive<Vec<NormalMessage>>,
    /// The tools that a model may call, as JSON schemas.
    pub tool_definitions: Sensitive<Vec<Value>>,
    /// The conversation.
    pub conversation_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The error.
    pub error: Option<ErrorFacts>,
    /// Whether the span calls a remote system.
    pub(super) is_client: bool,
    pub(super) read_keys: BTreeSet<String>,
}

impl NormalSpan {
    /// A span with only an operation.
    #[must_use]
    pub fn of(operation: OperationName) -> Self {
        Self {
            operation,
            agent: AgentFacts::default(),
            call: CallFacts::default(),
            tool: ToolFacts::default(),
            usage: Usage::default(),
            instructions: Sensitive::new(Vec::new()),
            input: Sensitive::new(Vec::new()),
            output: Sensitive::new(Vec::new()),
            tool_definitions: Sensitive::new(Vec::new()),
            conversation_id: None,
            session_id: None,
            error: None,
            is_client: false,
            read_keys: BTreeSet::new(),
        }
    }

    /// Whether its usage repeats the usage of spans below it.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.operation.sums_up()
    }

    /// Whether the normal form includes the value of this key, so that a rendering writes it under
    /// its own key.
    #[must_use]
    pub fn has_read(&self, key: &str) -> bool {
        self.read_keys.contains(key)
    }

    /// The whole input: the instructions, unless the messages begin with them, and the messages.
    #[must_use]
    pub fn conversation(&self) -> Vec<NormalMessage> {
        let input = self.input.reveal().map(Vec::as_slice).unwrap_or_default();
        let instructions = self.instructions.reveal().filter(|parts| !parts.is_empty());
        let is_told = |message: &NormalMessage| message.role == MessageRole::System;
        let mut all = Vec::with_capacity(input.len() + 1);
        if let Some(parts) = instructions.filter(|_| !input.iter().any(is_told)) {
            all.push(NormalMessage::new(MessageRole::System, parts.clone()));
        }
        all.extend_from_slice(input);
        all
    }

    pub(super) fn is_tool(&self) -> bool {
        self.operation == OperationName::ExecuteTool
    }
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentFacts {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

/// The call of a model.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallFacts {
    /// The provider of the model, as named by the GenAI conventions.
    pub provider: Option<String>,
    /// The requested model.
    pub request_model: Option<String>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// The id of the answer.
    pub response_id: Option<String>,
    /// Whether the answer was streamed.
    pub is_streamed: Option<bool>,
    /// The requested form of the answer.
    pub output_type: Option<String>,
    /// The finish reason of each answer.
    pub finish_reasons: Vec<String>,
    /// The parameters of the generation.
    pub parameters: Parameters,
}

impl CallFacts {
    /// The requested model, or else the model that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        let asked = self.request_model.as_deref();
        asked.or(self.response_model.as_deref())
    }
}

/// The parameters of a generation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Parameters {
    /// The maximum number of output tokens.
    pub max_tokens: Option<i64>,
    /// The temperature.
    pub temperature: Option<f64>,
    /// The probability mass for nucleus sampling (top-p).
    pub top_p: Option<f64>,
    /// The number of candidate tokens (top-k).
    pub top_k: Option<f64>,
    /// The frequency penalty.
    pub frequency_penalty: Option<f64>,
    /// The presence penalty.
    pub presence_penalty: Option<f64>,
    /// The seed.
    pub seed: Option<i64>,
    /// The requested number of answers.
    pub choice_count: Option<i64>,
}

/// The tool that a span executes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ToolFacts {
    /// Its name.
    pub name: Option<String>,
    /// The id of the call.
    pub call_id: Option<String>,
    /// The kind of tool.
    pub tool_type: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The arguments: JSON, or plain text.
    pub arguments: Option<Sensitive<Value>>,
    /// The result: JSON, or plain text.
    pub result: Option<Sensitive<Value>>,
}

/// The used tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The input tokens, including cached tokens.
    pub input: Option<i64>,
    /// The output tokens, including reasoning tokens.
    pub output: Option<i64>,
    /// The input tokens that were read from a cache.
    pub cache_read: Option<i64>,
    /// The input tokens that were written to a cache.
    pub cache_write: Option<i64>,
    /// The output tokens for reasoning.
    pub reasoning: Option<i64>,
}

/// An input or output message. `Debug` masks its content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormalMessage {
    /// The role of the author.
    pub role: MessageRole,
    /// The name of the author.
    pub name: Option<String>,
    /// The text.
    pub parts: Vec<MessagePart>,
    /// The finish reason, for a message of a model.
    pub finish_reason: Option<String>,
}

impl NormalMessage {
    pub(super) fn new(role: MessageRole, parts: Vec<MessagePart>) -> Self {
        Self {
            role,
            name: None,
            parts,
            finish_reason: None,
        }
    }

    pub(super) fn text(role: MessageRole, text: &str) -> Self {
        Self::new(role, vec![MessagePart::text(text)])
    }

    /// The JSON of the GenAI conventions.
    pub(super) fn to_value(&self) -> Value {
        let mut object = Map::new();
        object.insert("role".into(), self.role.as_str().into());
        if let Some(name) = &self.name {
            object.insert("name".into(), name.as_str().into());
        }
        let parts = self.parts.iter().map(part_value);
        object.insert("parts".into(), parts.collect());
        if let Some(reason) = &self.finish_reason {
            object.insert("finish_reason".into(), reason.as_str().into());
        }
        Value::Object(object)
    }
}

/// A part in the form of the GenAI conventions. A part of an unknown type has its members beside
/// the type.
pub(super) fn part_value(part: &MessagePart) -> Value {
    let value = serde_json::to_value(part).unwrap_or_default();
    match (part, value) {
        (MessagePart::Generic { part_type, data }, _) => {
            let mut members = data.clone();
            members.insert("type".into(), part_type.as_str().into());
            Value::Object(members)
        }
        (_, value) => value,
    }
}

/// The error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorFacts {
    /// The class of the error.
    pub error_type: Option<String>,
    /// The text.
    pub message: Option<Sensitive<String>>,
    /// The provider's code of the error.
    pub code: Option<String>,
    /// The status code of the provider's answer.
    pub status_code: Option<i64>,
}
