//! A recorded span, as the normal form takes it.

use agentspan_model::mapping::SpanKind;
use agentspan_model::mapping::normal::{SourceEvent, SourceSpan, SourceValue};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct RecordedSpan {
    pub(super) name: String,
    kind: String,
    #[serde(rename = "trace")]
    _trace: Value,
    pub(super) id: Value,
    pub(super) parent: Value,
    pub(super) start: u64,
    pub(super) end: u64,
    status: Status,
    pub(super) attributes: Vec<Attribute>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default, rename = "links")]
    _links: Value,
    #[serde(default, rename = "scope")]
    _scope: Value,
}

#[derive(Deserialize)]
struct Status {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    r#type: String,
    pub(super) value: Value,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    #[serde(rename = "time")]
    _time: Value,
    attributes: Vec<Attribute>,
}

impl RecordedSpan {
    pub(super) fn source(&self) -> SourceSpan<'_> {
        let mut span = SourceSpan::new(&self.name);
        if self.kind == "CLIENT" {
            span = span.with_kind(SpanKind::Client);
        }
        if self.status.code == "error" {
            span = span.with_error(&self.status.message);
        }
        for attribute in &self.attributes {
            span.attribute(&attribute.key, attribute.source());
        }
        for event in &self.events {
            let mut source = SourceEvent::new(&event.name);
            for attribute in &event.attributes {
                source.attribute(&attribute.key, attribute.source());
            }
            span.event(source);
        }
        span
    }
}

impl Attribute {
    fn source(&self) -> SourceValue<'_> {
        match (&*self.r#type, &self.value) {
            ("string", Value::String(text)) => SourceValue::Text(text),
            ("int", Value::Number(number)) => {
                number.as_i64().map_or(SourceValue::Other, SourceValue::I64)
            }
            ("double", Value::Number(number)) => {
                number.as_f64().map_or(SourceValue::Other, SourceValue::F64)
            }
            ("bool", Value::Bool(truth)) => SourceValue::Bool(*truth),
            ("string[]", Value::Array(texts)) => {
                SourceValue::Texts(texts.iter().filter_map(Value::as_str).collect())
            }
            _ => SourceValue::Other,
        }
    }
}
