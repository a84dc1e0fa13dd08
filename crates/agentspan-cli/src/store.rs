//! The store: traces of all sources in memory, bounded in bytes.
//!
//! When it is full, it evicts and counts whole traces, the oldest first. A store that packs compresses the spans
//! of traces to which nothing was added for a while, and the older spans of those that grow. It answers as one that
//! does not pack.

mod dictionary;
mod head;
mod pack;
mod record;
mod settling;
mod tally;
mod trace;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentspan_model::agent365::Profile;
use serde_json::Value;

use crate::group::{Group, Groups, bytes_of};
use crate::span::Span;

use pack::Packer;
use trace::{Common, Size};

pub(crate) use tally::{Sums, Tally};
pub(crate) use trace::Trace;

/// How many spans of all traces stay as they came, and what part of the memory they may take.
const LOOSE_SPANS: usize = 256;
const LOOSE_PART: usize = 8;

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

/// Traces in memory.
#[derive(Debug)]
pub(crate) struct Store {
    limit: usize,
    common: Arc<Common>,
    size: Size,
    /// The number of the last change.
    next: u64,
    /// By their arrival.
    traces: BTreeMap<u64, Box<Trace>>,
    /// The arrival of each trace, by its id.
    arrivals: HashMap<Arc<str>, u64>,
    /// The arrival of each trace, by the number of its last change.
    by_change: BTreeMap<u64, u64>,
    lost: Lost,
    groups: Groups,
    /// The sums of all traces that have not changed since `tallied`.
    tally: Tally,
    tallied: u64,
    /// `None` if it does not pack.
    packer: Option<Packer>,
    /// How many bytes the dictionaries of packs take.
    dictionaries: Arc<AtomicUsize>,
    /// All spans of traces that have not changed since this number are packed.
    settled: u64,
}

impl Store {
    /// An empty store that holds this many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            common: Arc::new(Common::new(Profile::V2)),
            size: Size::default(),
            next: 0,
            traces: BTreeMap::new(),
            arrivals: HashMap::new(),
            by_change: BTreeMap::new(),
            lost: Lost::default(),
            groups: Groups::default(),
            tally: Tally::default(),
            tallied: 0,
            packer: None,
            dictionaries: Arc::default(),
            settled: 0,
        }
    }

    /// Judges spans by what the exporter of a generation sends. The default is that of 2.0.0.
    pub(crate) fn with_package(mut self, package: Profile) -> Self {
        self.common = Arc::new(Common::new(package));
        self
    }

    /// Compresses spans of traces to which nothing was added for a while. It costs time, so that it is for those that
    /// receive without an end.
    pub(crate) fn with_packing(self) -> Self {
        self.with_packing_beyond(LOOSE_SPANS)
    }

    fn with_packing_beyond(mut self, loose_spans: usize) -> Self {
        self.packer = Some(Packer::new(loose_spans, &self.dictionaries));
        self
    }

    /// The generation whose exporter decides which spans are refused.
    pub(crate) fn package(&self) -> Profile {
        self.common.package
    }

    /// Keeps a span. A later span of the same ids takes the place of the earlier one, as when a span that
    /// ran has ended, or a request was sent twice. A span that would not fit if all other traces made room is not
    /// kept, but counted, and costs no other.
    pub(crate) fn insert(&mut self, span: Span) -> Fit {
        let arrived = self.arrivals.get(span.trace_id.as_str()).copied();
        let growing = arrived.and_then(|arrived| self.traces.get(&arrived));
        let earlier = growing.and_then(|trace| trace.find(&span.span_id));
        let (alone, more) = match growing {
            Some(trace) => trace.growth(&span, earlier.as_ref()),
            None => {
                let bytes = Trace::size_of_first(&span);
                (bytes, bytes)
            }
        };
        let can_fit = self.can_fit(alone, &span, growing.map(Box::as_ref));
        if can_fit {
            self.make_room(more, &[arrived]);
        }
        if !can_fit || self.bytes().saturating_add(more) > self.limit {
            self.lost.spans += 1;
            return Fit::TooLarge;
        }
        self.next += 1;
        let number = self.next;
        let arrived = arrived.unwrap_or(number);
        let mut before = Size::default();
        let trace = self.traces.entry(arrived);
        let trace = trace.and_modify(|trace| before = trace.size());
        let trace = trace.or_insert_with(|| {
            let id: Arc<str> = span.trace_id.as_str().into();
            self.arrivals.insert(Arc::clone(&id), number);
            Box::new(Trace::new(number, id, &self.common))
        });
        trace.leave(&mut self.tally, self.tallied);
        self.by_change.remove(&trace.changed());
        self.by_change.insert(number, arrived);
        trace.put(number, span, earlier);
        self.size.change(before, trace.size());
        self.settle(arrived);
        Fit::Kept
    }

    /// Whether a trace that takes so many bytes fits, with what its spans and this one share. That none of its spans
    /// is packed is taken for granted, since a trace is unpacked to be read.
    fn can_fit(&self, alone: usize, span: &Span, growing: Option<&Trace>) -> bool {
        let alone = alone.saturating_add(self.dictionaries.load(Ordering::SeqCst));
        let fits = |shared: usize| alone.saturating_add(shared) <= self.limit;
        let of_trace = growing.into_iter().flat_map(Trace::groups);
        let groups = || of_trace.chain([&*span.group]);
        // Most often all groups fit, so that nobody need ask which of them the trace has.
        fits(self.groups.bytes()) || fits(bytes_of(groups()))
    }

    /// Drops the oldest traces, but for those that arrived under these numbers.
    fn make_room(&mut self, bytes: usize, kept: &[Option<u64>]) {
        while self.bytes().saturating_add(bytes) > self.limit {
            let mut oldest = self.traces.keys();
            let oldest = oldest.find(|number| !kept.contains(&Some(**number)));
            let Some(oldest) = oldest.copied() else {
                return;
            };
            let Some(trace) = self.traces.remove(&oldest) else {
                return;
            };
            trace.leave(&mut self.tally, self.tallied);
            self.arrivals.remove(trace.id());
            self.by_change.remove(&trace.changed());
            self.size.change(trace.size(), Size::default());
            self.lost.traces += 1;
            self.lost.spans += trace.len() as u64;
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
        self.size.bytes.saturating_add(self.shared_bytes())
    }

    /// How many bytes traces share.
    fn shared_bytes(&self) -> usize {
        let dictionaries = self.dictionaries.load(Ordering::SeqCst);
        self.groups.bytes().saturating_add(dictionaries)
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
        changed.filter_map(|(number, arrived)| Some((*number, &**self.traces.get(arrived)?)))
    }

    /// All traces that arrived before this number, with theirs, those that came last first.
    pub(crate) fn newest_before(&self, number: u64) -> impl Iterator<Item = (u64, &Trace)> {
        let traces = self.traces.range(..number).rev();
        traces.map(|(number, trace)| (*number, &**trace))
    }

    /// The traces and spans that did not fit, and spans that could not be unpacked.
    pub(crate) fn lost(&self) -> Lost {
        let broken = self.common.broken.load(Ordering::SeqCst);
        Lost {
            spans: self.lost.spans + broken,
            ..self.lost
        }
    }

    /// One trace.
    pub(crate) fn trace(&self, id: &str) -> Option<&Trace> {
        self.traces.get(self.arrivals.get(id)?).map(Box::as_ref)
    }

    /// The traces, those that came first first.
    pub(crate) fn traces(&self) -> impl DoubleEndedIterator<Item = &Trace> {
        self.traces.values().map(Box::as_ref)
    }
}

#[cfg(test)]
mod tests;
