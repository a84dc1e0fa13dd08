//! Rebuilds spans of Agent Spec from their attributes.

use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use super::agent_spec::COMPONENT_REF;
use super::members::{self, Member, Shape};
use super::placed_span::PlacedSpan;
use crate::agentspec::{Id, MASK, ReadError, Span, Timestamp, TraceInfo};
use crate::attribute::AttributeValue;
use crate::json_writer::to_json;
use crate::keys;

/// Rebuilds a span from the attributes that a [`Mapping`](super::Mapping) has written with
/// [`AgentSpecFields::All`](super::AgentSpecFields::All). Other attributes are ignored.
///
/// ```
/// use agentspan_model::agentspec::{Id, Span, SpanDetails, Timestamp};
/// use agentspan_model::attribute::AttributeValue::Str;
/// use agentspan_model::mapping::SpanRebuilder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut rebuilder = SpanRebuilder::new();
/// rebuilder.attribute("http.method", Str("GET"));
/// rebuilder.attribute("agentspec.span.type", Str("RootSpan"));
/// rebuilder.attribute("agentspec.span.id", Str("span-1"));
/// rebuilder.start_time(Timestamp::from_unix_nanos(1));
///
/// let rebuilt = rebuilder.build()?.ok_or("not an Agent Spec span")?;
/// let expected = Span::new(Id::from("span-1"), SpanDetails::Root)
///     .with_start_time(Timestamp::from_unix_nanos(1));
/// assert_eq!(rebuilt.span, expected);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct SpanRebuilder {
    parts: Parts,
    parent_id: Option<Id>,
    parent_component_id: Option<String>,
    trace_id: Option<Id>,
    trace_name: Option<String>,
    first_input: Option<String>,
    last_output: Option<String>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    events: Vec<EventRebuilder>,
}

/// Collects the attributes of one event for a [`SpanRebuilder`].
pub struct EventRebuilder {
    parts: Parts,
    timestamp: Timestamp,
}

/// Shows nothing of what was collected.
impl fmt::Debug for SpanRebuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanRebuilder").finish_non_exhaustive()
    }
}

/// Shows nothing of what was collected.
impl fmt::Debug for EventRebuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRebuilder").finish_non_exhaustive()
    }
}

/// The attributes belong to an Agent Spec span, but do not suffice to rebuild it.
///
/// Attributes were cut or dropped, for example by limits of an SDK, or the mapping did not write
/// all fields. Raise the limits, or write all fields.
#[derive(Debug)]
#[non_exhaustive]
pub struct RebuildError {
    /// The missing or wrong member.
    pub source: ReadError,
}

impl fmt::Display for RebuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the attributes do not make an Agent Spec span")
    }
}

