//! Maps spans and events of Agent Spec to other vocabularies.
//!
//! A [`Mapping`] passes the attributes of a span or an event to a visitor: the attributes of a
//! [`Rendering`] (GenAI semantic conventions, Agent 365, OpenInference), and, under `agentspec`,
//! all data that [`SpanRebuilder`] needs to rebuild the span. `docs/mapping.md` lists all of them.
//!
//! ```
//! use agentspan_model::agentspec::{Component, Id, LlmConfig, LlmGenerationSpan, Span};
//! use agentspan_model::attribute::{AttributeValue, Key};
//! use agentspan_model::mapping::{Mapping, Rendering, SpanInTrace};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Component::builder("OpenAiConfig", "main model").with_text("model_id", "gpt-4o").build();
//! let span = Span::new(Id::from("span-1"), LlmGenerationSpan::new(LlmConfig::try_from(model)?));
//!
//! let mapping = Mapping::new(Rendering::GenAi);
//! assert_eq!(mapping.span_name(&span), "chat gpt-4o");
//! let mut provider = None;
//! mapping.visit_span(&SpanInTrace::new(&span), &mut |key: Key, value: AttributeValue<'_>| {
//!     if let (Key::Static("gen_ai.provider.name"), AttributeValue::Str(text)) = (key, value) {
//!         provider = Some(text.to_owned());
//!     }
//! });
//! assert_eq!(provider.as_deref(), Some("openai"));
//! # Ok(())
//! # }
//! ```
//!
//! # Who sees what
//!
//! [`ContentCapture`] decides whether prompts, answers, inputs and outputs are shown. By default,
//! they are not, and components are shown as outlines
//! ([`Detail::Described`](crate::agentspec::Detail::Described)), without their prompts and
//! settings. Data that was masked before is never shown.

use std::borrow::Cow;

use crate::agent365::Identity;
use crate::agent365::mapping::INVOKE_AGENT;
use crate::agentspec::{Disclosure, Event, EventDetails, Span};
use crate::attribute::KeyVisitor;
use crate::keys;

mod agent_spec;
mod as_agent365;
mod content_capture;
mod exchange;
mod failure;
mod gen_ai;
mod gen_ai_v0_1;
mod ids;
mod llm_call;
mod members;
mod messages;
mod named;
pub mod normal;
mod open_inference;
mod operation;
mod placed_span;
mod rebuild;
mod rendering;
mod span_in_trace;
mod story;
mod tool_definition;

pub use content_capture::{ContentCapture, UnknownCaptureError};
pub use exchange::Exchange;
pub use failure::Failure;
pub use gen_ai::{SCHEMA_URL, SEMANTIC_CONVENTIONS_VERSION};
pub use ids::{repeated_span_id_bytes, span_id_bytes, trace_id_bytes};
pub use named::named_only;
pub use operation::is_agent365_operation;
pub use placed_span::PlacedSpan;
pub use rebuild::{EventRebuilder, RebuildError, SpanRebuilder};
pub use rendering::{AgentSpecFields, Rendering, SpanKind, TracingNoise};
pub use span_in_trace::SpanInTrace;

use gen_ai_v0_1::InWordsOfV0_1;
use operation::Operation;
use story::Story;

/// Maps spans and events to attributes: a [`Rendering`] with its settings.
#[derive(Clone, Debug)]
pub struct Mapping {
    rendering: Rendering,
    capture: ContentCapture,
    fields: AgentSpecFields,
    noise: TracingNoise,
    identity: Option<Identity>,
}

impl Mapping {
    /// A mapping without content, and with the rendering's default fields of Agent Spec.
    #[must_use]
    pub fn new(rendering: Rendering) -> Self {
        Self {
            rendering,
            capture: ContentCapture::default(),
            fields: rendering.default_fields(),
            noise: rendering.default_noise(),
            identity: None,
        }
    }

    /// Sets where sensitive content is shown. By default, it is not shown.
    #[must_use]
    pub fn with_capture(mut self, capture: ContentCapture) -> Self {
        self.capture = capture;
        self
    }

    /// Sets how much is shown under `agentspec`. By default, all of it is; for Agent 365, only ids,
    /// type, name and description.
    #[must_use]
    pub fn with_fields(mut self, fields: AgentSpecFields) -> Self {
        self.fields = fields;
        self
    }

    /// Sets whether to keep attributes that only concern `tracing`. By default, they are kept; for
    /// Agent 365, they are removed.
    #[must_use]
    pub fn with_tracing_noise(mut self, noise: TracingNoise) -> Self {
        self.noise = noise;
        self
    }

