//! Agent Spec spans from their start to their end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{self, Disclosure, Event, Id, TraceInfo};
use agentspan_model::mapping::{
    Exchange, PlacedSpan, repeated_span_id_bytes, span_id_bytes, trace_id_bytes,
};
use agentspan_processor::Span;
use agentspan_queue::PerProcess;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

mod open_span;
mod open_spans;
mod requests;
mod shared_exchange;

use self::open_span::LastTime;
pub use self::open_span::{Around, TrackedSpan};
use self::open_spans::{IdInTrace, OpenSpans};
use self::requests::Requests;
use self::shared_exchange::SharedExchange;

/// How many bytes the open spans may hold by default.
const MAX_BYTES: u64 = 64 << 20;

/// Follows Agent Spec spans from their start to their end: what a span processor does that makes
/// records.
///
/// It knows which OpenTelemetry ids a span has, also where several spans of a trace share an Agent
/// Spec id, which spans are open, where the last 1,024 ended ones were, which span asked for what,
/// and what goes into the agents and flows and comes out. `T` is what its owner keeps of an open
/// span.
///
/// After a fork a child starts with nothing: the open spans are its parent's, which ends and
/// exports them.
pub struct Tracker<T> {
    known: PerProcess<Known<T>>,
    disclosure: Disclosure,
    keeps_events: bool,
    max_bytes: u64,
    late_events: AtomicU64,
    evicted: AtomicU64,
}

struct Known<T> {
    open: OpenSpans<T>,
    requests: Requests,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            open: OpenSpans::default(),
            requests: Requests::default(),
        }
    }
}

/// A span that starts.
#[derive(Debug)]
#[non_exhaustive]
pub struct Starting<'a> {
    /// The record so far.
    pub placed: &'a PlacedSpan,
    /// The id that its trace has in OpenTelemetry, if it is the root of it there, too.
    pub trace_id: Option<TraceId>,
    /// The id that the span is to have in OpenTelemetry.
    pub span_id: SpanId,
    /// The facts that spans below it need.
    pub around: &'a Around,
}

/// The owner's part of a span that starts.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "all that a tracker must know")]
pub struct Made<T> {
    /// The data that the owner keeps.
    pub own: T,
    /// The ids that it has.
    pub span_context: SpanContext,
    /// Whether its events are of interest.
    pub is_recording: bool,
}

