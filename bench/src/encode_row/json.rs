//! The body as people write it with `serde_json`: as a tree of values, and streamed.
//!
//! Both say what [`BodyEncoder`](agentspan_agent365::encode::BodyEncoder) says, for spans of one
//! instrumentation scope, without links, whose keys are unique and whose values are strings; a test
//! compares them. What they leave out would make them slower.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, SpanId, Status};
use opentelemetry::{KeyValue, Value as AttributeValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The body as a tree.
#[must_use]
pub fn tree(resource: &Resource, spans: &[SpanData]) -> Value {
    let scope = spans.first().map(|span| &span.instrumentation_scope);
    let spans: Vec<Value> = spans.iter().map(span_tree).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource_tree(resource)},
        "scopeSpans": [{
            "scope": {
                "name": scope.map(opentelemetry::InstrumentationScope::name),
                "version": scope.and_then(opentelemetry::InstrumentationScope::version),
            },
            "spans": spans,
        }],
    }]})
}

fn resource_tree(resource: &Resource) -> Value {
    let mut attributes: Vec<_> = resource.iter().collect();
    attributes.sort_by_key(|(key, _)| *key);
    let pairs = attributes
        .into_iter()
        .map(|(key, value)| (key.to_string(), value_tree(value)));
    Value::Object(pairs.collect())
}

fn span_tree(span: &SpanData) -> Value {
    let (code, message) = status(&span.status);
    let parent = (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string());
    json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "parentSpanId": parent,
        "name": span.name,
        "kind": format!("{:?}", span.span_kind).to_uppercase(),
        "startTimeUnixNano": nanos(span.start_time),
        "endTimeUnixNano": nanos(span.end_time),
        "attributes": attributes_tree(&span.attributes),
        "events": (!span.events.is_empty()).then(|| {
            span.events.iter().map(event_tree).collect::<Vec<_>>()
        }),
        "links": null,
        "status": {"code": code, "message": message},
    })
}

fn event_tree(event: &Event) -> Value {
    json!({
        "timeUnixNano": nanos(event.timestamp),
        "name": event.name,
        "attributes": attributes_tree(&event.attributes),
    })
}

fn attributes_tree(attributes: &[KeyValue]) -> Value {
    let pairs = attributes
        .iter()
        .map(|one| (one.key.to_string(), value_tree(&one.value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn value_tree(value: &AttributeValue) -> Value {
    Value::String(value.as_str().into_owned())
}

/// Appends the body to `out` without a tree.
pub fn stream(resource: &Resource, spans: &[SpanData], out: &mut Vec<u8>) {
    let mut serializer = serde_json::Serializer::new(out);
    // Writing to memory cannot fail, and the test sees a body that is not whole.
    drop(Body { resource, spans }.serialize(&mut serializer));
}

struct Body<'a> {
    resource: &'a Resource,
    spans: &'a [SpanData],
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("resourceSpans", &[ResourceSpans(self)])?;
        map.end()
    }
}

struct ResourceSpans<'a>(&'a Body<'a>);

impl Serialize for ResourceSpans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("resource", &ResourceAttributes(self.0.resource))?;
        map.serialize_entry("scopeSpans", &[ScopeSpans(self.0.spans)])?;
        map.end()
    }
}

struct ResourceAttributes<'a>(&'a Resource);

impl Serialize for ResourceAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("attributes", &resource_tree(self.0))?;
        map.end()
    }
}

struct ScopeSpans<'a>(&'a [SpanData]);

impl Serialize for ScopeSpans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("scope", &Scope(self.0))?;
        map.serialize_entry("spans", &Spans(self.0))?;
        map.end()
    }
}

struct Scope<'a>(&'a [SpanData]);

impl Serialize for Scope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = self.0.first().map(|span| &span.instrumentation_scope);
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", &scope.map(|scope| scope.name()))?;
        map.serialize_entry("version", &scope.and_then(|scope| scope.version()))?;
        map.end()
    }
}

struct Spans<'a>(&'a [SpanData]);

impl Serialize for Spans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Span))
    }
}

struct Span<'a>(&'a SpanData);

impl Serialize for Span<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.0;
        let parent = (span.parent_span_id != SpanId::INVALID).then_some(span.parent_span_id);
        let mut map = serializer.serialize_map(Some(11))?;
        map.serialize_entry("traceId", &Shown(span.span_context.trace_id()))?;
        map.serialize_entry("spanId", &Shown(span.span_context.span_id()))?;
        map.serialize_entry("parentSpanId", &parent.map(Shown))?;
        map.serialize_entry("name", &span.name)?;
        map.serialize_entry("kind", kind(span))?;
        map.serialize_entry("startTimeUnixNano", &nanos(span.start_time))?;
        map.serialize_entry("endTimeUnixNano", &nanos(span.end_time))?;
        map.serialize_entry("attributes", &Attributes(&span.attributes))?;
        let events = (!span.events.is_empty()).then_some(Events(&span.events));
        map.serialize_entry("events", &events)?;
        map.serialize_entry("links", &())?;
        map.serialize_entry("status", &StatusObject(&span.status))?;
        map.end()
    }
}

/// Anything by its `Display`, which ids have.
struct Shown<T>(T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Attributes<'a>(&'a [KeyValue]);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for attribute in self.0 {
            map.serialize_entry(attribute.key.as_str(), &*attribute.value.as_str())?;
        }
        map.end()
    }
}

struct Events<'a>(&'a [Event]);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for event in self.0 {
            seq.serialize_element(&EventObject(event))?;
        }
        seq.end()
    }
}

struct EventObject<'a>(&'a Event);

impl Serialize for EventObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("timeUnixNano", &nanos(self.0.timestamp))?;
        map.serialize_entry("name", &self.0.name)?;
        map.serialize_entry("attributes", &Attributes(&self.0.attributes))?;
        map.end()
    }
}

struct StatusObject<'a>(&'a Status);

impl Serialize for StatusObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, message) = status(self.0);
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("code", code)?;
        map.serialize_entry("message", message)?;
        map.end()
    }
}

fn kind(span: &SpanData) -> &'static str {
    use opentelemetry::trace::SpanKind::{Client, Consumer, Internal, Producer, Server};
    match span.span_kind {
        Client => "CLIENT",
        Server => "SERVER",
        Producer => "PRODUCER",
        Consumer => "CONSUMER",
        Internal => "INTERNAL",
    }
}

fn status(status: &Status) -> (&'static str, &str) {
    match status {
        Status::Unset => ("UNSET", ""),
        Status::Ok => ("OK", ""),
        Status::Error { description } => ("ERROR", description),
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
    use agentspan_model::agent365::Profile;
    use agentspan_testkit::turn;

    use super::*;

    #[test]
    fn all_encoders_of_the_body_say_the_same() {
        let (spans, resource) = (turn::spans(3, 1), turn::resource());
        let mut ours = Vec::new();
        BodyEncoder::new(Profile::V0_1).encode(
            &EncodedResource::from(&resource),
            &spans,
            &mut ours,
        );
        let mut streamed = Vec::new();
        stream(&resource, &spans, &mut streamed);
        let ours = String::from_utf8(ours).unwrap();
        assert_eq!(ours, String::from_utf8(streamed).unwrap());
        assert_eq!(ours, tree(&resource, &spans).to_string());
        assert!(ours.len() > 12 * 1000, "{}", ours.len());
    }
}
