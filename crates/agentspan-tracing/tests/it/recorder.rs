//! A provider that keeps what would be exported, and a subscriber with the layer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agent365::{AgentDetails, AgentId, TenantDetails, TenantId, ToolCallDetails};
use agentspan_otel::{BaggageSpanProcessor, ExecuteToolScope, OtelBridge, ScopeTracer};
use agentspan_processor::Trace;
use agentspan_processor::trace::TraceBuilder;
use agentspan_tracing::{RelatedSpans, TracingSettings};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) provider: SdkTracerProvider,
    pub(crate) dispatch: Dispatch,
    bridge: Arc<OtelBridge>,
    scopes: ScopeTracer,
    keep: Keep,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::with(TracingSettings::new())
    }

    pub(crate) fn with(settings: TracingSettings) -> Self {
        Self::of(settings, OtelBridge::prepare(SdkTracerProvider::builder()))
    }

    /// With the settings of the layer, and a provider.
    pub(crate) fn of(settings: TracingSettings, provider: TracerProviderBuilder) -> Self {
        let keep = Keep::default();
        let processor = BaggageSpanProcessor::in_front_of(keep.clone());
        let provider = provider
            .with_span_processor(RelatedSpans::in_front_of(processor))
            .build();
        let layer = agentspan_tracing::layer(&provider, settings);
        Self {
            dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
            bridge: Arc::new(OtelBridge::new(&provider)),
            scopes: ScopeTracer::new(&provider),
            provider,
            keep,
        }
    }

    /// Runs `f` with the layer.
    pub(crate) fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(&self.dispatch, f)
    }

    pub(crate) fn tool(&self, name: &str) -> ExecuteToolScope {
        let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
        let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
        ExecuteToolScope::builder(&ToolCallDetails::new(name))
            .with_agent(&agent)
            .with_tenant(&tenant)
            .with_tracer(&self.scopes)
            .start()
    }

    pub(crate) fn trace(&self) -> TraceBuilder {
        Trace::builder().with_processor(self.bridge.clone())
    }

    /// What would be exported, in the order in which it ended.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let spans = self.keep.0.lock().unwrap().clone();
        let sampled = |span: &SpanData| span.span_context.is_sampled();
        spans.into_iter().filter(sampled).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let spans = self.spans().into_iter();
        spans.map(|span| span.name.into_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> SpanData {
        let spans = self.spans();
        let found = spans.into_iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no span {name:?} among {:?}", self.names()))
    }

    /// The span is the child of the other.
    #[track_caller]
    pub(crate) fn check_child(&self, child: &str, parent: &str) {
        let (child, parent) = (self.named(child), self.named(parent));
        assert_eq!(
            (child.parent_span_id, child.span_context.trace_id()),
            (
                parent.span_context.span_id(),
                parent.span_context.trace_id()
            ),
            "{} in {}",
            child.name,
            parent.name
        );
    }
}

/// The last value under a key.
pub(crate) fn value(span: &SpanData, key: &str) -> Option<Value> {
    let mut attributes = span.attributes.iter().rev();
    let found = attributes.find(|attribute| attribute.key.as_str() == key)?;
    Some(found.value.clone())
}

#[derive(Clone, Debug, Default)]
struct Keep(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Keep {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
