//! Builds a span.

use std::borrow::Cow;
use std::sync::Arc;

use agentspan_model::agentspec::{self, Disclosure, Event, Id, JsonObject, SpanDetails};
use agentspan_queue::fork::Origin;

use super::shared::Shared;
use super::{Observers, OpenSpan, Span, SpanGuard};
use crate::clock::Ticks;
use crate::context::{Active, Pushed, current_span, current_trace};
use crate::dispatch::{SpanHook, dispatch_async, dispatch_own};
use crate::started_set::StartedSet;
use crate::{Trace, TraceError, exception, outside_trace};

/// Builds a span.
///
/// Choose the type of the span with its details. Optionally, set a [name](Self::with_name), a
/// [description](Self::with_description), [metadata](Self::with_metadata), an [id](Self::with_id),
/// and the [parent](Self::with_parent), which by default is the current span. Then start it:
///
/// | | current until the end | ends |
/// |---|---|---|
/// | [`start`](Self::start) | on this thread | when the guard is dropped, with the synchronous hooks |
/// | [`in_span`](Self::in_span) | in a closure | when it returns, fails or panics |
/// | [`run`](Self::run) | in a future | when it returns, fails, panics or is dropped; with the asynchronous hooks, except after a panic or a drop |
/// | [`start_detached`](Self::start_detached), [`start_async`](Self::start_async) | where you make it current | when [`OpenSpan`] is dropped or ended |
///
/// ```
/// use agentspan_model::agentspec::{Event, EventDetails, SpanDetails};
/// use agentspan_processor::{Span, current_span};
///
/// # fn main() -> Result<(), agentspan_processor::TraceError> {
/// let outer = Span::builder(SpanDetails::Plain).with_name("outer").start()?;
/// let inner = Span::builder(SpanDetails::Plain).with_name("inner").start()?;
/// inner.add_event(EventDetails::Plain)?;
/// assert_eq!(inner.parent_id(), Some(outer.id()));
/// inner.end()?;
/// assert_eq!(current_span().map(|span| span.id().clone()), Some(outer.id().clone()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a span does nothing until it is started"]
pub struct SpanBuilder {
    record: agentspec::Span,
    has_id: bool,
    parent: Parent,
}

#[derive(Clone, Debug)]
pub(super) enum Parent {
    Current,
    Span(Span),
    None,
}

impl Parent {
    /// This span; none, if it was never made.
    pub(super) fn of(span: &Span) -> Self {
        if span.is_absent() {
            Self::None
        } else {
            Self::Span(span.clone())
        }
    }
}

impl SpanBuilder {
    #[inline]
    pub(crate) fn new(details: SpanDetails) -> Self {
        Self {
            // Replaced by a random id when the span starts, unless one is set.
            record: agentspec::Span::new(Id::from(""), details),
            has_id: false,
            parent: Parent::Current,
        }
    }

    /// Sets the id. The default is a random UUID.
    pub fn with_id(mut self, id: impl Into<Id>) -> Self {
        self.record.id = id.into();
        self.has_id = true;
        self
    }

