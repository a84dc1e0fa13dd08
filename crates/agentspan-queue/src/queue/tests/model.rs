//! A queue beside the simplest one that keeps the same rules.

use std::collections::{HashMap, HashSet, VecDeque};

use proptest::prelude::*;

use super::super::admission::Admission;
use super::super::line::Slot;
use super::super::{DropPolicy, Part};
use super::{Item, Lost, check_conserved, settings};

/// Looks at everything for every decision.
struct Model {
    max_items: usize,
    max_bytes: u64,
    drop_policy: DropPolicy,
    waiting: Vec<Item>,
    in_flight: Vec<Item>,
    open: HashSet<u64>,
    refused: HashMap<u64, ()>,
    dropped: Vec<u64>,
}

impl Model {
    fn queued(&self) -> impl Iterator<Item = &Item> {
        self.waiting.iter().chain(&self.in_flight)
    }

    fn has_room(&self, places: usize, bytes: u64) -> bool {
        let used: u64 = self.queued().map(|item| item.bytes).sum();
        let has_places =
            places == 0 || self.queued().count() + self.open.len() + places <= self.max_items;
        has_places && (bytes == 0 || used == 0 || used + bytes <= self.max_bytes)
    }

    fn put(&mut self, item: Item) {
        if self.takes(item) {
            self.waiting.push(item);
        } else {
            self.dropped.push(item.number);
        }
    }

    fn takes(&mut self, item: Item) -> bool {
        let (places, bytes) = match item.part {
            Part::Notice => (0, 0),
            Part::Single => (1, item.bytes),
            Part::First(_) => (2, 0),
            Part::Inner(_) => (1, 0),
            Part::Last(_) => (0, item.bytes),
        };
        match item.part {
            Part::Inner(group) if self.refused.contains_key(&group) => return false,
            Part::Last(group) if self.refused.remove(&group).is_some() => return false,
            _ => {}
        }
        while !self.has_room(places, bytes) {
            if self.drop_policy == DropPolicy::Oldest && self.drop_oldest() {
                continue;
            }
            match item.part {
                Part::First(group) => {
                    self.refused.insert(group, ());
                    return false;
                }
                Part::Last(group) if self.waits(group) => self.drop_group(group),
                Part::Last(_) | Part::Notice => {}
                Part::Single | Part::Inner(_) => return false,
            }
            break;
        }
        match item.part {
            Part::First(group) => drop(self.open.insert(group)),
            Part::Inner(group) => return !self.refused.contains_key(&group),
            Part::Last(group) => {
                if self.refused.remove(&group).is_some() {
                    return false;
                }
                self.open.remove(&group);
            }
            Part::Single | Part::Notice => {}
        }
        true
    }

    /// Whether the first item of a group waits.
    fn waits(&self, group: u64) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|item| item.part == Part::First(group))
    }

    fn drop_oldest(&mut self) -> bool {
        let may_go = |item: &Item| !matches!(item.part, Part::Notice | Part::Last(_));
        let Some(at) = self.waiting.iter().position(may_go) else {
            return false;
        };
        match self.waiting[at].part {
            Part::First(group) => self.drop_group(group),
            _ => self.dropped.push(self.waiting.remove(at).number),
        }
        true
    }

    fn drop_group(&mut self, group: u64) {
        let is_of = |item: &Item| {
            [Part::First(group), Part::Inner(group), Part::Last(group)].contains(&item.part)
        };
        let (gone, kept) = self.waiting.iter().partition(|item| is_of(item));
        self.waiting = kept;
        let gone: Vec<Item> = gone;
        self.dropped.extend(gone.iter().map(|item| item.number));
        if !gone.iter().any(|item| item.part == Part::Last(group)) {
            self.open.remove(&group);
            self.refused.insert(group, ());
        }
    }

    fn take(&mut self, items: usize) -> Vec<u64> {
        let taken: Vec<Item> = self
            .waiting
            .drain(..items.min(self.waiting.len()))
            .collect();
        let numbers = taken.iter().map(|item| item.number).collect();
        self.in_flight.extend(taken);
        numbers
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An item of one of a few groups that are there at the same time.
    Put(Kind, usize, u64),
    Mark,
    Take(usize),
    TakeAll,
    Finish,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Single,
    Notice,
    Start,
    Inner,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        2 => Just(Kind::Single),
        1 => Just(Kind::Notice),
        6 => Just(Kind::Start),
        6 => Just(Kind::Inner),
        5 => Just(Kind::End),
    ];
    let step = prop_oneof![
        30 => (kind, 0..6_usize, 0..40_u64).prop_map(|(kind, at, bytes)| Step::Put(kind, at, bytes)),
        1 => Just(Step::Mark),
        2 => (0..6_usize).prop_map(Step::Take),
        1 => Just(Step::TakeAll),
        2 => Just(Step::Finish),
    ];
    prop::collection::vec(step, 0..400)
}

