//! What is in the hands of the thread: noted, finished or given up. The test is the thread.

use super::*;

/// A queue with a thread that does nothing, so that the test does its work.
fn driven(settings: Settings) -> Arc<TestQueue> {
    let queue = Arc::new(TestQueue::new(settings));
    let spawn = || thread::Builder::new().spawn(|| {});
    queue.start_thread(spawn).unwrap();
    queue
}

fn roomy() -> Settings {
    settings(8, u64::MAX, DropPolicy::Newest)
}

fn put(queue: &TestQueue, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        assert_eq!(queue.put(single(number)).refused, None);
    }
}

/// The numbers of the items that the thread gets next, and when they were taken.
fn take(queue: &TestQueue, max_items: usize) -> (Vec<u64>, Taken) {
    let mut numbers = Vec::new();
    match queue.next(max_items, |item| numbers.push(item.number)) {
        Work::Items(taken) => (numbers, taken),
        other => panic!("{other:?}"),
    }
}

fn finished(items: u64) -> Finished<4> {
    let mut finished = Finished::default();
    (finished.items, finished.bytes) = (items, items);
    finished
}

fn fates(queue: &TestQueue) -> (u64, [u64; 4], u64, u64) {
    let counts = queue.counts();
    check_conserved(counts);
    (counts.done, counts.lost, counts.queued, counts.queued_bytes)
}

#[test]
fn noted_items_count_as_done_and_hold_their_bytes_until_they_are_finished() {
    let queue = driven(roomy());
    put(&queue, 1..=3);
    let (numbers, taken) = take(&queue, 7);
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(fates(&queue), (0, [0; 4], 3, 3));
    queue.note(taken, 2);
    assert_eq!(fates(&queue), (2, [0; 4], 1, 3));
    assert!(queue.finish(taken, finished(3)));
    assert_eq!(fates(&queue), (3, [0; 4], 0, 0));
    // The note was of those.
    put(&queue, 4..=5);
    assert_eq!(fates(&queue), (3, [0; 4], 2, 2));
}

#[test]
fn items_that_the_thread_has_lost_are_not_done() {
    let queue = driven(roomy());
    put(&queue, 1..=4);
    let (_, taken) = take(&queue, 7);
    let mut finished = finished(4);
    finished.lose(Lost::Failed, 1);
    finished.lose(Lost::Failed, 2);
    assert!(queue.finish(taken, finished));
    assert_eq!(fates(&queue), (1, [0, 3, 0, 0], 0, 0));
}

#[test]
fn the_first_item_that_is_lost_for_a_reason_is_said_to_be_the_first() {
    let queue = TestQueue::new(roomy());
    for (loss, is_first) in [
        (Lost::Failed, true),
        (Lost::Failed, false),
        (Lost::Late, true),
    ] {
        assert_eq!(queue.refuse(loss), Refused { loss, is_first });
    }
}

#[test]
fn noted_items_are_not_lost_when_the_rest_is_given_up() {
    let queue = driven(roomy());
    put(&queue, 1..=3);
    let (_, taken) = take(&queue, 7);
    queue.note(taken, 2);
    queue.close(Lost::Closed);
    assert!(!queue.is_given_up(taken));
    assert!(!queue.wait_for_end(Some(Instant::now()), Lost::Late));
    assert!(queue.is_given_up(taken));
    assert_eq!(fates(&queue), (2, [0, 0, 0, 1], 0, 0));
    assert!(!queue.finish(taken, finished(3)));
    assert_eq!(fates(&queue), (2, [0, 0, 0, 1], 0, 0));
}

#[test]
fn a_note_counts_for_the_items_that_were_taken_with_it_only() {
    let queue = driven(roomy());
    put(&queue, 1..=3);
    let (_, before) = take(&queue, 7);
    queue.end_when_empty();
    assert!(queue.start_end_wait().give_up(Lost::Late));
    // The next item opens the queue again.
    put(&queue, 4..=6);
    queue.note(before, 2);
    assert_eq!(fates(&queue), (0, [0, 0, 0, 3], 3, 3));
    let (numbers, taken) = take(&queue, 2);
    assert_eq!(numbers, [4, 5]);
    assert_eq!(queue.latest(), taken);
    queue.note(taken, 1);
    assert_eq!(fates(&queue), (1, [0, 0, 0, 3], 2, 3));
    assert!(queue.finish(taken, finished(2)));
    assert_eq!(fates(&queue), (2, [0, 0, 0, 3], 1, 1));
}

#[test]
fn nothing_is_given_up_while_the_queue_is_open() {
    let queue = driven(roomy());
    put(&queue, 1..=3);
    assert!(!queue.start_end_wait().give_up(Lost::Late));
    assert_eq!(fates(&queue), (0, [0; 4], 3, 3));
}