impl std::error::Error for RebuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl SpanRebuilder {
    /// Creates an empty rebuilder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute. Foreign keys are ignored; the last value of a key counts.
    pub fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        match (key, text(value)) {
            (keys::AGENTSPEC_SPAN_PARENT_ID, Some(text)) => self.parent_id = Some(Id::from(text)),
            (keys::AGENTSPEC_SPAN_PARENT_COMPONENT_ID, Some(text)) => {
                self.parent_component_id = Some(text.to_owned());
            }
            (keys::AGENTSPEC_TRACE_ID, Some(text)) => self.trace_id = Some(Id::from(text)),
            (keys::AGENTSPEC_TRACE_NAME, Some(text)) => self.trace_name = Some(text.to_owned()),
            (keys::AGENTSPEC_FIRST_INPUT, Some(text)) => self.first_input = Some(text.to_owned()),
            (keys::AGENTSPEC_LAST_OUTPUT, Some(text)) => self.last_output = Some(text.to_owned()),
            _ => self.parts.take(key, value),
        }
    }

    /// Sets when it started.
    pub fn start_time(&mut self, start_time: Timestamp) {
        self.start_time = Some(start_time);
    }

    /// Sets when it ended.
    pub fn end_time(&mut self, end_time: Timestamp) {
        self.end_time = Some(end_time);
    }

    /// Adds an event. Events without attributes of Agent Spec are ignored.
    pub fn event(&mut self, event: EventRebuilder) {
        if event.parts.id.is_some() {
            self.events.push(event);
        }
    }

    /// Rebuilds the span. Returns `None` if its attributes are not of Agent Spec.
    ///
    /// # Errors
    ///
    /// The attributes are of Agent Spec, but some are missing or invalid.
    pub fn build(self) -> Result<Option<PlacedSpan>, RebuildError> {
        let Some(type_name) = self.parts.type_name.as_deref() else {
            return Ok(None);
        };
        let members = members::of_span(type_name).unwrap_or_default();
        let component = members.iter().find(|m| m.shape == Shape::Component);
        let component = component.and_then(|member| self.parts.raw(member.key));
        let mut object = Object::default();
        self.parts.write(members, None, &mut object);
        let time = |time: Option<Timestamp>| time.map(|time| time.as_unix_nanos());
        object.member("start_time", &to_json(&time(self.start_time)));
        object.member("end_time", &to_json(&time(self.end_time)));
        let mut events = String::from("[");
        for event in &self.events {
            if events.len() > 1 {
                events.push(',');
            }
            events.push_str(&event.to_dump(component));
        }
        events.push(']');
        object.member("events", &events);
        let span = Span::from_json(&object.finish()).map_err(|source| RebuildError { source })?;
        let name = self.trace_name;
        let mut placed = PlacedSpan::new(span);
        placed.parent_id = self.parent_id;
        placed.parent_component_id = self.parent_component_id.map(Into::into);
        placed.trace = self.trace_id.map(|id| TraceInfo::new(id, name));
        placed.first_input = self.first_input;
        placed.last_output = self.last_output;
        Ok(Some(placed))
    }
}

impl EventRebuilder {
    /// Creates an event with only a time.
    #[must_use]
    pub fn new(timestamp: Timestamp) -> Self {
        Self {
            parts: Parts::default(),
            timestamp,
        }
    }

    /// Adds an attribute. Foreign keys are ignored; the last value of a key counts.
    pub fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        self.parts.take(key, value);
    }

    fn to_dump(&self, component: Option<&str>) -> String {
        let type_name = self.parts.type_name.as_deref();
        let members = type_name.and_then(members::of_event).unwrap_or_default();
        let mut object = Object::default();
        self.parts.write(members, component, &mut object);
        object.member("timestamp", &self.timestamp.as_unix_nanos().to_string());
        object.finish()
    }
}

/// The parts that spans and events share.
#[derive(Default)]
struct Parts {
    id: Option<String>,
    type_name: Option<String>,
    name: Option<String>,
    description: Option<String>,
    metadata: Option<String>,
    unknown: Option<String>,
    /// All other attributes of ours: the key and the value as JSON.
    others: HashMap<String, Value>,
}

enum Value {
    /// Text, which may be that of JSON.
    Text(String),
    /// JSON: a number or a truth value.
    Json(String),
}

impl Parts {
    fn take(&mut self, key: &str, value: AttributeValue<'_>) {
        let place = match key {
            keys::AGENTSPEC_SPAN_ID | keys::AGENTSPEC_EVENT_ID => &mut self.id,
            keys::AGENTSPEC_SPAN_TYPE | keys::AGENTSPEC_EVENT_TYPE => &mut self.type_name,
            keys::AGENTSPEC_SPAN_NAME | keys::AGENTSPEC_EVENT_NAME => &mut self.name,
            keys::AGENTSPEC_SPAN_DESCRIPTION | keys::AGENTSPEC_EVENT_DESCRIPTION => {
                &mut self.description
            }
            keys::AGENTSPEC_SPAN_METADATA | keys::AGENTSPEC_EVENT_METADATA => &mut self.metadata,
            keys::AGENTSPEC_UNKNOWN => &mut self.unknown,
            _ => return self.take_other(key, value),
        };
        if let Some(text) = text(value) {
            *place = Some(text.to_owned());
        }
    }

