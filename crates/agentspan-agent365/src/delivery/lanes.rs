//! The turns of identities: one lane per identity, and a window of slots that all lanes share.
//!
//! This is a state machine without clock, task or socket. It is told what happens and when, and says
//! who may send next.

mod window;

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::time::Instant;

pub(super) use self::window::Outcome;
use self::window::Window;

/// How many turns may stand aside: each is a task, and one that waits for an answer a connection, too.
const MAX_ASIDE: usize = 1_024;
const MAX_STALLED: usize = 64;

/// For how long a turn is spared whose lane was cut before. Doubles with each cut, up to eight times as long.
const SPARED: Duration = Duration::from_secs(1);

/// A lane that has failed holds a slot for this part of the time of others, unless answers usually take longer.
const PROBES: u32 = 20;

/// How much is held, by two measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) spans: u64,
    pub(super) bytes: u64,
}

/// Why a lane pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The service asked for it, until then.
    Asked(Instant),
    /// The service refused the request in a way that may be due to what is in it: another item of the lane
    /// is tried first.
    Refused,
    Other,
}

/// The lanes. Items wait in them; an item that has its turn is with its owner until the turn ends.
///
/// - A slot is held by a turn that sends. One that waits for a token, or for an answer for much longer
///   than usual, stands aside: it keeps its lane from starting more, and has no slot.
/// - A lane whose try has failed is parked. Afterwards it sends one item at a time until the service
///   takes one.
#[derive(Debug)]
pub(super) struct Lanes<K, T> {
    lanes: HashMap<K, Lane<T>>,
    /// The lanes that may start an item, in the order of their turns.
    ready: VecDeque<K>,
    turns: HashMap<u64, Turn<K>>,
    next_turn: u64,
    aside: usize,
    /// Of those that stand aside, the ones that wait for an answer.
    stalled: usize,
    window: Window,
    /// How long a turn holds its slot at least; `None` for as long as it lasts.
    patience: Option<Duration>,
    bounds: Size,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<T>,
    /// All that was pushed and is not settled.
    held: Size,
    turns: usize,
    aside: usize,
    /// Since when there is one that stands aside.
    aside_since: Option<Instant>,
    /// Failed tries, one after the other; those that fail together count once.
    failures: u32,
    /// The pauses that are not over.
    pauses: usize,
    /// Until when the service asked for one.
    asked: Option<Instant>,
    /// Whether what is left of the pauses then is no longer wanted.
    is_hurried: bool,
    /// Counts what the service has taken.
    taken: u64,
    /// Counts the times that the lane was parked.
    parked: u64,
    /// How often its turns were told to wait no longer, one after the other.
    cuts: u32,
    is_ready: bool,
}

#[derive(Debug)]
struct Turn<K> {
    lane: K,
    started: Instant,
    /// Whether its lane had failed before.
    is_probe: bool,
    aside: Option<Aside>,
}

/// Why a turn has no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aside {
    /// It waits for something else than the service.
    Other,
    /// It waits for an answer for much longer than usual.
    Stalled,
    /// It was told to wait no longer.
    Cut,
}

/// An item whose turn it is.
#[derive(Debug)]
pub(super) struct Started<T> {
    pub(super) turn: u64,
    pub(super) item: T,
    /// How often its lane has failed since the service last took something.
    pub(super) failures: u32,
    /// Grows when the service takes something of its lane.
    pub(super) taken: u64,
}

/// A pause of a lane. Whoever is given it says when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pause<K> {
    pub(super) lane: K,
    pub(super) parked: u64,
    /// Until when the service asked for it.
    pub(super) asked: Option<Instant>,
}

impl<K: Clone + Eq + Hash, T> Lanes<K, T> {
    pub(super) fn new(max_slots: usize, patience: Option<Duration>, bounds: Size) -> Self {
        Self {
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            turns: HashMap::new(),
            next_turn: 0,
            aside: 0,
            stalled: 0,
            window: Window::new(max_slots),
            patience,
            bounds,
        }
    }

    /// An item comes, to be started after those of its lane.
    pub(super) fn push(&mut self, key: &K, item: T, size: Size) {
        let lane = self.lanes.entry(key.clone()).or_default();
        lane.waiting.push_back(item);
        lane.held.spans += size.spans;
        lane.held.bytes += size.bytes;
        self.line_up(key);
    }

