//! A span that has started and not ended.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{self, Event, Id, Timestamp};
use agentspan_model::mapping::PlacedSpan;
use agentspan_processor::span::{SpanKey, WeakSpan};
use agentspan_processor::{Span, Trace};
use agentspan_queue::lock;
use opentelemetry::trace::SpanContext;

use super::open_spans::IdInTrace;
use super::shared_exchange::SharedExchange;

/// The bytes of an open span beside its contents: the span of the SDK, contexts, places in maps.
const OVERHEAD_BYTES: u64 = 4096;

/// A span of Agent Spec that has started and not ended, with what its tracker's owner keeps of it.
pub struct TrackedSpan<T> {
    /// The data that the owner keeps.
    pub own: T,
    pub(super) span_context: SpanContext,
    /// Whether anybody wants to know. The span is there also if not, for those who decide after it.
    pub(super) is_recording: bool,
    pub(super) id: IdInTrace,
    pub(super) around: Around,
    /// The last time of the nearest agent span around it.
    pub(super) last_time_of_parent: Option<LastTime>,
    /// The record so far; none once it has ended.
    pub(super) placed: Mutex<Option<Arc<PlacedSpan>>>,
    pub(super) bytes: AtomicU64,
    pub(super) all_bytes: Arc<AtomicU64>,
}

/// The facts of an Agent Spec span that spans below it need.
#[derive(Clone)]
pub struct Around {
    /// Keeps the key good.
    pub(super) span: WeakSpan,
    /// The trace that it is in. Several of them can be below one span of OpenTelemetry.
    pub(super) trace: Option<Id>,
    pub(super) last_time: LastTime,
    pub(super) exchange: Option<Arc<SharedExchange>>,
    /// The id of the nearest component, of the span or of one around it.
    pub(super) component: Option<Arc<str>>,
}

/// The last time that is known of a span.
#[derive(Clone, Debug)]
pub(super) struct LastTime(Arc<AtomicI64>);

impl<T> TrackedSpan<T> {
    /// Its ids in OpenTelemetry.
    pub fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    /// The facts that spans below it need.
    pub fn around(&self) -> &Around {
        &self.around
    }

    /// Ends the record, at `end` or at the last time that is known of the span, and gives it with
    /// its end. None if it has ended before.
    pub fn finish(&self, end: Option<Timestamp>) -> Option<(Arc<PlacedSpan>, Timestamp)> {
        let mut place = lock(&self.placed);
        let mut finished = place.take()?;
        // Under the lock that guards each addition.
        let held = self.bytes.load(Ordering::Relaxed);
        self.all_bytes.fetch_sub(held, Ordering::Relaxed);
        drop(place);
        let end = end.unwrap_or_else(|| self.around.last_time.get());
        self.has_seen(end);
        // Nobody else has it yet, so that nothing is copied.
        let placed = Arc::make_mut(&mut finished);
        placed.span.end_time = Some(end);
        let exchange = self.around.exchange.as_ref();
        if let Some(exchange) = exchange.filter(|one| one.is_of(&self.around.span)) {
            exchange.end(placed);
        }
        Some((finished, end))
    }

    pub(super) fn key(&self) -> SpanKey {
        self.around.span.key()
    }

    pub(super) fn id(&self) -> IdInTrace {
        self.id
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that something happened in the span, which was going on then, as was the one around
    /// it.
    pub(super) fn has_seen(&self, time: Timestamp) {
        self.around.last_time.note(time);
        if let Some(parent) = &self.last_time_of_parent {
            parent.note(time);
        }
    }

    /// Counts what an open span holds.
    pub(super) fn count_start(&self) {
        if let Some(placed) = lock(&self.placed).as_ref() {
            self.hold(OVERHEAD_BYTES + placed.span.held_bytes() as u64);
        }
    }

    /// Takes an event into the record, and shows the record. False if it has ended.
    pub(super) fn add(
        &self,
        event: &Event,
        is_kept: bool,
        show: impl FnOnce(&agentspec::Span),
    ) -> bool {
        let mut place = lock(&self.placed);
        let Some(placed) = place.as_mut() else {
            return false;
        };
        self.has_seen(event.timestamp);
        self.hold((size_of::<Event>() + event.held_bytes()) as u64);
        show(&placed.span);
        if is_kept {
            let placed = Arc::make_mut(placed);
            placed.span.events.push(Arc::new(event.clone()));
        }
        true
    }

    /// Relaxed: the counts stand for themselves.
    fn hold(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.all_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Around {
    /// Whether it is this span.
    #[must_use]
    pub fn is_of(&self, span: &Span) -> bool {
        self.span.key() == span.key()
    }

    /// Whether both are of one span.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.span.key() == other.span.key()
    }

    /// Whether it is in this trace.
    #[must_use]
    pub fn is_in(&self, trace: Option<&Trace>) -> bool {
        self.trace.as_ref() == trace.map(Trace::id)
    }

    /// Whether both are in one trace of Agent Spec.
    #[must_use]
    pub fn is_in_trace_of(&self, other: &Self) -> bool {
        self.trace == other.trace
    }
}

impl LastTime {
    pub(super) fn new(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_unix_nanos())))
    }

    /// Relaxed: the time stands for itself, and nothing else is published with it.
    fn note(&self, time: Timestamp) {
        self.0.fetch_max(time.as_unix_nanos(), Ordering::Relaxed);
    }

    fn get(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Shows the ids and nothing that was recorded.
impl<T> fmt::Debug for TrackedSpan<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedSpan")
            .field("span_context", &self.span_context)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Around").field(&self.span).finish()
    }
}
