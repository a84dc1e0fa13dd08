//! Events: points in time within a span.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    Detail, Disclosure, Id, JsonObject, ReadError, Timestamp,
    detail::View,
    json_text,
    reader::{KnownComponents, ReadValue, Reader},
    unknown_members::UnknownMembers,
};

mod details;
mod exception;
mod execution;
mod human_in_the_loop;
mod llm_generation;
mod state_snapshot;
mod tool;

pub use details::{EventDetails, OtherEvent};
pub use exception::ExceptionRaised;
pub use execution::{
    AgentExecutionEnd, AgentExecutionStart, FlowExecutionEnd, FlowExecutionStart,
    ManagerWorkersExecutionEnd, ManagerWorkersExecutionStart, NodeExecutionEnd, NodeExecutionStart,
    SwarmExecutionEnd, SwarmExecutionStart,
};
pub use human_in_the_loop::{HumanInTheLoopRequest, HumanInTheLoopResponse};
pub use llm_generation::{LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse};
pub use state_snapshot::StateSnapshotEmitted;
pub use tool::{
    ToolConfirmationRequest, ToolConfirmationResponse, ToolExecutionRequest, ToolExecutionResponse,
    ToolExecutionStreamingChunkReceived,
};

/// An event at a point in time within a span.
///
/// The fields are common to all events; the [`details`](Self::details) depend on the type.
/// `Serialize` writes the masked dump; [`dump`](Self::dump) writes other dumps.
///
/// ```
/// use agentspan_model::agentspec::{
///     Disclosure, Event, EventDetails, HumanInTheLoopRequest, Id, JsonObject, Timestamp,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let content = JsonObject::from_serialize(&serde_json::json!({"question": "may I?"}))?;
/// let event = Event::new(
///     Id::from("event-1"),
///     Timestamp::from_unix_nanos(1_765_000_000_000_000_000),
///     HumanInTheLoopRequest::new("request-1", content),
/// );
/// let masked = serde_json::to_string(&event)?;
/// assert!(masked.contains(r#""content":"** MASKED **""#));
///
/// let clear = serde_json::to_string(&event.dump(Disclosure::Clear))?;
/// assert!(clear.contains("may I?"));
/// assert_eq!(Event::from_json(&clear)?, event);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The id of the event.
    pub id: Id,
    /// Its name. The default is the name of its type.
    pub name: Cow<'static, str>,
    /// The description. By default, there is none.
    pub description: String,
    /// The time of the event.
    pub timestamp: Timestamp,
    /// The metadata. Every dump shows it.
    pub metadata: JsonObject,
    /// The details of its type.
    pub details: EventDetails,
    pub(super) unknown: UnknownMembers,
}

impl Event {
    /// Creates an event with the name of its type, without description and metadata.
    #[must_use]
    pub fn new(id: Id, timestamp: Timestamp, details: impl Into<EventDetails>) -> Self {
        let details = details.into();
        Self {
            id,
            name: details.default_name(),
            description: String::new(),
            timestamp,
            metadata: JsonObject::new(),
            details,
            unknown: UnknownMembers::default(),
        }
    }

    /// As [`new`](Self::new) with details that are taken out of their place: they are large, and moved less often so.
    ///
    /// An event whose details were taken before is [abridged](EventDetails::Abridged).
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn take(id: Id, timestamp: Timestamp, details: &mut Option<EventDetails>) -> Self {
        let name = details.as_ref().map(EventDetails::default_name);
        Self {
            id,
            name: name.unwrap_or_default(),
            description: String::new(),
            timestamp,
            metadata: JsonObject::new(),
            unknown: UnknownMembers::default(),
            details: match details.take() {
                Some(details) => details,
                None => EventDetails::Abridged,
            },
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

    /// The name of its type, for instance `ToolExecutionRequest`. `None` if the event comes from a
    /// dump of a span of the reference, which omits the type.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.details.type_name()
    }

    /// A serialisable view of the event, without a copy.
    #[must_use]
    pub fn dump(&self, disclosure: Disclosure) -> EventDump<'_> {
        EventDump {
            event: self,
            view: View::of(disclosure),
            form: EventForm::Complete,
        }
    }

    /// A copy with the data of a masked dump: sensitive values are
    /// [withheld](super::Sensitive::is_withheld). Components are shared.
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
            timestamp: self.timestamp,
            metadata: detail.metadata(&self.metadata).cloned().unwrap_or_default(),
            details: self.details.masked(detail),
            unknown: self.unknown.masked(detail),
        }
    }

    /// Reads an event from its dump, masked or clear.
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
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dump(Disclosure::Masked).serialize(serializer)
    }
}

/// Reads like [`Event::from_json`].
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl ReadValue for Event {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let mut members = reader.object_that_is(raw, "an event")?;
        let type_name = members.optional::<Option<String>>("type", None, reader);
        let id = members.required("id", reader);
        let name = members.optional::<Option<String>>("name", None, reader);
        let description = members.optional("description", String::new(), reader);
        let timestamp = members.required("timestamp", reader);
        let metadata = members.optional("metadata", JsonObject::new(), reader);
        let details = EventDetails::read(type_name?.as_deref(), &mut members, reader)?;
        let event = Self {
            id: id?,
            name: name_as_read(name?, details.default_name()),
            description: description?,
            timestamp: timestamp?,
            metadata: metadata?,
            details,
            unknown: UnknownMembers::rest_of(&mut members, reader),
        };
        match event.details.check() {
            Ok(()) => Some(event),
            Err(problem) => reader.refuse(problem),
        }
    }
}

/// The name that was read, or that of the type if none was. The static text is kept where the two are
/// equal, so that it needs no allocation.
pub(super) fn name_as_read(name: Option<String>, of_type: Cow<'static, str>) -> Cow<'static, str> {
    match name {
        Some(name) if name != of_type => name.into(),
        _ => of_type,
    }
}

/// How much of an event is written to the dump of its span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventForm {
    /// All of it.
    #[default]
    Complete,
    /// Only id, name, description, timestamp and metadata, as in `pyagentspec` 26.3.1. Use it for
    /// comparisons with the reference: readers cannot restore the type of the event.
    Abridged,
    /// Nothing: the span is written without its events, because they are recorded elsewhere.
    Omitted,
}

/// An event as `serde` writes it, made by [`Event::dump`].
#[derive(Clone, Copy)]
pub struct EventDump<'a> {
    pub(super) event: &'a Event,
    pub(super) view: View,
    pub(super) form: EventForm,
}

impl EventDump<'_> {
    /// Sets the detail of everything but sensitive values. By default, all of it is shown, as in
    /// the reference.
    #[must_use]
    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.view.detail = detail;
        self
    }
}

/// Shows the event as its `Debug` does: masked.
impl fmt::Debug for EventDump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

impl Serialize for EventDump<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &event.id)?;
        map.serialize_entry("name", &event.name)?;
        map.serialize_entry(
            "description",
            self.view.detail.description(&event.description),
        )?;
        map.serialize_entry("timestamp", &event.timestamp)?;
        if let Some(metadata) = self.view.detail.metadata(&event.metadata) {
            map.serialize_entry("metadata", metadata)?;
        }
        if self.form == EventForm::Complete {
            event.details.write(&mut map, self.view)?;
            event.unknown.write_members(&mut map, self.view)?;
            if let Some(type_name) = event.details.type_name() {
                map.serialize_entry("type", type_name)?;
            }
        }
        map.end()
    }
}
