//! Lines of recordings: the calls of a span processor's hooks, one JSON object per line.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    Detail, Disclosure, Event, EventForm, Id, ProblemKind, ReadError, Span,
    detail::View,
    json_text,
    reader::{KnownComponents, Members, ReadValue, Reader, Step},
    unknown_members::UnknownMembers,
};

/// One call of a hook of a span processor: a line of a recording.
///
/// `Serialize` writes the masked line; [`line`](Self::line) writes other forms. To write lines
/// without a `RecordedHook`, use [`HookLine`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedHook {
    /// The run of the call, if the recording holds several runs.
    pub run: Option<String>,
    /// Whether the asynchronous hook was called.
    pub is_async: bool,
    /// The active trace, if there was one. There is none during `shutdown`.
    pub trace: Option<TraceInfo>,
    /// The hook, with its arguments.
    pub call: HookCall,
    unknown: UnknownMembers,
}

/// The trace of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceInfo {
    /// The id of the trace.
    pub id: Id,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// A hook of a span processor, with its arguments.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    clippy::large_enum_variant,
    reason = "these are the hooks that Agent Spec has; nearly all calls are those of spans"
)]
pub enum HookCall {
    /// A trace started.
    Startup,
    /// A span started.
    OnStart(RecordedSpan),
    /// An event was added to a span.
    OnEvent(RecordedSpan, Event),
    /// A span ended.
    OnEnd(RecordedSpan),
    /// A trace ended.
    Shutdown,
}

/// The state of a span when a hook was called.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedSpan {
    /// The span.
    pub span: Span,
    /// The id of its parent, if it has one.
    pub parent_id: Option<Id>,
}

impl TraceInfo {
    /// A trace with its name.
    #[must_use]
    pub fn new(id: Id, name: Option<String>) -> Self {
        Self { id, name }
    }
}

impl RecordedSpan {
    /// A span with the id of its parent.
    #[must_use]
    pub fn new(span: Span, parent_id: Option<Id>) -> Self {
        Self { span, parent_id }
    }
}

impl RecordedHook {
    /// Creates a call of a synchronous hook without an active trace.
    #[must_use]
    pub fn new(call: HookCall) -> Self {
        Self {
            run: None,
            is_async: false,
            trace: None,
            call,
            unknown: UnknownMembers::default(),
        }
    }

    /// Sets the active trace.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceInfo) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Reads one line.
    ///
    /// # Errors
    ///
    /// When the line is not JSON, or members are missing or have the wrong type.
    pub fn from_json(line: &str) -> Result<Self, ReadError> {
        Self::from_json_with(line, &mut KnownComponents::default())
    }

    /// Reads one line, and shares components with earlier lines.
    pub(super) fn from_json_with(
        line: &str,
        known: &mut KnownComponents,
    ) -> Result<Self, ReadError> {
        let raw = json_text::read(line)?;
        Reader::document(&raw, known, Self::read)
    }

    /// A serialisable view of the call, without a copy.
    #[must_use]
    pub fn line(&self) -> HookLine<'_> {
        let line = match &self.call {
            HookCall::Startup => HookLine::startup(),
            HookCall::OnStart(on) => HookLine::on_start(&on.span, on.parent_id.as_ref()),
            HookCall::OnEvent(on, event) => {
                HookLine::on_event(&on.span, on.parent_id.as_ref(), event)
            }
            HookCall::OnEnd(on) => HookLine::on_end(&on.span, on.parent_id.as_ref()),
            HookCall::Shutdown => HookLine::shutdown(),
        };
        HookLine {
            run: self.run.as_deref(),
            is_async: self.is_async,
            trace: self
                .trace
                .as_ref()
                .map(|trace| (&trace.id, trace.name.as_deref())),
            unknown: Some(&self.unknown),
            ..line
        }
    }
}

/// Writes the masked line.
impl Serialize for RecordedHook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.line().serialize(serializer)
    }
}

impl ReadValue for RecordedHook {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let mut members = reader.object(raw)?;
        let run = members.optional("run", None, reader);
        let hook = members.required::<String>("hook", reader);
        let is_async = members.optional("async", false, reader);
        let trace = members.optional("trace", None, reader);
        let call = match hook?.as_str() {
            STARTUP => Some(HookCall::Startup),
            SHUTDOWN => Some(HookCall::Shutdown),
            ON_START => RecordedSpan::read(&mut members, reader).map(HookCall::OnStart),
            ON_END => RecordedSpan::read(&mut members, reader).map(HookCall::OnEnd),
            ON_EVENT => {
                let on = RecordedSpan::read(&mut members, reader);
                let event = members.required("event", reader);
                on.zip(event)
                    .map(|(on, event)| HookCall::OnEvent(on, event))
            }
            _ => reader.at(Step::member("hook"), |reader| {
                reader.refuse(ProblemKind::WrongType {
                    expected: "a hook of Agent Spec",
                })
            }),
        };
        Some(Self {
            run: run?,
            is_async: is_async?,
            trace: trace?,
            call: call?,
            unknown: UnknownMembers::rest_of(&mut members, reader),
        })
    }
}

impl RecordedSpan {
    fn read<'a>(members: &mut Members<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let span = members.required("span", reader);
        let parent_id = members.optional("parent_id", None, reader);
        Some(Self {
            span: span?,
            parent_id: parent_id?,
        })
    }
}

