//! A9, D6: a guard that is dropped without a shutdown loses nothing that it has the time to send.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context as Task, Waker};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::*;

/// Notes how it is called, of all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn add(&self, call: impl Into<String>) {
        self.0.lock().unwrap().push(call.into());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl SpanExporter for Calls {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.add(format!("export {}", batch.len()));
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.add("shutdown");
        Ok(())
    }
}

/// Telemetry of which two spans wait, for ever if nobody flushes.
pub(super) fn waiting(calls: &Calls) -> Telemetry {
    let queue = ExportQueue::builder("kept", calls.clone()).with_batch_delay(Duration::MAX);
    let telemetry = telemetry(queue, Flushes::default());
    for _ in 0..2 {
        telemetry.tracer("t").start("s").end();
    }
    telemetry
}

/// Lets `end` drop the guard, after which everything is to be sent.
#[track_caller]
fn check(end: impl FnOnce(Telemetry)) {
    let calls = Calls::default();
    let telemetry = waiting(&calls);
    // As the global provider does: the SDK shuts down only with the last one.
    let provider = telemetry.provider().clone();
    end(telemetry);
    assert_eq!(calls.all(), ["export 2", "shutdown"]);
    drop(provider);
}

#[test]
fn a9_without_a_runtime() {
    check(drop);
    check(|telemetry| thread::spawn(move || drop(telemetry)).join().unwrap());
}

#[test]
fn a9_while_the_thread_unwinds() {
    check(|telemetry| {
        let run = move || {
            let _guard = telemetry;
            panic!("the run fails");
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    });
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn multi_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).build().unwrap()
}

#[test]
fn a9_in_asynchronous_code() {
    for runtime in [current_thread(), multi_thread()] {
        check(|telemetry| runtime.block_on(async { drop(telemetry) }));
        check(|telemetry| {
            let task = runtime.spawn(async { drop(telemetry) });
            runtime.block_on(task).unwrap();
        });
    }
}

#[test]
fn a9_with_the_runtime() {
    for runtime in [current_thread(), multi_thread()] {
        check(|telemetry| {
            runtime.spawn(async {
                let _guard = telemetry;
                pending::<()>().await;
            });
            drop(runtime);
        });
    }
}

thread_local! {
    static KEPT: Cell<Option<Telemetry>> = const { Cell::new(None) };
}

#[test]
fn a9_with_the_thread() {
    check(|telemetry| {
        let thread = thread::spawn(|| KEPT.set(Some(telemetry)));
        thread.join().unwrap();
    });
}

/// The log lines about the guard that `end` drops.
fn logged(end: impl FnOnce()) -> Vec<String> {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    end();
    let text = logs.text();
    let lines = text.lines().filter(|line| line.contains("the guard was"));
    lines.map(str::to_owned).collect()
}

fn dropped(queues: Vec<ExportQueue>, flush_on_drop: Duration) -> Vec<String> {
    let mut telemetry = with_queues(queues);
    telemetry.flush_on_drop = flush_on_drop;
    telemetry.tracer("t").start("s").end();
    logged(move || drop(telemetry))
}

#[test]
fn a9_one_warning_says_what_was_not_sent_of_each_destination() {
    let queue = |name: &str| {
        ExportQueue::builder(name, Calls::default())
            .build()
            .unwrap()
    };
    let failing = |name: &str| ExportQueue::builder(name, Failing).build().unwrap();
    let mixed = vec![failing("a"), queue("b"), failing("c")];
    let lines = dropped(mixed, WHILE);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let what = "unsent=2 destinations=a: 1 (export_failed: 1), c: 1 (export_failed: 1)";
    assert!(lines[0].contains(what), "{lines:?}");
    assert!(lines[0].contains(" WARN "), "{lines:?}");
    assert_eq!(dropped(vec![queue("a"), queue("b")], WHILE).len(), 0);
}

#[test]
fn a9_a14_the_warning_tells_of_losses_before_the_drop_that_nobody_was_told_of() {
    let failing = || ExportQueue::builder("a", Failing).build().unwrap();
    let before = |telemetry: &Telemetry, queue: &ExportQueue| {
        telemetry.tracer("t").start("s").end();
        let flush = queue.start_flush();
        while queue.stats().queued > 0 {
            thread::yield_now();
        }
        flush
    };
    let queue = failing();
    let telemetry = with_queues(vec![queue.clone()]);
    let _ = before(&telemetry, &queue);
    let lines = logged(move || drop(telemetry));
    let what = r#"unsent=0 destinations= error="a lost 1 span (export_failed: 1)""#;
    assert!(lines[0].ends_with(what), "{lines:?}");

    let queue = failing();
    let telemetry = with_queues(vec![queue.clone()]);
    before(&telemetry, &queue).wait(WHILE).unwrap_err();
    assert_eq!(logged(move || drop(telemetry)).len(), 0);
}

#[test]
fn a9_a_destination_that_hangs_takes_no_more_than_the_time_that_was_configured() {
    let (hanging, release) = Hanging::new();
    let hanging = ExportQueue::builder("hanging", hanging).build().unwrap();
    let lines = dropped(vec![hanging], Duration::from_millis(1));
    let what = "unsent=1 destinations=hanging: 1 (shutdown_deadline: 1)";
    assert!(lines[0].contains(what), "{lines:?}");
    drop(release);
}

#[test]
fn without_time_a_drop_only_says_what_waits_and_starts_to_send_it() {
    let calls = Calls::default();
    let mut telemetry = waiting(&calls);
    telemetry.flush_on_drop = Duration::ZERO;
    let provider = telemetry.provider().clone();
    let queue = telemetry.pipeline.queues()[0].clone();
    let lines = logged(move || drop(telemetry));
    let what = "unsent=2 destinations=kept: 2 (queued: 2)";
    assert!(lines[0].ends_with(what), "{lines:?}");
    queue.start_flush().wait(WHILE).unwrap();
    assert_eq!(calls.all(), ["export 2"]);
    drop(provider);
}

#[test]
fn hooks_of_processors_of_agent_spec_are_told_of_too() {
    let (hanging, release) = Hanging::new();
    let processors = vec![("hanging".to_owned(), BackgroundQueue::new(hanging))];
    let telemetry = with_agent_spec(processors, Duration::from_millis(1));
    let trace = telemetry.trace().start().unwrap();
    // The start of the trace, which hangs, and that of its root span.
    assert_eq!(unsent(telemetry.flush(Duration::ZERO)), 2);
    let lines = logged(move || drop(telemetry));
    // And the shutdown.
    let what = "unsent=3 destinations=hanging: 3 (shutdown_deadline: 3)";
    assert!(lines[0].contains(what), "{lines:?}");
    drop(release);
    trace.end().unwrap();
}

#[test]
fn a_guard_that_is_dropped_after_a_cancelled_shutdown_does_not_say_that_there_was_none() {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let (hanging, release) = Hanging::new();
    let queue = ExportQueue::builder("hanging", hanging).build().unwrap();
    let pipeline = pipeline(vec![queue], None::<Flushes>);
    let telemetry = Telemetry::new(pipeline, None, Duration::from_millis(1));
    telemetry.tracer("t").start("s").end();
    let mut shutdown = Box::pin(telemetry.shutdown_async(WHILE));
    let mut task = Task::from_waker(Waker::noop());
    assert!(shutdown.as_mut().poll(&mut task).is_pending());
    drop(shutdown);
    drop(telemetry);
    let line = "the guard was dropped before a shutdown had ended, and not everything was sent";
    assert!(logs.contains(line), "{}", logs.text());
    drop(release);
}
