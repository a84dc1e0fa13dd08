//! Logs are captured from every thread, level and library.

use agentspan_testkit::CapturedLogs;

#[test]
fn logs_of_all_threads_and_of_the_log_facade_are_seen() {
    let logs = CapturedLogs::everywhere();
    std::thread::spawn(|| {
        tracing::trace!(fact = "mark-1", "first");
        log::trace!("mark-2");
    })
    .join()
    .unwrap();
    assert_eq!((logs.count("mark-1"), logs.count("mark-2")), (1, 1));
    assert!(!logs.contains("mark-3"));
}

#[test]
fn logs_of_a_thread_are_seen_until_its_guard_is_dropped() {
    let (logs, guard) = CapturedLogs::on_this_thread();
    tracing::trace!("mark-4");
    drop(guard);
    tracing::trace!("mark-5");
    assert!(logs.contains("mark-4"));
    assert!(!logs.contains("mark-5"));
}
