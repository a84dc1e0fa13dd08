//! A normal form for spans of all known conventions.
//!
//! Many libraries trace agents: frameworks with some version of the GenAI conventions,
//! OpenInference, OpenLLMetry, Langfuse, rig, and the scopes of Agent 365. [`NormalSpan::read`]
//! reads a span of any of them; [`NormalSpan::visit`] writes it in the vocabulary of a
//! [`Rendering`](super::Rendering).
//!
//! ```text
//!   SourceSpan ──► Reader ──► operation ── none: the span passes untouched
//!   name, kind,    last value    │
//!   status,        of each key   ├─ call      model, parameters, usage, finish reasons
//!   attributes,                  ├─ messages  JSON text, lists of keys, plain texts → roles and parts
//!   events                       ├─ tool      name, arguments, result
//!                                └─ failure   status, exception, what each convention has for it
//!                                        │
//!                                   NormalSpan ──► GenAI, OpenInference, Agent 365
//! ```
//!
//! [`Outline`] has the facts of a span that are counted, and costs less to read.
//!
//! Mistakes of a source are not corrected. But a text in place of a number, or JSON in a text, is
//! parsed.
//!
//! ```
//! use agentspan_model::mapping::normal::{NormalSpan, SourceSpan, SourceValue};
//!
//! // As `tracing-opentelemetry` writes a `u64`.
//! let mut span = SourceSpan::new("chat");
//! span.attribute("gen_ai.operation.name", SourceValue::Text("chat"));
//! span.attribute("gen_ai.request.model", SourceValue::Text("gpt-4o"));
//! span.attribute("gen_ai.usage.input_tokens", SourceValue::Text("47"));
//!
//! let normal = NormalSpan::read(&span).ok_or("no span of a known convention")?;
//! assert_eq!(normal.usage.input, Some(47));
//! # Ok::<(), &str>(())
//! ```

mod call;
mod content_part;
mod facts;
mod failure;
mod gen_ai;
mod json_messages;
mod lenient_json;
mod list_messages;
mod messages;
mod names;
mod open_inference;
mod operation;
mod outline;
mod reader;
mod render;
mod source;
mod tool;
mod words;

pub use facts::{
    AgentFacts, CallFacts, ErrorFacts, NormalMessage, NormalSpan, OperationName, Parameters,
    ToolFacts, Usage,
};
pub use outline::Outline;
pub use render::is_tracing_noise;
pub use source::{SourceEvent, SourceSpan, SourceValue};

use std::borrow::Cow;

use crate::mapping::{SpanKind, llm_call};
use reader::Reader;

/// The name that the GenAI conventions have for what people call a provider.
#[must_use]
pub fn provider_name(said: &str) -> Cow<'static, str> {
    llm_call::provider_name(said)
}

impl NormalSpan {
    /// Reads a span of an agent, a model or a tool, in any known convention.
    ///
    /// Returns `None` for all other spans, and for spans that a convention defines as other steps,
    /// such as the `CHAIN` of OpenInference.
    #[must_use]
    pub fn read(span: &SourceSpan<'_>) -> Option<Self> {
        let reader = Reader::new(span)?;
        let mut normal = Self::of(operation::of(&reader)?);
        normal.is_client = span.kind == SpanKind::Client;
        call::read(&reader, &mut normal);
        tool::read(&reader, &mut normal);
        messages::read(&reader, &mut normal);
        call::read_finish_reasons(&reader, &mut normal);
        normal.error = failure::read(&reader);
        normal.read_keys = reader.into_read_keys();
        Some(normal)
    }
}
