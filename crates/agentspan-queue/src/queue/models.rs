//! The hand-off between producers and the thread, under every schedule or many random ones.
//!
//! `loom` runs each model under every schedule with few preemptions, `shuttle` a larger one under random schedules.
//! Both also find deadlocks, and so each waking that is lost.

use std::future::poll_fn;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::Poll;
use std::time::Duration;

#[cfg(loom)]
use loom::{future::block_on, thread};
#[cfg(not(loom))]
use shuttle::{future::block_on, thread};

use super::*;

/// How many items each producer puts.
const ITEMS: u64 = if cfg!(loom) { 1 } else { 4 };

/// How many producers there are, besides the thread that runs the model.
const PRODUCERS: u64 = if cfg!(loom) { 1 } else { 3 };

#[cfg(loom)]
fn check(model: impl Fn() + Send + Sync + 'static) {
    loom::model(model);
}

#[cfg(not(loom))]
fn check(model: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(model, 5_000);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    QueueFull,
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
struct Item(u64);

impl Queued for Item {
    type Group = u64;
    type Loss = Lost;

    fn part(&self) -> Part<u64> {
        Part::Single
    }

    fn bytes(&self) -> u64 {
        1
    }
}

/// A queue, and what its threads have seen.
#[derive(Clone)]
struct Bench {
    queue: Arc<Queue<Item, 3>>,
    // Not of the checker: it is no part of the hand-off, and is never held where the schedule may change.
    seen: Arc<StdMutex<Vec<u64>>>,
    /// Unparked whenever something was seen.
    observer: Option<thread::Thread>,
    /// The thread is stuck with each item for as long as this is set.
    is_stuck: Arc<AtomicBool>,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self {
            queue: Arc::new(Queue::new(settings)),
            seen: Arc::default(),
            observer: None,
            is_stuck: Arc::default(),
        }
    }

    fn started(settings: Settings) -> Self {
        let bench = Self::new(settings);
        bench.start();
        bench
    }

    fn start(&self) {
        let bench = self.clone();
        let spawn = || thread::Builder::new().spawn(move || bench.run());
        self.queue.start_thread(spawn).unwrap();
    }

    /// Does the work of the thread of a queue.
    fn run(&self) {
        let mut batch = Vec::new();
        loop {
            match self.queue.next(2, |item| batch.push(item)) {
                Work::Items(taken) => {
                    let mut finished = Finished::default();
                    for Item(number) in batch.drain(..) {
                        self.seen.lock().unwrap().push(number);
                        self.observer.iter().for_each(thread::Thread::unpark);
                        while self.is_stuck.load(Ordering::SeqCst) {
                            thread::park();
                        }
                        finished.items += 1;
                        finished.bytes += 1;
                    }
                    self.queue.finish(taken, finished);
                }
                Work::Flush(calls) => self.queue.answer(calls),
                Work::End => {
                    // The thread of a queue that may open again has told that already.
                    if matches!(self.queue.lock().phase, Phase::Closed(_)) {
                        self.queue.thread_has_ended();
                    }
                    return;
                }
            }
        }
    }

    /// Puts an item, and returns whether it was taken in.
    fn put(&self, number: u64) -> bool {
        let put = self.queue.put(Item(number));
        if put.needs_thread {
            self.start();
        }
        self.check_counts();
        put.refused.is_none()
    }

    /// Nothing is lost or made up, at any moment.
    fn check_counts(&self) -> Counts<3> {
        let counts = self.queue.counts();
        let lost: u64 = counts.lost.iter().sum();
        let sum = counts.done + lost + counts.queued;
        assert_eq!(counts.accepted, sum, "{counts:?}");
        assert_eq!(counts.queued, counts.queued_bytes, "{counts:?}");
        counts
    }

    fn has_seen(&self, number: u64) -> bool {
        self.seen.lock().unwrap().contains(&number)
    }

    /// The numbers that were seen, in order, each of them once.
    fn all_seen(&self) -> Vec<u64> {
        let mut seen = self.seen.lock().unwrap().clone();
        let items = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), items, "an item was seen twice");
        seen
    }

    /// Runs `produce` in each producer, and calls it for each number of its items.
    fn produce(
        &self,
        produce: impl Fn(&Self, u64) + Clone + Send + 'static,
    ) -> Vec<JoinHandle<()>> {
        let producers = (0..PRODUCERS).map(|producer| {
            let (bench, produce) = (self.clone(), produce.clone());
            thread::spawn(move || {
                for item in 0..ITEMS {
                    produce(&bench, 1 + producer * ITEMS + item);
                }
            })
        });
        producers.collect()
    }
}

