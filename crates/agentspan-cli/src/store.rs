//! The store: traces of all sources in memory, bounded in bytes.
//!
//! When it is full, it evicts and counts whole traces, the oldest first.

mod tally;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;

use serde_json::Value;

use crate::group::{Group, Groups, bytes_of};
use crate::judging::Judged;
use crate::row::Row;
use crate::span::Span;

pub(crate) use tally::{Sums, Tally};

/// The approximate bytes of a trace beside its spans: its ids, its entries in the maps, and its row
/// with the shape.
const TRACE_BYTES: usize = 2_048;

/// The numbers of traces and spans that the store dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
}

/// Whether a span fits into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Kept,
    TooLarge,
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
    /// The findings, if they were computed since the last change.
    judged: OnceLock<Judged>,
    package: Profile,
}

/// Traces in memory.
#[derive(Debug)]
pub(crate) struct Store {
    limit: usize,
    /// The generation whose exporter decides which spans are refused.
    package: Profile,
    bytes: usize,
    /// The number of the last change.
    next: u64,
    /// By their arrival.
    traces: BTreeMap<u64, Trace>,
    /// The arrival of each trace, by its id.
    arrivals: HashMap<Box<str>, u64>,
    /// The arrival of each trace, by the number of its last change.
    by_change: BTreeMap<u64, u64>,
    lost: Lost,
    groups: Groups,
    /// The sums of all traces that have not changed since `tallied`.
    tally: Tally,
    tallied: u64,
}

