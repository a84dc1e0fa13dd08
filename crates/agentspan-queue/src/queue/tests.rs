//! What a queue takes, drops, counts and answers.

mod admission;
mod hand_over;
mod model;
mod pace;

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use super::line::Slot;
use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    QueueFull,
    Failed,
    Closed,
    Late,
}

impl Loss for Lost {
    const QUEUE_FULL: Self = Self::QueueFull;

    fn index(self) -> usize {
        self as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    part: Part<u64>,
    bytes: u64,
    number: u64,
}

thread_local! {
    /// How often an item was looked at.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

impl Queued for Item {
    type Group = u64;
    type Loss = Lost;

    fn part(&self) -> Part<u64> {
        LOOKS.set(LOOKS.get() + 1);
        self.part
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// How often something is repeated. Miri takes minutes for what takes milliseconds without it.
const fn rounds(without_miri: u64) -> u64 {
    if cfg!(miri) {
        without_miri / 200
    } else {
        without_miri
    }
}

fn single(number: u64) -> Item {
    Item {
        part: Part::Single,
        bytes: 1,
        number,
    }
}

fn settings(max_items: usize, max_bytes: u64, drop_policy: DropPolicy) -> Settings {
    Settings {
        max_items,
        max_bytes,
        drop_policy,
        gather_items: (max_items / 4).max(1),
        gather_time: Duration::from_millis(1),
        pace: QueuePace::Eager { naps: 2 },
    }
}

type TestQueue = Queue<Item, 4>;

/// Longer than any of this takes.
fn long() -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(60))
}

/// Starts the thread of a queue, which shows each item to `see`.
fn start(queue: &Arc<TestQueue>, see: impl FnMut(Item) + Send + 'static) {
    let shared = Arc::clone(queue);
    let mut see = see;
    let run = move || {
        let mut batch = Vec::new();
        loop {
            match shared.next(7, |item| batch.push(item)) {
                Work::Items(taken) => {
                    let mut finished = Finished::default();
                    for item in batch.drain(..) {
                        see(item);
                        finished.items += 1;
                        finished.bytes += item.bytes;
                        finished.lose(Lost::Failed, u64::from(item.number % 10 == 9));
                    }
                    shared.finish(taken, finished);
                }
                Work::Flush(calls) => shared.answer(calls),
                Work::End => return shared.thread_has_ended(),
            }
        }
    };
    queue
        .start_thread(|| thread::Builder::new().spawn(run))
        .unwrap();
}

/// Ends the queue, and waits until its thread is gone.
fn join(queue: &TestQueue) {
    queue.close(Lost::Closed);
    let thread = queue.lock().thread.take();
    thread.unwrap().join().unwrap();
}

#[track_caller]
fn check_conserved(counts: Counts<4>) {
    let lost: u64 = counts.lost.iter().sum();
    assert_eq!(
        counts.accepted,
        counts.done + lost + counts.queued,
        "{counts:?}"
    );
}

/// The number of looks at items per item that is put into a full queue.
fn looks_per_item(drop_policy: DropPolicy, max_items: usize, max_bytes: u64) -> f64 {
    let mut admission = Admission::<Item, 4>::new(settings(max_items, max_bytes, drop_policy));
    let items = 4 * max_items as u64;
    LOOKS.set(0);
    for number in 0..items {
        let group = number / 4;
        let (part, bytes) = match number % 4 {
            0 => (Part::First(group), 0),
            3 => (Part::Last(group), 100),
            _ => (Part::Inner(group), 0),
        };
        let item = Item {
            part,
            bytes,
            number,
        };
        if let Err(item) = admission.put_where_room_is(item) {
            admission.put(item, &mut Vec::new());
        }
    }
    assert!(admission.counts.lost_for(Lost::QueueFull) > items / 2);
    check_conserved(admission.counts);
    LOOKS.get() as f64 / items as f64
}

#[test]
fn a_full_queue_costs_the_same_whatever_it_drops_and_however_large_it_is() {
    for drop_policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        for max_items in [1 << 10, 1 << 16] {
            let full_of_items = looks_per_item(drop_policy, max_items, u64::MAX);
            assert!(full_of_items < 10.0, "{drop_policy:?}: {full_of_items}");
            let max_bytes = 10 * max_items as u64;
            let full_of_bytes = looks_per_item(drop_policy, max_items, max_bytes);
            assert!(full_of_bytes < 10.0, "{drop_policy:?}: {full_of_bytes}");
        }
    }
}

#[test]
fn a_queue_that_drops_the_oldest_holds_no_more_slots_than_items_and_as_many_empty_ones() {
    let mut admission = Admission::<Item, 4>::new(settings(100, u64::MAX, DropPolicy::Oldest));
    let notice = Item {
        part: Part::Notice,
        ..single(0)
    };
    assert!(admission.put_where_room_is(notice).is_ok());
    let calls = rounds(100_000);
    let mut most = 0;
    for call in 1..calls {
        admission.put(single(call), &mut Vec::new());
        admission.line.mark(call);
        most = most.max(admission.line.slots());
    }
    assert!((101..=2 * 101 + 2 * 100).contains(&most), "{most}");
    // The notice is still the first, and then come the newest.
    let mut slots = VecDeque::new();
    admission.line.take_some(usize::MAX, &mut slots);
    let numbers: Vec<u64> = slots
        .iter()
        .filter_map(|slot| match slot {
            Slot::Item(item) => Some(item.number),
            Slot::Mark(_) | Slot::Gone => None,
        })
        .collect();
    let newest = calls - 99..calls;
    assert!(numbers.into_iter().eq(std::iter::once(0).chain(newest)));
}

#[test]
fn counts_are_conserved_at_each_moment_and_groups_stay_whole() {
    let groups = rounds(2_000);
    for drop_policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        let queue = Arc::new(TestQueue::new(settings(64, 300, drop_policy)));
        let (seen, all_seen) = mpsc::channel();
        start(&queue, move |item| seen.send(item).unwrap());
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let producers: Vec<_> = (0..4)
                .map(|producer| {
                    let queue = &queue;
                    scope.spawn(move || {
                        for round in 0..groups {
                            let group = producer * groups + round;
                            for (part, bytes) in [
                                (Part::First(group), 0),
                                (Part::Inner(group), 0),
                                (Part::Last(group), 10),
                            ] {
                                let number = group;
                                let _ = queue.put(Item {
                                    part,
                                    bytes,
                                    number,
                                });
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let counts = queue.counts();
                    check_conserved(counts);
                    assert!(counts.queued <= 64 && counts.queued_bytes <= 300 + 10 * 64);
                    thread::yield_now();
                }
            });
            producers.into_iter().for_each(|one| one.join().unwrap());
            is_over.store(true, Ordering::SeqCst);
        });
        queue.close(Lost::Closed);
        assert!(queue.wait_for_end(long(), Lost::Late));
        let counts = queue.counts();
        check_conserved(counts);
        assert_eq!(
            (counts.accepted, counts.queued, counts.queued_bytes),
            (4 * groups * 3, 0, 0)
        );
        let mut open = HashSet::new();
        let mut seen = 0;
        for item in all_seen {
            seen += 1;
            match item.part {
                Part::First(group) => assert!(open.insert(group)),
                Part::Inner(group) => assert!(open.contains(&group)),
                Part::Last(group) => assert!(open.remove(&group)),
                Part::Single | Part::Notice => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert_eq!(seen, counts.done + counts.lost_for(Lost::Failed));
    }
}

#[test]
fn flushes_of_many_threads_are_answered_under_load() {
    let queue = Arc::new(TestQueue::new(settings(
        1 << 20,
        u64::MAX,
        DropPolicy::Newest,
    )));
    let items = rounds(500);
    let (seen, all_seen) = mpsc::channel();
    start(&queue, move |item| seen.send(item.number).unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..items {
                    let _ = queue.put(single(number));
                    if number % 50 == 0 {
                        let before = queue.counts();
                        assert!(queue.wait_for_flush(queue.start_flush(), long()));
                        let after = queue.counts();
                        assert!(after.accepted - after.queued >= before.accepted);
                    }
                }
            });
        }
    });
    assert!(queue.wait_for_flush(queue.start_flush(), long()));
    assert_eq!(all_seen.try_iter().count() as u64, 4 * items);
    join(&queue);
}