/// The number of an item of the thread that runs the model.
const OWN: u64 = 0;

/// The thread works only when it has many items, or is called.
fn lazy() -> Settings {
    Settings {
        max_items: 100,
        max_bytes: u64::MAX,
        drop_policy: DropPolicy::Newest,
        gather_items: 2,
        gather_time: Duration::MAX,
        pace: QueuePace::Batches,
    }
}

/// The thread works as soon as there is something to do.
fn eager() -> Settings {
    Settings {
        gather_items: 1,
        pace: QueuePace::Eager { naps: 1 },
        gather_time: Duration::ZERO,
        ..lazy()
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    threads.into_iter().for_each(|one| one.join().unwrap());
}

#[test]
fn each_item_is_seen_once_and_counted_at_each_moment() {
    for settings in [lazy(), eager()] {
        check(move || {
            let bench = Bench::started(settings);
            let producers = bench.produce(|bench, number| assert!(bench.put(number)));
            assert!(bench.put(OWN));
            join(producers);
            bench.queue.close(Lost::Closed);
            assert!(bench.queue.wait_for_end(None, Lost::Late));
            let items = PRODUCERS * ITEMS + 1;
            assert!(bench.all_seen().into_iter().eq(0..items));
            let counts = bench.check_counts();
            assert_eq!((counts.done, counts.queued), (items, 0));
        });
    }
}

#[test]
fn enough_items_wake_the_thread_although_nobody_calls_it() {
    for gather_items in [1, PRODUCERS * ITEMS + 1] {
        check(move || {
            let bench = Bench {
                observer: Some(thread::current()),
                ..Bench::new(Settings {
                    gather_items: usize::try_from(gather_items).unwrap(),
                    ..lazy()
                })
            };
            bench.start();
            let producers = bench.produce(|bench, number| assert!(bench.put(number)));
            assert!(bench.put(OWN));
            let items = PRODUCERS * ITEMS + 1;
            while (bench.all_seen().len() as u64) < items {
                thread::park();
            }
            join(producers);
            bench.queue.close(Lost::Closed);
            assert!(bench.queue.wait_for_end(None, Lost::Late));
        });
    }
}

#[test]
fn a_thread_that_is_stuck_keeps_no_flush_waiting_once_its_items_are_given_up() {
    check(|| {
        let bench = Bench::new(lazy());
        bench.is_stuck.store(true, Ordering::SeqCst);
        bench.start();
        let thread = bench.queue.lock().thread.take().unwrap();
        let producers = bench.produce(|bench, number| {
            bench.put(number);
            let ticket = bench.queue.start_flush();
            assert!(bench.queue.wait_for_flush(ticket, None));
        });
        bench.queue.close(Lost::Closed);
        let deadline = Some(Instant::now());
        bench.queue.wait_for_end(deadline, Lost::Late);
        // Nobody waits for the thread.
        join(producers);
        assert_eq!(bench.check_counts().queued, 0);
        bench.is_stuck.store(false, Ordering::SeqCst);
        thread.thread().unpark();
        join(vec![thread]);
        let counts = bench.check_counts();
        assert_eq!((counts.accepted, counts.queued), (PRODUCERS * ITEMS, 0));
    });
}

#[test]
fn a_flush_is_answered_and_not_before_all_earlier_items_are_done() {
    for settings in [lazy(), eager()] {
        check(move || {
            let bench = Bench::started(settings);
            let flush = |bench: &Bench, number| {
                assert!(bench.put(number));
                let ticket = bench.queue.start_flush();
                assert!(bench.queue.wait_for_flush(ticket, None));
                assert!(bench.has_seen(number));
                let counts = bench.check_counts();
                assert!(counts.done > 0);
            };
            let producers = bench.produce(flush);
            flush(&bench, OWN);
            join(producers);
            assert_eq!(bench.check_counts().queued, 0);
            bench.queue.close(Lost::Closed);
            assert!(bench.queue.wait_for_end(None, Lost::Late));
        });
    }
}

#[test]
fn a_task_that_waits_for_a_flush_is_woken() {
    check(|| {
        let bench = Bench::started(lazy());
        let producers = bench.produce(|bench, number| {
            assert!(bench.put(number));
            let ticket = bench.queue.start_flush();
            let is_flushed =
                poll_fn(
                    |context| match bench.queue.is_flushed_or_wakes(ticket, context.waker()) {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    },
                );
            block_on(is_flushed);
            assert!(bench.has_seen(number));
        });
        join(producers);
        bench.queue.close(Lost::Closed);
        assert!(bench.queue.wait_for_end(None, Lost::Late));
    });
}

#[test]
fn a_deadline_ends_each_wait_and_each_item_has_one_fate() {
    for settings in [lazy(), eager()] {
        check(move || {
            let bench = Bench::started(settings);
            let producers = bench.produce(|bench, number| {
                let is_taken = bench.put(number);
                let ticket = bench.queue.start_flush();
                assert!(bench.queue.wait_for_flush(ticket, None));
                // It was seen, or given up.
                assert!(is_taken || !bench.has_seen(number));
            });
            assert!(bench.put(OWN));
            bench.queue.close(Lost::Closed);
            let deadline = Some(Instant::now());
            let has_ended = bench.queue.wait_for_end(deadline, Lost::Late);
            let counts = bench.check_counts();
            assert_eq!(counts.queued, 0);
            assert!(!has_ended || counts.lost_for(Lost::Late) == 0);
            join(producers);
            let stuck = bench.queue.lock().thread.take();
            join(stuck.into_iter().collect());
            // An item that was given up and is finished all the same counts once.
            let counts = bench.check_counts();
            assert_eq!((counts.accepted, counts.queued), (PRODUCERS * ITEMS + 1, 0));
            let seen = bench.all_seen().len() as u64;
            let late = counts.lost_for(Lost::Late);
            assert!(counts.done <= seen && seen <= counts.done + late);
        });
    }
}

#[test]
fn a_queue_that_ends_opens_again_for_the_next_item() {
    check(|| {
        let bench = Bench::new(lazy());
        let producers = bench.produce(|bench, number| {
            assert!(bench.put(number));
        });
        assert!(bench.put(OWN));
        bench.queue.end_when_empty();
        bench.queue.join();
        join(producers);
        // An item may have opened it again.
        bench.queue.end_when_empty();
        let ticket = bench.queue.start_flush();
        assert!(bench.queue.wait_for_flush(ticket, None));
        let items = PRODUCERS * ITEMS + 1;
        assert!(bench.all_seen().into_iter().eq(0..items));
        bench.queue.join();
        let counts = bench.check_counts();
        assert_eq!((counts.done, counts.queued), (items, 0));
    });
}

#[test]
fn a_full_queue_drops_and_counts_what_has_no_room() {
    for drop_policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        check(move || {
            let bench = Bench::started(Settings {
                max_items: 1,
                drop_policy,
                ..eager()
            });
            let producers = bench.produce(|bench, number| {
                let _ = bench.put(number);
                assert!(bench.check_counts().queued <= 1);
            });
            let _ = bench.put(OWN);
            join(producers);
            bench.queue.close(Lost::Closed);
            assert!(bench.queue.wait_for_end(None, Lost::Late));
            let counts = bench.check_counts();
            assert_eq!(counts.accepted, PRODUCERS * ITEMS + 1);
            assert_eq!(counts.done, bench.all_seen().len() as u64);
            assert_eq!(counts.queued, 0);
        });
    }
}

#[test]
fn each_loss_is_told() {
    check(|| {
        let bench = Bench::new(lazy());
        let told = Arc::new(StdMutex::new(0));
        let tell = {
            let told = Arc::clone(&told);
            move |bench: &Bench, _| {
                let before = bench.queue.told_so_far();
                let _ = bench.queue.refuse(Lost::QueueFull);
                let [full, ..] = bench.queue.tell(before);
                assert!(full > 0, "the loss came after the call began");
                *told.lock().unwrap() += full;
            }
        };
        let producers = bench.produce(tell.clone());
        tell(&bench, OWN);
        join(producers);
        assert!(*told.lock().unwrap() > PRODUCERS * ITEMS);
        let before = bench.queue.told_so_far();
        assert_eq!(bench.queue.tell(before), [0; 3]);
    });
}
