//! Spans: operations with a start and an end.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    Detail, Disclosure, Event, EventDump, EventForm, Id, JsonObject, ReadError, Timestamp,
    detail::View,
    event::name_as_read,
    json_text,
    reader::{KnownComponents, ReadValue, Reader},
    unknown_members::UnknownMembers,
};

mod details;

pub use details::{
    AgentExecutionSpan, FlowExecutionSpan, LlmGenerationSpan, ManagerWorkersExecutionSpan,
    NodeExecutionSpan, OtherSpan, SpanDetails, SwarmExecutionSpan, ToolExecutionSpan,
};

/// An operation with a start and an end.
///
/// The fields are common to all spans; the [`details`](Self::details) depend on the type. A span
/// does not hold its parent: in the reference, only processors and recordings know it. `Serialize`
/// writes the masked dump; [`dump`](Self::dump) writes other dumps.
///
/// Events and components are shared: cloning a span does not copy them.
///
/// ```
/// use agentspan_model::agentspec::{
///     Component, Disclosure, Id, LlmConfig, LlmGenerationSpan, Span, Timestamp,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Component::builder("OpenAiConfig", "main model")
///     .with_id("llm-1")
///     .with_text("model_id", "gpt-4o")
///     .build();
/// let mut span = Span::new(Id::from("span-1"), LlmGenerationSpan::new(LlmConfig::try_from(model)?));
/// span.start_time = Some(Timestamp::from_unix_nanos(1_765_000_000_000_000_000));
///
/// let text = serde_json::to_string(&span.dump(Disclosure::Clear))?;
/// assert!(text.starts_with(
///     r#"{"id":"span-1","name":"LlmGenerationSpan","description":"","start_time":1765000000000000000,"#
/// ));
/// assert_eq!(Span::from_json(&text)?, span);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The id of the span.
    pub id: Id,
    /// Its name. The default is the name of its type.
    pub name: Cow<'static, str>,
    /// The description. By default, there is none.
    pub description: String,
    /// The start time, if it has started.
    pub start_time: Option<Timestamp>,
    /// The end time, if it has ended.
    pub end_time: Option<Timestamp>,
    /// Its events, in order.
    pub events: Vec<Arc<Event>>,
    /// The metadata. Every dump shows it.
    pub metadata: JsonObject,
    /// The details of its type.
    pub details: SpanDetails,
    unknown: UnknownMembers,
}

impl Span {
    pub(super) fn unknown_held_bytes(&self) -> usize {
        self.unknown.held_bytes()
    }

    /// Creates a span that has not started, with the name of its type, without description, events
    /// and metadata.
    #[must_use]
    pub fn new(id: Id, details: impl Into<SpanDetails>) -> Self {
        let details = details.into();
        Self {
            id,
            name: details.default_name(),
            description: String::new(),
            start_time: None,
            end_time: None,
            events: Vec::new(),
            metadata: JsonObject::new(),
            details,
            unknown: UnknownMembers::default(),
        }
    }

    /// Sets the name. The default is the name of its type. An empty name stays empty.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = metadata;
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn with_event(mut self, event: impl Into<Arc<Event>>) -> Self {
        self.events.push(event.into());
        self
    }

    /// Sets the start time.
    #[must_use]
    pub fn with_start_time(mut self, start_time: Timestamp) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// Sets the end time.
    #[must_use]
    pub fn with_end_time(mut self, end_time: Timestamp) -> Self {
        self.end_time = Some(end_time);
        self
    }