    /// Sets the identity of the agents. Only [`Rendering::Agent365`] shows it. By default, there is
    /// none, so a span needs an identity from elsewhere, for instance from baggage.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The vocabulary.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        self.rendering
    }

    /// Whether attributes that only concern `tracing` are kept.
    #[must_use]
    pub fn tracing_noise(&self) -> TracingNoise {
        self.noise
    }

    /// Where sensitive content is shown.
    #[must_use]
    pub fn capture(&self) -> ContentCapture {
        self.capture
    }

    /// The name of the span in the vocabulary.
    ///
    /// The name that the conventions define, for instance `chat gpt-4o`. For other spans, the
    /// span's own name, or, if it has none, the name of the component that it executes.
    #[must_use]
    pub fn span_name<'a>(&self, span: &'a Span) -> Cow<'a, str> {
        operation::span_name(self.rendering, span)
    }

    /// Whether `text` is the [`span_name`](Self::span_name), which is not put together for it.
    #[must_use]
    pub fn is_span_name(&self, span: &Span, text: &str) -> bool {
        operation::is_span_name(self.rendering, span, text)
    }

    /// Whether the [`span_name`](Self::span_name) begins with `invoke_agent`, as that of an agent
    /// that is invoked does. It is not put together for that.
    #[must_use]
    pub fn is_invocation(&self, span: &Span) -> bool {
        operation::is_invocation(self.rendering, span)
    }

    /// Like [`span_name`](Self::span_name), with the trace: a `RootSpan` without its own name takes
    /// the name of its trace, because backends show a trace by the name of its root.
    ///
    /// With [`Rendering::AgentSpec`], it keeps its own name.
    #[must_use]
    pub fn span_name_in_trace<'a>(&self, span: &SpanInTrace<'a>) -> Cow<'a, str> {
        operation::span_name_in_trace(self.rendering, span)
    }

    /// The kind of the span in the vocabulary.
    #[must_use]
    pub fn span_kind(&self, span: &Span) -> SpanKind {
        operation::span_kind(self.rendering, span)
    }

    /// The name of the operation, if the vocabulary has one for this type of span.
    #[must_use]
    pub fn operation_name(&self, span: &Span) -> Option<&'static str> {
        operation::operation_name(self.rendering, Operation::of(span))
    }

    /// The failure of the span: its last `ExceptionRaised`.
    #[must_use]
    pub fn failure<'a>(&self, span: &'a Span) -> Option<Failure<'a>> {
        Failure::of(span, self.capture.on_spans())
    }

    /// Passes the attributes of a span to a visitor, including data from its events, each key once.
    pub fn visit_span(&self, span: &SpanInTrace<'_>, visitor: &mut impl KeyVisitor) {
        let visitor: &mut dyn KeyVisitor = visitor;
        let story = Story::of(span, self.capture.on_spans());
        match self.rendering {
            Rendering::GenAi => gen_ai::visit_span(span.span, &story, visitor),
            Rendering::GenAiV0_1 => {
                let is_agent = self.operation_name(span.span) == Some(INVOKE_AGENT);
                let is_internal = self.span_kind(span.span) == SpanKind::Internal;
                let mut words = InWordsOfV0_1::new(visitor, is_agent && is_internal);
                gen_ai::visit_span(span.span, &story, &mut words);
            }
            Rendering::Agent365(profile) => {
                as_agent365::visit_span(
                    span.span,
                    &story,
                    profile,
                    self.identity.as_ref(),
                    visitor,
                );
            }
            Rendering::OpenInference => open_inference::visit_span(span, &story, visitor),
            Rendering::AgentSpec => {}
        }
        let is_rendered = self.rendering != Rendering::AgentSpec;
        if let Some(failure) = self.failure(span.span).filter(|_| is_rendered) {
            failure.visit(visitor);
        }
        agent_spec::visit_span(span, self.fields, self.span_disclosure(), visitor);
    }

    /// The name of an event: `exception` for `ExceptionRaised`, the name of its type for other
    /// types of Agent Spec, and its own name for user-defined events.
    #[must_use]
    pub fn event_name<'a>(&self, event: &'a Event) -> &'a str {
        let own_name = || Some(&*event.name).filter(|name| !name.is_empty());
        match &event.details {
            EventDetails::ExceptionRaised(_) => keys::EXCEPTION_EVENT,
            details @ (EventDetails::Plain | EventDetails::Other(_)) => {
                own_name().or(details.type_name()).unwrap_or_default()
            }
            details => details.type_name().unwrap_or(&event.name),
        }
    }

    /// Passes the attributes of an event in a span to a visitor, each key once.
    ///
    /// A component that the span also has is shown only by its id.
    pub fn visit_event(&self, event: &Event, span: &Span, visitor: &mut impl KeyVisitor) {
        let visitor: &mut dyn KeyVisitor = visitor;
        let content = self.capture.on_events();
        match &event.details {
            EventDetails::ExceptionRaised(exception) if self.rendering != Rendering::AgentSpec => {
                failure::visit_event(exception, content, visitor);
            }
            _ => {}
        }
        if self.rendering.is_gen_ai() && content {
            gen_ai::visit_event(event, visitor);
        }
        let disclosure = disclosure(content);
        agent_spec::visit_event(event, span, self.fields, disclosure, visitor);
    }

    fn span_disclosure(&self) -> Disclosure {
        disclosure(self.capture.on_spans())
    }
}

fn disclosure(content: bool) -> Disclosure {
    if content {
        Disclosure::Clear
    } else {
        Disclosure::Masked
    }
}
