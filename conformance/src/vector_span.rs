//! Spans as vectors write them, made into spans of the OpenTelemetry SDK.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde::Deserialize;

use crate::TypedValue;
use crate::typed_value::TypedPairs;

/// A span of `export_*.json` and `retry_*.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorSpan {
    /// Its name.
    pub name: String,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span that it belongs to.
    pub parent: Option<VectorParent>,
    /// `INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER` or `CONSUMER`.
    pub kind: String,
    /// How it ended.
    pub status: VectorStatus,
    /// Nanoseconds since the Unix epoch.
    pub start_time_unix_nano: Option<u64>,
    /// Nanoseconds since the Unix epoch.
    pub end_time_unix_nano: Option<u64>,
    /// The calls of `set_attribute`, in order.
    pub attributes: TypedPairs,
    /// What happened in it.
    pub events: Vec<VectorEvent>,
    /// What it points at.
    pub links: Vec<VectorLink>,
    /// The resource of its provider.
    pub resource: TypedPairs,
    /// The instrumentation scope, if there is one.
    pub scope: Option<VectorScope>,
}

/// The parent of a span.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorParent {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Whether it came over the network.
    pub is_remote: bool,
}

/// The status of a span.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorStatus {
    /// `UNSET`, `OK` or `ERROR`.
    pub code: String,
    /// Only that of an error counts.
    pub description: Option<String>,
}

/// An event of a span.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorEvent {
    /// Its name.
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub timestamp_unix_nano: u64,
    /// `None` and no attributes are the same to the reference.
    pub attributes: Option<TypedPairs>,
}

/// A link of a span.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorLink {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// `None` and no attributes are the same to the reference.
    pub attributes: Option<TypedPairs>,
}

/// The instrumentation scope of a span.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorScope {
    /// Its name.
    pub name: String,
    /// `Some("")` is not the same as `None`.
    pub version: Option<String>,
}

/// Why the SDK has no form for what a vector holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SDK has no form for {0}")]
#[non_exhaustive]
pub struct NoSdkForm(pub String);

impl VectorSpan {
    /// The value of an attribute, of which the last one with a key counts.
    pub(crate) fn last_attribute(&self, key: &str) -> Option<&TypedValue> {
        let mut pairs = self.attributes.iter().rev();
        pairs
            .find(|(other, _)| other == key)
            .map(|(_, value)| value)
    }

    /// The span as the SDK hands it to an exporter.
    ///
    /// # Errors
    ///
    /// [`NoSdkForm`] for what only Python can hold: values outside of the attribute model, a span
    /// without an end or without a scope.
    pub fn to_span_data(&self) -> Result<SpanData, NoSdkForm> {
        let scope = self.scope.as_ref().ok_or_else(|| no_form("no scope"))?;
        let parent = self.parent.as_ref();
        Ok(SpanData {
            span_context: context(&self.trace_id, &self.span_id, false)?,
            parent_span_id: parent
                .map_or(Ok(SpanId::INVALID), |parent| span_id(&parent.span_id))?,
            parent_span_is_remote: parent.is_some_and(|parent| parent.is_remote),
            span_kind: span_kind(&self.kind)?,
            name: self.name.clone().into(),
            start_time: time(self.start_time_unix_nano)?,
            end_time: time(self.end_time_unix_nano)?,
            attributes: key_values(&self.attributes)?,
            dropped_attributes_count: 0,
            events: self.events()?,
            links: self.links()?,
            status: self.status()?,
            instrumentation_scope: instrumentation_scope(scope),
        })
    }

    /// The resource of the span's provider.
    ///
    /// # Errors
    ///
    /// [`NoSdkForm`] for values outside of the attribute model.
    pub fn to_resource(&self) -> Result<Resource, NoSdkForm> {
        let attributes = key_values(&self.resource)?;
        Ok(Resource::builder_empty()
            .with_attributes(attributes)
            .build())
    }

    fn events(&self) -> Result<SpanEvents, NoSdkForm> {
        let mut events = SpanEvents::default();
        for event in &self.events {
            events.events.push(Event::new(
                event.name.clone(),
                time(Some(event.timestamp_unix_nano))?,
                key_values(event.attributes.as_deref().unwrap_or_default())?,
                0,
            ));
        }
        Ok(events)
    }

    fn links(&self) -> Result<SpanLinks, NoSdkForm> {
        let mut links = SpanLinks::default();
        for link in &self.links {
            links.links.push(Link::new(
                context(&link.trace_id, &link.span_id, false)?,
                key_values(link.attributes.as_deref().unwrap_or_default())?,
                0,
            ));
        }
        Ok(links)
    }

    fn status(&self) -> Result<Status, NoSdkForm> {
        match (self.status.code.as_str(), &self.status.description) {
            ("UNSET", None) => Ok(Status::Unset),
            ("OK", None) => Ok(Status::Ok),
            ("ERROR", description) => Ok(Status::error(description.clone().unwrap_or_default())),
            (code, _) => Err(no_form(format!("status {code} with this description"))),
        }
    }
}

fn no_form(what: impl Into<String>) -> NoSdkForm {
    NoSdkForm(what.into())
}

fn trace_id(text: &str) -> Result<TraceId, NoSdkForm> {
    TraceId::from_hex(text).map_err(|_| no_form(format!("trace id {text:?}")))
}

fn span_id(text: &str) -> Result<SpanId, NoSdkForm> {
    SpanId::from_hex(text).map_err(|_| no_form(format!("span id {text:?}")))
}

fn context(trace: &str, span: &str, is_remote: bool) -> Result<SpanContext, NoSdkForm> {
    let (trace, span) = (trace_id(trace)?, span_id(span)?);
    Ok(SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::NONE,
    ))
}

