//! The spans that have started and not ended, and where those were that ended last.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::Id;
use agentspan_model::mapping::{span_id_bytes, trace_id_bytes};
use agentspan_processor::Trace;
use agentspan_processor::span::SpanKey;
use agentspan_queue::lock;
use hashbrown::DefaultHashBuilder;
use opentelemetry::trace::SpanContext;

use super::open_span::TrackedSpan;

/// How many ended spans are remembered, for children that start after the end of their parent. When
/// there are more, the oldest ones are forgotten.
const REMEMBERED: usize = 1024;

/// An id with that of its trace, because two traces may have spans of one id.
///
/// Both as OpenTelemetry has them: texts that differ have ids that differ there, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct IdInTrace {
    /// As numbers, which are hashed at once and not byte by byte.
    trace_id: u128,
    span_id: u64,
}

impl IdInTrace {
    pub(super) fn of(trace: Option<&Trace>, span_id: &Id) -> Self {
        let trace_id = trace.map_or([0; 16], |trace| trace_id_bytes(trace.id()));
        Self {
            trace_id: u128::from_be_bytes(trace_id),
            span_id: u64::from_be_bytes(span_id_bytes(span_id)),
        }
    }

    pub(super) fn trace_id(&self) -> [u8; 16] {
        self.trace_id.to_be_bytes()
    }

    pub(super) fn span_id(&self) -> [u8; 8] {
        self.span_id.to_be_bytes()
    }
}

/// The spans that have started and not ended, and where those were that ended last.
pub(super) struct OpenSpans<T> {
    inner: Mutex<Inner<T>>,
    /// The bytes that all open spans hold. Beside the lock, since every event adds to it.
    bytes: Arc<AtomicU64>,
}

struct Inner<T> {
    /// With a number that tells which of them started first.
    spans: HashMap<SpanKey, (u64, Arc<TrackedSpan<T>>), DefaultHashBuilder>,
    ids: HashMap<IdInTrace, Place, DefaultHashBuilder>,
    /// The ids of the spans that ended last, in that order, each with the number of its end.
    ended: VecDeque<(u64, IdInTrace)>,
    started: u64,
    ends: u64,
}

/// The spans of one id: the entry exists while one is open, and as long as the end of one is
/// remembered.
#[derive(Debug, Default)]
struct Place {
    open: u32,
    /// None before the first one has started.
    last_repetition: Option<u32>,
    /// The number of the last end, and where that span was.
    ended: Option<(u64, SpanContext)>,
}

impl<T> Default for OpenSpans<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                spans: HashMap::default(),
                ids: HashMap::default(),
                ended: VecDeque::new(),
                started: 0,
                ends: 0,
            }),
            bytes: Arc::default(),
        }
    }
}

impl<T> OpenSpans<T> {
    /// How many spans of this id there were, as far as is known, before one that starts now.
    pub(super) fn starts(&self, id: IdInTrace) -> u32 {
        let mut inner = lock(&self.inner);
        let place = inner.ids.entry(id).or_default();
        place.open += 1;
        let repetition = place
            .last_repetition
            .map_or(0, |last| last.saturating_add(1));
        place.last_repetition = Some(repetition);
        repetition
    }

    /// The count of the bytes that all open spans hold.
    pub(super) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Keeps a span. Gives the one that was there before, if the same span starts twice.
    pub(super) fn insert(&self, open: &Arc<TrackedSpan<T>>) -> Option<Arc<TrackedSpan<T>>> {
        let mut inner = lock(&self.inner);
        inner.started += 1;
        let numbered = (inner.started, Arc::clone(open));
        let (_, before) = inner.spans.insert(open.key(), numbered)?;
        inner.end(before.id(), before.span_context());
        Some(before)
    }

    pub(super) fn get(&self, key: SpanKey) -> Option<Arc<TrackedSpan<T>>> {
        let inner = lock(&self.inner);
        let (_, open) = inner.spans.get(&key)?;
        Some(Arc::clone(open))
    }

    /// Takes a span out that ends, and remembers where it was.
    pub(super) fn remove(&self, key: SpanKey) -> Option<Arc<TrackedSpan<T>>> {
        let mut inner = lock(&self.inner);
        let (_, open) = inner.spans.remove(&key)?;
        inner.end(open.id(), open.span_context());
        Some(open)
    }

    /// Where the last span of this id was that has ended, if that is remembered.
    pub(super) fn ended(&self, id: IdInTrace) -> Option<SpanContext> {
        let inner = lock(&self.inner);
        let (_, span_context) = inner.ids.get(&id)?.ended.as_ref()?;
        Some(span_context.clone())
    }

    /// Takes all of them out, those that started last first.
    pub(super) fn take_all(&self) -> Vec<Arc<TrackedSpan<T>>> {
        let mut inner = lock(&self.inner);
        inner.ids.retain(|_, place| {
            place.open = 0;
            place.ended.is_some()
        });
        let mut all: Vec<_> = inner.spans.drain().map(|(_, numbered)| numbered).collect();
        drop(inner);
        all.sort_unstable_by_key(|(number, _)| Reverse(*number));
        all.into_iter().map(|(_, open)| open).collect()
    }

