//! A provider that keeps finished spans, and scopes to try it with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agent365::{
    AgentDetails, AgentId, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails,
    TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_otel::{
    BaggageSpanProcessor, ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer,
};
use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};

pub(crate) struct Recorder {
    pub(crate) provider: SdkTracerProvider,
    pub(crate) tracer: ScopeTracer,
    spans: Arc<Mutex<Vec<SpanData>>>,
}

impl Recorder {
    /// With the baggage processor as it is by default.
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder.with_span_processor(BaggageSpanProcessor::new()))
    }

    pub(crate) fn with(add: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> Self {
        let keep = Keep::default();
        let spans = Arc::clone(&keep.0);
        let provider = add(SdkTracerProvider::builder())
            .with_span_processor(keep)
            .build();
        Self {
            tracer: ScopeTracer::new(&provider),
            provider,
            spans,
        }
    }

    /// The finished spans, in the order in which they ended.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.spans.lock().unwrap().clone()
    }

    /// The only finished span.
    #[track_caller]
    pub(crate) fn span(&self) -> SpanData {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// The finished span with this name.
    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> SpanData {
        let spans = self.spans();
        let found = spans.into_iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no span {name:?}"))
    }

    pub(crate) fn invoke_agent(&self) -> InvokeAgentScope {
        let details = InvokeAgentDetails::new(agent());
        InvokeAgentScope::builder(&details)
            .with_tenant(&tenant())
            .with_tracer(&self.tracer)
            .start()
    }

    pub(crate) fn tool(&self, name: &str) -> ExecuteToolScope {
        ExecuteToolScope::builder(&ToolCallDetails::new(name))
            .with_agent(&agent())
            .with_tenant(&tenant())
            .with_tracer(&self.tracer)
            .start()
    }

    pub(crate) fn inference(&self) -> InferenceScope {
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt", "openai");
        InferenceScope::builder(&call)
            .with_tracer(&self.tracer)
            .start()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Keep(Arc<Mutex<Vec<SpanData>>>);

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

impl Keep {
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) fn agent() -> AgentDetails {
    AgentDetails::new(AgentId::parse("agent-1").unwrap())
}

pub(crate) fn tenant() -> TenantDetails {
    TenantDetails::new(TenantId::parse("tenant-1").unwrap())
}

/// The values of a key, in order; more than one would be a duplicate.
pub(crate) fn values(span: &SpanData, key: &str) -> Vec<Value> {
    let attributes = span.attributes.iter();
    attributes
        .filter(|attribute| attribute.key.as_str() == key)
        .map(|attribute| attribute.value.clone())
        .collect()
}

pub(crate) fn keys(span: &SpanData) -> Vec<&str> {
    span.attributes.iter().map(|a| a.key.as_str()).collect()
}

#[track_caller]
pub(crate) fn assert_error(span: &SpanData, error_type: &str, description: &str) {
    assert_eq!(values(span, "error.type"), [error_type.to_owned().into()]);
    assert_eq!(span.status, Status::error(description.to_owned()));
}

/// The event of an exception as (type, message, stack trace, escaped).
pub(crate) fn exceptions(span: &SpanData) -> Vec<[String; 4]> {
    let events = span.events.events.iter();
    events
        .map(|event| {
            assert_eq!(event.name, "exception");
            [
                "exception.type",
                "exception.message",
                "exception.stacktrace",
                "exception.escaped",
            ]
            .map(|key| {
                let found = event.attributes.iter().find(|a| a.key.as_str() == key);
                found.map(|a| a.value.to_string()).unwrap_or_default()
            })
        })
        .collect()
}

#[track_caller]
pub(crate) fn assert_child(child: &SpanData, parent: &SpanData) {
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
    assert_eq!(
        child.span_context.trace_id(),
        parent.span_context.trace_id()
    );
}

#[track_caller]
pub(crate) fn assert_root(span: &SpanData) {
    assert_eq!(span.parent_span_id, SpanId::INVALID, "{}", span.name);
}