/// Makes items of groups that begin and end, each under a number of its own.
#[derive(Default)]
struct Groups {
    current: [Option<u64>; 6],
    /// The last one in each place, of which an item may come after its end.
    before: [Option<u64>; 6],
    made: u64,
}

impl Groups {
    fn part(&mut self, kind: Kind, at: usize) -> Part<u64> {
        match (kind, self.current[at]) {
            (Kind::Single, _) => Part::Single,
            (Kind::Notice, _) => Part::Notice,
            (Kind::Inner, Some(group)) => Part::Inner(group),
            (Kind::End, Some(group)) => {
                self.before[at] = self.current[at].take();
                Part::Last(group)
            }
            (Kind::Inner, None) => self.before[at].map_or(Part::Single, Part::Inner),
            (Kind::Start, Some(group)) => Part::Inner(group),
            (Kind::Start | Kind::End, None) => {
                self.made += 1;
                self.current[at] = Some(self.made);
                Part::First(self.made)
            }
        }
    }
}

fn check(drop_policy: DropPolicy, max_items: usize, max_bytes: u64, steps: Vec<Step>) {
    let mut admission = Admission::<Item, 4>::new(settings(max_items, max_bytes, drop_policy));
    let mut model = Model {
        max_items,
        max_bytes,
        drop_policy,
        waiting: Vec::new(),
        in_flight: Vec::new(),
        open: HashSet::new(),
        refused: HashMap::new(),
        dropped: Vec::new(),
    };
    let mut groups = Groups::default();
    let mut dropped = Vec::new();
    let mut call = 0;
    for (number, step) in (0..).zip(steps) {
        match step {
            Step::Put(kind, at, bytes) => {
                let part = groups.part(kind, at);
                // Only what ends something holds bytes.
                let bytes = match part {
                    Part::Single | Part::Last(_) => bytes,
                    Part::First(_) | Part::Inner(_) | Part::Notice => 0,
                };
                let item = Item {
                    part,
                    bytes,
                    number,
                };
                model.put(item);
                if let Err(item) = admission.put_where_room_is(item) {
                    admission.put(item, &mut dropped);
                }
            }
            Step::Mark => {
                call += 1;
                admission.line.mark(call);
            }
            Step::Take(items) => {
                let mut slots = VecDeque::new();
                admission.line.take_some(items, &mut slots);
                assert_eq!(numbers(&slots), model.take(items));
            }
            Step::TakeAll => {
                let slots = admission.line.take_all(VecDeque::new());
                assert_eq!(numbers(&slots), model.take(usize::MAX));
            }
            Step::Finish => {
                let bytes = model.in_flight.iter().map(|item| item.bytes).sum();
                let items = model.in_flight.len() as u64;
                model.in_flight.clear();
                admission.counts.leave(items, bytes);
                admission.counts.done += items;
            }
        }
        let counts = admission.counts;
        check_conserved(counts);
        assert_eq!(counts.queued, model.queued().count() as u64);
        let bytes: u64 = model.queued().map(|item| item.bytes).sum();
        assert_eq!(counts.queued_bytes, bytes);
        assert_eq!(counts.lost_for(Lost::QueueFull), model.dropped.len() as u64);
        assert_eq!(admission.line.items(), model.waiting.len());
    }
    let mut dropped: Vec<u64> = dropped.iter().map(|item| item.number).collect();
    dropped.sort_unstable();
    model.dropped.sort_unstable();
    assert_eq!(dropped, model.dropped);
}

fn numbers(slots: &VecDeque<Slot<Item>>) -> Vec<u64> {
    let items = slots.iter().filter_map(|slot| match slot {
        Slot::Item(item) => Some(item.number),
        Slot::Mark(_) | Slot::Gone => None,
    });
    items.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_queue_that_drops_the_newest_is_the_model(
        max_items in 4..40_usize,
        max_bytes in 0..400_u64,
        steps in steps(),
    ) {
        check(DropPolicy::Newest, max_items, max_bytes, steps);
    }

    #[test]
    fn a_queue_that_drops_the_oldest_is_the_model(
        max_items in 4..40_usize,
        max_bytes in 0..400_u64,
        steps in steps(),
    ) {
        check(DropPolicy::Oldest, max_items, max_bytes, steps);
    }
}
