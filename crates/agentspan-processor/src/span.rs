//! Handles of spans, which live as long as a handle exists.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use agentspan_model::agentspec::{
    self, Disclosure, Event, EventDetails, Id, JsonObject, SpanDetails, Timestamp,
};
use agentspan_queue::contain::ThreadBound;
use agentspan_queue::fork::Origin;

use crate::clock::Ticks;
use crate::clock::{Clock, SystemClock};
use crate::context::{Active, InSpan, Pushed};
use crate::dispatch::{Observer, Processors, SpanHook, dispatch, dispatch_async, dispatch_own};
use crate::event_log::EventLog;
use crate::exception;
use crate::span_processor::ActiveGuard;
use crate::started_set::StartedSet;
use crate::{ErrorPolicy, Trace, TraceError};

mod builder;
mod open;
mod run;
mod shared;
mod size;
mod weak;
mod when_observed;

pub(crate) use builder::Links;
pub use builder::SpanBuilder;
pub use open::{Entered, OpenSpan, SpanGuard};
pub(crate) use run::{end_after, started};
pub use weak::{SpanKey, WeakSpan};
pub use when_observed::WhenObserved;

use self::shared::Shared;

/// A handle of a span. You can clone, keep and send it.
///
/// [`Span::builder`] starts a span, and returns a [`SpanGuard`] or an [`OpenSpan`], whose drop ends
/// the span. Dropping a handle does not end it. All handles, also the handles in hooks, refer to
/// the same span, which keeps its events until the last handle is dropped.
///
/// A handle in a hook shows the data that the processor's
/// [disclosure](crate::SpanProcessor::disclosure) allows. All other handles show everything.
#[derive(Clone)]
pub struct Span {
    inner: Shared,
    disclosure: Disclosure,
}

struct Inner {
    /// All that is known when the span starts, without events.
    record: agentspec::Span,
    masked: OnceLock<Box<agentspec::Span>>,
    parent: Option<Shared>,
    trace: Option<Trace>,
    observers: Observers,
    started: StartedSet,
    events: EventLog<Slot>,
    /// How many events it had before it started.
    early_events: usize,
    state: AtomicU8,
    /// Whether it was ended in place of somebody who never did.
    is_unfinished: AtomicBool,
    /// In nanoseconds, once the state says that its end is known.
    end_time: AtomicI64,
    monotonic_start: Ticks,
    /// The process in which it started.
    origin: Origin,
}

/// Which processors observe a span.
enum Observers {
    /// The processors that its trace started with, if it has one: nothing to hold on to, and
    /// nothing to count.
    OfTrace,
    /// Others, which have taken their place.
    Own(Processors),
}

/// An event in its span.
struct Slot {
    event: Event,
    masked: OnceLock<Box<Event>>,
}

impl Slot {
    #[inline]
    const fn new(event: Event) -> Self {
        Self {
            event,
            masked: OnceLock::new(),
        }
    }
}

/// `Inner::state`: the span has not ended.
const OPEN: u8 = 0;
/// Somebody ends it, and nobody else does. Its end is not known yet.
const CLAIMED: u8 = 1;
/// The hooks of its end are running.
const ENDING: u8 = 2;
/// It has ended: it is current nowhere.
const ENDED: u8 = 3;
/// It was never made: see [`WhenObserved`].
const ABSENT: u8 = 4;

impl Span {
    /// Builds a span. See [`SpanBuilder`].
    ///
    /// The [`SpanDetails`] decide the type of the span; [`agentspan_model::agentspec`] has details
    /// for each type.
    #[inline]
    pub fn builder(details: impl Into<SpanDetails>) -> SpanBuilder {
        SpanBuilder::new(details.into())
    }

    /// Builds a span only if a processor observes it. See [`WhenObserved`].
    ///
    /// ```
    /// use agentspan_model::agentspec::{LlmConfig, LlmGenerationSpan};
    /// use agentspan_processor::{Span, TraceError};
    ///
    /// fn call(model: &LlmConfig) -> Result<(), TraceError> {
    ///     let span = Span::when_observed(|| Span::builder(LlmGenerationSpan::new(model.clone())));
    ///     span.in_span(|span| {
    ///         // Calls the model, and adds what it says with `add_event_with`.
    ///         # let _ = span;
    ///         Ok(())
    ///     })
    /// }
    /// ```
    #[inline]
    pub fn when_observed<F: FnOnce() -> SpanBuilder>(make: F) -> WhenObserved<F> {
        WhenObserved::new(make)
    }

