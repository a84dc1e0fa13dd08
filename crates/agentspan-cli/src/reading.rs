//! Reads the JSON of a span, in both wire formats of Agent 365 and in OTLP's.

mod otlp;

use agentspan_model::mapping::SpanKind;
use agentspan_model::mapping::normal::{NormalSpan, SourceEvent, SourceSpan, SourceValue};
use serde_json::{Map, Value, json};

pub(crate) use otlp::hexadecimal;

/// Attributes as plain JSON, in the order in which they arrived.
pub(crate) type Attributes = Vec<(String, Value)>;

/// An event of a span.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// Nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) attributes: Attributes,
}

/// A link of a span.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) attributes: Attributes,
}

/// The members of a span, as read from its JSON.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) name: String,
    is_client: bool,
    /// Nanoseconds since the Unix epoch.
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) is_error: bool,
    /// The word for the status: `unset`, `ok` or `error`.
    pub(crate) status: &'static str,
    /// The description of the status.
    pub(crate) description: String,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<Event>,
    pub(crate) links: Vec<Link>,
}

impl Reading {
    pub(crate) fn of(span: &Value) -> Self {
        let status = span.get("status");
        let code = status.and_then(|status| status.get("code"));
        let status_word = status_word(code);
        Self {
            name: text(span, "name"),
            is_client: is_client(span.get("kind")),
            start: span.get("startTimeUnixNano").and_then(number),
            end: span.get("endTimeUnixNano").and_then(number),
            is_error: status_word == "error",
            status: status_word,
            description: status
                .map(|status| text(status, "message"))
                .unwrap_or_default(),
            attributes: attributes(span.get("attributes")),
            events: list(span, "events").map(event).collect(),
            links: list(span, "links").map(link).collect(),
        }
    }

    /// The last value under a key.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        let mut attributes = self.attributes.iter().rev();
        attributes
            .find(|(found, _)| found == key)
            .map(|(_, value)| value)
    }

    /// The last text under a key that is not blank.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let text = self.value(key)?.as_str()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The span in the normal form of all conventions, if it follows one.
    pub(crate) fn normal(&self) -> Option<NormalSpan> {
        let kind = if self.is_client {
            SpanKind::Client
        } else {
            SpanKind::Internal
        };
        let mut span = SourceSpan::new(&self.name).with_kind(kind);
        if self.is_error {
            span = span.with_error(&self.description);
        }
        for (key, value) in &self.attributes {
            span.attribute(key, SourceValue::of_json(value));
        }
        for event in &self.events {
            let mut source = SourceEvent::new(&event.name);
            for (key, value) in &event.attributes {
                source.attribute(key, SourceValue::of_json(value));
            }
            span.event(source);
        }
        NormalSpan::read(&span)
    }
}

/// The attributes of a resource, a scope or a span.
pub(crate) fn attributes(value: Option<&Value>) -> Attributes {
    match value {
        Some(Value::Array(pairs)) => pairs.iter().filter_map(pair).collect(),
        Some(Value::Object(members)) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// As pairs of JSON.
pub(crate) fn pairs(attributes: &Attributes) -> Value {
    attributes
        .iter()
        .map(|(key, value)| json!([key, value]))
        .collect()
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// A number, or its digits.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// An attribute of OTLP's JSON.
pub(crate) fn pair(pair: &Value) -> Option<(String, Value)> {
    let key = pair.get("key")?.as_str()?.to_owned();
    Some((key, pair.get("value").map_or(Value::Null, any_value)))
}

/// The `AnyValue` of OTLP as plain JSON.
fn any_value(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "intValue" => {
            let digits = || value.as_str()?.parse::<i64>().ok();
            digits().map_or_else(|| value.clone(), Value::from)
        }
        "arrayValue" => list(value, "values").map(any_value).collect(),
        "kvlistValue" => Value::Object(
            list(value, "values")
                .filter_map(pair)
                .collect::<Map<_, _>>(),
        ),
        "bytesValue" => json!({"bytes": value}),
        _ => value.clone(),
    }
}

fn event(event: &Value) -> Event {
    Event {
        name: text(event, "name"),
        time: event.get("timeUnixNano").and_then(number).unwrap_or(0),
        attributes: attributes(event.get("attributes")),
    }
}

fn link(link: &Value) -> Link {
    Link {
        trace_id: text(link, "traceId"),
        span_id: text(link, "spanId"),
        attributes: attributes(link.get("attributes")),
    }
}

/// A status of OTLP is a number or the name of one; Agent 365 has shorter names.
fn status_word(code: Option<&Value>) -> &'static str {
    match code {
        Some(Value::Number(code)) if code.as_u64() == Some(1) => "ok",
        Some(Value::Number(code)) if code.as_u64() == Some(2) => "error",
        Some(Value::String(code)) if code.ends_with("OK") => "ok",
        Some(Value::String(code)) if code.ends_with("ERROR") => "error",
        _ => "unset",
    }
}

fn is_client(kind: Option<&Value>) -> bool {
    match kind {
        Some(Value::Number(kind)) => kind.as_u64() == Some(3),
        Some(Value::String(kind)) => kind.ends_with("CLIENT"),
        _ => false,
    }
}