    /// Sets the name. The default is the name of the type.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.record = self.record.with_name(name);
        self
    }

    /// Sets the description. By default, there is none.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.record.description = description.into();
        self
    }

    /// Sets metadata. By default, there is none.
    pub fn with_metadata(mut self, metadata: JsonObject) -> Self {
        self.record.metadata = metadata;
        self
    }

    /// Adds an event from before the start of the span. No hook is called for it.
    pub fn with_event(mut self, event: Event) -> Self {
        self.record.events.push(Arc::new(event));
        self
    }

    /// Sets the parent, for code in which the parent is not current: on another thread, in a
    /// spawned task, in a callback. The span belongs to the parent's trace.
    pub fn with_parent(mut self, parent: &Span) -> Self {
        self.parent = Parent::of(parent);
        self
    }

    /// Sets the parent, if it is not the current span.
    pub(super) fn with_parent_unless_current(mut self, parent: Parent) -> Self {
        if !matches!(parent, Parent::Current) {
            self.parent = parent;
        }
        self
    }

    /// Starts the span without a parent, even if a span is current. In OpenTelemetry, it becomes a
    /// sibling of the root of its trace: a child of the same span, or a root itself.
    pub fn without_parent(mut self) -> Self {
        self.parent = Parent::None;
        self
    }

    /// Starts the span, and makes it current on this thread until the guard is dropped, which ends
    /// it.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// span has then ended for the processors that had started it, with an `ExceptionRaised` event.
    pub fn start(self) -> Result<SpanGuard, TraceError> {
        let open = self.start_detached()?;
        let pushed = Pushed::new(Active::Span(open.clone()));
        Ok(SpanGuard::new(open, pushed))
    }

    /// Starts the span without making it current, for streams, callbacks, and spans that other
    /// threads end.
    ///
    /// # Errors
    ///
    /// The same as of [`start`](Self::start).
    #[inline]
    pub fn start_detached(self) -> Result<OpenSpan, TraceError> {
        let mut open = OpenSpan::new(self.build());
        match dispatch_own(open.span_mut(), SpanHook::Start) {
            Ok(()) => Ok(open),
            Err(error) => {
                let told = open.add_event(failed_start(&error));
                let ended = open.end();
                told.and(ended)?;
                Err(error)
            }
        }
    }

    /// Starts the span without making it current, and waits for the asynchronous hooks.
    ///
    /// [`Span::wrap`] makes it current in a future; [`run`](Self::run) combines both.
    ///
    /// # Errors
    ///
    /// The same as of [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it finishes, the processors that had started the span end
    /// it, with their synchronous hooks. The others do not see the span.
    pub async fn start_async(self) -> Result<OpenSpan, TraceError> {
        let mut open = OpenSpan::new(self.build());
        open.set_covers_future(true);
        let started = dispatch_async(&open, SpanHook::Start).await;
        open.set_covers_future(false);
        match started {
            Ok(()) => Ok(open),
            Err(error) => {
                let told = open.add_event_async(failed_start(&error)).await;
                let ended = open.end_in_place_async().await;
                told.and(ended)?;
                Err(error)
            }
        }
    }

    /// The span with its parent, trace and start time, of which no processor knows yet.
    // Called once by each way to start a span; as a call of its own it would move the record once more.
    #[inline]
    fn build(mut self) -> Span {
        // Made before the rest: what was just written piece by piece is better not moved at once.
        let id = (!self.has_id).then(Id::random);
        let parent = match std::mem::replace(&mut self.parent, Parent::None) {
            Parent::Current => current_span(),
            Parent::Span(span) => Some(span),
            Parent::None => None,
        };
        let of_parent = parent.as_ref().and_then(Span::trace);
        let trace = match of_parent.filter(|trace| trace.is_active()) {
            Some(trace) => Some(trace.clone()),
            None => current_trace(),
        };
        outside_trace::notice(|| trace.is_none());
        let clock = trace.as_ref().and_then(Trace::clock);
        let (start_time, monotonic_start) = Ticks::read_with_wall(clock);
        let links = Links::new(parent, trace);
        if let Some(id) = id {
            self.record.id = id;
        }
        self.record.start_time = Some(start_time);
        let early = std::mem::take(&mut self.record.events);
        let early_events = early.len();
        let span = Span::assemble(self.record, early_events, links, monotonic_start);
        if early_events > 0 {
            span.keep_early(early);
        }
        span
    }
}

/// The parent and the trace of a span, and its observers.
pub(crate) struct Links {
    parent: Option<Shared>,
    trace: Option<Trace>,
    observers: Observers,
    started: StartedSet,
}

impl Links {
    /// The links of a span that is observed by the current processors of its trace.
    #[inline]
    pub(crate) fn new(parent: Option<Span>, trace: Option<Trace>) -> Self {
        let observers = match trace.as_ref().and_then(Trace::replaced_processors) {
            None => Observers::OfTrace,
            Some(processors) => Observers::Own(processors),
        };
        let processors = match &observers {
            Observers::OfTrace => trace.as_ref().map_or(&[][..], Trace::first_processors),
            Observers::Own(processors) => processors.as_deref().unwrap_or_default(),
        };
        Self {
            started: StartedSet::new(processors.len()),
            parent: parent.map(|span| span.inner),
            trace,
            observers,
        }
    }
}

impl Span {
    /// A span of which no processor knows yet. Its record has a start time and no events.
    // Nothing is called before the record is where it belongs: it would have to lie somewhere in the meantime,
    // and moves are a good part of what a span costs.
    #[inline]
    pub(crate) fn assemble(
        record: agentspec::Span,
        early_events: usize,
        links: Links,
        monotonic_start: Ticks,
    ) -> Self {
        let inner = Shared::filled(|inner| {
            inner.record = record;
            inner.parent = links.parent;
            inner.trace = links.trace;
            inner.observers = links.observers;
            inner.started = links.started;
            inner.early_events = early_events;
            inner.monotonic_start = monotonic_start;
            inner.origin = Origin::here();
        });
        Self {
            inner,
            disclosure: Disclosure::Clear,
        }
    }

    #[cold]
    pub(crate) fn keep_early(&self, events: Vec<Arc<Event>>) {
        for event in events {
            self.keep_event(Arc::unwrap_or_clone(event));
        }
    }
}

fn failed_start(error: &TraceError) -> agentspec::EventDetails {
    match error {
        TraceError::Hook { source, .. } => exception::from_hook_error(source).into(),
        TraceError::AlreadyActive { .. } => exception::from_error(error).into(),
    }
}