    /// Identifies the span.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.inner.record.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.record.name
    }

    /// Its description. Empty by default.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.inner.record.description
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &JsonObject {
        &self.inner.record.metadata
    }

    /// The details, which depend on the type.
    #[must_use]
    pub fn details(&self) -> &SpanDetails {
        match &self.inner.record.details {
            // Of the others, all that is special are components, which hold nothing sensitive.
            SpanDetails::Other(_) => &self.seen_record().details,
            details => details,
        }
    }

    /// The name of its type, for instance `ToolExecutionSpan`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.inner.record.type_name()
    }

    /// Its start time.
    #[must_use]
    pub fn start_time(&self) -> Option<Timestamp> {
        self.inner.record.start_time
    }

    /// Its end time: the start time plus the elapsed time of the monotonic clock, so never before
    /// its start. `None` while the span is open; set before the hooks of its end run.
    #[must_use]
    pub fn end_time(&self) -> Option<Timestamp> {
        // Pairs with the release in `begin_end`.
        let is_known = matches!(self.inner.state.load(Ordering::Acquire), ENDING | ENDED);
        let time = || Timestamp::from_unix_nanos(self.inner.end_time.load(Ordering::Relaxed));
        is_known.then(time)
    }

    /// Whether it has ended, and the hooks of its end have run.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        // Pairs with the release of `Ended`: who sees that it has ended sees its end.
        self.inner.state.load(Ordering::Acquire) >= ENDED
    }

    /// Whether it stands for a span that was not created, see
    /// [`when_observed`](Self::when_observed).
    #[inline]
    pub(crate) fn is_absent(&self) -> bool {
        // It is made so.
        self.inner.state.load(Ordering::Relaxed) == ABSENT
    }

    /// Whether the program did not end the span, so that its end is only its last known time.
    ///
    /// A [`Replay`](crate::replay::Replay) ends such spans, so that failed calls are exported, too.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        // Published with the end: see `begin_end`.
        self.end_time().is_some() && self.inner.is_unfinished.load(Ordering::Relaxed)
    }

    /// Whether its end has begun.
    fn has_begun_to_end(&self) -> bool {
        self.inner.state.load(Ordering::Acquire) != OPEN
    }

    /// Its parent.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        Some(Self {
            inner: self.inner.parent.clone()?,
            disclosure: self.disclosure,
        })
    }

    /// The id of its parent.
    #[must_use]
    pub fn parent_id(&self) -> Option<&Id> {
        Some(&self.inner.parent.as_ref()?.record.id)
    }

    /// Its trace, which was active when it started.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.inner.trace.as_ref()
    }

    /// Its events, in the order in which they were added.
    pub fn events(&self) -> impl Iterator<Item = SpanEvent<'_>> {
        let disclosure = self.disclosure;
        let events = self.inner.events.iter();
        events.map(move |(index, slot)| SpanEvent {
            slot,
            index,
            disclosure,
        })
    }

    /// The event at an [index](SpanEvent::index).
    #[must_use]
    pub fn event(&self, index: usize) -> Option<SpanEvent<'_>> {
        Some(SpanEvent {
            slot: self.inner.events.get(index)?,
            index,
            disclosure: self.disclosure,
        })
    }

    /// How many events it has.
    #[must_use]
    pub fn event_count(&self) -> usize {
        self.inner.events.len()
    }

    /// Whether at least one processor observes the span.
    ///
    /// If not, you can skip expensive data, such as a copy of a prompt, unless you read it from the
    /// span later. [`add_event_with`](Self::add_event_with) checks this for you.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        !self.inner.started.is_empty()
    }

    /// The disclosure of this handle for sensitive values.
    #[must_use]
    pub fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    /// Whether both handles refer to the same span.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// A copy of the span's current state as plain data.
    ///
    /// Copies the events; components are shared.
    #[must_use]
    pub fn to_record(&self) -> agentspec::Span {
        let mut record = self.to_record_without_events();
        record.events = self
            .events()
            .map(|event| Arc::new(Event::clone(&event)))
            .collect();
        record
    }

    /// The state of the span at its start as plain data. A recording of `on_start` shows it, even
    /// if the hook runs later.
    #[must_use]
    pub fn to_record_at_start(&self) -> agentspec::Span {
        let mut record = self.seen_record().clone();
        let early = self.events().take(self.inner.early_events);
        record.events = early.map(|event| Arc::new(Event::clone(&event))).collect();
        record
    }

    /// A copy of the span's current state as plain data, without the events.
    #[must_use]
    pub fn to_record_without_events(&self) -> agentspec::Span {
        let mut record = self.seen_record().clone();
        record.end_time = self.end_time();
        record
    }

    /// The current time of the span's clock: never before its start.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Timestamp {
        let clock = self.clock();
        let now = Ticks::read(clock);
        let start = self.inner.record.start_time;
        let start = start.unwrap_or_else(|| clock.unwrap_or(&SystemClock).wall());
        self.inner.monotonic_start.reckon(start, now)
    }

    /// Creates an event with a new id and the current time, but does not add it to the span.
    ///
    /// Use it to set a name, a description or metadata, then add it with
    /// [`add_complete_event`](Self::add_complete_event).
    #[must_use]
    pub fn new_event(&self, details: impl Into<EventDetails>) -> Event {
        Event::new(Id::random(), self.now(), details)
    }

    /// Adds an event, with a new id and the current time.
    ///
    /// The event is in [`events`](Self::events) before the first hook runs, and stays there if a
    /// hook fails. You may add an event after the end of the span.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`].
    pub fn add_event(&self, details: impl Into<EventDetails>) -> Result<(), TraceError> {
        self.add_details(&mut Some(details.into()))
    }

    /// Adds an event, with a new id and the current time, if a processor
    /// [observes](Self::is_observed) the span.
    ///
    /// Otherwise, the closure is not called, and the event does not exist. Use it for events that
    /// copy data, such as a prompt: without processors, they are free.
    ///
    /// ```
    /// use agentspan_model::agentspec::{ExceptionRaised, SpanDetails};
    /// use agentspan_processor::{InMemory, Span, Trace};
    ///
    /// # fn main() -> Result<(), agentspan_processor::TraceError> {
    /// let message = "a long text";
    /// let event = || ExceptionRaised::new("Timeout", message);
    ///
    /// let span = Span::builder(SpanDetails::Plain).start()?;
    /// span.add_event_with(event)?;
    /// assert_eq!(span.event_count(), 0);
    /// span.end()?;
    ///
    /// let _trace = Trace::builder().with_processor(InMemory::new()).start()?;
    /// let span = Span::builder(SpanDetails::Plain).start()?;
    /// span.add_event_with(event)?;
    /// assert_eq!(span.event_count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as of [`add_event`](Self::add_event).
    pub fn add_event_with<E: Into<EventDetails>>(
        &self,
        make: impl FnOnce() -> E,
    ) -> Result<(), TraceError> {
        if self.is_observed() {
            self.add_event(make())
        } else {
            Ok(())
        }
    }

    /// Adds an event. What is taken out of `details` is made into one where it is to lie.
    fn add_details(&self, details: &mut Option<EventDetails>) -> Result<(), TraceError> {
        if self.is_absent() {
            return Ok(());
        }
        // Asked before: the clock may be somebody else's code.
        let time = self.now();
        let kept = self
            .inner
            .events
            .push_with(|| Slot::new(Event::take(Id::random(), time, details)));
        match kept {
            Some(index) => dispatch(self, SpanHook::Event(index)),
            None => Ok(()),
        }
    }

    /// Adds an event with its own id and time.
    ///
    /// # Errors
    ///
    /// The same as of [`add_event`](Self::add_event).
    pub fn add_complete_event(&self, event: Event) -> Result<(), TraceError> {
        match self.keep_event(event) {
            Some(index) => dispatch(self, SpanHook::Event(index)),
            None => Ok(()),
        }
    }

    /// Adds an event, and waits for the asynchronous hooks.
    ///
    /// # Errors
    ///
    /// The same as of [`add_event`](Self::add_event).
    ///
    /// # Cancel safety
    ///
    /// The event is added at the first poll. If the future is dropped later, the synchronous hooks
    /// of the remaining processors are called.
    pub async fn add_event_async(
        &self,
        details: impl Into<EventDetails>,
    ) -> Result<(), TraceError> {
        self.add_complete_event_async(self.new_event(details)).await
    }

    /// Adds an event with its own id and time, and waits for the asynchronous hooks.
    ///
    /// # Errors
    ///
    /// The same as of [`add_event`](Self::add_event).
    ///
    /// # Cancel safety
    ///
    /// The same as of [`add_event_async`](Self::add_event_async).
    pub async fn add_complete_event_async(&self, event: Event) -> Result<(), TraceError> {
        match self.keep_event(event) {
            Some(index) => dispatch_async(self, SpanHook::Event(index)).await,
            None => Ok(()),
        }
    }

    /// Adds an `ExceptionRaised` event for an error. The span stays open.
    ///
    /// # Errors
    ///
    /// The same as of [`add_event`](Self::add_event).
    pub fn record_error<E: fmt::Display + 'static>(&self, error: &E) -> Result<(), TraceError> {
        self.add_event(exception::from_error(error))
    }

    /// Makes the span current on this thread until the guard is dropped. Does not end the span.
    ///
    /// In asynchronous code, use [`wrap`](Self::wrap), because a guard across an `await` would make
    /// the span current for other tasks of the thread.
    #[must_use = "the span is current until the guard is dropped"]
    pub fn enter(&self) -> Entered {
        Entered {
            _pushed: Pushed::new(Active::Span(self.unmasked())),
        }
    }

    /// Makes the span current in a future, across its awaits and on any thread that polls it. Does
    /// not end the span.
    ///
    /// ```
    /// # use agentspan_processor::{Span, current_span};
    /// # use agentspan_model::agentspec::SpanDetails;
    /// # fn main() -> Result<(), agentspan_processor::TraceError> {
    /// let span = Span::builder(SpanDetails::Plain).start_detached()?;
    /// let future = span.wrap(async { current_span().is_some() });
    /// assert!(futures_executor::block_on(future));
    /// assert!(current_span().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as `future`, which is dropped while the span is current.
    pub fn wrap<F: Future>(&self, future: F) -> InSpan<F> {
        InSpan::new(future, Active::Span(self.unmasked()))
    }

    /// Ends the span. A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`]. The span has ended in any case.
    pub fn end(&self) -> Result<(), TraceError> {
        self.end_at(None)
    }

    /// Ends the span, and waits for the asynchronous hooks. A second call does nothing.
    ///
    /// # Errors
    ///
    /// The same as of [`end`](Self::end).
    ///
    /// # Cancel safety
    ///
    /// The span ends at the first poll. If the future is dropped later, the synchronous hooks of
    /// the remaining processors are called.
    pub async fn end_async(&self) -> Result<(), TraceError> {
        self.end_at_async(None).await
    }

    /// As [`end`](Self::end), for who owns the handle.
    pub(crate) fn end_own(&mut self) -> Result<(), TraceError> {
        if !self.begin_end(None) {
            return Ok(());
        }
        let ended = Ended(self);
        dispatch_own(ended.0, SpanHook::End)
    }

    pub(crate) async fn end_at_async(&self, time: Option<Timestamp>) -> Result<(), TraceError> {
        if !self.begin_end(time) {
            return Ok(());
        }
        let _ended = Ended(self);
        dispatch_async(self, SpanHook::End).await
    }

    pub(crate) fn end_at(&self, time: Option<Timestamp>) -> Result<(), TraceError> {
        if !self.begin_end(time) {
            return Ok(());
        }
        let _ended = Ended(self);
        dispatch(self, SpanHook::End)
    }

    /// Ends the span in place of somebody who never did.
    pub(crate) fn end_unfinished(&self, time: Timestamp) -> Result<(), TraceError> {
        if !self.has_begun_to_end() {
            self.inner.is_unfinished.store(true, Ordering::Relaxed);
        }
        self.end_at(Some(time))
    }

    /// Whether this is the first end.
    fn begin_end(&self, time: Option<Timestamp>) -> bool {
        if self.has_begun_to_end() {
            return false;
        }
        // Asked before the claim: the clock may be somebody else's code, and panic.
        let time = time.unwrap_or_else(|| self.now());
        let state = &self.inner.state;
        let begins = state
            .compare_exchange(OPEN, CLAIMED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if begins {
            let end_time = &self.inner.end_time;
            end_time.store(time.as_unix_nanos(), Ordering::Relaxed);
            // Publishes the time: see `end_time`.
            state.store(ENDING, Ordering::Release);
        }
        begins
    }

    /// Adds an event without telling anybody. `None` if there is no place for it.
    pub(crate) fn keep_event(&self, event: Event) -> Option<usize> {
        if self.is_absent() {
            return None;
        }
        self.inner.events.push(Slot::new(event))
    }

    /// Whether it started in a process that this one was forked from, which has it, too, and tells its
    /// processors of it.
    #[inline]
    pub(crate) fn is_of_parent_process(&self) -> bool {
        !self.inner.origin.is_here()
    }

    /// The handle as a processor with this disclosure gets it.
    pub(crate) fn seen_with(&self, disclosure: Disclosure) -> Self {
        Self {
            inner: self.inner.clone(),
            disclosure,
        }
    }

    fn unmasked(&self) -> Self {
        self.seen_with(Disclosure::Clear)
    }

    fn seen_record(&self) -> &agentspec::Span {
        let record = &self.inner.record;
        match self.disclosure {
            Disclosure::Clear => record,
            Disclosure::Masked => self.inner.masked.get_or_init(|| Box::new(record.masked())),
        }
    }

    #[inline]
    pub(crate) fn observers(&self) -> &[Observer] {
        match &self.inner.observers {
            Observers::OfTrace => self.trace().map_or(&[], Trace::first_processors),
            Observers::Own(list) => list.as_deref().unwrap_or_default(),
        }
    }

    /// Makes the handle itself one as a processor with this disclosure gets it.
    pub(crate) fn show_with(&mut self, disclosure: Disclosure) {
        self.disclosure = disclosure;
    }

    pub(crate) fn started(&self) -> &StartedSet {
        &self.inner.started
    }

    pub(crate) fn policy(&self) -> ErrorPolicy {
        self.trace()
            .map_or(ErrorPolicy::Report, Trace::error_policy)
    }

    /// The clock of the span; `None` stands for the clock of the system.
    fn clock(&self) -> Option<&dyn Clock> {
        self.trace().and_then(Trace::clock)
    }

    /// Makes the contexts current of the processors that started the span, and gives their guards.
    #[inline]
    pub(crate) fn activate(&mut self) -> Vec<ThreadBound<Box<dyn ActiveGuard>>> {
        if self.observers().iter().any(|one| one.activates) {
            self.activate_with_processors()
        } else {
            Vec::new()
        }
    }

    fn activate_with_processors(&mut self) -> Vec<ThreadBound<Box<dyn ActiveGuard>>> {
        let mut guards = Vec::new();
        let own = self.disclosure;
        for index in 0..self.observers().len() {
            let has_started = self.started().contains(index);
            let is_asked = |one: &&Observer| has_started && one.activates;
            let Some(observer) = self.observers().get(index).filter(is_asked) else {
                continue;
            };
            self.disclosure = observer.disclosure;
            let activate = || self.observers().get(index)?.processor()?.activate(self);
            let made = ThreadBound::make(activate).ok();
            guards.extend(made.and_then(ThreadBound::transpose));
        }
        self.disclosure = own;
        guards
    }
}