impl ReadValue for TraceInfo {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let mut members = reader.object(raw)?;
        let id = members.required("id", reader);
        let name = members.optional("name", None, reader);
        Some(Self {
            id: id?,
            name: name?,
        })
    }
}

const STARTUP: &str = "startup";
const ON_START: &str = "on_start";
const ON_EVENT: &str = "on_event";
const ON_END: &str = "on_end";
const SHUTDOWN: &str = "shutdown";

/// A serialisable line of a recording, which borrows its data.
///
/// ```
/// use agentspan_model::agentspec::{HookLine, Id, Span, SpanDetails};
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let span = Span::new(Id::from("span-1"), SpanDetails::Root);
/// let trace = Id::from("trace-1");
/// let line = HookLine::on_start(&span, None).with_trace(&trace, Some("my trace"));
/// assert!(serde_json::to_string(&line)?.starts_with(
///     r#"{"hook":"on_start","async":false,"trace":{"id":"trace-1","name":"my trace"},"span":{"id":"span-1","#
/// ));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HookLine<'a> {
    hook: &'static str,
    run: Option<&'a str>,
    is_async: bool,
    trace: Option<(&'a Id, Option<&'a str>)>,
    span: Option<(&'a Span, Option<&'a Id>)>,
    event: Option<&'a Event>,
    unknown: Option<&'a UnknownMembers>,
    view: View,
    events: EventForm,
}

impl<'a> HookLine<'a> {
    const fn of(hook: &'static str) -> Self {
        HookLine {
            hook,
            run: None,
            is_async: false,
            trace: None,
            span: None,
            event: None,
            unknown: None,
            view: View::of(Disclosure::Masked),
            events: EventForm::Complete,
        }
    }

    /// A trace started.
    #[must_use]
    pub const fn startup() -> Self {
        Self::of(STARTUP)
    }

    /// A trace ended.
    #[must_use]
    pub const fn shutdown() -> Self {
        Self::of(SHUTDOWN)
    }

    /// A span started.
    #[must_use]
    pub const fn on_start(span: &'a Span, parent_id: Option<&'a Id>) -> Self {
        HookLine {
            span: Some((span, parent_id)),
            ..Self::of(ON_START)
        }
    }

    /// An event was added to a span.
    ///
    /// The line holds the span with all of its events. So a recording of a span with many events
    /// takes quadratic space, unless [`with_events`](Self::with_events) omits them.
    #[must_use]
    pub const fn on_event(span: &'a Span, parent_id: Option<&'a Id>, event: &'a Event) -> Self {
        HookLine {
            span: Some((span, parent_id)),
            event: Some(event),
            ..Self::of(ON_EVENT)
        }
    }

    /// A span ended.
    #[must_use]
    pub const fn on_end(span: &'a Span, parent_id: Option<&'a Id>) -> Self {
        HookLine {
            span: Some((span, parent_id)),
            ..Self::of(ON_END)
        }
    }

    /// Sets the run of the call. By default, there is none.
    #[must_use]
    pub const fn with_run(mut self, run: &'a str) -> Self {
        self.run = Some(run);
        self
    }

    /// Sets the active trace. By default, there is none.
    #[must_use]
    pub const fn with_trace(mut self, id: &'a Id, name: Option<&'a str>) -> Self {
        self.trace = Some((id, name));
        self
    }

    /// Marks the call as asynchronous. By default, it is synchronous.
    #[must_use]
    pub const fn with_async(mut self) -> Self {
        self.is_async = true;
        self
    }

    /// Sets whether sensitive values are shown. By default, they are masked.
    #[must_use]
    pub const fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.view.disclosure = disclosure;
        self
    }

    /// Sets the detail of everything but sensitive values. By default, all of it is shown, as in
    /// the reference.
    #[must_use]
    pub const fn with_detail(mut self, detail: Detail) -> Self {
        self.view.detail = detail;
        self
    }

    /// Sets how much of the span's events is written. By default, all of it is.
    #[must_use]
    pub const fn with_events(mut self, form: EventForm) -> Self {
        self.events = form;
        self
    }
}

impl Serialize for HookLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(run) = self.run {
            map.serialize_entry("run", run)?;
        }
        map.serialize_entry("hook", self.hook)?;
        map.serialize_entry("async", &self.is_async)?;
        map.serialize_entry("trace", &self.trace.map(TraceLine))?;
        if let Some((span, parent_id)) = self.span {
            let dump = span
                .dump(self.view.disclosure)
                .with_detail(self.view.detail);
            map.serialize_entry("span", &dump.with_events(self.events))?;
            map.serialize_entry("parent_id", &parent_id)?;
        }
        if let Some(event) = self.event {
            let dump = event.dump(self.view.disclosure);
            map.serialize_entry("event", &dump.with_detail(self.view.detail))?;
        }
        if let Some(unknown) = self.unknown {
            unknown.write_members(&mut map, self.view)?;
        }
        map.end()
    }
}

struct TraceLine<'a>((&'a Id, Option<&'a str>));

impl Serialize for TraceLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (id, name) = self.0;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("name", &name)?;
        map.end()
    }
}