impl<T> Tracker<T> {
    /// A tracker whose records show what `disclosure` allows.
    #[must_use]
    pub fn new(disclosure: Disclosure) -> Self {
        Self {
            known: PerProcess::default(),
            disclosure,
            keeps_events: true,
            max_bytes: MAX_BYTES,
            late_events: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// Sets what records show.
    pub fn set_disclosure(&mut self, disclosure: Disclosure) {
        self.disclosure = disclosure;
    }

    /// Sets whether records have events. The default is that they do.
    pub fn keep_events(&mut self, keeps_events: bool) {
        self.keeps_events = keeps_events;
    }

    /// Sets how many bytes the open spans may hold, as estimated. The default is 64 MiB.
    pub fn set_max_bytes(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// The disclosure of records.
    pub fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    /// How many events came after the end of their span and of all spans around it, and were lost.
    pub fn late_events(&self) -> u64 {
        self.late_events.load(Ordering::Relaxed)
    }

    /// How many open spans were ended early to make room for others.
    pub fn evicted_spans(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// How many spans have started and not ended.
    pub fn open_spans(&self) -> usize {
        self.known().open.len()
    }

    /// The open span that this is.
    pub fn get(&self, span: &Span) -> Option<Arc<TrackedSpan<T>>> {
        self.known().open.get(span.key())
    }

    /// The open span that this is of.
    pub fn get_around(&self, around: &Around) -> Option<Arc<TrackedSpan<T>>> {
        self.known().open.get(around.span.key())
    }

    /// Where the parent of a span was that has ended. If that is too long ago to be remembered, as
    /// far as ids tell: whether the trace has a remote parent is not known any more.
    pub fn ended_parent(&self, span: &Span, parent_id: &Id) -> SpanContext {
        let id = IdInTrace::of(span.trace(), parent_id);
        if let Some(ended) = self.known().open.ended(id) {
            return ended;
        }
        let trace_id = match span.trace() {
            Some(_) => id.trace_id(),
            None => trace_id_bytes(parent_id),
        };
        SpanContext::new(
            TraceId::from_bytes(trace_id),
            SpanId::from_bytes(span_id_bytes(parent_id)),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        )
    }

    /// Keeps a span that starts. `around` is the agent span that it starts in, `is_root` whether it
    /// has no parent in OpenTelemetry, and `make` makes what the owner keeps.
    ///
    /// Gives also the spans that have to be [finished](TrackedSpan::finish) now: one that starts
    /// twice, and those that are evicted.
    pub fn start(
        &self,
        span: &Span,
        around: Option<&Around>,
        is_root: bool,
        make: impl FnOnce(&Starting<'_>) -> Made<T>,
    ) -> (Arc<TrackedSpan<T>>, Vec<Arc<TrackedSpan<T>>>) {
        let known = self.known();
        let parent = span.parent();
        let of_parent = around.filter(|around| parent.as_ref().is_some_and(|it| around.is_of(it)));
        // Each span remembers it, so that a deep one need not ask all above it.
        let component_above = match of_parent {
            Some(parent) => parent.component.clone(),
            None => component_of_ancestor(span),
        };
        let mut placed = PlacedSpan::new(span.to_record_without_events());
        placed.disclosure = self.disclosure;
        placed.parent_id = span.parent_id().cloned();
        placed.trace = span.trace().map(|trace| {
            let name = Some(trace.name().to_owned());
            TraceInfo::new(trace.id().clone(), name)
        });
        placed.parent_component_id.clone_from(&component_above);
        let start_time = placed.span.start_time.unwrap_or_else(|| span.now());
        let mut exchange = around.and_then(|around| around.exchange.clone());
        if self.disclosure == Disclosure::Clear && Exchange::is_shown_by(&placed.span) {
            exchange = Some(Arc::new(SharedExchange::new(span.downgrade(), exchange)));
        }
        let below = Around {
            span: span.downgrade(),
            trace: span.trace().map(|trace| trace.id().clone()),
            last_time: LastTime::new(start_time),
            exchange,
            component: component_id(span).or(component_above),
        };
        let id = IdInTrace::of(span.trace(), span.id());
        let span_id = match known.open.starts(id) {
            0 => id.span_id(),
            repetition => repeated_span_id_bytes(span.id(), repetition),
        };
        let made = make(&Starting {
            placed: &placed,
            trace_id: (is_root && span.trace().is_some())
                .then(|| TraceId::from_bytes(id.trace_id())),
            span_id: SpanId::from_bytes(span_id),
            around: &below,
        });
        let open = Arc::new(TrackedSpan {
            own: made.own,
            span_context: made.span_context,
            is_recording: made.is_recording,
            id,
            around: below,
            last_time_of_parent: around.map(|around| around.last_time.clone()),
            placed: Mutex::new(Some(Arc::new(placed))),
            bytes: AtomicU64::new(0),
            all_bytes: known.open.bytes(),
        });
        open.has_seen(start_time);
        open.count_start();
        let before = known.open.insert(&open);
        let mut others = self.evict();
        others.extend(before);
        (open, others)
    }

    /// Takes an event. `show` gets the record, and the span that asked if the event is the answer
    /// to a request of another span. Events of a span that is not recorded are ignored. False if
    /// the span has ended.
    pub fn add_event(
        &self,
        open: &TrackedSpan<T>,
        event: &Event,
        show: impl FnOnce(&agentspec::Span, Option<SpanContext>),
    ) -> bool {
        if !open.is_recording {
            return true;
        }
        open.add(event, self.keeps_events, |record| {
            if let Some(exchange) = &open.around.exchange {
                exchange.hear(event, &open.around.span);
            }
            show(record, self.known().requests.of(event, &open.span_context));
        })
    }

    /// Takes an event of a span that has ended. OpenTelemetry has no place for it, so the nearest
    /// span around it that is open shows it. Without one it is lost, and counted.
    pub fn add_late_event(
        &self,
        event: &Event,
        span: &Span,
        show: impl FnOnce(&TrackedSpan<T>, &agentspec::Span),
    ) {
        let mut around = std::iter::successors(span.parent(), Span::parent);
        let open = around.find_map(|around| self.get(&around));
        let is_taken = open.is_some_and(|open| {
            !open.is_recording || open.add(event, self.keeps_events, |record| show(&open, record))
        });
        if !is_taken {
            self.late_events.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a span out that ends, to be [finished](TrackedSpan::finish).
    pub fn end(&self, span: &Span) -> Option<Arc<TrackedSpan<T>>> {
        self.known().open.remove(span.key())
    }

    /// Takes all open spans out, children before their parents, to be finished.
    pub fn end_all(&self) -> Vec<Arc<TrackedSpan<T>>> {
        self.known
            .known()
            .map_or_else(Vec::new, |known| known.open.take_all())
    }

    /// Takes those out that started first if the open spans hold too much, to be finished.
    pub fn evict(&self) -> Vec<Arc<TrackedSpan<T>>> {
        let known = self.known();
        let keys = known.open.oldest_beyond(self.max_bytes);
        if keys.is_empty() {
            return Vec::new();
        }
        let taken = keys.into_iter().filter_map(|key| known.open.remove(key));
        let evicted: Vec<_> = taken.collect();
        self.evicted
            .fetch_add(evicted.len() as u64, Ordering::Relaxed);
        evicted
    }

    fn known(&self) -> &Known<T> {
        self.known.get(|_| Known::default())
    }
}

fn component_id(span: &Span) -> Option<Arc<str>> {
    let component = span.details().component()?;
    Some(Arc::from(component.id()))
}

fn component_of_ancestor(span: &Span) -> Option<Arc<str>> {
    std::iter::successors(span.parent(), Span::parent).find_map(|ancestor| component_id(&ancestor))
}

/// Shows what may be shown of spans, and how many there are.
impl<T> fmt::Debug for Tracker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker")
            .field("disclosure", &self.disclosure)
            .field("open_spans", &self.open_spans())
            .field("late_events", &self.late_events())
            .field("evicted_spans", &self.evicted_spans())
            .finish_non_exhaustive()
    }
}
