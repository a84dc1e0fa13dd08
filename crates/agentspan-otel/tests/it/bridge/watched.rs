//! A provider that Agent Spec spans go to, and what came out of it.

use std::sync::{Arc, Mutex};

use agentspan_model::mapping::{ContentCapture, Mapping};
use agentspan_otel::{BaggageSpanProcessor, OtelBridge, Rendered};
use agentspan_processor::trace::{OpenTrace, TraceGuard};
use agentspan_processor::{SpanProcessor, Trace};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};

/// Keeps what is exported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Kept {
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> SpanData {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
        let found = spans.into_iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no span {name:?} among {names:?}"))
    }
}

/// A bridge to a provider.
pub(crate) struct Watched {
    pub(crate) provider: SdkTracerProvider,
    pub(crate) bridge: Arc<OtelBridge>,
    /// The spans as they are, without a rendering.
    pub(crate) live: Kept,
    /// The spans in the words of each mapping.
    pub(crate) rendered: Vec<Kept>,
}

impl Watched {
    pub(crate) fn new(capture: ContentCapture) -> Self {
        Self::with_mappings(capture, [])
    }

    pub(crate) fn with_mappings(
        capture: ContentCapture,
        mappings: impl IntoIterator<Item = Mapping>,
    ) -> Self {
        let live = Kept::default();
        let mut builder = OtelBridge::prepare(SdkTracerProvider::builder())
            .with_span_processor(BaggageSpanProcessor::new())
            .with_simple_exporter(live.clone());
        let mut rendered = Vec::new();
        for mapping in mappings {
            let kept = Kept::default();
            builder = builder.with_simple_exporter(Rendered::new(kept.clone(), mapping));
            rendered.push(kept);
        }
        let provider = builder.build();
        let bridge = Arc::new(OtelBridge::new(&provider).with_capture(capture));
        Self {
            provider,
            bridge,
            live,
            rendered,
        }
    }

    pub(crate) fn processor(&self) -> Arc<dyn SpanProcessor> {
        Arc::<OtelBridge>::clone(&self.bridge)
    }

    pub(crate) fn trace(&self) -> TraceGuard {
        let trace = Trace::builder().with_processor(self.processor());
        trace.start().unwrap()
    }

    pub(crate) fn detached_trace(&self) -> OpenTrace {
        let trace = Trace::builder().with_processor(self.processor());
        trace.start_detached().unwrap()
    }

    /// The tracer of some other instrumentation.
    pub(crate) fn foreign(&self) -> SdkTracer {
        self.provider.tracer("foreign")
    }
}

/// The text of an attribute.
pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().rev().find(|a| a.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

/// Whether `nested` is a child of `outer`.
#[track_caller]
pub(crate) fn check_nested(nested: &SpanData, outer: &SpanData) {
    assert_eq!(
        (nested.parent_span_id, nested.span_context.trace_id()),
        (outer.span_context.span_id(), outer.span_context.trace_id()),
        "{} is not in {}",
        nested.name,
        outer.name
    );
}
