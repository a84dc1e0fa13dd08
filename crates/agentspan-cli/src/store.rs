//! The store: traces of all sources in memory, bounded in bytes.
//!
//! When it is full, the traces that arrived first go first, whole, and are counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;

use crate::answers::Judged;
use crate::row::Row;
use crate::span::Span;

/// What the bound of the store cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
}

/// The spans of one trace.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The number of its last change.
    changed: u64,
    bytes: usize,
    spans: Vec<Span>,
    places: HashMap<String, usize>,
    row: Option<Arc<Row>>,
    /// What is wrong with it, since somebody asked after its last change.
    judged: OnceLock<Judged>,
    package: Profile,
}

/// Traces in memory.
#[derive(Debug)]
pub(crate) struct Store {
    limit: usize,
    /// Whose exporter decides what is refused.
    package: Profile,
    bytes: usize,
    /// The number of the last change.
    next: u64,
    traces: HashMap<String, Trace>,
    by_arrival: BTreeMap<u64, String>,
    /// By the number of each one's last change.
    by_change: BTreeMap<u64, String>,
    lost: Lost,
}

impl Store {
    /// An empty store that holds this many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            package: Profile::V2,
            bytes: 0,
            next: 0,
            traces: HashMap::new(),
            by_arrival: BTreeMap::new(),
            by_change: BTreeMap::new(),
            lost: Lost::default(),
        }
    }

    /// Judges spans by what the exporter of a generation sends. The default is that of 2.0.0.
    pub(crate) fn with_package(mut self, package: Profile) -> Self {
        self.package = package;
        self
    }

    /// Whose exporter decides what is refused.
    pub(crate) fn package(&self) -> Profile {
        self.package
    }

    /// Keeps a span. A later span of the same ids takes the place of the earlier one, as when a span that
    /// ran has ended, or a request was sent twice.
    pub(crate) fn insert(&mut self, span: Span) {
        let bytes = span.bytes();
        self.make_room(bytes, &span.trace_id);
        if self.bytes.saturating_add(bytes) > self.limit {
            self.lost.spans += 1;
            return;
        }
        self.next += 1;
        let number = self.next;
        if !self.traces.contains_key(&span.trace_id) {
            self.by_arrival.insert(number, span.trace_id.clone());
        }
        let trace = self
            .traces
            .entry(span.trace_id.clone())
            .or_insert_with(|| Trace {
                changed: 0,
                bytes: 0,
                spans: Vec::new(),
                places: HashMap::new(),
                row: None,
                judged: OnceLock::new(),
                package: self.package,
            });
        self.by_change.remove(&trace.changed);
        self.by_change.insert(number, span.trace_id.clone());
        trace.changed = number;
        let freed = trace.put(span);
        trace.bytes = (trace.bytes + bytes).saturating_sub(freed);
        self.bytes = (self.bytes + bytes).saturating_sub(freed);
    }

    /// Drops the oldest traces, but for the one that grows.
    fn make_room(&mut self, bytes: usize, growing: &str) {
        while self.bytes.saturating_add(bytes) > self.limit {
            let mut oldest = self.by_arrival.iter();
            let Some(number) = oldest
                .find(|(_, id)| *id != growing)
                .map(|(number, _)| *number)
            else {
                return;
            };
            let gone = self.by_arrival.remove(&number);
            if let Some(trace) = gone.and_then(|id| self.traces.remove(&id)) {
                self.by_change.remove(&trace.changed);
                self.bytes = self.bytes.saturating_sub(trace.bytes);
                self.lost.traces += 1;
                self.lost.spans += trace.spans.len() as u64;
            }
        }
    }

    /// How many bytes its spans take, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes its spans may take.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many traces there are.
    pub(crate) fn len(&self) -> usize {
        self.traces.len()
    }

    /// The number of the last change.
    pub(crate) fn last_change(&self) -> u64 {
        self.next
    }

    /// The traces that changed after this number, at most so many, and the number of each one's last change.
    pub(crate) fn changed_after(&self, number: u64, limit: usize) -> Vec<(u64, String)> {
        let changed = self.by_change.range(number.saturating_add(1)..);
        changed
            .take(limit)
            .map(|(number, id)| (*number, id.clone()))
            .collect()
    }

    /// The ids of all traces with their numbers, those that came last first.
    pub(crate) fn ids_newest_first(&self) -> Vec<(u64, String)> {
        let ids = self.by_arrival.iter().rev();
        ids.map(|(number, id)| (*number, id.clone())).collect()
    }

    /// What did not fit.
    pub(crate) fn lost(&self) -> Lost {
        self.lost
    }

    /// One trace.
    pub(crate) fn trace(&self, id: &str) -> Option<&Trace> {
        self.traces.get(id)
    }

    /// The traces, those that came first first.
    pub(crate) fn traces(&self) -> impl DoubleEndedIterator<Item = &Trace> {
        self.by_arrival
            .values()
            .filter_map(|id| self.traces.get(id))
    }

    /// The line of a trace in the list.
    pub(crate) fn row(&mut self, id: &str) -> Option<Arc<Row>> {
        let trace = self.traces.get_mut(id)?;
        let row = trace
            .row
            .take()
            .unwrap_or_else(|| Arc::new(Row::of(&trace.spans)));
        trace.row = Some(Arc::clone(&row));
        Some(row)
    }
}

impl Trace {
    /// Its spans, those that came first first.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What is wrong with it. The rules are applied once after each change, not for each question.
    pub(crate) fn judged(&self) -> &Judged {
        self.judged.get_or_init(|| Judged::of(self, self.package))
    }

    /// The span with this id.
    pub(crate) fn span(&self, id: &str) -> Option<&Span> {
        self.spans.get(*self.places.get(id)?)
    }

    /// Puts a span in its place, and says how many bytes that freed.
    fn put(&mut self, span: Span) -> usize {
        self.row = None;
        self.judged = OnceLock::new();
        let place = self.places.get(&span.span_id);
        if let Some(earlier) = place.and_then(|place| self.spans.get_mut(*place)) {
            let freed = earlier.bytes();
            // A sender that is late must not make a span run again.
            if span.end.is_some() || earlier.end.is_none() {
                *earlier = span;
                return freed;
            }
            return span.bytes();
        }
        self.places.insert(span.span_id.clone(), self.spans.len());
        self.spans.push(span);
        0
    }
}

#[cfg(test)]
mod tests;
