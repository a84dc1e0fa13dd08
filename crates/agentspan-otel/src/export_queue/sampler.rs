//! Holds the spans of undecided traces, on the thread of a queue.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use agentspan_queue::queue::{Queued, Settings};
use opentelemetry::TraceId;

use super::item::Item;
use super::sampling::{TraceSampling, is_local_root};

/// How many decisions are remembered, for spans that end after the root.
const DECISIONS: usize = 1 << 14;

/// Holds the spans of each trace until something decides about it.
pub(super) struct Sampler {
    rules: TraceSampling,
    open: HashMap<TraceId, Held>,
    /// In the order of their first span. Traces that are decided may still be in it.
    order: VecDeque<(TraceId, u64)>,
    /// The number of the next trace.
    next: u64,
    /// The number of the last trace of which it is known when its first span came.
    last_dated: u64,
    /// The time at the last tick.
    now: Duration,
    spans: usize,
    bytes: u64,
    decided: HashMap<TraceId, bool>,
    /// In the order of the decisions.
    decided_order: VecDeque<TraceId>,
}

#[derive(Default)]
struct Held {
    items: Vec<Item>,
    bytes: u64,
    tokens: u64,
    number: u64,
    /// When its first span came.
    since: Option<Duration>,
}

/// The fate of the spans of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    Outdated,
}

impl Fate {
    fn of(is_kept: bool) -> Self {
        match is_kept {
            true => Self::Kept,
            false => Self::Dropped,
        }
    }
}

/// The decisions so far.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) kept: Vec<Item>,
    pub(super) dropped: Vec<Item>,
    /// The spans that have waited for too long.
    pub(super) outdated: Vec<Item>,
}

impl Sampler {
    pub(super) fn new(mut rules: TraceSampling, queue: Settings) -> Self {
        // Well below what makes a queue hurry, or leaves no room.
        rules.max_bytes = rules.max_bytes.min(queue.max_bytes / 8);
        rules.max_spans = rules.max_spans.min(queue.max_items / 4);
        Self {
            rules,
            open: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
            last_dated: 0,
            now: Duration::ZERO,
            spans: 0,
            bytes: 0,
            decided: HashMap::new(),
            decided_order: VecDeque::new(),
        }
    }

    /// Takes a span, and gives what it decides.
    pub(super) fn take(&mut self, item: Item, decided: &mut Decided) {
        let trace = item.span.data.span_context.trace_id();
        if let Some(is_kept) = self.decided.get_mut(&trace) {
            if !*is_kept && self.rules.weigh(&item.span).decides {
                *is_kept = true;
            }
            match *is_kept {
                true => decided.kept.push(item),
                false => decided.dropped.push(item),
            }
            return;
        }
        let weight = self.rules.weigh(&item.span);
        let is_root = is_local_root(&item.span.data);
        let held = self.open.entry(trace).or_insert_with(|| {
            self.next += 1;
            self.order.push_back((trace, self.next));
            Held {
                number: self.next,
                ..Held::default()
            }
        });
        let bytes = item.bytes();
        held.items.push(item);
        held.bytes = held.bytes.saturating_add(bytes);
        held.tokens = held.tokens.saturating_add(weight.tokens);
        self.spans += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let is_kept =
            weight.decides || self.rules.are_many(held.tokens) || self.rules.chooses(trace);
        if is_kept || is_root {
            self.decide(trace, Fate::of(is_kept), decided);
        }
        self.make_room(decided);
    }

    /// The root of a trace has ended, which the queue did not get.
    pub(super) fn root_has_ended(&mut self, trace: TraceId, decides: bool, decided: &mut Decided) {
        let before = self.decided.get(&trace).copied();
        let is_kept = before.unwrap_or(false) || decides || self.rules.chooses(trace);
        self.decide(trace, Fate::of(is_kept), decided);
    }

    /// Says what time it is, by a clock that never goes back: traces that have come since the last call came now,
    /// and those that have waited for too long are decided, unless their root has ended.
    pub(super) fn tick(
        &mut self,
        now: Duration,
        has_ended: impl Fn(TraceId) -> bool,
        decided: &mut Decided,
    ) {
        for (trace, number) in self.order.iter().rev() {
            if *number <= self.last_dated {
                break;
            }
            if let Some(held) = self
                .open
                .get_mut(trace)
                .filter(|held| held.number == *number)
            {
                held.since = Some(now);
            }
        }
        self.last_dated = self.next;
        self.now = now;
        while let Some((trace, number)) = self.order.front().copied() {
            if let Some(held) = self.open.get(&trace).filter(|held| held.number == number) {
                let age = self.age(held);
                if !self.rules.is_too_old(age) || has_ended(trace) {
                    break;
                }
                let fate = match self.rules.is_slow_by(age) {
                    true => Fate::Kept,
                    false => Fate::Outdated,
                };
                self.decide(trace, fate, decided);
            }
            self.order.pop_front();
        }
    }

    /// Keeps everything that is held: nothing comes any more.
    pub(super) fn end(&mut self, decided: &mut Decided) {
        while let Some((trace, _)) = self.order.pop_front() {
            self.decide(trace, Fate::Kept, decided);
        }
    }

    /// How long a trace has waited, as of the last tick.
    fn age(&self, held: &Held) -> Duration {
        self.now.saturating_sub(held.since.unwrap_or(self.now))
    }

    fn make_room(&mut self, decided: &mut Decided) {
        while self.bytes > self.rules.max_bytes || self.spans > self.rules.max_spans {
            let Some((trace, number)) = self.order.pop_front() else {
                break;
            };
            if let Some(held) = self.open.get(&trace).filter(|held| held.number == number) {
                let fate = Fate::of(self.rules.is_slow_by(self.age(held)));
                self.decide(trace, fate, decided);
            }
        }
        // Traces that were decided otherwise take little room, and not for ever.
        while self.order.len() > 2 * self.open.len() + DECISIONS {
            self.order.retain(|(trace, number)| {
                self.open
                    .get(trace)
                    .is_some_and(|held| held.number == *number)
            });
        }
    }

    fn decide(&mut self, trace: TraceId, fate: Fate, decided: &mut Decided) {
        if let Some(held) = self.open.remove(&trace) {
            self.spans = self.spans.saturating_sub(held.items.len());
            self.bytes = self.bytes.saturating_sub(held.bytes);
            match fate {
                Fate::Kept => decided.kept.extend(held.items),
                Fate::Dropped => decided.dropped.extend(held.items),
                Fate::Outdated => decided.outdated.extend(held.items),
            }
        }
        if self.decided.insert(trace, fate == Fate::Kept).is_none() {
            self.decided_order.push_back(trace);
        }
        if self.decided_order.len() > DECISIONS {
            if let Some(oldest) = self.decided_order.pop_front() {
                self.decided.remove(&oldest);
            }
        }
    }
}
