//! The store: traces of all sources in memory, bounded in bytes.
//!
//! When it is full, the traces that arrived first go first, whole, and are counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;

use serde_json::Value;

use crate::answers::Judged;
use crate::group::{Group, Groups};
use crate::row::Row;
use crate::span::Span;

/// What a trace takes beside its spans, about: its ids and its places in the maps, and its row with the shape.
const TRACE_BYTES: usize = 2_048;

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
    row: OnceLock<Box<Row>>,
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
    traces: HashMap<Arc<str>, Trace>,
    by_arrival: BTreeMap<u64, Arc<str>>,
    /// By the number of each one's last change.
    by_change: BTreeMap<u64, Arc<str>>,
    lost: Lost,
    groups: Groups,
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
            groups: Groups::default(),
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
        let of_trace = match self.traces.contains_key(span.trace_id.as_str()) {
            true => 0,
            false => TRACE_BYTES,
        };
        self.make_room(bytes + of_trace, &span.trace_id);
        if self.bytes().saturating_add(bytes + of_trace) > self.limit {
            self.lost.spans += 1;
            return;
        }
        self.next += 1;
        let number = self.next;
        let id = self.shared_id(&span.trace_id, number);
        let Some(trace) = self.traces.get_mut(&id) else {
            return;
        };
        self.by_change.remove(&trace.changed);
        self.by_change.insert(number, id);
        trace.changed = number;
        let freed = trace.put(span);
        trace.bytes = (trace.bytes + bytes).saturating_sub(freed);
        self.bytes = (self.bytes + bytes).saturating_sub(freed);
    }

    /// The id of a trace, which is made if it is new.
    fn shared_id(&mut self, id: &str, number: u64) -> Arc<str> {
        if let Some((id, _)) = self.traces.get_key_value(id) {
            return Arc::clone(id);
        }
        let id: Arc<str> = id.into();
        self.by_arrival.insert(number, Arc::clone(&id));
        let trace = Trace::new(self.package);
        self.bytes += trace.bytes;
        self.traces.insert(Arc::clone(&id), trace);
        id
    }

    /// Drops the oldest traces, but for the one that grows.
    fn make_room(&mut self, bytes: usize, growing: &str) {
        while self.bytes().saturating_add(bytes) > self.limit {
            let mut oldest = self.by_arrival.iter();
            let Some(number) = oldest
                .find(|(_, id)| id.as_ref() != growing)
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

    /// How many bytes its spans take, and what they share, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.groups.bytes())
    }

    /// What spans with this resource and this scope share.
    pub(crate) fn group(&mut self, resource: &Value, scope: &Value) -> Arc<Group> {
        self.groups.of(resource, scope)
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
    pub(crate) fn changed_after(&self, number: u64, limit: usize) -> Vec<(u64, Arc<str>)> {
        let changed = self.by_change.range(number.saturating_add(1)..);
        changed
            .take(limit)
            .map(|(number, id)| (*number, Arc::clone(id)))
            .collect()
    }

    /// All traces with their numbers, those that came last first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (u64, &Trace)> {
        let ids = self.by_arrival.iter().rev();
        ids.filter_map(|(number, id)| Some((*number, self.traces.get(id.as_ref())?)))
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
}

impl Trace {
    fn new(package: Profile) -> Self {
        Self {
            changed: 0,
            bytes: TRACE_BYTES,
            spans: Vec::new(),
            places: HashMap::new(),
            row: OnceLock::new(),
            judged: OnceLock::new(),
            package,
        }
    }

    /// Its spans, those that came first first.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Its line in the list, made once after each change.
    pub(crate) fn row(&self) -> &Row {
        self.row.get_or_init(|| Box::new(Row::of(&self.spans)))
    }

    /// What is wrong with it. The rules are applied once after each change, not for each question.
    pub(crate) fn judged(&self) -> &Judged {
        self.judged.get_or_init(|| Judged::of(self, self.package))
    }

    /// Whose exporter decides which of its spans are refused.
    pub(crate) fn package(&self) -> Profile {
        self.package
    }

    /// The span with this id.
    pub(crate) fn span(&self, id: &str) -> Option<&Span> {
        self.spans.get(*self.places.get(id)?)
    }

    /// Puts a span in its place, and says how many bytes that freed.
    fn put(&mut self, span: Span) -> usize {
        self.row = OnceLock::new();
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
