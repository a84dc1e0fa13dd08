//! The vocabulary of Agent Spec Tracing, as in `pyagentspec.tracing` 26.3.1.
//!
//! A [`Span`] is an operation of a runtime with a start and an end. An [`Event`] is a point in time
//! within a span. [`SpanDetails`] and [`EventDetails`] hold the data of each type; both also keep
//! types that this crate does not know. They refer to [`Component`]s, the agents, tools and models
//! of Agent Spec, which are shared, not copied.
//!
//! # Who sees what
//!
//! Prompts, answers, inputs and outputs are [`Sensitive`]: `Debug` and `Serialize` show a mask. Clear text
//! needs [`Sensitive::reveal`] or a dump made with [`Disclosure::Clear`]. Keys, passwords and
//! certificates of components are in no dump at all.
//!
//! # Reading a dump
//!
//! ```
//! use agentspan_model::agentspec::{EventDetails, Span};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dump = r#"{"id":"s","name":"LlmGenerationSpan","description":"","start_time":1,"end_time":2,"events":[
//! # {"id":"e","name":"LlmGenerationResponse","description":"","timestamp":2,"metadata":{},"llm_config":
//! # {"id":"m","name":"main","description":null,"metadata":{},"model_id":"gpt-4o","component_type":"OpenAiConfig"},
//! # "content":"** MASKED **","tool_calls":"** MASKED **","request_id":"r","completion_id":null,
//! # "input_tokens":12,"output_tokens":3,"type":"LlmGenerationResponse"}],"metadata":{},"llm_config":
//! # {"id":"m","name":"main","description":null,"metadata":{},"model_id":"gpt-4o","component_type":"OpenAiConfig"},
//! # "type":"LlmGenerationSpan"}"#;
//! let span = Span::from_json(dump)?;
//! let mut lines = Vec::new();
//! for event in &span.events {
//!     if let EventDetails::LlmGenerationResponse(response) = &event.details {
//!         lines.push(format!(
//!             "{}: {} tokens in, {} out",
//!             response.llm_config.model_id().unwrap_or_default(),
//!             response.input_tokens.unwrap_or(0),
//!             response.output_tokens.unwrap_or(0),
//!         ));
//!     }
//! }
//! assert_eq!(lines, ["gpt-4o: 12 tokens in, 3 out"]);
//! # Ok(())
//! # }
//! ```
//!
//! # JSON only
//!
//! Content that the model does not interpret stays JSON text ([`Json`], [`JsonObject`]), which
//! preserves order and numbers and is cheap to write. It uses the raw values of `serde_json`, so
//! spans and events only serialise to JSON, not to other formats of `serde`.

mod component;
mod detail;
mod disclosure;
mod dump;
mod event;
mod held;
mod id;
mod json;
mod json_text;
mod message;
mod read_error;
mod reader;
mod recorded_hook;
mod recording;
mod sensitive;
mod source;
mod span;
mod timestamp;
mod unknown_members;
#[cfg(feature = "yaml")]
mod yaml;

pub use component::{
    Agent, Component, ComponentBuilder, ComponentValue, DocumentReader, Flow, LlmConfig,
    ManagerWorkers, Node, Property, Swarm, Tool, WrongComponentError, is_secret_field,
};
pub use detail::Detail;
pub use disclosure::{Disclosure, MASK};
pub use event::{
    AgentExecutionEnd, AgentExecutionStart, Event, EventDetails, EventDump, EventForm,
    ExceptionRaised, FlowExecutionEnd, FlowExecutionStart, HumanInTheLoopRequest,
    HumanInTheLoopResponse, LlmGenerationChunkReceived, LlmGenerationRequest,
    LlmGenerationResponse, ManagerWorkersExecutionEnd, ManagerWorkersExecutionStart,
    NodeExecutionEnd, NodeExecutionStart, OtherEvent, StateSnapshotEmitted, SwarmExecutionEnd,
    SwarmExecutionStart, ToolConfirmationRequest, ToolConfirmationResponse, ToolExecutionRequest,
    ToolExecutionResponse, ToolExecutionStreamingChunkReceived,
};
pub use id::Id;
pub use json::{Json, JsonError, JsonObject};
pub use message::{LlmGenerationConfig, Message, ToolCall};
pub use read_error::{PathSegment, Position, Problem, ProblemKind, ReadError, YamlFault};
pub use recorded_hook::{HookCall, HookLine, RecordedHook, RecordedSpan, TraceInfo};
pub use recording::{Recording, RecordingError, RecordingErrorKind};
pub use sensitive::Sensitive;
pub use span::{
    AgentExecutionSpan, FlowExecutionSpan, LlmGenerationSpan, ManagerWorkersExecutionSpan,
    NodeExecutionSpan, OtherSpan, Span, SpanDetails, SpanDump, SwarmExecutionSpan,
    ToolExecutionSpan,
};
pub use timestamp::Timestamp;

pub(crate) use reader::pairs;
