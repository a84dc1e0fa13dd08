//! Asynchronous code flushes and shuts down without blocking its executor, in any runtime and in none.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_executor::block_on;
use tokio::runtime::Builder;

use super::in_drop::{Calls, waiting};
use super::*;

#[test]
fn without_a_runtime() {
    let calls = Calls::default();
    let telemetry = waiting(&calls);
    block_on(telemetry.flush_async(WHILE)).unwrap();
    assert_eq!(calls.all(), ["export 2"]);
    block_on(telemetry.shutdown_async(WHILE)).unwrap();
    assert_eq!(calls.all(), ["export 2", "shutdown"]);
    block_on(telemetry.shutdown_async(WHILE)).unwrap();
}

#[test]
fn d6_the_only_thread_of_a_runtime_is_not_blocked() {
    let (hanging, release) = Hanging::new();
    let telemetry = telemetry(ExportQueue::builder("slow", hanging), Flushes::default());
    telemetry.tracer("t").start("s").end();
    let runtime = Builder::new_current_thread().build().unwrap();
    let ended = runtime.block_on(async {
        let flush = telemetry.flush_async(WHILE);
        let (flushed, ()) = tokio::join!(flush, async { drop(release) });
        flushed.and(telemetry.shutdown_async(WHILE).await)
    });
    ended.unwrap();
}

#[test]
fn a_deadline_that_passes_is_told() {
    let (hanging, release) = Hanging::new();
    let telemetry = telemetry(ExportQueue::builder("dead", hanging), Flushes::default());
    telemetry.tracer("t").start("s").end();
    assert_eq!(unsent(block_on(telemetry.flush_async(Duration::ZERO))), 1);
    let (logs, _guard) = CapturedLogs::on_this_thread();
    assert_eq!(
        unsent(block_on(telemetry.shutdown_async(Duration::ZERO))),
        1
    );
    drop(telemetry);
    assert!(!logs.contains("the guard was"), "{}", logs.text());
    drop(release);
}

#[test]
fn a_shutdown_that_is_cancelled_goes_on_and_the_drop_waits_for_it() {
    let calls = Calls::default();
    let telemetry = waiting(&calls);
    {
        let mut shutdown = pin!(telemetry.shutdown_async(WHILE));
        let mut cx = Context::from_waker(Waker::noop());
        let first: Poll<_> = shutdown.as_mut().poll(&mut cx);
        assert!(first.is_pending() || calls.all().len() == 2);
    }
    let provider = telemetry.provider().clone();
    drop(telemetry);
    assert_eq!(calls.all(), ["export 2", "shutdown"]);
    drop(provider);
}

#[test]
fn it_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let telemetry = waiting(&Calls::default());
    is_send(&telemetry.flush_async(WHILE));
    is_send(&telemetry.shutdown_async(WHILE));
}
