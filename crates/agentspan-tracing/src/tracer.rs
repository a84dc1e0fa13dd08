//! The tracer behind the layer, and its spans.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, Status, Tracer, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan};

use crate::ancestor::Ancestor;
use crate::unrelated::Unrelated;

/// Makes spans that know whether they are needed.
#[derive(Clone, Debug)]
pub(crate) struct LayerTracer(SdkTracer);

impl LayerTracer {
    pub(crate) fn of(provider: &SdkTracerProvider) -> Self {
        let scope = InstrumentationScope::builder("agentspan-tracing")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Self(provider.tracer_with_scope(scope))
    }
}

impl Tracer for LayerTracer {
    type Span = LayerSpan;

    fn build_with_context(&self, builder: SpanBuilder, parent_cx: &Context) -> LayerSpan {
        let own = Ancestor::about_to_start(parent_cx).cloned();
        let span = self.0.build_with_context(builder, parent_cx);
        match &own {
            Some(own) => own.starts(),
            // Also where the provider has no `RelatedSpans`.
            None => Ancestor::note_start(parent_cx),
        }
        LayerSpan { span, own }
    }
}

/// A span of `tracing`. One of no agent says so when it ends, unless there was one of an agent below it.
#[derive(Debug)]
pub(crate) struct LayerSpan {
    span: SdkSpan,
    own: Option<Ancestor>,
}

impl LayerSpan {
    /// Says that it is of no agent, while it ends.
    fn mark(&mut self) -> Option<Unrelated> {
        let own = self.own.take()?;
        (!own.is_needed()).then(|| Unrelated::ends(self.span.span_context()))
    }
}

impl Drop for LayerSpan {
    /// The SDK exports a span that nobody has ended when it is dropped, too late to say something of it.
    fn drop(&mut self) {
        if self.own.is_some() {
            self.end();
        }
    }
}

impl Span for LayerSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        self.span
            .add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        self.span.span_context()
    }

    fn is_recording(&self) -> bool {
        self.span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.span.set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.span.set_status(status);
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.span.update_name(new_name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.span.add_link(span_context, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        let _unrelated = self.mark();
        self.span.end_with_timestamp(timestamp);
    }
}