#[test]
fn a_flush_of_a_queue_without_a_thread_has_nothing_to_wait_for() {
    let queue = TestQueue::new(settings(8, u64::MAX, DropPolicy::Newest));
    assert!(queue.wait_for_flush(queue.start_flush(), Some(Instant::now())));
    // An item that waits for a thread that did not start is not forgotten.
    assert!(queue.put(single(1)).needs_thread);
    let ticket = queue.start_flush();
    assert!(!queue.wait_for_flush(ticket, Some(Instant::now())));
    assert!(!queue.is_flushed_or_wakes(ticket, Waker::noop()));
    let queue = Arc::new(queue);
    start(&queue, |_| {});
    assert!(queue.wait_for_flush(ticket, long()));
    assert!(queue.is_flushed_or_wakes(ticket, Waker::noop()));
    join(&queue);
}

#[test]
fn what_a_thread_is_stuck_with_is_given_up_at_the_deadline_and_counted_once() {
    let queue = Arc::new(TestQueue::new(settings(8, u64::MAX, DropPolicy::Newest)));
    let (begun, has_begun) = mpsc::channel();
    let (release, until) = mpsc::channel::<()>();
    start(&queue, move |item| {
        begun.send(item.number).unwrap();
        let _ = until.recv();
    });
    let _ = queue.put(single(1));
    has_begun.recv().unwrap();
    let _ = queue.put(single(2));
    queue.close(Lost::Closed);
    let closed = queue.put(single(3)).refused.unwrap();
    assert_eq!((closed.loss, closed.is_first), (Lost::Closed, true));
    assert!(!queue.wait_for_end(Some(Instant::now()), Lost::Late));
    let counts = queue.counts();
    assert_eq!(counts.lost, [0, 0, 1, 2]);
    check_conserved(counts);
    // Nothing is left to flush, though the thread is stuck.
    assert!(queue.wait_for_flush(queue.start_flush(), Some(Instant::now())));
    assert!(!queue.wait_for_end(Some(Instant::now()), Lost::Late));
    assert_eq!(queue.tell([0; 4]), [0, 0, 1, 2]);
    drop(release);
    let stuck = queue.lock().thread.take().unwrap();
    stuck.join().unwrap();
    assert_eq!(queue.counts(), counts);
    assert!(
        has_begun.try_recv().is_err(),
        "what was given up is not begun with"
    );
}

#[test]
fn who_waits_longest_for_the_end_gives_up_what_is_left() {
    let queue = Arc::new(TestQueue::new(settings(8, u64::MAX, DropPolicy::Newest)));
    let (begun, has_begun) = mpsc::channel();
    let (release, until) = mpsc::channel::<()>();
    start(&queue, move |item| {
        begun.send(item.number).unwrap();
        let _ = until.recv();
    });
    let _ = queue.put(single(1));
    has_begun.recv().unwrap();
    let _ = queue.put(single(2));
    queue.close(Lost::Closed);
    let patient = queue.start_end_wait();
    let cancelled = queue.start_end_wait();
    assert!(!queue.wait_for_end(Some(Instant::now()), Lost::Late));
    assert_eq!((queue.counts().queued, queue.counts().lost), (2, [0; 4]));
    drop(cancelled);
    assert!(patient.give_up(Lost::Late));
    assert_eq!(queue.counts().lost, [0, 0, 0, 2]);
    drop(release);
    join(&queue);
}
