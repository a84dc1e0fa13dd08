//! Reads the protobuf of a span, as [`Reading::of`] reads its JSON.

use agentspan_model::agent365::contract::ObservedSpan;
use agentspan_model::mapping::normal::SourceValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event as ProtoEvent, Link as ProtoLink};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::Value;

use super::{Attributes, Event, Link, Reading, any_value};

impl Reading {
    /// Its texts are moved, not copied.
    pub(crate) fn of_otlp(span: Span) -> Self {
        const CLIENT: i32 = 3;
        let (status, description) = match span.status {
            Some(Status { code: 1, message }) => ("ok", message),
            Some(Status { code: 2, message }) => ("error", message),
            Some(Status { message, .. }) => ("unset", message),
            None => ("unset", String::new()),
        };
        Self {
            name: span.name,
            is_client: span.kind == CLIENT,
            start: Some(span.start_time_unix_nano),
            end: Some(span.end_time_unix_nano),
            is_error: status == "error",
            status,
            description,
            attributes: attributes(span.attributes),
            events: span.events.into_iter().map(event).collect(),
            links: span.links.into_iter().map(link).collect(),
        }
    }

    /// The span for the rules of Agent 365, without ids.
    pub(crate) fn observed(&self) -> ObservedSpan<'_> {
        let times = (self.start.unwrap_or(0), self.end.unwrap_or(0));
        let mut span = ObservedSpan::new(&self.name).with_times(times.0, times.1);
        if self.is_error {
            span = span.with_error();
        }
        for (key, value) in &self.attributes {
            span.attribute(key, SourceValue::of_json(value));
        }
        span
    }
}

fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    let pairs = pairs.into_iter();
    pairs.map(|pair| (pair.key, value(pair.value))).collect()
}

fn value(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(Proto::StringValue(text)) => text.into(),
        Some(Proto::BoolValue(truth)) => truth.into(),
        Some(Proto::IntValue(number)) => number.into(),
        Some(Proto::DoubleValue(number)) => number.into(),
        // The others are rare.
        Some(other) => serde_json::to_value(AnyValue { value: Some(other) })
            .as_ref()
            .map_or(Value::Null, any_value),
        None => Value::Null,
    }
}

fn event(event: ProtoEvent) -> Event {
    Event {
        name: event.name,
        time: event.time_unix_nano,
        attributes: attributes(event.attributes),
    }
}

fn link(link: ProtoLink) -> Link {
    Link {
        trace_id: hexadecimal(&link.trace_id),
        span_id: hexadecimal(&link.span_id),
        attributes: attributes(link.attributes),
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}
