//! Agent Spec spans out of OpenTelemetry spans.

use agentspan_model::agentspec::Timestamp;
use agentspan_model::keys;
use agentspan_model::mapping::{EventRebuilder, PlacedSpan, RebuildError, SpanRebuilder};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::from_value;

/// Rebuilds the Agent Spec span that a finished OpenTelemetry span was made from, or `None` if it was not
/// made from one.
///
/// Works on spans with the attributes that the bridge writes, and on those that were rendered with all fields
/// of Agent Spec. What was masked stays so.
///
/// # Errors
///
/// When attributes that the span must have are missing or are not what they should be, see
/// [`RebuildError`].
pub fn from_otel(span: &SpanData) -> Result<Option<PlacedSpan>, RebuildError> {
    // Most spans are of others, and nothing of them is collected.
    let is_type = |attribute: &KeyValue| attribute.key.as_str() == keys::AGENTSPEC_SPAN_TYPE;
    if !span.attributes.iter().any(is_type) {
        return Ok(None);
    }
    let mut rebuilder = SpanRebuilder::new();
    for attribute in &span.attributes {
        if let Some(value) = from_value(&attribute.value) {
            rebuilder.attribute(attribute.key.as_str(), value);
        }
    }
    rebuilder.start_time(Timestamp::from(span.start_time));
    rebuilder.end_time(Timestamp::from(span.end_time));
    for event in &span.events.events {
        let mut rebuilt = EventRebuilder::new(Timestamp::from(event.timestamp));
        for attribute in &event.attributes {
            if let Some(value) = from_value(&attribute.value) {
                rebuilt.attribute(attribute.key.as_str(), value);
            }
        }
        rebuilder.event(rebuilt);
    }
    rebuilder.build()
}