#[test]
fn a_queue_asks_for_a_thread_only_when_it_can_use_one() {
    let queue = TestQueue::new(settings(1, u64::MAX, DropPolicy::Newest));
    assert!(queue.put(single(1)).needs_thread);
    // Full, and still without one.
    let full = queue.put(single(2));
    assert!(full.needs_thread && full.refused.unwrap().loss == Lost::QueueFull);
    queue.close(Lost::Closed);
    assert!(!queue.put(single(3)).needs_thread);
    let running = driven(settings(1, u64::MAX, DropPolicy::Newest));
    put(&running, [1]);
    let full = running.put(single(2));
    assert!(!full.needs_thread && full.refused.is_some());
}

#[test]
fn a_closed_queue_starts_no_thread_and_a_running_one_no_other() {
    let none = || -> io::Result<JoinHandle<()>> { panic!("started") };
    driven(roomy()).start_thread(none).unwrap();
    let closed = TestQueue::new(roomy());
    closed.close(Lost::Closed);
    closed.start_thread(none).unwrap();
}

#[test]
fn the_second_reason_to_close_changes_nothing() {
    let queue = TestQueue::new(roomy());
    queue.close(Lost::Closed);
    queue.close(Lost::Late);
    assert_eq!(queue.put(single(1)).refused.unwrap().loss, Lost::Closed);
    queue.end_when_empty();
    assert_eq!(queue.put(single(2)).refused.unwrap().loss, Lost::Closed);
}

#[test]
fn bytes_for_a_quarter_of_the_bound_wake_a_thread_that_lets_items_gather() {
    let queue = Arc::new(TestQueue::new(Settings {
        gather_items: 5,
        gather_time: Duration::MAX,
        pace: QueuePace::Batches,
        ..settings(100, 100, DropPolicy::Newest)
    }));
    let (seen, all_seen) = mpsc::channel();
    start(&queue, move |item| seen.send(item.number).unwrap());
    let is_asleep_until = |items| {
        while queue.lock().wake_at != items {
            thread::yield_now();
        }
    };
    is_asleep_until(1);
    put(&queue, [1]);
    is_asleep_until(5);
    let bytes = 24;
    let many = Item { bytes, ..single(2) };
    assert_eq!(queue.put(many).refused, None);
    let seen = [(); 2].map(|()| all_seen.recv_timeout(Duration::from_secs(60)));
    assert_eq!(seen, [Ok(1), Ok(2)]);
    queue.close(Lost::Closed);
    assert!(queue.wait_for_end(long(), Lost::Late));
}

#[test]
fn a_flush_has_a_place_among_the_items_and_what_comes_later_is_not_of_it() {
    let queue = driven(roomy());
    put(&queue, 1..=2);
    let ticket = queue.start_flush();
    put(&queue, [3]);
    assert_eq!(take(&queue, 7).0, [1, 2]);
    assert!(!queue.wait_for_flush(ticket, Some(Instant::now())));
    let Work::Flush(calls) = queue.next(7, |_| panic!("an item")) else {
        panic!("no flush");
    };
    queue.answer(calls);
    assert!(queue.wait_for_flush(ticket, Some(Instant::now())));
    assert_eq!(take(&queue, 7).0, [3]);
}

#[test]
fn notices_reach_the_thread_although_everything_else_was_given_up() {
    let queue = driven(roomy());
    let notice = Item {
        part: Part::Notice,
        ..single(7)
    };
    put(&queue, [1]);
    assert_eq!(queue.put(notice).refused, None);
    queue.close(Lost::Closed);
    assert!(!queue.wait_for_end(Some(Instant::now()), Lost::Late));
    let before = fates(&queue);
    let (numbers, taken) = take(&queue, 7);
    assert_eq!(numbers, [7]);
    assert!(queue.is_given_up(taken));
    assert!(!queue.finish(taken, finished(1)));
    assert_eq!(fates(&queue), before);
}

#[test]
fn only_the_thread_of_the_queue_is_its_own() {
    let queue = Arc::new(TestQueue::new(roomy()));
    let (seen, all_seen) = mpsc::channel();
    let shared = Arc::clone(&queue);
    start(&queue, move |_| seen.send(shared.is_own_thread()).unwrap());
    put(&queue, [1]);
    assert_eq!(all_seen.recv_timeout(Duration::from_secs(60)), Ok(true));
    assert!(!queue.is_own_thread());
    queue.close(Lost::Closed);
    assert!(queue.wait_for_end(long(), Lost::Late));
    assert!(!queue.is_own_thread());
}

