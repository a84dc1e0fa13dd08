//! The spans that have started and not ended.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentspan_model::agentspec::Id;
use agentspan_model::mapping::{span_id_bytes, trace_id_bytes};
use agentspan_processor::{SpanKey, Trace};

use super::open_span::OpenSpan;

/// An id with that of its trace, because two traces may have spans of one id.
///
/// Both as OpenTelemetry has them: texts that differ have ids that differ there, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct IdInTrace {
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

impl IdInTrace {
    pub(super) fn of(trace: Option<&Trace>, span_id: &Id) -> Self {
        Self {
            trace_id: trace.map_or([0; 16], |trace| trace_id_bytes(trace.id())),
            span_id: span_id_bytes(span_id),
        }
    }

    pub(super) fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    pub(super) fn span_id(&self) -> [u8; 8] {
        self.span_id
    }
}

/// The spans that have started and not ended.
pub(super) struct OpenSpans<T>(Mutex<Inner<T>>);

struct Inner<T> {
    /// With a number that tells which of them started first.
    spans: HashMap<SpanKey, (u64, Arc<OpenSpan<T>>)>,
    ids: HashMap<IdInTrace, Open>,
    started: u64,
    /// What all of them hold together.
    bytes: Arc<AtomicU64>,
}

/// The open spans of one id.
#[derive(Clone, Copy)]
struct Open {
    spans: u32,
    last_repetition: u32,
}

impl<T> Default for OpenSpans<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            spans: HashMap::new(),
            ids: HashMap::new(),
            started: 0,
            bytes: Arc::default(),
        }))
    }
}

impl<T> OpenSpans<T> {
    /// How many spans of this id there were, as far as is known, before one that starts now.
    /// `ended` is the last repetition that was known when the last one ended.
    pub(super) fn starts(&self, id: IdInTrace, ended: Option<u32>) -> u32 {
        match self.lock().ids.entry(id) {
            Entry::Occupied(mut place) => {
                let open = place.get_mut();
                open.spans += 1;
                open.last_repetition += 1;
                open.last_repetition
            }
            Entry::Vacant(place) => {
                let last_repetition = ended.map_or(0, |ended| ended.saturating_add(1));
                place.insert(Open {
                    spans: 1,
                    last_repetition,
                });
                last_repetition
            }
        }
    }

    /// The count of the bytes that all open spans hold.
    pub(super) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lock().bytes)
    }

    /// Keeps a span. Gives the one that was there before, if the same span starts twice.
    pub(super) fn insert(&self, open: &Arc<OpenSpan<T>>) -> Option<Arc<OpenSpan<T>>> {
        let mut inner = self.lock();
        inner.started += 1;
        let numbered = (inner.started, Arc::clone(open));
        let before = inner.spans.insert(open.key(), numbered);
        before.map(|(_, before)| before)
    }

    pub(super) fn get(&self, key: SpanKey) -> Option<Arc<OpenSpan<T>>> {
        let inner = self.lock();
        let (_, open) = inner.spans.get(&key)?;
        Some(Arc::clone(open))
    }

    /// Takes a span out that ends. Says also how many repetitions of its id there were.
    pub(super) fn remove(&self, key: SpanKey) -> Option<(Arc<OpenSpan<T>>, u32)> {
        let mut inner = self.lock();
        let (_, open) = inner.spans.remove(&key)?;
        let repetitions = inner.forget_id(open.id());
        Some((open, repetitions))
    }

    /// Takes all of them out, those that started last first.
    pub(super) fn take_all(&self) -> Vec<Arc<OpenSpan<T>>> {
        let mut inner = self.lock();
        inner.ids.clear();
        let mut all: Vec<_> = inner.spans.drain().map(|(_, numbered)| numbered).collect();
        drop(inner);
        all.sort_unstable_by_key(|(number, _)| Reverse(*number));
        all.into_iter().map(|(_, open)| open).collect()
    }

    /// Finds those that started first, so many that an eighth of `max_bytes` is free without them. None while
    /// less than `max_bytes` are held.
    pub(super) fn oldest_beyond(&self, max_bytes: u64) -> Vec<SpanKey> {
        let inner = self.lock();
        // Relaxed: the count stands for itself.
        let mut held = inner.bytes.load(Ordering::Relaxed);
        // The last one stays, however large it is: it ends some time.
        if held <= max_bytes || inner.spans.len() < 2 {
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
        self.lock().spans.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that runs under the lock leaves the maps half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Inner<T> {
    fn forget_id(&mut self, id: IdInTrace) -> u32 {
        let Some(open) = self.ids.get_mut(&id) else {
            return 0;
        };
        let repetitions = open.last_repetition;
        open.spans = open.spans.saturating_sub(1);
        if open.spans == 0 {
            self.ids.remove(&id);
        }
        repetitions
    }
}