    /// An item that was pushed is settled.
    pub(super) fn settled(&mut self, key: &K, size: Size) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.held.spans = lane.held.spans.saturating_sub(size.spans);
            lane.held.bytes = lane.held.bytes.saturating_sub(size.bytes);
            self.forget_if_empty(key);
        }
    }

    /// Whether items that may be sent wait for a slot. A lane that lined up may have been parked since.
    pub(super) fn are_busy(&self) -> bool {
        let mut ready = self.ready.iter();
        ready.any(|key| self.lanes.get(key).is_some_and(Lane::may_start))
    }

    /// The next item that may be sent, if there is a slot.
    pub(super) fn next(&mut self, now: Instant) -> Option<Started<T>> {
        while !self.is_crowded() && self.in_flight() < self.window.slots() {
            let key = self.ready.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            lane.is_ready = false;
            if !lane.may_start() {
                continue;
            }
            let Some(item) = lane.waiting.pop_front() else {
                continue;
            };
            lane.turns += 1;
            let (failures, taken) = (lane.failures, lane.taken);
            let turn = self.next_turn;
            self.next_turn += 1;
            self.turns.insert(
                turn,
                Turn {
                    lane: key.clone(),
                    started: now,
                    is_probe: failures > 0,
                    aside: None,
                },
            );
            self.line_up(&key);
            return Some(Started {
                turn,
                item,
                failures,
                taken,
            });
        }
        None
    }

    /// The service has answered. The turn goes on: another request may follow, or a pause.
    pub(super) fn answered(&mut self, turn: u64, outcome: Outcome, now: Instant) {
        let is_full = self.in_flight() >= self.window.slots() || self.are_busy();
        let Some(flight) = self.turns.get_mut(&turn) else {
            return;
        };
        let (key, started) = (flight.lane.clone(), flight.started);
        flight.started = now;
        let aside = flight.aside.take();
        self.count_back(&key, aside);
        let is_well = self.lanes.get(&key).is_none_or(|lane| lane.failures == 0);
        match outcome {
            Outcome::Settled | Outcome::Refused => {
                self.window.answered(started, now, is_full);
                self.with(&key, |lane| lane.recover(outcome == Outcome::Settled));
            }
            // A lane that has failed already tells nothing new.
            Outcome::Throttled if is_well => self.window.throttled(started, now),
            Outcome::Throttled | Outcome::Failed => {}
        }
        self.line_up(&key);
    }

    /// The turn ends with a failed try: its item comes first when the lane has paused, or
    /// second. Gives the pause if there is one to make.
    pub(super) fn again(&mut self, turn: u64, item: T, cause: Cause) -> Option<Pause<K>> {
        let key = self.end(turn)?;
        let lane = self.lanes.entry(key.clone()).or_default();
        let (place, asked) = match cause {
            Cause::Asked(until) => (0, Some(until)),
            Cause::Refused => (lane.waiting.len().min(1), None),
            Cause::Other => (0, None),
        };
        lane.waiting.insert(place, item);
        if lane.pauses == 0 {
            lane.failures = lane.failures.saturating_add(1);
            lane.parked += 1;
            lane.is_hurried = false;
        } else if asked.is_none() {
            return None;
        }
        lane.pauses += 1;
        lane.asked = lane.asked.max(asked);
        let parked = lane.parked;
        Some(Pause {
            lane: key,
            parked,
            asked,
        })
    }

    /// The items that wait in a lane that pauses.
    pub(super) fn waiting_for_pause(&mut self, key: &K) -> impl Iterator<Item = &mut T> {
        let lane = self.lanes.get_mut(key).filter(|lane| lane.pauses > 0);
        lane.into_iter().flat_map(|lane| &mut lane.waiting)
    }

    /// The turn waits for something else than the service, such as a token.
    pub(super) fn step_aside(&mut self, turn: u64, now: Instant) {
        self.put_aside(turn, Aside::Other, now);
    }

    /// The turn that has waited longest for an answer, when others cannot start because too many wait, or because
    /// there `is_no_memory`. It is told to wait no longer, and is named once.
    pub(super) fn slowest(&mut self, is_no_memory: bool, now: Instant) -> Option<u64> {
        if !(is_no_memory || self.is_crowded()) || !self.are_busy() {
            return None;
        }
        let spared = self.spared().filter(|(_, until)| *until > now);
        let spared = spared.map(|(turn, _)| turn);
        let stalled = self.stalled_turns();
        let others = stalled.filter(|(number, _)| Some(*number) != spared);
        let (number, _) = others.min_by_key(|(number, turn)| (turn.started, *number))?;
        let slowest = self.turns.get_mut(&number)?;
        slowest.aside = Some(Aside::Cut);
        let key = slowest.lane.clone();
        self.with(&key, |lane| lane.cuts = lane.cuts.saturating_add(1));
        Some(number)
    }

    fn stalled_turns(&self) -> impl Iterator<Item = (u64, &Turn<K>)> {
        let turns = self.turns.iter().map(|(number, turn)| (*number, turn));
        turns.filter(|(_, turn)| turn.aside == Some(Aside::Stalled))
    }

    /// The stalled turn whose lane was cut most often since the service last judged something of it, and until when
    /// others are cut in its place: a large body over a slow connection would never get there otherwise.
    fn spared(&self) -> Option<(u64, Instant)> {
        let stalled = self.stalled_turns();
        let cut_before = stalled.filter_map(|(number, turn)| {
            let cuts = self.lanes.get(&turn.lane)?.cuts;
            let doubled = cuts.checked_sub(1)?.min(3);
            Some((cuts, turn.started + SPARED * (1 << doubled), number))
        });
        let spared = cut_before.max_by_key(|(cuts, _, number)| (*cuts, std::cmp::Reverse(*number)));
        spared.map(|(_, until, number)| (number, until))
    }

    fn put_aside(&mut self, turn: u64, why: Aside, now: Instant) {
        let Some(flight) = self.turns.get_mut(&turn) else {
            return;
        };
        if flight.aside.is_none() {
            flight.aside = Some(why);
            let key = flight.lane.clone();
            self.aside += 1;
            self.stalled += usize::from(why == Aside::Stalled);
            self.with(&key, |lane| {
                lane.aside += 1;
                lane.aside_since.get_or_insert(now);
            });
        }
    }

    /// A turn of the lane stands aside no longer.
    fn count_back(&mut self, key: &K, aside: Option<Aside>) {
        if let Some(why) = aside {
            self.aside -= 1;
            self.stalled -= usize::from(why != Aside::Other);
            self.with(key, |lane| {
                lane.aside -= 1;
                lane.aside_since = lane.aside_since.filter(|_| lane.aside > 0);
            });
        }
    }

    fn is_crowded(&self) -> bool {
        self.aside >= MAX_ASIDE || self.stalled >= MAX_STALLED
    }

    /// The turn has waited for something else: its item comes first in its lane.
    pub(super) fn come_back(&mut self, turn: u64, item: T) {
        let Some(key) = self.end(turn) else { return };
        self.with(&key, |lane| lane.waiting.push_front(item));
        self.line_up(&key);
    }

    /// The turn is over.
    pub(super) fn leave(&mut self, turn: u64) {
        if let Some(key) = self.end(turn) {
            self.line_up(&key);
            self.forget_if_empty(&key);
        }
    }

    /// A pause is over.
    pub(super) fn rested(&mut self, pause: &Pause<K>) {
        self.with(&pause.lane, |lane| {
            if lane.parked == pause.parked {
                lane.pauses = lane.pauses.saturating_sub(1);
            }
        });
        self.asked_is_over(pause);
    }

    /// The service asked for no more of a pause. The rest is our own, if there is any.
    pub(super) fn asked_is_over(&mut self, pause: &Pause<K>) {
        self.with(&pause.lane, |lane| {
            if lane.parked == pause.parked && lane.asked <= pause.asked {
                lane.asked = None;
                if lane.is_hurried {
                    lane.pauses = 0;
                }
            }
        });
        self.line_up(&pause.lane);
        self.forget_if_empty(&pause.lane);
    }

    /// Ends the pauses that the service did not ask for: the others when the service asked for no more.
    pub(super) fn hurry(&mut self) {
        let lanes = self.lanes.iter_mut().filter_map(|(key, lane)| {
            lane.is_hurried = true;
            lane.asked.is_none().then_some((key, lane))
        });
        let keys: Vec<K> = lanes
            .map(|(key, lane)| {
                lane.pauses = 0;
                key.clone()
            })
            .collect();
        for key in keys {
            self.line_up(&key);
            self.forget_if_empty(&key);
        }
    }

    /// Takes all out of lanes that the service asked to pause for so long.
    pub(super) fn pausing_at(&mut self, time: Instant) -> Vec<T> {
        let lanes = self.lanes.values_mut();
        let pausing = lanes.filter(|lane| lane.asked.is_some_and(|until| until >= time));
        pausing.flat_map(|lane| lane.waiting.drain(..)).collect()
    }

    /// Takes slots from turns that have held theirs for too long.
    pub(super) fn take_slots_back(&mut self, now: Instant) {
        let turns = self.turns.iter();
        let slow = turns.filter(|(_, turn)| self.deadline_of(turn).is_some_and(|at| at <= now));
        let slow: Vec<u64> = slow.map(|(turn, _)| *turn).collect();
        for turn in slow {
            self.put_aside(turn, Aside::Stalled, now);
        }
    }

    /// When a turn will have held its slot for too long, or is spared no longer, if none ends before.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let turns = self.turns.values();
        let spared = self.spared().map(|(_, until)| until);
        let spared = spared.filter(|until| *until > now);
        let deadlines = turns.filter_map(|turn| self.deadline_of(turn));
        deadlines.chain(spared).min()
    }

    /// Takes items out of lanes that are parked, as long as the first of a lane `is_over`.
    pub(super) fn expire(&mut self, is_over: impl Fn(&T) -> bool) -> Vec<T> {
        let mut over = Vec::new();
        for lane in self.lanes.values_mut().filter(|lane| lane.failures > 0) {
            while lane.waiting.front().is_some_and(&is_over) {
                over.extend(lane.waiting.pop_front());
            }
        }
        over
    }

    /// Takes items out of lanes that hold more than their share of what is `used`, after one came for this lane: the
    /// newest, nothing that has had a turn, and not the only item of a lane.
    ///
    /// As long as a quarter of the room is free, a lane may hold as much as comes. Then it gives up items until a
    /// quarter is free again, or it holds no more than is free: one lane which does not drain has what others leave of
    /// three quarters, and several leave room to the others. A lane that drains gives up nothing before those that
    /// do not. A lane that is alone leaves an eighth if it does not drain: otherwise nobody else would be let in.
    pub(super) fn take_excess(
        &mut self,
        key: &K,
        mut used: Size,
        now: Instant,
        size_of: impl Fn(&T) -> Option<Size>,
    ) -> Vec<T> {
        let mut excess = Vec::new();
        let is_over = |lane: &Lane<T>| self.are_over(used, lane.held);
        if self.lanes.get(key).is_some_and(is_over) {
            self.take_from_stuck(&mut used, now, &size_of, &mut excess);
            if self.lanes.len() > 1 {
                self.take_from(key, &mut used, &size_of, &mut excess);
            }
        }
        excess
    }

    /// As [`take_excess`](Self::take_excess), of lanes that fail or are not answered, though nothing came: when one
    /// has filled the queue, nothing is let in.
    pub(super) fn make_room(
        &mut self,
        mut used: Size,
        now: Instant,
        size_of: impl Fn(&T) -> Option<Size>,
    ) -> Vec<T> {
        let mut excess = Vec::new();
        self.take_from_stuck(&mut used, now, &size_of, &mut excess);
        excess
    }

    /// The largest first, as long as there is not enough room.
    fn take_from_stuck(
        &mut self,
        used: &mut Size,
        now: Instant,
        size_of: &impl Fn(&T) -> Option<Size>,
        excess: &mut Vec<T>,
    ) {
        let patience = self.patience.unwrap_or_default();
        let bounds = self.bounds;
        let stuck = self.lanes.iter();
        let stuck = stuck.filter(|(_, lane)| lane.is_stuck(now, patience));
        let mut stuck: Vec<_> = stuck
            .map(|(key, lane)| (part(lane.held, bounds), key.clone()))
            .collect();
        stuck.sort_by_key(|(part, _)| std::cmp::Reverse(*part));
        for (_, key) in stuck {
            self.take_from(&key, used, size_of, excess);
        }
    }

    fn take_from(
        &mut self,
        key: &K,
        used: &mut Size,
        size_of: &impl Fn(&T) -> Option<Size>,
        excess: &mut Vec<T>,
    ) {
        let mut held = self
            .lanes
            .get(key)
            .map_or(Size::default(), |lane| lane.held);
        while self.are_over(*used, held) {
            let Some(lane) = self.lanes.get_mut(key) else {
                return;
            };
            let is_only = lane.waiting.len() + lane.turns < 2;
            let newest = lane.waiting.back().filter(|_| !is_only);
            let Some(size) = newest.and_then(size_of) else {
                return;
            };
            for all in [&mut *used, &mut held] {
                all.spans = all.spans.saturating_sub(size.spans);
                all.bytes = all.bytes.saturating_sub(size.bytes);
            }
            excess.extend(lane.waiting.pop_back());
        }
    }

    /// Whether a lane that holds so much is over its share, when so much is `used`.
    fn are_over(&self, used: Size, held: Size) -> bool {
        // Of a lane that is alone, what it holds is meant: spans of one that has just gone may still be counted.
        let (kept_free, used_spans) = match self.lanes.len() < 2 {
            true => (8, held.spans),
            false => (4, used.spans),
        };
        let is_over = |bound: u64, used: u64, held: u64| {
            used > bound - bound / kept_free && held > bound.saturating_sub(used)
        };
        is_over(self.bounds.spans, used_spans, held.spans)
            || is_over(self.bounds.bytes, used.bytes, held.bytes)
    }

    /// All that waits.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.lanes
            .values_mut()
            .flat_map(|lane| lane.waiting.drain(..))
    }

    /// When this turn will have held its slot for too long.
    fn deadline_of(&self, turn: &Turn<K>) -> Option<Instant> {
        let patience = self.patience.filter(|_| turn.aside.is_none())?;
        let least = if turn.is_probe {
            patience / PROBES
        } else {
            patience
        };
        let unusual = self.window.unusual().unwrap_or_default();
        Some(turn.started + least.max(unusual))
    }

    fn in_flight(&self) -> usize {
        self.turns.len() - self.aside
    }

    /// Takes the turn out and gives its lane.
    fn end(&mut self, turn: u64) -> Option<K> {
        let flight = self.turns.remove(&turn)?;
        self.count_back(&flight.lane, flight.aside);
        self.with(&flight.lane, |lane| lane.turns -= 1);
        Some(flight.lane)
    }

    fn with(&mut self, key: &K, change: impl FnOnce(&mut Lane<T>)) {
        if let Some(lane) = self.lanes.get_mut(key) {
            change(lane);
        }
    }

    fn line_up(&mut self, key: &K) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        if !lane.is_ready && lane.may_start() {
            lane.is_ready = true;
            self.ready.push_back(key.clone());
        }
    }

    fn forget_if_empty(&mut self, key: &K) {
        if self.lanes.get(key).is_some_and(Lane::is_empty) {
            self.lanes.remove(key);
        }
    }
}

