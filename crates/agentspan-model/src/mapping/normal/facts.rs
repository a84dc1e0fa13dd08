//! What a span says, in types.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::agent365::open_text::open_text;
use crate::agent365::{MessagePart, MessageRole};
use crate::agentspec::Sensitive;

open_text! {
    /// The operation of a span, in the words of the GenAI semantic conventions.
    pub enum OperationName {
        /// A model answers a conversation.
        Chat = "chat",
        /// A model continues a text.
        TextCompletion = "text_completion",
        /// A model generates content of several modalities.
        GenerateContent = "generate_content",
        /// A model embeds texts.
        Embeddings = "embeddings",
        /// Documents are looked up.
        Retrieval = "retrieval",
        /// An agent is made.
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
    /// Whether a model is called, and messages go in and come out.
    #[must_use]
    pub fn is_inference(&self) -> bool {
        matches!(
            self,
            Self::Chat | Self::TextCompletion | Self::GenerateContent
        )
    }

    /// Whether it is about an agent or a group of agents.
    #[must_use]
    pub fn is_agent(&self) -> bool {
        matches!(
            self,
            Self::InvokeAgent | Self::CreateAgent | Self::InvokeWorkflow | Self::OutputMessages
        )
    }
}

/// The facts of a span, whatever convention it follows.
///
/// Contents are [`Sensitive`]: `Debug` does not show them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormalSpan {
    /// The operation.
    pub operation: OperationName,
    /// The agent that does it, or for which it is done.
    pub agent: AgentFacts,
    /// The call of a model, or the model of an agent.
    pub call: CallFacts,
    /// The tool that is executed.
    pub tool: ToolFacts,
    /// The tokens that were used. Of an agent it is the sum of the calls below it, which must not be added to
    /// theirs: see [`is_sum`](Self::is_sum).
    pub usage: Usage,
    /// The instructions of a model or an agent, beside its messages.
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
    /// The span calls something remote.
    pub(super) is_client: bool,
    pub(super) read_keys: BTreeSet<String>,
}

impl NormalSpan {
    /// A span that says what it does, and nothing else.
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

    /// Whether its usage repeats that of spans below it.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        !(self.operation.is_inference() || self.operation == OperationName::Embeddings)
    }

    /// Whether the value under a key is part of it, so that a rendering says it in its own words.
    #[must_use]
    pub fn has_read(&self, key: &str) -> bool {
        self.read_keys.contains(key)
    }

    /// All that went in: the instructions, unless the messages begin with them, and the messages.
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
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentFacts {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

/// The call of a model.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallFacts {
    /// The provider of the model, in the words of the GenAI conventions.
    pub provider: Option<String>,
    /// The model that was asked.
    pub request_model: Option<String>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// The id of the answer.
    pub response_id: Option<String>,
    /// Whether the answer was streamed.
    pub is_streamed: Option<bool>,
    /// The form that the answer was asked for in.
    pub output_type: Option<String>,
    /// Why the model stopped, for each answer.
    pub finish_reasons: Vec<String>,
    /// How the model was asked to generate.
    pub parameters: Parameters,
}

impl CallFacts {
    /// The model that was asked, or else the one that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        let asked = self.request_model.as_deref();
        asked.or(self.response_model.as_deref())
    }
}

/// How a model is asked to generate.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Parameters {
    /// How many tokens the answer may have.
    pub max_tokens: Option<i64>,
    /// The temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// The number of tokens to choose from.
    pub top_k: Option<f64>,
    /// The penalty for repetition by frequency.
    pub frequency_penalty: Option<f64>,
    /// The penalty for repetition.
    pub presence_penalty: Option<f64>,
    /// The seed.
    pub seed: Option<i64>,
    /// How many answers are asked for.
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
    /// What it is for.
    pub description: Option<String>,
    /// The arguments: JSON, or plain text.
    pub arguments: Option<Sensitive<Value>>,
    /// The result: JSON, or plain text.
    pub result: Option<Sensitive<Value>>,
}

/// The tokens that were used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The input tokens, cached ones included.
    pub input: Option<i64>,
    /// The output tokens, reasoning included.
    pub output: Option<i64>,
    /// The input tokens that were read from a cache.
    pub cache_read: Option<i64>,
    /// The input tokens that were written to a cache.
    pub cache_write: Option<i64>,
    /// The output tokens that the model used to reason.
    pub reasoning: Option<i64>,
}

/// A message that goes in or comes out. `Debug` masks what it says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NormalMessage {
    /// The role of the author.
    pub role: MessageRole,
    /// The name of who says it.
    pub name: Option<String>,
    /// The text.
    pub parts: Vec<MessagePart>,
    /// Why the model stopped, if a model says it.
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

/// A part as the GenAI conventions have it: the members of a part of an unknown type stand beside the type.
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
