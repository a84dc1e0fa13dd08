//! How much memory a finished span holds, roughly.

use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// The estimated memory of `span` in bytes.
///
/// Fixed parts count with their size in memory, texts with their length. What is shared between
/// spans, such as the instrumentation scope, is not counted.
#[must_use]
pub fn estimated_bytes(span: &SpanData) -> u64 {
    let mut bytes = size_of::<SpanData>() + span.name.len() + attributes_bytes(&span.attributes);
    for event in &span.events.events {
        bytes += size_of_val(event) + event.name.len() + attributes_bytes(&event.attributes);
    }
    for link in &span.links.links {
        bytes += size_of_val(link) + attributes_bytes(&link.attributes);
    }
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

pub(crate) fn attributes_bytes(attributes: &[KeyValue]) -> usize {
    attributes
        .iter()
        .map(|attribute| size_of::<KeyValue>() + value_bytes(&attribute.value))
        .sum()
}

pub(crate) fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(items)) => items.len(),
        Value::Array(Array::I64(items)) => size_of::<i64>() * items.len(),
        Value::Array(Array::F64(items)) => size_of::<f64>() * items.len(),
        Value::Array(Array::String(items)) => items
            .iter()
            .map(|item| size_of_val(item) + item.as_str().len())
            .sum(),
        _ => 0,
    }
}