    /// Finds those that started first, so many that an eighth of `max_bytes` is free without them.
    /// None while less than `max_bytes` are held.
    pub(super) fn oldest_beyond(&self, max_bytes: u64) -> Vec<SpanKey> {
        // Relaxed: the count stands for itself.
        let mut held = self.bytes.load(Ordering::Relaxed);
        if held <= max_bytes {
            return Vec::new();
        }
        let inner = lock(&self.inner);
        // The last one stays, however large it is: it ends some time.
        if inner.spans.len() < 2 {
            return Vec::new();
        }
        let each = inner.spans.iter();
        let mut each: Vec<_> = each
            .map(|(key, (number, open))| (*number, *key, open.bytes()))
            .collect();
        drop(inner);
        each.sort_unstable_by_key(|(number, ..)| *number);
        each.pop();
        let wanted = max_bytes - max_bytes / 8;
        let beyond = each.into_iter().take_while(|(.., bytes)| {
            let is_beyond = held > wanted;
            held = held.saturating_sub(*bytes);
            is_beyond
        });
        beyond.map(|(_, key, _)| key).collect()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.inner).spans.len()
    }
}

impl<T> Inner<T> {
    /// Notes that a span of this id is no longer open, and forgets the oldest end if there are too
    /// many.
    fn end(&mut self, id: IdInTrace, span_context: &SpanContext) {
        let Some(place) = self.ids.get_mut(&id) else {
            return;
        };
        place.open = place.open.saturating_sub(1);
        self.ends += 1;
        place.ended = Some((self.ends, span_context.clone()));
        self.ended.push_back((self.ends, id));
        if self.ended.len() <= REMEMBERED {
            return;
        }
        if let Some((number, oldest)) = self.ended.pop_front() {
            self.forget(oldest, number);
        }
    }

    /// Forgets the end of this number, if no span of the id has ended since.
    fn forget(&mut self, id: IdInTrace, number: u64) {
        let Some(place) = self.ids.get_mut(&id) else {
            return;
        };
        if place
            .ended
            .as_ref()
            .is_some_and(|(last, _)| *last == number)
        {
            place.ended = None;
        }
        if place.open == 0 && place.ended.is_none() {
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn id(number: usize) -> IdInTrace {
        IdInTrace::of(None, &Id::from(number.to_string()))
    }

    fn span_context(number: u64) -> SpanContext {
        let (trace, span) = (TraceId::from(1), SpanId::from(number));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    fn end(spans: &OpenSpans<()>, number: usize, at: u64) {
        lock(&spans.inner).end(id(number), &span_context(at));
    }

    fn sizes(spans: &OpenSpans<()>) -> (usize, usize) {
        let inner = lock(&spans.inner);
        (inner.ids.len(), inner.ended.len())
    }

    #[test]
    fn the_oldest_ends_are_forgotten_and_the_last_ones_stay() {
        let spans = OpenSpans::default();
        for number in 0..REMEMBERED + 2 {
            assert_eq!(spans.starts(id(number)), 0);
            end(&spans, number, 1);
        }
        assert_eq!(spans.ended(id(1)), None);
        assert_eq!(spans.ended(id(2)), Some(span_context(1)));
        assert_eq!(sizes(&spans), (REMEMBERED, REMEMBERED));
        assert_eq!(
            spans.starts(id(1)),
            0,
            "nobody knows any more that it repeats"
        );
        assert_eq!(spans.starts(id(2)), 1);
    }

    #[test]
    fn an_id_whose_last_span_ended_again_is_as_young_as_that() {
        let spans = OpenSpans::default();
        for number in 0..REMEMBERED {
            spans.starts(id(number));
            end(&spans, number, 1);
        }
        assert_eq!(spans.starts(id(0)), 1);
        end(&spans, 0, 2);
        spans.starts(id(REMEMBERED));
        end(&spans, REMEMBERED, 3);
        assert_eq!(spans.ended(id(0)), Some(span_context(2)));
    }

    #[test]
    fn an_id_of_an_open_span_counts_on_however_long_ago_another_ended() {
        let spans = OpenSpans::default();
        assert_eq!((spans.starts(id(0)), spans.starts(id(0))), (0, 1));
        end(&spans, 0, 1);
        for number in 1..=REMEMBERED {
            spans.starts(id(number));
            end(&spans, number, 2);
        }
        assert_eq!(spans.ended(id(0)), None);
        assert_eq!(spans.starts(id(0)), 2);
        for _ in 0..2 {
            end(&spans, 0, 3);
        }
        let all = spans.take_all();
        assert_eq!(all.len(), 0);
        assert_eq!(spans.starts(id(0)), 3);
    }
}
