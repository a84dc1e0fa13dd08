//! Spans as the SDK finished them, in the form of the vectors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentspan_model::keys;
use opentelemetry::trace::{Event, Link, SpanId, SpanKind, Status, TraceId};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    IdGenerator, SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use serde_json::json;

use crate::TypedValue;
use crate::typed_value::Double;

/// The switch of scopes is one for the process, so that cases with scopes run one at a time.
static SWITCH: Mutex<()> = Mutex::new(());

/// A provider that counts ids as the vectors do and keeps what is finished.
pub(super) struct RecordedSpans {
    finished: Arc<Mutex<Vec<SpanData>>>,
    pub(super) provider: SdkTracerProvider,
    _switch: MutexGuard<'static, ()>,
}

impl RecordedSpans {
    pub(super) fn record(add: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> Self {
        let switch = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = Arc::<Mutex<Vec<SpanData>>>::default();
        let builder = SdkTracerProvider::builder().with_id_generator(CountedIds::default());
        let provider = add(builder)
            .with_span_processor(Keep(Arc::clone(&finished)))
            .build();
        Self {
            finished,
            provider,
            _switch: switch,
        }
    }

    pub(super) fn finished(&self) -> Vec<SpanData> {
        lock(&self.finished).clone()
    }
}

#[derive(Debug)]
struct Keep(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Keep {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        lock(&self.0).push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Trace ids from `a000…0001` on, span ids from `b000…0001` on.
#[derive(Debug, Default)]
struct CountedIds {
    traces: AtomicU64,
    spans: AtomicU64,
}

impl IdGenerator for CountedIds {
    fn new_trace_id(&self) -> TraceId {
        let n = self.traces.fetch_add(1, Ordering::SeqCst) + 1;
        TraceId::from((0xa << 124) | u128::from(n))
    }

    fn new_span_id(&self) -> SpanId {
        let n = self.spans.fetch_add(1, Ordering::SeqCst) + 1;
        SpanId::from((0xb << 60) | n)
    }
}

/// A whole span, as the files of scopes expect it.
pub(super) fn span(span: &SpanData) -> serde_json::Value {
    let has_parent = span.parent_span_id != SpanId::INVALID;
    let scope = &span.instrumentation_scope;
    json!({
        "name": span.name,
        "kind": kind(&span.span_kind),
        "status": status(&span.status),
        "attributes": attributes(&span.attributes),
        "events": span.events.events.iter().map(event).collect::<Vec<_>>(),
        "links": span.links.links.iter().map(link).collect::<Vec<_>>(),
        "instrumentation_scope": {"name": scope.name(), "version": scope.version()},
        "trace_id": span.span_context.trace_id().to_string(),
        "span_id": span.span_context.span_id().to_string(),
        "parent_span_id": has_parent.then(|| span.parent_span_id.to_string()),
        "parent_is_remote": has_parent.then_some(span.parent_span_is_remote),
    })
}

/// Attributes as typed pairs.
pub(super) fn attributes(attributes: &[KeyValue]) -> Vec<(&str, TypedValue)> {
    attributes
        .iter()
        .map(|attribute| {
            let value = typed(&attribute.value).normalized();
            (attribute.key.as_str(), value)
        })
        .collect()
}

fn typed(value: &Value) -> TypedValue {
    match value {
        Value::Bool(value) => TypedValue::Bool(*value),
        Value::I64(value) => TypedValue::Int(*value),
        Value::F64(value) => TypedValue::Double(Double(*value)),
        Value::Array(Array::Bool(items)) => TypedValue::BoolArray(items.clone()),
        Value::Array(Array::I64(items)) => TypedValue::IntArray(items.clone()),
        Value::Array(Array::F64(items)) => {
            TypedValue::DoubleArray(items.iter().copied().map(Double).collect())
        }
        Value::Array(Array::String(items)) => {
            TypedValue::StringArray(items.iter().map(ToString::to_string).collect())
        }
        text => TypedValue::String(text.as_str().into_owned()),
    }
}

fn link(link: &Link) -> serde_json::Value {
    json!({
        "trace_id": link.span_context.trace_id().to_string(),
        "span_id": link.span_context.span_id().to_string(),
        "attributes": attributes(&link.attributes),
    })
}

fn kind(kind: &SpanKind) -> String {
    format!("{kind:?}").to_uppercase()
}

fn status(status: &Status) -> serde_json::Value {
    match status {
        Status::Unset => json!({"code": "UNSET", "description": null}),
        Status::Ok => json!({"code": "OK", "description": null}),
        Status::Error { description } => json!({"code": "ERROR", "description": description}),
    }
}

fn event(event: &Event) -> serde_json::Value {
    let text = |key: &str| {
        let found = event.attributes.iter().find(|a| a.key.as_str() == key);
        found.map(|a| a.value.as_str().into_owned())
    };
    if event.name == keys::EXCEPTION_EVENT {
        json!({
            "name": event.name,
            keys::EXCEPTION_TYPE: text(keys::EXCEPTION_TYPE),
            keys::EXCEPTION_MESSAGE: text(keys::EXCEPTION_MESSAGE),
            keys::EXCEPTION_ESCAPED: text(keys::EXCEPTION_ESCAPED),
            "has_stacktrace": text(keys::EXCEPTION_STACKTRACE).is_some_and(|text| !text.is_empty()),
        })
    } else {
        json!({"name": event.name, "attributes": attributes(&event.attributes)})
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