#[test]
fn a_queue_shows_its_settings_and_its_counts() {
    let queue = driven(roomy());
    put(&queue, [1]);
    let shown = format!("{queue:?}");
    let parts = ["Queue { settings: Settings { max_items: 8", "accepted: 1"];
    assert!(parts.iter().all(|part| shown.contains(part)), "{shown}");
    let wait = format!("{:?}", queue.start_end_wait());
    assert!(wait.starts_with("EndWait(Some(Queue {"), "{wait}");
}

/// Whether a flush has to wait for the thread after everything was given up.
fn waits_after_giving_up(queue: &TestQueue) -> bool {
    queue.end_when_empty();
    assert!(queue.start_end_wait().give_up(Lost::Late));
    assert_eq!(queue.counts().queued, 0);
    !queue.wait_for_flush(queue.start_flush(), Some(Instant::now()))
}

#[test]
fn a_thread_is_left_behind_only_with_items_that_it_has_begun_with() {
    let idle = driven(roomy());
    put(&idle, 1..=5);
    assert!(waits_after_giving_up(&idle));
    let busy = driven(roomy());
    put(&busy, 1..=5);
    assert_eq!(take(&busy, 2).0, [1, 2]);
    assert!(!waits_after_giving_up(&busy));
    let done = driven(roomy());
    put(&done, 1..=5);
    let (_, taken) = take(&done, 2);
    assert!(done.finish(taken, finished(2)));
    // Three are with the thread, and one is not.
    put(&done, [6]);
    assert!(waits_after_giving_up(&done));
}

#[test]
fn joining_waits_for_a_thread_that_is_to_end() {
    let queue = Arc::new(TestQueue::new(roomy()));
    let has_ended = Arc::new(AtomicBool::new(false));
    let (shared, ended) = (Arc::clone(&queue), Arc::clone(&has_ended));
    let run = move || {
        assert_eq!(shared.next(7, |_| {}), Work::End);
        (0..50).for_each(|_| thread::yield_now());
        ended.store(true, Ordering::SeqCst);
    };
    queue
        .start_thread(|| thread::Builder::new().spawn(run))
        .unwrap();
    queue.end_when_empty();
    queue.join();
    assert!(has_ended.load(Ordering::SeqCst));
}

#[test]
fn joining_does_not_wait_for_a_thread_that_goes_on() {
    let open = driven(roomy());
    open.join();
    let busy = driven(roomy());
    put(&busy, [1]);
    busy.end_when_empty();
    busy.join();
    let _ = take(&busy, 7);
    // It is stuck with what was given up.
    assert!(busy.start_end_wait().give_up(Lost::Late));
    busy.join();
}

#[test]
fn a_loss_is_told_to_calls_that_wait_and_to_none_that_begins_later() {
    let queue = TestQueue::new(roomy());
    let _ = queue.refuse(Lost::Failed);
    let before = queue.told_so_far();
    assert_eq!(queue.tell(before), [0, 1, 0, 0]);
    assert_eq!(queue.tell(before), [0, 1, 0, 0]);
    assert_eq!(queue.told_so_far(), [0, 1, 0, 0]);
    let _ = queue.refuse(Lost::Failed);
    assert_eq!(queue.tell(queue.told_so_far()), [0, 1, 0, 0]);
}

#[test]
fn an_item_opens_a_queue_that_is_about_to_end_and_those_who_wait_give_nothing_up() {
    let queue = driven(roomy());
    queue.end_when_empty();
    let wait = queue.start_end_wait();
    put(&queue, [1]);
    assert!(!wait.give_up(Lost::Late));
    assert_eq!(fates(&queue), (0, [0; 4], 1, 1));
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicU64);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_task_that_asks_twice_for_a_flush_is_woken_once_when_it_is_answered() {
    let queue = driven(roomy());
    put(&queue, [1]);
    let ticket = queue.start_flush();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(!queue.is_flushed_or_wakes(ticket, &waker));
    assert!(!queue.is_flushed_or_wakes(ticket, &waker));
    let _ = take(&queue, 7);
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    let Work::Flush(calls) = queue.next(7, |_| panic!("an item")) else {
        panic!("no flush");
    };
    queue.answer(calls);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(queue.is_flushed_or_wakes(ticket, &waker));
}

#[test]
fn what_the_thread_has_not_begun_with_can_still_be_dropped_for_newer_items() {
    let queue = driven(settings(6, u64::MAX, DropPolicy::Oldest));
    put(&queue, 1..=6);
    assert_eq!(take(&queue, 2).0, [1, 2]);
    put(&queue, 7..=8);
    assert_eq!(take(&queue, 7).0, [5, 6, 7, 8]);
    assert_eq!(queue.counts().lost_for(Lost::QueueFull), 2);
}