/// Marks a span as ended when the hooks have run, also if they were cut short.
struct Ended<S: Deref<Target = Span>>(S);

impl<S: Deref<Target = Span>> Drop for Ended<S> {
    fn drop(&mut self) {
        self.0.inner.state.store(ENDED, Ordering::Release);
    }
}

/// Shows type, id and name.
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("type", &self.type_name())
            .field("id", &self.id().as_str())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// An event of a span, with the disclosure of the processor that gets it.
///
/// It derefs to the [`Event`].
#[derive(Clone, Copy)]
pub struct SpanEvent<'a> {
    slot: &'a Slot,
    index: usize,
    disclosure: Disclosure,
}

impl SpanEvent<'_> {
    /// The name of its type. Unlike the same method of [`Event`], it never copies the event to mask
    /// it.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.slot.event.type_name()
    }

    /// Its index among the events of the span, for [`Span::event`].
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }
}

impl Deref for SpanEvent<'_> {
    type Target = Event;

    fn deref(&self) -> &Event {
        let event = &self.slot.event;
        match self.disclosure {
            Disclosure::Clear => event,
            Disclosure::Masked => self.slot.masked.get_or_init(|| Box::new(event.masked())),
        }
    }
}

/// Shows the masked event, as its own `Debug` does.
impl fmt::Debug for SpanEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slot.event.fmt(f)
    }
}