    /// The name of its type, for instance `ToolExecutionSpan`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.details.type_name()
    }

    /// Its duration. `None` if it has not ended.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(self.end_time?.since(self.start_time?))
    }

    /// A serialisable view of the span, without a copy.
    #[must_use]
    pub fn dump(&self, disclosure: Disclosure) -> SpanDump<'_> {
        SpanDump {
            span: self,
            view: View::of(disclosure),
            events: EventForm::Complete,
        }
    }

    /// A copy with the data of a masked dump, also of its events, see [`Event::masked`].
    #[must_use]
    pub fn masked(&self) -> Self {
        self.masked_with(Detail::Complete)
    }

    /// Like [`masked`](Self::masked), with the data of a masked dump of this detail.
    #[must_use]
    pub fn masked_with(&self, detail: Detail) -> Self {
        Self {
            id: self.id.clone(),
            name: self.name.clone(),
            description: detail.description(&self.description).to_owned(),
            start_time: self.start_time,
            end_time: self.end_time,
            events: self
                .events
                .iter()
                .map(|event| Arc::new(event.masked_with(detail)))
                .collect(),
            metadata: detail.metadata(&self.metadata).cloned().unwrap_or_default(),
            details: self.details.masked(detail),
            unknown: self.unknown.masked(detail),
        }
    }

    /// Reads a span from its dump, masked or clear.
    ///
    /// Its events may be complete, or abridged as in the reference.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or members are missing or have the wrong type.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let raw = json_text::read(text)?;
        Reader::document(&raw, &mut KnownComponents::default(), Self::read)
    }
}

/// Writes the masked dump.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dump(Disclosure::Masked).serialize(serializer)
    }
}

/// Reads like [`Span::from_json`].
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl ReadValue for Span {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let mut members = reader.object_that_is(raw, "a span")?;
        let type_name = members.required::<String>("type", reader);
        let id = members.required("id", reader);
        let name = members.optional::<Option<String>>("name", None, reader);
        let description = members.optional("description", String::new(), reader);
        let start_time = members.optional("start_time", None, reader);
        let end_time = members.optional("end_time", None, reader);
        let events = members.optional::<Vec<Event>>("events", Vec::new(), reader);
        let metadata = members.optional("metadata", JsonObject::new(), reader);
        let details = SpanDetails::read(&type_name?, &mut members, reader)?;
        let mut span = Self::new(id?, details);
        span.name = name_as_read(name?, span.details.default_name());
        span.description = description?;
        span.start_time = start_time?;
        span.end_time = end_time?;
        span.events = events?.into_iter().map(Arc::new).collect();
        span.metadata = metadata?;
        span.unknown = UnknownMembers::rest_of(&mut members, reader);
        Some(span)
    }
}

/// A span as `serde` writes it, made by [`Span::dump`].
#[derive(Clone, Copy)]
pub struct SpanDump<'a> {
    span: &'a Span,
    view: View,
    events: EventForm,
}

impl SpanDump<'_> {
    /// Sets the detail of everything but sensitive values. By default, all of it is shown, as in
    /// the reference.
    #[must_use]
    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.view.detail = detail;
        self
    }

    /// Sets how much of its events is written. By default, all of it is.
    #[must_use]
    pub fn with_events(mut self, form: EventForm) -> Self {
        self.events = form;
        self
    }
}

/// Shows the span as its `Debug` does: masked.
impl fmt::Debug for SpanDump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.span.fmt(f)
    }
}

impl Serialize for SpanDump<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.span;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &span.id)?;
        map.serialize_entry("name", &span.name)?;
        map.serialize_entry(
            "description",
            self.view.detail.description(&span.description),
        )?;
        map.serialize_entry("start_time", &span.start_time)?;
        map.serialize_entry("end_time", &span.end_time)?;
        map.serialize_entry("events", &Events(*self))?;
        if let Some(metadata) = self.view.detail.metadata(&span.metadata) {
            map.serialize_entry("metadata", metadata)?;
        }
        span.details.write(&mut map, self.view)?;
        span.unknown.write_members(&mut map, self.view)?;
        map.serialize_entry("type", span.type_name())?;
        map.end()
    }
}

/// The events of a span that is written.
struct Events<'a>(SpanDump<'a>);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let SpanDump {
            span,
            view,
            events: form,
        } = self.0;
        let written = match form {
            EventForm::Omitted => &[],
            EventForm::Complete | EventForm::Abridged => span.events.as_slice(),
        };
        serializer.collect_seq(written.iter().map(|event| EventDump { event, view, form }))
    }
}
