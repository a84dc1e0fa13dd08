//! When the thread lets items gather, and when it sleeps.

use super::*;

/// A queue in which items gather until there are five, or for this long, with its thread.
fn gathering(gather_time: Duration) -> (Arc<TestQueue>, mpsc::Receiver<u64>) {
    let queue = Arc::new(TestQueue::new(Settings {
        gather_items: 5,
        gather_time,
        pace: QueuePace::Batches,
        ..settings(100, u64::MAX, DropPolicy::Newest)
    }));
    let (seen, all_seen) = mpsc::channel();
    start(&queue, move |item| seen.send(item.number).unwrap());
    (queue, all_seen)
}

#[test]
fn a_flush_does_not_wait_until_enough_items_have_gathered() {
    let (queue, all_seen) = gathering(Duration::MAX);
    let _ = queue.put(single(1));
    assert!(queue.wait_for_flush(queue.start_flush(), long()));
    assert_eq!(all_seen.try_recv(), Ok(1));
}

#[test]
fn the_end_does_not_wait_until_enough_items_have_gathered() {
    let (queue, all_seen) = gathering(Duration::MAX);
    let _ = queue.put(single(1));
    queue.close(Lost::Closed);
    assert!(queue.wait_for_end(long(), Lost::Late));
    assert_eq!(all_seen.try_recv(), Ok(1));
}

#[test]
fn few_items_gather_for_a_time_only() {
    let (queue, all_seen) = gathering(Duration::from_millis(1));
    let _ = queue.put(single(1));
    assert_eq!(all_seen.recv_timeout(Duration::from_secs(60)), Ok(1));
    queue.close(Lost::Closed);
    assert!(queue.wait_for_end(long(), Lost::Late));
}

#[test]
fn a_thread_that_looks_by_itself_for_items_falls_asleep_in_the_end() {
    let queue = Arc::new(TestQueue::new(settings(8, u64::MAX, DropPolicy::Newest)));
    start(&queue, |_| {});
    let end = long();
    while queue.lock().wake_at != 1 {
        assert!(Some(Instant::now()) < end, "awake");
        thread::yield_now();
    }
    queue.close(Lost::Closed);
    assert!(queue.wait_for_end(long(), Lost::Late));
}
