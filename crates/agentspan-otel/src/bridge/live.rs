//! The spans that have started and not ended.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use agentspan_model::agentspec::{self, Id, Timestamp};
use agentspan_model::keys;
use agentspan_processor::{Span, SpanKey, Trace, WeakSpan};
use opentelemetry::{Context, KeyValue};

use super::shared_exchange::SharedExchange;
use crate::scope::span::SharedSpan;

/// An id with that of its trace, because two traces may have spans of one id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct IdInTrace {
    trace_id: Option<Id>,
    span_id: Id,
}

impl IdInTrace {
    pub(super) fn of(trace: Option<&Trace>, span_id: &Id) -> Self {
        Self {
            trace_id: trace.map(|trace| trace.id().clone()),
            span_id: span_id.clone(),
        }
    }
}

/// A span that has started and not ended.
pub(super) struct Live {
    pub(super) shared: Arc<SharedSpan>,
    /// The context in which the span is current.
    pub(super) context: Context,
    /// The span as it started, without events.
    pub(super) record: agentspec::Span,
    /// Whether anybody wants to know. The span is there also if not, for those who decide after it.
    pub(super) is_recording: bool,
    pub(super) last_time: LastTime,
    /// That of the nearest agent span around it.
    pub(super) last_time_of_parent: Option<LastTime>,
    /// What goes in and out, where contents may be shown.
    pub(super) exchange: Option<Arc<SharedExchange>>,
    /// Keeps the key good.
    pub(super) span: WeakSpan,
}

impl Live {
    /// Notes that something happened in the span, which was going on then, as was the one around it.
    pub(super) fn has_seen(&self, time: Timestamp) {
        self.last_time.note(time);
        if let Some(parent) = &self.last_time_of_parent {
            parent.note(time);
        }
    }

    pub(super) fn end(&self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.has_seen(time);
        }
        if let Some(exchange) = self.exchange.as_ref().filter(|one| one.is_of(&self.span)) {
            exchange.end(&self.shared);
        }
        self.shared.end(time.map(SystemTime::from));
    }

    /// Ends the span in place of somebody who never did.
    pub(super) fn end_unfinished(&self, time: Timestamp) {
        let unfinished = KeyValue::new(keys::AGENTSPEC_UNFINISHED, true);
        self.shared.set_attribute(unfinished);
        self.end(Some(time));
    }
}

/// The last time that is known of a span.
#[derive(Clone, Debug)]
pub(super) struct LastTime(Arc<AtomicI64>);

impl LastTime {
    pub(super) fn new(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_unix_nanos())))
    }

    /// Relaxed: the time stands for itself, and nothing else is published with it.
    fn note(&self, time: Timestamp) {
        self.0.fetch_max(time.as_unix_nanos(), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The spans that have started and not ended.
#[derive(Default)]
pub(super) struct LiveSpans(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// With a number that tells which of them started first.
    spans: HashMap<SpanKey, (u64, Arc<Live>)>,
    ids: HashMap<IdInTrace, Open>,
    started: u64,
}

/// The open spans of one id.
#[derive(Clone, Copy)]
struct Open {
    spans: u32,
    last_repetition: u32,
}

impl LiveSpans {
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

    pub(super) fn insert(&self, live: Live) -> Arc<Live> {
        let live = Arc::new(live);
        let mut inner = self.lock();
        inner.started += 1;
        let numbered = (inner.started, Arc::clone(&live));
        let before = inner.spans.insert(live.span.key(), numbered);
        drop(inner);
        // A span that starts twice. It ends, and not under the lock.
        drop(before);
        live
    }

    pub(super) fn get(&self, span: &Span) -> Option<Arc<Live>> {
        let inner = self.lock();
        let (_, live) = inner.spans.get(&span.key())?;
        Some(Arc::clone(live))
    }

    /// Takes a span out that ends. Says also how many repetitions of its id there were.
    pub(super) fn remove(&self, span: &Span, id: &IdInTrace) -> Option<(Arc<Live>, u32)> {
        let mut inner = self.lock();
        let (_, live) = inner.spans.remove(&span.key())?;
        let mut repetitions = 0;
        if let Some(open) = inner.ids.get_mut(id) {
            repetitions = open.last_repetition;
            open.spans -= 1;
            if open.spans == 0 {
                inner.ids.remove(id);
            }
        }
        Some((live, repetitions))
    }

    /// Ends all of them as unfinished, those that started last first. Says how many there were.
    pub(super) fn end_all(&self) -> usize {
        let mut inner = self.lock();
        inner.ids.clear();
        let mut all: Vec<_> = inner.spans.drain().map(|(_, numbered)| numbered).collect();
        drop(inner);
        all.sort_unstable_by_key(|(number, _)| Reverse(*number));
        for (_, live) in &all {
            live.end_unfinished(live.last_time.get());
        }
        all.len()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().spans.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under the lock leaves the maps half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveSpans {
    fn drop(&mut self) {
        self.end_all();
    }
}
