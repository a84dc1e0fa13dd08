//! Foreign code that panics, with whatever it panics, reaches neither the program nor the thread of a
//! queue. Tests named `f4_...` and `a11_...` are the faults of those names.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_processor::{BackgroundQueue, FanOut, Hook, Trace, TraceBuilder};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(60);

const HOOKS: [Hook; 5] = [
    Hook::Startup,
    Hook::OnStart,
    Hook::OnEvent,
    Hook::OnEnd,
    Hook::Shutdown,
];

/// What a hook may panic with: dropping it panics, too.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("the payload panics as well");
    }
}

/// Panics in one hook in this way for as long as it is switched on.
fn panicking(hook: Hook, is_on: &Arc<AtomicBool>) -> Recorder {
    let is_on = Arc::clone(is_on);
    Recorder::behaving(move |called, _| {
        if called == hook && is_on.load(Ordering::SeqCst) {
            panic_any(PanicsWhenDropped);
        }
        Ok(())
    })
}

fn program(trace: TraceBuilder) {
    let trace = trace.start().unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    // Ends in the drop of the guard.
    drop(a);
    trace.end().unwrap();
}

async fn async_program(trace: TraceBuilder) {
    let trace = trace.start_async().await.unwrap();
    let in_trace = async {
        let a = span("a").start_async().await.unwrap();
        a.add_event_async(EVENT).await.unwrap();
        a.end_async().await.unwrap();
    };
    trace.scope(in_trace).await;
    trace.end_async().await.unwrap();
}

#[test]
fn f4_a_hook_with_a_payload_that_panics_costs_the_program_nothing() {
    for hook in HOOKS {
        let (on, good) = (Arc::new(AtomicBool::new(true)), Recorder::new());
        let trace = || {
            Trace::builder()
                .with_processor(panicking(hook, &on))
                .with_processor(FanOut::new().with_target(panicking(hook, &on)))
                .with_processor(good.clone())
        };
        program(trace());
        block_on(async_program(trace()));
        assert_eq!(good.calls().len(), 2 * 7, "{hook:?}");
    }
}

#[test]
fn f4_the_thread_of_a_background_queue_outlives_such_hooks() {
    for hook in HOOKS {
        let on = Arc::new(AtomicBool::new(true));
        let recorder = panicking(hook, &on);
        let queue = BackgroundQueue::new(recorder.clone());
        program(Trace::builder().with_processor(queue.clone()));
        queue.flush(LONG).unwrap();
        let stats = queue.stats();
        assert!(stats.failed > 0, "{stats:?}");
        assert_eq!((stats.offered, stats.queued), (7, 0));
        assert_eq!(stats.handled + stats.dropped, 7);
        on.store(false, Ordering::SeqCst);
        let before = recorder.calls().len();
        program(Trace::builder().with_processor(queue.clone()));
        queue.flush(LONG).unwrap();
        assert_eq!(recorder.calls().len() - before, 7, "{hook:?}");
    }
}