/// The larger of both measures, as a part of the bounds.
fn part(held: Size, bounds: Size) -> u128 {
    let part = |held: u64, bound: u64| (u128::from(held) << 32) / u128::from(bound.max(1));
    part(held.spans, bounds.spans).max(part(held.bytes, bounds.bytes))
}

impl<T> Lane<T> {
    fn may_start(&self) -> bool {
        let is_free = self.pauses == 0 && self.aside == 0;
        is_free && !self.waiting.is_empty() && (self.failures == 0 || self.turns == 0)
    }

    /// The service has judged something, and `has_taken` it or not.
    fn recover(&mut self, has_taken: bool) {
        self.failures = 0;
        self.cuts = 0;
        self.taken += u64::from(has_taken);
        if self.asked.is_none() {
            self.pauses = 0;
        }
    }

    /// Whether the service does not take its items, as far as is known.
    fn is_stuck(&self, now: Instant, patience: Duration) -> bool {
        let is_late = |since: Instant| since + patience <= now;
        self.failures > 0 || self.aside_since.is_some_and(is_late)
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.turns == 0 && self.pauses == 0 && self.held.spans == 0
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            held: Size::default(),
            turns: 0,
            aside: 0,
            aside_since: None,
            failures: 0,
            pauses: 0,
            asked: None,
            is_hurried: false,
            taken: 0,
            parked: 0,
            cuts: 0,
            is_ready: false,
        }
    }
}

#[cfg(test)]
mod tests;
