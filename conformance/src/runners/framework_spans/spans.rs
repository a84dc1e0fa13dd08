//! A recorded span, as the normal form takes it.

use std::collections::BTreeSet;

use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::normal::{NormalSpan, SourceEvent, SourceSpan, SourceValue};
use agentspan_model::mapping::{Rendering, SpanKind};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Deserialize)]
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

#[derive(Clone, Deserialize)]
struct Status {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    r#type: String,
    pub(super) value: Value,
}

#[derive(Clone, Deserialize)]
struct Event {
    name: String,
    #[serde(rename = "time")]
    _time: Value,
    attributes: Vec<Attribute>,
}

impl RecordedSpan {
    /// The span as a destination gets it that asks for `rendering`.
    pub(super) fn rendered(&self, rendering: Rendering) -> Self {
        let Some(normal) = NormalSpan::read(&self.source()) else {
            return self.clone();
        };
        let mut span = self.clone();
        span.name = normal.span_name(&self.name, rendering).into_owned();
        if normal.span_kind(rendering) == Some(SpanKind::Client) {
            span.kind = "CLIENT".into();
        }
        if let Some(error) = &normal.error {
            let message = error.message.as_ref().and_then(|message| message.reveal());
            if span.status.code != "error" {
                span.status.message = message.cloned().unwrap_or_default();
            }
            span.status.code = "error".into();
        }
        let mut attributes = Vec::new();
        normal.visit(rendering, &mut |key: Key, value: AttributeValue<'_>| {
            attributes.push(Attribute::of(key.to_string(), value));
        });
        let said: BTreeSet<_> = attributes.iter().map(|said| said.key.clone()).collect();
        let kept = |other: &Attribute| !said.contains(&other.key) && !normal.has_read(&other.key);
        attributes.extend(span.attributes.into_iter().filter(kept));
        span.attributes = attributes;
        span
    }

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
    fn of(key: String, value: AttributeValue<'_>) -> Self {
        let (r#type, value) = match value {
            AttributeValue::I64(number) => ("int", json!(number)),
            AttributeValue::F64(number) => ("double", json!(number)),
            AttributeValue::Bool(truth) => ("bool", json!(truth)),
            AttributeValue::StrList(texts) => ("string[]", json!(texts)),
            AttributeValue::DecimalText(number) => ("string", json!(number.to_string())),
            AttributeValue::Str(text) => ("string", json!(text)),
            AttributeValue::Static(text) => ("string", json!(text)),
            // The runner fails: a fact is missing.
            _ => ("unknown", Value::Null),
        };
        Self {
            key,
            r#type: r#type.to_owned(),
            value,
        }
    }

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
