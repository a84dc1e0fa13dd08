//! The OpenTelemetry SDK's finished spans as the encoder reads them.

use std::borrow::Borrow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::span_view::{AttributeList, EventView, LinkView, ScopeView, SpanView, StatusView};
use super::value::{ValueWriter, Written};

impl<S: Borrow<SpanData>> SpanView for S {
    type Attributes<'a>
        = &'a [KeyValue]
    where
        Self: 'a;

    fn trace_id(&self) -> [u8; 16] {
        self.borrow().span_context.trace_id().to_bytes()
    }

    fn span_id(&self) -> [u8; 8] {
        self.borrow().span_context.span_id().to_bytes()
    }

    fn parent_span_id(&self) -> [u8; 8] {
        self.borrow().parent_span_id.to_bytes()
    }

    fn name(&self) -> &str {
        &self.borrow().name
    }

    fn kind(&self) -> SpanKind {
        self.borrow().span_kind.clone()
    }

    fn start_time(&self) -> Option<u64> {
        set_time(self.borrow().start_time)
    }

    fn end_time(&self) -> Option<u64> {
        set_time(self.borrow().end_time)
    }

    fn status(&self) -> StatusView<'_> {
        match &self.borrow().status {
            Status::Unset => StatusView::Unset,
            Status::Ok => StatusView::Ok,
            Status::Error { description } => StatusView::Error(description),
        }
    }

    fn scope(&self) -> ScopeView<'_> {
        let scope = &self.borrow().instrumentation_scope;
        ScopeView {
            name: scope.name(),
            version: scope.version(),
        }
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        &self.borrow().attributes
    }

    fn events(&self) -> impl Iterator<Item = EventView<'_, Self::Attributes<'_>>> {
        self.borrow().events.iter().map(|event| EventView {
            name: &event.name,
            time: unix_nanos(event.timestamp),
            attributes: event.attributes.as_slice(),
        })
    }

    fn links(&self) -> impl Iterator<Item = LinkView<Self::Attributes<'_>>> {
        self.borrow().links.iter().map(|link| LinkView {
            trace_id: link.span_context.trace_id().to_bytes(),
            span_id: link.span_context.span_id().to_bytes(),
            attributes: link.attributes.as_slice(),
        })
    }
}

impl AttributeList for &[KeyValue] {
    fn len(&self) -> usize {
        <[KeyValue]>::len(self)
    }

    fn key(&self, index: usize) -> &str {
        self.get(index)
            .map_or("", |attribute| attribute.key.as_str())
    }

    fn write_value(&self, index: usize, writer: ValueWriter<'_>) -> Written {
        match self.get(index) {
            Some(attribute) => write(&attribute.value, writer),
            None => writer.null(),
        }
    }
}

/// Writes one value of the OpenTelemetry API.
///
/// `Value` and `Array` may grow. A kind that this version does not know is written as the text that
/// the API gives for it, which loses its type and nothing else.
pub(super) fn write(value: &Value, writer: ValueWriter<'_>) -> Written {
    match value {
        Value::String(text) => writer.text(text.as_str()),
        Value::I64(number) => writer.integer(*number),
        Value::F64(number) => writer.float(*number),
        Value::Bool(flag) => writer.flag(*flag),
        Value::Array(Array::String(texts)) => {
            writer.array(texts, |text, writer| writer.text(text.as_str()))
        }
        Value::Array(Array::I64(numbers)) => {
            writer.array(numbers, |number, writer| writer.integer(*number))
        }
        Value::Array(Array::F64(numbers)) => {
            writer.array(numbers, |number, writer| writer.float(*number))
        }
        Value::Array(Array::Bool(flags)) => writer.array(flags, |flag, writer| writer.flag(*flag)),
        unknown => writer.text(&unknown.as_str()),
    }
}

/// The time of a span's start or end. The SDK has no "not set": the epoch itself stands for it.
fn set_time(time: SystemTime) -> Option<u64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(Duration::ZERO) => None,
        Ok(since) => Some(nanos(since)),
        Err(_) => Some(0),
    }
}

/// Nanoseconds since the Unix epoch, zero for an earlier time.
fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos)
}

/// The nanoseconds of `duration`, or after the year 2554 the most that the wire's 64 bits can say.
fn nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(duration.subsec_nanos())))
        .unwrap_or(u64::MAX)
}
