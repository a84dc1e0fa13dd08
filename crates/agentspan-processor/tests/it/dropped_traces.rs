//! Asynchronous code that drops a trace does not wait for the queues of its processors.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{BackgroundQueue, FanOut, Filter, SpanProcessor, Trace, TraceError};
use futures_executor::block_on;

use crate::background_queue::{Key, LONG, check_conserved, gate};
use crate::recorder::{Recorder, span, yield_once};

fn poll_once_and_drop(future: impl Future) {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut context).is_pending());
}

/// Drops something that holds a trace, while the thread of the queue is stuck. A wait for the thread would give up
/// at once what is queued, and be seen by that.
fn check<P: SpanProcessor + 'static>(
    before_the_queue: impl FnOnce(BackgroundQueue) -> P,
    drop_trace: impl FnOnce(P, &Key),
) {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::builder(gate).with_shutdown_timeout(Duration::ZERO);
    let queue = queue.build();
    drop_trace(before_the_queue(queue.clone()), &key);
    let stats = queue.stats();
    assert_eq!(
        (stats.dropped, stats.queued),
        (0, stats.accepted - stats.handled)
    );
    assert!(stats.queued > 0);
    key.0.send(()).unwrap();
    queue.flush(LONG).unwrap();
    assert_eq!(recorder.count("shutdown"), 1);
    check_conserved(queue.stats());
    assert_eq!((queue.stats().dropped, queue.stats().queued), (0, 0));
}

fn cancelled(processor: impl SpanProcessor + 'static, key: &Key) {
    poll_once_and_drop(Trace::builder().with_processor(processor).run(|_| async {
        key.1.recv().unwrap();
        span("a").start_async().await?.end_async().await?;
        pending::<Result<(), TraceError>>().await
    }));
}

#[test]
fn a_cancelled_trace_does_not_wait_for_a_queue() {
    check(|queue| queue, cancelled);
    check(std::sync::Arc::new, cancelled);
    check(Filter::new, cancelled);
    check(|queue| FanOut::new().with_target(queue), cancelled);
}

#[test]
fn an_open_trace_that_is_dropped_does_not_wait_for_a_queue() {
    let dropped = |queue, key: &Key| {
        let trace = Trace::builder().with_processor(queue).start_detached();
        key.1.recv().unwrap();
        drop(trace.unwrap());
    };
    check(|queue| queue, dropped);
}

/// Cancelled while the first processor is slow to end the root span, or to shut down, and the queue comes after it.
fn cancelled_end(builder: TraceBuilder, polls: usize, key: &Key) {
    let open = block_on(builder.start_async()).unwrap();
    key.1.recv().unwrap();
    let mut end = Box::pin(open.end_async());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        assert!(end.as_mut().poll(&mut context).is_pending());
    }
}

#[test]
fn an_end_that_is_cancelled_does_not_wait_for_the_queues_after_a_slow_processor() {
    for polls in 0..3 {
        check(
            |queue| queue,
            |queue, key| {
                let builder = Trace::builder().with_processor(Recorder::new());
                cancelled_end(builder.with_processor(queue), polls, key);
            },
        );
        check(
            |queue| {
                FanOut::new()
                    .with_target(Recorder::new())
                    .with_target(queue)
            },
            |both, key| cancelled_end(Trace::builder().with_processor(both), polls, key),
        );
    }
}

#[test]
fn a_panic_in_a_trace_waits_for_a_queue_and_blocks_no_thread() {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::builder(gate).with_shutdown_timeout(Duration::ZERO);
    let queue = queue.build();
    let trace = Trace::builder().with_processor(queue.clone());
    let program = trace.run(|_| async {
        key.1.recv().unwrap();
        yield_once().await;
        panic!("no way");
        #[expect(unreachable_code, reason = "says what would be returned")]
        Ok::<_, TraceError>(())
    });
    let mut program = pin!(program);
    let mut context = Context::from_waker(Waker::noop());
    // In the program, and in the shutdown.
    assert!(program.as_mut().poll(&mut context).is_pending());
    let in_shutdown = catch_unwind(AssertUnwindSafe(|| program.as_mut().poll(&mut context)));
    assert!(in_shutdown.unwrap().is_pending());
    key.0.send(()).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(program)));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"no way"));
    assert_eq!(
        (recorder.count("on_end"), recorder.count("shutdown")),
        (1, 1)
    );
    assert_eq!((queue.stats().dropped, queue.stats().queued), (0, 0));
}

#[test]
fn the_guard_of_a_trace_waits_for_a_queue_when_it_is_dropped() {
    let recorder = Recorder::new();
    let queue = BackgroundQueue::new(recorder.clone());
    drop(
        Trace::builder()
            .with_processor(queue.clone())
            .start()
            .unwrap(),
    );
    assert_eq!(recorder.count("shutdown"), 1);
    assert_eq!(queue.stats().queued, 0);
}