    fn take_other(&mut self, key: &str, value: AttributeValue<'_>) {
        if !key.starts_with(keys::AGENTSPEC_PREFIX) {
            return;
        }
        let value = match value {
            AttributeValue::Str(text) | AttributeValue::Static(text) => {
                Value::Text(text.to_owned())
            }
            AttributeValue::I64(number) => Value::Json(number.to_string()),
            AttributeValue::F64(number) => Value::Json(to_json(&number)),
            AttributeValue::Bool(truth) => Value::Json(truth.to_string()),
            _ => return,
        };
        self.others.insert(key.to_owned(), value);
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.others.get(key)
    }

    fn raw(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) | Value::Json(text) => Some(text),
        }
    }

    /// Writes the members of a dump. `component` is that of the span, which events may refer to.
    fn write(&self, members: &[Member], component: Option<&str>, object: &mut Object) {
        let mut text = |name: &str, text: &Option<String>| {
            if let Some(text) = text {
                object.member(name, &to_json(text));
            }
        };
        text("id", &self.id);
        text("name", &self.name);
        text("description", &self.description);
        text("type", &self.type_name);
        if let Some(metadata) = self.metadata.as_ref().filter(|text| *text != MASK) {
            object.member("metadata", &json_or_text(metadata));
        }
        for member in members {
            match (self.value(member.key), member.shape) {
                (Some(Value::Text(text)), Shape::Text | Shape::NullableText) => {
                    object.member(member.name, &to_json(text));
                }
                (Some(Value::Text(text)), Shape::Component) if is_reference(text, component) => {
                    object.member(member.name, component.unwrap_or(text));
                }
                (Some(Value::Text(text)), Shape::Json | Shape::Component) => {
                    object.member(member.name, &json_or_text(text));
                }
                (Some(Value::Json(json)), _) => object.member(member.name, json),
                (None, Shape::NullableText) => object.member(member.name, "null"),
                (None, Shape::Text | Shape::Json | Shape::Component) => {}
            }
        }
        let unknown = self.unknown.as_deref().and_then(|text| {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            serde_json::from_str::<&RawValue>(text).ok().map(|_| inner)
        });
        object.members(unknown.unwrap_or_default());
    }
}

/// Whether a text is a reference to the component of the span.
fn is_reference(text: &str, component: Option<&str>) -> bool {
    #[derive(serde::Deserialize)]
    struct Identified {
        id: String,
    }
    let start = ["{\"", COMPONENT_REF, "\":"].concat();
    if !text.starts_with(&start) {
        return false;
    }
    let reference: Option<std::collections::BTreeMap<String, String>> =
        serde_json::from_str(text).ok();
    let component: Option<Identified> = component.and_then(|text| serde_json::from_str(text).ok());
    match (reference, component) {
        (Some(reference), Some(component)) => reference.get(COMPONENT_REF) == Some(&component.id),
        _ => false,
    }
}

/// A mask stands for JSON that is withheld, and so does whatever is not JSON: reading tells.
fn json_or_text(text: &str) -> std::borrow::Cow<'_, str> {
    if text != MASK && serde_json::from_str::<&RawValue>(text).is_ok() {
        text.into()
    } else {
        to_json(text).into()
    }
}

fn text(value: AttributeValue<'_>) -> Option<&str> {
    match value {
        AttributeValue::Str(text) => Some(text),
        AttributeValue::Static(text) => Some(text),
        _ => None,
    }
}

/// The text of a JSON object that is written member by member.
#[derive(Default)]
struct Object(String);

impl Object {
    fn member(&mut self, name: &str, json: &str) {
        self.members(&[&to_json(name), ":", json].concat());
    }

    /// Adds members that are written already.
    fn members(&mut self, members: &str) {
        if !members.is_empty() {
            self.0.push(if self.0.is_empty() { '{' } else { ',' });
            self.0.push_str(members);
        }
    }

    fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}