impl Store {
    /// An empty store that holds this many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            package: Profile::V2,
            bytes: 0,
            next: 0,
            traces: BTreeMap::new(),
            arrivals: HashMap::new(),
            by_change: BTreeMap::new(),
            lost: Lost::default(),
            groups: Groups::default(),
            tally: Tally::default(),
            tallied: 0,
        }
    }

    /// Judges spans by what the exporter of a generation sends. The default is that of 2.0.0.
    pub(crate) fn with_package(mut self, package: Profile) -> Self {
        self.package = package;
        self
    }

    /// The generation whose exporter decides which spans are refused.
    pub(crate) fn package(&self) -> Profile {
        self.package
    }

    /// Keeps a span. A later span of the same ids takes the place of the earlier one, as when a span that
    /// ran has ended, or a request was sent twice. A span that would not fit if all other traces made room is not
    /// kept, but counted, and costs no other.
    pub(crate) fn insert(&mut self, span: Span) -> Fit {
        let bytes = span.bytes();
        let arrived = self.arrivals.get(span.trace_id.as_str()).copied();
        let growing = arrived.and_then(|arrived| self.traces.get(&arrived));
        let of_trace = if arrived.is_some() { 0 } else { TRACE_BYTES };
        let replaced = growing.and_then(|trace| trace.span(&span.span_id));
        let more = (bytes + of_trace).saturating_sub(replaced.map_or(0, Span::bytes));
        let can_fit = self.can_fit(more, &span, growing);
        if can_fit {
            self.make_room(more, arrived);
        }
        if !can_fit || self.bytes().saturating_add(more) > self.limit {
            self.lost.spans += 1;
            return Fit::TooLarge;
        }
        self.next += 1;
        let number = self.next;
        let arrived = arrived.unwrap_or(number);
        if arrived == number {
            self.arrivals.insert(span.trace_id.as_str().into(), number);
        }
        let package = self.package;
        let new = || Trace::new(number, package);
        let trace = self.traces.entry(arrived).or_insert_with(new);
        trace.leave(&mut self.tally, self.tallied);
        self.by_change.remove(&trace.changed);
        self.by_change.insert(number, arrived);
        trace.changed = number;
        let freed = trace.put(span);
        let added = bytes + of_trace;
        trace.bytes = (trace.bytes + bytes).saturating_sub(freed);
        self.bytes = (self.bytes + added).saturating_sub(freed);
        Fit::Kept
    }

    /// Whether a span that takes so many more bytes fits beside what its trace has, and what these share.
    fn can_fit(&self, more: usize, span: &Span, growing: Option<&Trace>) -> bool {
        let bytes = growing.map_or(0, |trace| trace.bytes).saturating_add(more);
        let fits = |shared: usize| bytes.saturating_add(shared) <= self.limit;
        let spans = growing.into_iter().flat_map(|trace| &trace.spans);
        let groups = || spans.chain([span]).map(|span| &*span.group);
        // Most often all groups fit, so that nobody need ask which of them the trace has.
        fits(self.groups.bytes()) || fits(bytes_of(groups()))
    }

    /// Drops the oldest traces, but for the one that grows.
    fn make_room(&mut self, bytes: usize, growing: Option<u64>) {
        while self.bytes().saturating_add(bytes) > self.limit {
            let mut oldest = self.traces.keys();
            let Some(oldest) = oldest.find(|number| Some(**number) != growing).copied() else {
                return;
            };
            let Some(trace) = self.traces.remove(&oldest) else {
                return;
            };
            trace.leave(&mut self.tally, self.tallied);
            self.arrivals.remove(trace.id());
            self.by_change.remove(&trace.changed);
            self.bytes = self.bytes.saturating_sub(trace.bytes);
            self.lost.traces += 1;
            self.lost.spans += trace.spans.len() as u64;
        }
    }

    /// The sums and names of all traces. Only those that changed since the last time are read.
    pub(crate) fn tally(&mut self) -> &Tally {
        let changed = self.by_change.range(self.tallied.saturating_add(1)..);
        for trace in changed.filter_map(|(_, arrived)| self.traces.get(arrived)) {
            self.tally.add(trace.row());
        }
        self.tallied = self.next;
        &self.tally
    }

    /// How many bytes its spans take, and what they share, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.groups.bytes())
    }

    /// The group of the spans with this resource and this scope.
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
    pub(crate) fn changed_after(
        &self,
        number: u64,
        limit: usize,
    ) -> impl Iterator<Item = (u64, &Trace)> {
        let changed = self.by_change.range(number.saturating_add(1)..).take(limit);
        changed.filter_map(|(number, arrived)| Some((*number, self.traces.get(arrived)?)))
    }

    /// All traces that arrived before this number, with theirs, those that came last first.
    pub(crate) fn newest_before(&self, number: u64) -> impl Iterator<Item = (u64, &Trace)> {
        let traces = self.traces.range(..number).rev();
        traces.map(|(number, trace)| (*number, trace))
    }

    /// The traces and spans that did not fit.
    pub(crate) fn lost(&self) -> Lost {
        self.lost
    }

    /// One trace.
    pub(crate) fn trace(&self, id: &str) -> Option<&Trace> {
        self.traces.get(self.arrivals.get(id)?)
    }

    /// The traces, those that came first first.
    pub(crate) fn traces(&self) -> impl DoubleEndedIterator<Item = &Trace> {
        self.traces.values()
    }
}

impl Trace {
    fn new(arrived: u64, package: Profile) -> Self {
        Self {
            changed: arrived,
            bytes: TRACE_BYTES,
            spans: Vec::new(),
            places: HashMap::new(),
            row: OnceLock::new(),
            judged: OnceLock::new(),
            package,
        }
    }

    /// Its id, which all of its spans have.
    pub(crate) fn id(&self) -> &str {
        self.spans.first().map_or("", |span| &span.trace_id)
    }

    /// The number of its last change.
    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// Leaves the sums of the traces that have not changed since this number, if it is one of these.
    fn leave(&self, tally: &mut Tally, tallied: u64) {
        if self.changed <= tallied {
            tally.subtract(self.row());
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

    /// The findings in it. The rules are applied only once after each change.
    pub(crate) fn judged(&self) -> &Judged {
        let is_refused = |span: &Span| span.facts.is_refused;
        let judge = || Judged::of(&self.spans, self.package, is_refused);
        self.judged.get_or_init(judge)
    }

    /// The generation whose exporter decides which of its spans are refused.
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
        if self.spans.len() == self.spans.capacity() {
            // A vector that doubles would leave half of its room empty.
            self.spans.reserve_exact(self.spans.len() / 8 + 1);
        }
        self.spans.push(span);
        0
    }
}

#[cfg(test)]
mod tests;
