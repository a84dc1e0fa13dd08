//! The spans that have started and not ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentspan_model::agentspec::{self, Id};
use agentspan_processor::Trace;
use opentelemetry::Context;

use crate::scope::span::SharedSpan;

/// Which span it is: its id, and that of its trace, because two traces may have spans of one id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    trace_id: Option<Id>,
    span_id: Id,
}

impl Key {
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
}

/// The spans that have started and not ended.
#[derive(Default)]
pub(super) struct LiveSpans(Mutex<HashMap<Key, Arc<Live>>>);

impl LiveSpans {
    pub(super) fn insert(&self, key: Key, live: Live) -> Arc<Live> {
        let live = Arc::new(live);
        let before = self.lock().insert(key, Arc::clone(&live));
        // A span of the same id that never ended: it ends now, and not under the lock.
        drop(before);
        live
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Live>> {
        self.lock().get(key).cloned()
    }

    pub(super) fn remove(&self, key: &Key) -> Option<Arc<Live>> {
        self.lock().remove(key)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Live>>> {
        // Nothing that runs under the lock leaves the map half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
