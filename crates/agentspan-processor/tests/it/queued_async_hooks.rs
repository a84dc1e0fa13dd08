//! Asynchronous hooks behind a queue, whose thread drives them.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_processor::span_processor::Hook;
use agentspan_processor::{
    BackgroundQueue, HookError, HookFuture, Span, SpanEvent, SpanProcessor, Trace,
};
use futures_executor::block_on;

use crate::background_queue::{check_conserved, program};
use crate::recorder::{EVENT, Recorder, span};

/// Has only asynchronous hooks, and each waits for another thread.
#[derive(Clone, Debug, Default)]
struct Awaits(Arc<Mutex<Vec<String>>>);

impl Awaits {
    fn hook<'a>(&'a self, call: String) -> HookFuture<'a> {
        HookFuture::new(async move {
            let (answer, answered) = tokio::sync::oneshot::channel();
            let elsewhere = std::thread::spawn(move || answer.send(call).unwrap());
            let call = answered.await.unwrap();
            self.0.lock().unwrap().push(call);
            elsewhere.join().unwrap();
            Ok(())
        })
    }
}

impl SpanProcessor for Awaits {
    fn startup_async(&self) -> HookFuture<'_> {
        self.hook("startup".to_owned())
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.hook(format!("on_start {}", span.name()))
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        self.hook(format!("on_event {}/{}", span.name(), event.name))
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.hook(format!("on_end {}", span.name()))
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        self.hook("shutdown".to_owned())
    }
}

#[test]
fn a_processor_with_only_asynchronous_hooks_hears_everything() {
    let processor = Awaits::default();
    let queue = BackgroundQueue::new(processor.clone());
    let expected = [
        "startup",
        "on_start RootSpan",
        "on_start a",
        "on_event a/Event",
        "on_end a",
        "on_end RootSpan",
        "shutdown",
    ];
    program(Trace::builder().with_processor(queue.clone()), 1);
    assert_eq!(*processor.0.lock().unwrap(), expected);
    processor.0.lock().unwrap().clear();
    let trace = Trace::builder().with_processor(queue.clone());
    let run = trace.run(|_| async {
        let a = span("a").start_async().await.unwrap();
        a.add_event_async(EVENT).await.unwrap();
        a.end_async().await
    });
    block_on(run).unwrap();
    assert_eq!(*processor.0.lock().unwrap(), expected);
    check_conserved(queue.stats());
    assert_eq!((queue.stats().handled, queue.stats().failed), (14, 0));
}

/// Its hooks are never done with the end of a span, and say when they are dropped.
#[derive(Debug)]
struct NeverDone {
    arrived: Mutex<Sender<()>>,
    dropped: Mutex<Sender<&'static str>>,
}

struct TellsDrop(Sender<&'static str>);

impl Drop for TellsDrop {
    fn drop(&mut self) {
        self.0.send("dropped").unwrap();
    }
}

impl SpanProcessor for NeverDone {
    fn on_end_async<'a>(&'a self, _: &'a Span) -> HookFuture<'a> {
        let tells = TellsDrop(self.dropped.lock().unwrap().clone());
        HookFuture::new(async move {
            let _tells = tells;
            self.arrived.lock().unwrap().send(()).unwrap();
            std::future::pending().await
        })
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.dropped.lock().unwrap().send("shut down").unwrap();
        Ok(())
    }
}

#[test]
fn an_asynchronous_hook_that_is_never_done_is_dropped_at_the_deadline_of_a_shutdown() {
    let ((arrived, arrival), (dropped, told)) = (channel(), channel());
    let processor = NeverDone {
        arrived: Mutex::new(arrived),
        dropped: Mutex::new(dropped),
    };
    let queue = BackgroundQueue::builder(processor)
        .with_shutdown_timeout(Duration::ZERO)
        .build();
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.start().unwrap();
    span("a").start().unwrap().end().unwrap();
    arrival.recv().unwrap();
    trace.end().unwrap();
    assert_eq!(told.recv().unwrap(), "dropped");
    assert_eq!(told.recv().unwrap(), "shut down");
    check_conserved(queue.stats());
    let stats = queue.stats();
    // The end of `a` is lost with all that waited behind it, and counts once.
    assert_eq!((stats.accepted, stats.failed, stats.queued), (6, 0, 0));
    assert_eq!(stats.dropped_at_shutdown, 6 - stats.handled);
}

#[test]
fn a_future_that_panics_is_a_failed_hook_and_the_next_ones_run() {
    let recorder = Recorder::behaving(|hook, name| {
        assert!(hook != Hook::OnEvent || name != "a", "on purpose");
        Ok(())
    });
    let queue = BackgroundQueue::new(recorder.clone());
    program(Trace::builder().with_processor(queue.clone()), 2);
    assert_eq!((queue.stats().handled, queue.stats().failed), (10, 2));
    assert_eq!(recorder.count("on_end.await a"), 2);
}