/// The kind of this name, such as `CLIENT`.
///
/// # Errors
///
/// [`NoSdkForm`] for any other text.
pub fn span_kind(name: &str) -> Result<SpanKind, NoSdkForm> {
    match name {
        "INTERNAL" => Ok(SpanKind::Internal),
        "SERVER" => Ok(SpanKind::Server),
        "CLIENT" => Ok(SpanKind::Client),
        "PRODUCER" => Ok(SpanKind::Producer),
        "CONSUMER" => Ok(SpanKind::Consumer),
        _ => Err(no_form(format!("kind {name:?}"))),
    }
}

fn time(nanoseconds: Option<u64>) -> Result<SystemTime, NoSdkForm> {
    let nanoseconds = nanoseconds.ok_or_else(|| no_form("a missing time"))?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds))
}

fn instrumentation_scope(scope: &VectorScope) -> InstrumentationScope {
    let builder = InstrumentationScope::builder(scope.name.clone());
    match &scope.version {
        Some(version) => builder.with_version(version.clone()).build(),
        None => builder.build(),
    }
}

/// Typed pairs as attributes, in order, repeated keys included.
///
/// # Errors
///
/// [`NoSdkForm`] for values outside of the attribute model.
pub fn key_values(pairs: &[(String, TypedValue)]) -> Result<Vec<KeyValue>, NoSdkForm> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, typed)| Ok(KeyValue::new(key.clone(), value(typed)?)))
        .collect()
}

fn value(typed: &TypedValue) -> Result<Value, NoSdkForm> {
    Ok(match typed {
        TypedValue::String(text) => Value::String(text.clone().into()),
        TypedValue::Bool(value) => Value::Bool(*value),
        TypedValue::Int(value) => Value::I64(*value),
        TypedValue::Double(value) => Value::F64(value.0),
        TypedValue::StringArray(items) => Value::Array(Array::String(
            items.iter().cloned().map(StringValue::from).collect(),
        )),
        TypedValue::BoolArray(items) => Value::Array(Array::Bool(items.clone())),
        TypedValue::IntArray(items) => Value::Array(Array::I64(items.clone())),
        TypedValue::DoubleArray(items) => {
            Value::Array(Array::F64(items.iter().map(|item| item.0).collect()))
        }
        TypedValue::Null(_) | TypedValue::Bigint(_) | TypedValue::Array(_) | TypedValue::Map(_) => {
            return Err(no_form("a value outside of the attribute model"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: &str = r#"{
        "name": "n", "trace_id": "0000000000000000000000000000000a", "span_id": "000000000000000b",
        "parent": {"trace_id": "0000000000000000000000000000000a", "span_id": "000000000000000c", "is_remote": true},
        "kind": "CLIENT", "status": {"code": "ERROR", "description": "d"},
        "start_time_unix_nano": 1, "end_time_unix_nano": 2,
        "attributes": [["a", {"int_array": [1, 2]}], ["a", {"bool": true}]],
        "events": [{"name": "e", "timestamp_unix_nano": 3, "attributes": null}],
        "links": [{"trace_id": "0000000000000000000000000000000d", "span_id": "000000000000000e", "attributes": [["l", {"double": 0.5}]]}],
        "resource": [["service.name", {"string": "s"}]],
        "scope": {"name": "x", "version": ""}
    }"#;

    fn span() -> VectorSpan {
        serde_json::from_str(SPAN).unwrap()
    }

    #[test]
    fn every_part_of_a_span_arrives_in_the_sdks_form() {
        let data = span().to_span_data().unwrap();
        assert_eq!(data.name, "n");
        assert_eq!(
            data.span_context.trace_id().to_string(),
            "0000000000000000000000000000000a"
        );
        assert_eq!(data.span_context.span_id().to_string(), "000000000000000b");
        assert_eq!(data.parent_span_id.to_string(), "000000000000000c");
        assert!(data.parent_span_is_remote);
        assert_eq!(data.span_kind, SpanKind::Client);
        assert_eq!(data.status, Status::error("d"));
        assert_eq!(
            data.start_time,
            SystemTime::UNIX_EPOCH + Duration::from_nanos(1)
        );
        assert_eq!(
            data.end_time,
            SystemTime::UNIX_EPOCH + Duration::from_nanos(2)
        );
        let attributes = [
            KeyValue::new("a", Value::Array(Array::I64(vec![1, 2]))),
            KeyValue::new("a", true),
        ];
        assert_eq!(data.attributes, attributes);
        assert_eq!(data.events[0].name, "e");
        assert_eq!(
            data.events[0].timestamp,
            SystemTime::UNIX_EPOCH + Duration::from_nanos(3)
        );
        assert_eq!(
            data.links[0].span_context.span_id().to_string(),
            "000000000000000e"
        );
        assert_eq!(data.links[0].attributes, [KeyValue::new("l", 0.5)]);
        assert_eq!(data.instrumentation_scope.version(), Some(""));
        let resource = span().to_resource().unwrap();
        assert_eq!(resource.len(), 1);
    }

    #[test]
    fn what_only_python_holds_is_refused() {
        let mut no_end = span();
        no_end.end_time_unix_nano = None;
        let mut no_scope = span();
        no_scope.scope = None;
        let mut null = span();
        null.attributes
            .push(("n".to_owned(), TypedValue::Null(true)));
        for (span, what) in [
            (no_end, "a missing time"),
            (no_scope, "no scope"),
            (null, "a value outside of the attribute model"),
        ] {
            assert_eq!(span.to_span_data().unwrap_err().0, what);
        }
    }
}
