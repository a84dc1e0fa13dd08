//! Feedback on the spans of agents, also after they have ended.

use std::fmt;
use std::str::FromStr;

use agentspan_model::keys;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

/// The ids of a span. Store it beside an agent's answer, for feedback long after the span has
/// ended.
///
/// Its text is a `traceparent` of [W3C Trace Context](https://www.w3.org/TR/trace-context/).
///
/// ```
/// use agentspan_otel::SpanRef;
///
/// let stored = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let span: SpanRef = stored.parse()?;
/// assert_eq!(span.to_string(), stored);
/// # Ok::<(), agentspan_otel::feedback::InvalidSpanRef>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanRef {
    trace_id: TraceId,
    span_id: SpanId,
    is_sampled: bool,
}

impl SpanRef {
    /// The span of a context, for instance that of [`Scope::span_context`](crate::Scope::span_context).
    ///
    /// `None` if the context has no span, for instance because telemetry is off.
    #[must_use]
    pub fn of(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            is_sampled: context.is_sampled(),
        })
    }

    /// The current span. `None` if there is none.
    #[must_use]
    pub fn current() -> Option<Self> {
        Context::map_current(|context| Self::of(context.span().span_context()))
    }

    fn to_context(self) -> SpanContext {
        SpanContext::new(
            self.trace_id,
            self.span_id,
            TraceFlags::default().with_sampled(self.is_sampled),
            true,
            TraceState::NONE,
        )
    }
}

impl fmt::Display for SpanRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.is_sampled);
        write!(f, "00-{}-{}-{flags:02x}", self.trace_id, self.span_id)
    }
}

/// The text is not a reference to a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the ids of a span in the form of a traceparent")]
#[non_exhaustive]
pub struct InvalidSpanRef;

impl FromStr for SpanRef {
    type Err = InvalidSpanRef;

    fn from_str(text: &str) -> Result<Self, InvalidSpanRef> {
        let mut parts = text.split('-');
        let next = &mut || parts.next().ok_or(InvalidSpanRef);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let is_hex = |part: &str, digits: usize| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
            part.len() == digits && part.bytes().all(is_digit)
        };
        let is_whole = parts.next().is_none() && version == "00";
        if !(is_whole && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
            return Err(InvalidSpanRef);
        }
        let trace_id = TraceId::from_hex(trace).map_err(|_| InvalidSpanRef)?;
        let span_id = SpanId::from_hex(span).map_err(|_| InvalidSpanRef)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| InvalidSpanRef)?;
        let flags = TraceFlags::new(flags);
        let context = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
        Self::of(&context).ok_or(InvalidSpanRef)
    }
}

/// The judge of the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Annotator {
    /// A person. The default.
    Human,
    /// A language model.
    Llm,
    /// A program.
    Code,
}

impl Annotator {
    fn name(self) -> &'static str {
        match self {
            Self::Human => "HUMAN",
            Self::Llm => "LLM",
            Self::Code => "CODE",
        }
    }
}

/// Feedback on a span, also long after it has ended.
///
/// [`record`](Self::record) creates a short span in the trace of the judged span, which is its
/// parent and its link, because an ended span cannot change. The new span has the event
/// `gen_ai.evaluation.result` of the GenAI conventions and the attributes
/// `evaluations.0.evaluation.*` of [OpenInference], of the kind `EVALUATOR`. The explanation is
/// content: it is masked for every destination that does not show contents.
///
/// ```
/// use agentspan_otel::{Feedback, SpanRef};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder().build();
/// let answer: SpanRef = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// Feedback::new(&provider, &answer)
///     .named("helpful")
///     .score(1.0)
///     .explained("It rained.")
///     .record();
/// # Ok::<(), agentspan_otel::feedback::InvalidSpanRef>(())
/// ```
///
/// [OpenInference]: https://github.com/Arize-ai/openinference/tree/main/spec
#[derive(Clone)]
#[must_use = "nothing is recorded before `record`"]
pub struct Feedback {
    tracer: SdkTracer,
    about: SpanRef,
    name: String,
    score: Option<f64>,
    label: Option<String>,
    explanation: Option<String>,
    annotator: Annotator,
}

impl Feedback {
    /// Feedback about a span, which `provider` records. Its default name is `feedback`.
    pub fn new(provider: &SdkTracerProvider, about: &SpanRef) -> Self {
        Self {
            tracer: provider.tracer("agentspan"),
            about: *about,
            name: "feedback".to_owned(),
            score: None,
            label: None,
            explanation: None,
            annotator: Annotator::Human,
        }
    }

    /// Sets the criterion, for instance `helpful`. Use a small set of names.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets a score. Its meaning depends on the criterion. A number that is not finite is not
    /// recorded.
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score).filter(|score| score.is_finite());
        self
    }

    /// Sets a label, for instance `pass`. Use a small set of labels.
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets an explanation. It is content.
    pub fn explained(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Sets who judges. The default is a person.
    pub fn judged_by(mut self, annotator: Annotator) -> Self {
        self.annotator = annotator;
        self
    }

    /// Records the feedback, with the identity and the baggage of the current context.
    pub fn record(self) {
        let about = self.about.to_context();
        let parent = Context::current().with_remote_span_context(about.clone());
        let builder = self
            .tracer
            .span_builder(format!("evaluation {}", self.name))
            .with_attributes(self.open_inference())
            .with_links(vec![Link::with_context(about)]);
        let span = self.tracer.build_with_context(builder, &parent);
        let context = parent.with_span(span);
        context
            .span()
            .add_event(keys::GEN_AI_EVALUATION_RESULT, self.gen_ai());
        context.span().end();
    }

    fn gen_ai(&self) -> Vec<KeyValue> {
        self.attributes([
            keys::GEN_AI_EVALUATION_NAME,
            keys::GEN_AI_EVALUATION_SCORE_VALUE,
            keys::GEN_AI_EVALUATION_SCORE_LABEL,
            keys::GEN_AI_EVALUATION_EXPLANATION,
        ])
    }

    fn open_inference(&self) -> Vec<KeyValue> {
        let mut attributes = self.attributes([
            keys::EVALUATION_NAME,
            keys::EVALUATION_SCORE,
            keys::EVALUATION_LABEL,
            keys::EVALUATION_EXPLANATION,
        ]);
        let annotator = self.annotator.name();
        attributes.push(KeyValue::new(keys::EVALUATION_ANNOTATOR_KIND, annotator));
        attributes.push(KeyValue::new(keys::OPENINFERENCE_SPAN_KIND, "EVALUATOR"));
        attributes
    }

    /// The feedback, under the keys of name, score, label and explanation.
    fn attributes(&self, [name, score, label, explanation]: [&'static str; 4]) -> Vec<KeyValue> {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let said = [
            (name, Some(self.name.clone().into())),
            (score, self.score.map(Value::from)),
            (label, text(&self.label)),
            (explanation, text(&self.explanation)),
        ];
        let said = said.into_iter();
        said.filter_map(|(key, value)| Some(KeyValue::new(key, value?)))
            .collect()
    }
}

/// Shows no reason: it is content.
impl fmt::Debug for Feedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feedback")
            .field("about", &self.about)
            .field("name", &self.name)
            .field("score", &self.score)
            .field("label", &self.label)
            .field("annotator", &self.annotator)
            .finish_non_exhaustive()
    }
}
