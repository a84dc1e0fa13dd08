//! The queue that takes a processor off the path of the program.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agentspec::ExceptionRaised;
use agentspan_processor::background_queue::{DropPolicy, FlushError, QueueStats};
use agentspan_processor::span_processor::Hook;
use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{
    BackgroundQueue, HookError, InMemory, Span, SpanEvent, SpanProcessor, Trace, TraceError,
};
use allocation_counter::measure;
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

/// Longer than any of this takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn program(trace: TraceBuilder, spans: usize) {
    let trace = trace.start().unwrap();
    for _ in 0..spans {
        let a = span("a").start().unwrap();
        a.add_event(EVENT).unwrap();
        a.end().unwrap();
    }
    trace.end().unwrap();
}

#[track_caller]
pub(crate) fn check_conserved(stats: QueueStats) {
    assert_eq!(
        stats.accepted,
        stats.handled + stats.dropped + stats.queued,
        "{stats:?}"
    );
}

#[test]
fn hooks_run_in_order_on_a_thread_of_that_name() {
    let thread = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&thread);
    let recorder = Recorder::behaving(move |_, _| {
        *seen.lock().unwrap() = std::thread::current().name().unwrap_or_default().to_owned();
        Ok(())
    });
    let queue = BackgroundQueue::new(recorder.clone());
    program(Trace::builder().with_processor(queue.clone()), 1);
    let expected = [
        "startup.await  0",
        "on_start.await RootSpan 0",
        "on_start.await a 0",
        "on_event.await a/Event 0",
        "on_end.await a 0",
        "on_end.await RootSpan 0",
        "shutdown.await  0",
    ];
    assert_eq!(recorder.calls(), expected);
    assert_eq!(*thread.lock().unwrap(), "agentspan-queue");
    assert_eq!((queue.stats().handled, queue.stats().queued), (7, 0));
}

#[test]
fn hooks_after_the_last_shutdown_are_counted_and_start_no_thread() {
    let recorder = Recorder::behaving(|_, _| Ok(()));
    let queue = BackgroundQueue::new(recorder.clone());
    program(Trace::builder().with_processor(queue.clone()), 1);
    let (calls, before) = (recorder.calls(), queue.stats());
    queue.start_shutdown().unwrap();
    queue.close();
    queue.wait_for_end(LONG).unwrap();
    let trace = Trace::builder().with_processor(queue.clone());
    program(trace.without_shutdown(), 1);
    let stats = queue.stats();
    check_conserved(stats);
    // The second shutdown was handled.
    assert_eq!((stats.handled, stats.queued), (before.handled + 1, 0));
    assert_eq!((stats.dropped, stats.dropped_after_shutdown), (6, 6));
    assert_eq!(recorder.calls().len(), calls.len() + 1);
    // They are no loss of a call that waits.
    queue.flush(LONG).unwrap();
    queue.wait_for_end(LONG).unwrap();
}

#[test]
fn a_shutdown_without_time_succeeds_if_nothing_is_queued() {
    // The thread of the second one has run, and does not wake in time.
    for traces in [0, 1] {
        let queue = BackgroundQueue::new(InMemory::new());
        for _ in 0..traces {
            let trace = Trace::builder().with_processor(queue.clone());
            program(trace.without_shutdown(), 1);
        }
        queue.flush(LONG).unwrap();
        queue.wait_for_end(Duration::ZERO).unwrap();
        assert_eq!(queue.stats().dropped, 0);
    }
}

#[test]
fn a_flush_waits_for_what_was_queued_before_it() {
    let memory = InMemory::new();
    let queue = BackgroundQueue::new(memory.clone());
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .start()
        .unwrap();
    for number in 1..50 {
        span("a").start().unwrap().end().unwrap();
        queue.flush(LONG).unwrap();
        assert_eq!(memory.spans().len(), number + 1);
    }
    trace.end().unwrap();
}

/// Waits in its first `on_start` until it is let go.
#[derive(Debug)]
pub(crate) struct Gate {
    inner: Recorder,
    gate: Mutex<Option<Receiver<()>>>,
    arrived: Mutex<Option<Sender<()>>>,
}

/// What opens a gate, and what tells that somebody stands before it.
pub(crate) struct Key(pub(crate) Sender<()>, pub(crate) Receiver<()>);

pub(crate) fn gate() -> (Arc<Gate>, Recorder, Key) {
    let ((open, gate), (arrived, arrival)) = (channel(), channel());
    let inner = Recorder::new();
    let gate = Gate {
        inner: inner.clone(),
        gate: Mutex::new(Some(gate)),
        arrived: Mutex::new(Some(arrived)),
    };
    (Arc::new(gate), inner, Key(open, arrival))
}

impl SpanProcessor for Gate {
    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let arrived = self.arrived.lock().unwrap().take();
        let gate = self.gate.lock().unwrap().take();
        if let (Some(arrived), Some(gate)) = (arrived, gate) {
            arrived.send(()).unwrap();
            let _ = gate.recv();
        }
        self.inner.on_start(span)
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.inner.on_event(event, span)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.inner.on_end(span)
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.inner.shutdown()
    }
}

#[test]
fn a_flush_and_a_shutdown_keep_their_deadline() {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::builder(gate)
        .with_shutdown_timeout(Duration::ZERO)
        .build();
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .start()
        .unwrap();
    let handle = trace.trace().clone();
    key.1.recv().unwrap();
    span("a").start().unwrap().end().unwrap();
    assert!(matches!(
        queue.flush(Duration::ZERO),
        Err(FlushError::TimedOut { queued: 3.. })
    ));
    trace.end().unwrap();
    assert_eq!(handle.hook_failures(), 1);
    check_conserved(queue.stats());
    // What there was is lost to the deadline, unless the thread was seen to have handled the start of the trace.
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.queued), (6, 0));
    assert_eq!(stats.dropped_at_shutdown, 6 - stats.handled);
    key.0.send(()).unwrap();
    // After the next trace, the thread has come by all that it had: it showed nothing more of the first.
    let next = Trace::builder().with_processor(queue.clone());
    program(next.without_shutdown(), 1);
    queue.flush(LONG).unwrap();
    assert_eq!(
        (recorder.count("on_start"), recorder.count("on_end")),
        (3, 2)
    );
}

/// Blocks in the last hook of the program, when all the others were handled.
fn stuck_in_its_last_hook() -> (BackgroundQueue, Key) {
    let ((open, gate), (arrived, arrival)) = (channel::<()>(), channel());
    let gate = Mutex::new(gate);
    let recorder = Recorder::behaving(move |hook, name| {
        if hook == Hook::OnEnd && name == "RootSpan" {
            arrived.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
        }
        Ok(())
    });
    let queue = BackgroundQueue::new(recorder);
    let trace = Trace::builder().with_processor(queue.clone());
    program(trace.without_shutdown(), 3);
    arrival.recv().unwrap();
    (queue, Key(open, arrival))
}

#[test]
fn hooks_that_were_handled_before_one_hangs_are_not_lost_at_the_deadline() {
    let (queue, Key(open, _arrival)) = stuck_in_its_last_hook();
    queue.start_shutdown().unwrap();
    let lost = queue.wait_for_end(Duration::ZERO).unwrap_err();
    // The end of the root, and the shutdown.
    assert_eq!(lost.to_string(), "lost 2 hooks (shutdown_deadline: 2)");
    let stats = queue.stats();
    assert_eq!(
        (stats.handled, stats.dropped_at_shutdown, stats.queued),
        (11, 2, 0)
    );
    check_conserved(stats);
    drop(open);
    // The thread counts nothing of it again.
    program(Trace::builder().with_processor(queue.clone()), 0);
    let stats = queue.stats();
    assert_eq!((stats.handled, stats.dropped), (15, 2));
    check_conserved(stats);
}

#[test]
fn of_several_shutdowns_each_has_its_own_time() {
    let (queue, key) = stuck_in_its_last_hook();
    queue.start_shutdown().unwrap();
    let patient = queue.shutdown_async();
    // The end of the root, and two shutdowns.
    assert_eq!(
        queue.wait_for_end(Duration::ZERO),
        Err(FlushError::TimedOut { queued: 3 })
    );
    key.0.send(()).unwrap();
    block_on(patient).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.handled, stats.dropped, stats.queued), (14, 0, 0));
}

#[test]
fn a14_hooks_that_wait_at_the_deadline_of_a_shutdown_are_lost_and_told_of_once() {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::new(gate);
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .without_shutdown()
        .start()
        .unwrap();
    key.1.recv().unwrap();
    span("a").start().unwrap().end().unwrap();
    let open = span("open").start_detached().unwrap();
    queue.start_shutdown().unwrap();
    let lost = queue.wait_for_end(Duration::ZERO).unwrap_err();
    // The start of the trace, unless it was handled before, and of its root, two hooks of `a`, the start of `open`,
    // and the shutdown.
    let stats = queue.stats();
    let late = stats.dropped_at_shutdown;
    assert_eq!((stats.handled + late, stats.queued), (6, 0));
    assert_eq!(
        lost.to_string(),
        format!("lost {late} hooks (shutdown_deadline: {late})")
    );
    queue.wait_for_end(Duration::ZERO).unwrap();
    key.0.send(()).unwrap();
    // Nobody is shown a part of a span, and the processor is shut down.
    open.end().unwrap();
    trace.end().unwrap();
    let lost = queue.flush(LONG).unwrap_err();
    assert_eq!(lost.to_string(), "lost 1 hook (shutdown_deadline: 1)");
    assert_eq!(
        recorder.calls(),
        ["on_start RootSpan 0", "shutdown  0", "on_end RootSpan 0"]
    );
    check_conserved(queue.stats());
    // The queue serves the next trace.
    program(Trace::builder().with_processor(queue.clone()), 1);
    assert_eq!(recorder.count("on_end a"), 1);
    check_conserved(queue.stats());
}

#[test]
fn a14_a_flush_and_a_shutdown_tell_once_of_hooks_that_were_lost() {
    let recorder = Recorder::behaving(|hook, _| match hook {
        Hook::OnEvent => Err(HookError::message("no")),
        _ => Ok(()),
    });
    let queue = BackgroundQueue::new(recorder);
    let one_event = || {
        let trace = Trace::builder().with_processor(queue.clone());
        program(trace.without_shutdown(), 1);
    };
    one_event();
    let lost = queue.flush(LONG).unwrap_err();
    assert_eq!(lost.to_string(), "lost 1 hook (failed: 1)");
    queue.flush(LONG).unwrap();
    one_event();
    let lost = queue.shutdown().unwrap_err();
    assert_eq!(lost.to_string(), "lost 1 hook (failed: 1)");
    one_event();
    let lost = block_on(queue.shutdown_async()).unwrap_err();
    assert_eq!(lost.to_string(), "lost 1 hook (failed: 1)");
    queue.shutdown().unwrap();
}

#[test]
fn a14_a_flush_tells_of_hooks_that_found_the_queue_full() {
    let (gate, _, key) = gate();
    let queue = BackgroundQueue::builder(gate).with_max_hooks(4).build();
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.without_shutdown().start().unwrap();
    key.1.recv().unwrap();
    for _ in 0..9 {
        span("a").start().unwrap().end().unwrap();
    }
    key.0.send(()).unwrap();
    let dropped = queue.stats().dropped;
    assert!(dropped > 0);
    let lost = queue.flush(LONG).unwrap_err().to_string();
    assert_eq!(
        lost,
        format!("lost {dropped} hooks (queue_full: {dropped})")
    );
    trace.end().unwrap();
    queue.shutdown().unwrap();
}

/// Fills a queue whose processor is stuck, and returns what the processor was called with in the end.
fn overload(policy: DropPolicy, capacity: usize, spans: usize) -> (Vec<String>, QueueStats) {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::builder(gate)
        .with_max_hooks(capacity)
        .with_drop_policy(policy)
        .build();
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .start()
        .unwrap();
    key.1.recv().unwrap();
    let names: Vec<String> = (0..spans).map(|number| format!("s{number}")).collect();
    for name in names {
        let builder = Span::builder(agentspan_model::agentspec::SpanDetails::Plain);
        let one = builder.with_name(name).start().unwrap();
        one.add_event(EVENT).unwrap();
        one.add_event(EVENT).unwrap();
        one.end().unwrap();
        check_conserved(queue.stats());
        // The thread has taken two: the start of the trace, and the span before the gate.
        assert!(
            queue.stats().queued <= capacity as u64 + 2,
            "{:?}",
            queue.stats()
        );
    }
    key.0.send(()).unwrap();
    trace.end().unwrap();
    let stats = queue.stats();
    check_conserved(stats);
    assert_eq!(stats.queued, 0);
    assert_eq!(stats.accepted, 4 + 4 * spans as u64);
    (recorder.calls(), stats)
}

/// Nobody is shown the end of a span that did not start, or a start without an end.
#[track_caller]
fn check_whole_spans(calls: &[String], spans: usize) -> Vec<usize> {
    let has = |hook: &str, number: usize| {
        let prefix = format!("{hook} s{number}");
        calls
            .iter()
            .filter(|call| call.split(['/', ' ']).take(2).eq(prefix.split(' ')))
            .count()
    };
    let mut shown = Vec::new();
    for number in 0..spans {
        let (starts, ends) = (has("on_start", number), has("on_end", number));
        assert_eq!(starts, ends, "s{number} in {calls:?}");
        if starts == 1 {
            shown.push(number);
        } else {
            assert_eq!(has("on_event", number), 0, "s{number} in {calls:?}");
        }
    }
    shown
}

#[test]
fn a_full_queue_drops_what_comes_and_whole_spans() {
    let (calls, stats) = overload(DropPolicy::Newest, 16, 30);
    let shown = check_whole_spans(&calls, 30);
    assert!(stats.dropped > 80, "{stats:?}");
    assert_eq!(
        shown,
        (0..shown.len()).collect::<Vec<_>>(),
        "the first are kept"
    );
}

#[test]
fn a_full_queue_drops_what_is_oldest_if_it_is_told_so() {
    let (calls, stats) = overload(DropPolicy::Oldest, 16, 30);
    let shown = check_whole_spans(&calls, 30);
    assert!(stats.dropped > 80, "{stats:?}");
    assert_eq!(shown.last(), Some(&29), "the last are kept: {shown:?}");
}

#[test]
fn a_full_queue_keeps_places_for_the_ends_of_spans_that_are_open() {
    for policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        let (gate, recorder, key) = gate();
        let queue = BackgroundQueue::builder(gate)
            .with_max_hooks(16)
            .with_drop_policy(policy)
            .build();
        let trace = Trace::builder()
            .with_processor(queue.clone())
            .start()
            .unwrap();
        key.1.recv().unwrap();
        // The thread is at the gate, with what it has taken.
        let taken = queue.stats().queued;
        let start = |number: usize| {
            let builder = Span::builder(agentspan_model::agentspec::SpanDetails::Plain);
            builder
                .with_name(format!("s{number}"))
                .start_detached()
                .unwrap()
        };
        let open: Vec<_> = (0..30).map(start).collect();
        for span in &open {
            span.add_event(EVENT).unwrap();
        }
        open.into_iter().for_each(|span| span.end().unwrap());
        // A place is kept for the end of the root span.
        assert!(
            queue.stats().queued <= 16 - 1 + taken,
            "{policy:?}: {:?}",
            queue.stats()
        );
        key.0.send(()).unwrap();
        trace.end().unwrap();
        check_conserved(queue.stats());
        let shown = check_whole_spans(&recorder.calls(), 30);
        assert!(!shown.is_empty(), "{policy:?}");
    }
}

#[test]
fn nothing_is_lost_or_counted_twice_under_load_from_threads() {
    for policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        let recorder = Recorder::new();
        let queue = BackgroundQueue::builder(recorder.clone())
            .with_max_hooks(32)
            .with_drop_policy(policy)
            .build();
        let trace = Trace::builder()
            .with_processor(queue.clone())
            .start()
            .unwrap();
        let root = trace.root().clone();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..250 {
                        let one = span("a").with_parent(&root).start().unwrap();
                        one.add_event(EVENT).unwrap();
                        one.end().unwrap();
                        check_conserved(queue.stats());
                    }
                });
            }
        });
        trace.end().unwrap();
        let stats = queue.stats();
        check_conserved(stats);
        assert_eq!((stats.accepted, stats.queued), (3_004, 0));
        assert_eq!(recorder.calls().len() as u64, stats.handled);
        assert_eq!(recorder.count("on_start a"), recorder.count("on_end a"));
    }
}

/// Ends spans of one event of a megabyte each behind a hook that hangs. Returns the memory that they leave behind.
fn hold_large_events(queue: &BackgroundQueue, key: &Key, spans: usize) -> i64 {
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.without_shutdown().start().unwrap();
    key.1.recv().unwrap();
    let content = || "x".repeat(1 << 20);
    let measured = measure(|| {
        for _ in 0..spans {
            let one = span("large").start().unwrap();
            one.add_event(ExceptionRaised::new("Large", content()))
                .unwrap();
            one.end().unwrap();
            check_conserved(queue.stats());
        }
    });
    key.0.send(()).unwrap();
    trace.end().unwrap();
    measured.bytes_current
}

#[test]
fn a13_large_events_behind_a_hook_that_hangs_are_held_up_to_the_bound_in_bytes() {
    const BOUND: usize = 16 << 20;
    for policy in [DropPolicy::Newest, DropPolicy::Oldest] {
        let (gate, recorder, key) = gate();
        let queue = BackgroundQueue::builder(gate)
            .with_max_bytes(BOUND)
            .with_drop_policy(policy)
            .build();
        let held = hold_large_events(&queue, &key, 64);
        assert!(held < BOUND as i64 * 5 / 4, "{policy:?}: {held} bytes");
        let lost = queue.shutdown().unwrap_err().to_string();
        let stats = queue.stats();
        assert_eq!(
            lost,
            format!("lost {0} hooks (queue_full: {0})", stats.dropped)
        );
        // Whole spans, as many as there is room for.
        assert_eq!(recorder.count("on_start large"), 15, "{policy:?}");
        assert_eq!(recorder.count("on_end large"), 15, "{policy:?}");
        assert_eq!(stats.dropped, 49 * 3);
        assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    }
}

#[test]
fn a_burst_of_thirty_thousand_spans_is_within_the_default_bounds() {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::new(gate);
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.without_shutdown().start().unwrap();
    key.1.recv().unwrap();
    for _ in 0..30_000 {
        let one = span("a").start().unwrap();
        one.add_event(EVENT).unwrap();
        one.end().unwrap();
    }
    assert_eq!(queue.stats().dropped, 0);
    key.0.send(()).unwrap();
    trace.end().unwrap();
    queue.flush(LONG).unwrap();
    assert_eq!(recorder.count("on_end a"), 30_000);
}

#[test]
fn a_hook_that_fails_behind_the_queue_is_counted_and_panics_stay_there() {
    let recorder = Recorder::behaving(|hook, name| {
        assert!(hook != Hook::OnEnd || name != "a", "no way");
        if hook == Hook::OnStart && name == "RootSpan" {
            return Err(HookError::message("no"));
        }
        Ok(())
    });
    let queue = BackgroundQueue::new(recorder.clone());
    let trace = Trace::builder().with_processor(queue.clone());
    program(trace.without_shutdown(), 3);
    let lost = FlushError::Lost {
        queue_full: 0,
        failed: 5,
        shutdown_deadline: 0,
    };
    assert_eq!(queue.flush(LONG), Err(lost));
    let stats = queue.stats();
    assert_eq!((stats.failed, stats.panicked, stats.dropped), (4, 3, 1));
    // It hears nothing more of the span that it failed to start.
    assert_eq!(recorder.count("on_end RootSpan"), 0);
}

#[test]
fn the_queue_serves_one_trace_after_the_other() {
    let memory = InMemory::new();
    let queue = BackgroundQueue::new(memory.clone());
    for _ in 0..3 {
        program(Trace::builder().with_processor(queue.clone()), 1);
    }
    assert_eq!(memory.traces(), (3, 3));
    assert_eq!(memory.spans().len(), 6);
}

#[test]
fn an_asynchronous_shutdown_waits_too_and_blocks_no_thread() {
    let (gate, recorder, key) = gate();
    let queue = BackgroundQueue::new(gate);
    let trace = Trace::builder().with_processor(queue.clone());
    let program = trace.run(|_| async {
        span("a").start_async().await?.end_async().await?;
        Ok::<_, TraceError>(())
    });
    let mut program = std::pin::pin!(program);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(program.as_mut().poll(&mut cx).is_pending());
    key.1.recv().unwrap();
    key.0.send(()).unwrap();
    block_on(program).unwrap();
    assert_eq!(recorder.count("on_end"), 2);
    assert_eq!(queue.stats().queued, 0);
}

/// Flushes the queue that it stands behind.
#[derive(Debug)]
struct Flushes(
    Mutex<Option<BackgroundQueue>>,
    Sender<Result<(), FlushError>>,
);

impl SpanProcessor for Flushes {
    fn on_start(&self, _: &Span) -> Result<(), HookError> {
        let queue = self.0.lock().unwrap().take();
        if let Some(queue) = queue {
            self.1.send(queue.flush(LONG)).unwrap();
        }
        Ok(())
    }
}

#[test]
fn a_hook_that_flushes_its_own_queue_is_refused_instead_of_waiting_for_itself() {
    let (sender, results) = channel();
    let flushes = Arc::new(Flushes(Mutex::new(None), sender));
    let queue = BackgroundQueue::new(flushes.clone());
    *flushes.0.lock().unwrap() = Some(queue.clone());
    program(Trace::builder().with_processor(queue), 0);
    assert_eq!(results.recv().unwrap(), Err(FlushError::OwnThread));
}

#[test]
fn dropping_the_last_handle_lets_everything_be_handled_and_does_not_wait() {
    let (gate, recorder, key) = gate();
    let (ended, end) = channel();
    let watched = Ended(gate, ended);
    let queue = BackgroundQueue::new(watched);
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .without_shutdown();
    program(trace, 2);
    drop(queue);
    key.1.recv().unwrap();
    key.0.send(()).unwrap();
    // The thread drops the processor when it ends.
    end.recv_timeout(LONG).unwrap_err();
    assert_eq!(recorder.count("on_end"), 3);
}

/// Holds the sending half of a channel, which closes when this is dropped.
#[derive(Debug)]
struct Ended(
    Arc<Gate>,
    #[expect(dead_code, reason = "its drop is what is waited for")] Sender<()>,
);

impl SpanProcessor for Ended {
    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.0.on_start(span)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.0.on_end(span)
    }
}

#[test]
fn a_processor_that_failed_to_start_a_span_hears_no_event_after_its_end_either() {
    let recorder = Recorder::failing(Hook::OnStart, "a");
    let queue = BackgroundQueue::new(recorder.clone());
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.start().unwrap();
    let a = span("a").start_detached().unwrap();
    let handle = Span::clone(&a);
    a.end().unwrap();
    handle.add_event(EVENT).unwrap();
    trace.end().unwrap();
    assert_eq!(recorder.count("on_event a") + recorder.count("on_end a"), 0);
    assert_eq!(queue.stats().dropped_after_failure, 2);
}

/// Shuts the queue down that it is behind, in its own hook.
#[derive(Debug)]
struct ShutsDown(Mutex<Option<BackgroundQueue>>, Mutex<Sender<String>>);

impl SpanProcessor for ShutsDown {
    fn on_start(&self, _: &Span) -> Result<(), HookError> {
        if let Some(queue) = self.0.lock().unwrap().take() {
            let mut shutdown = queue.shutdown_async();
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let said = match std::pin::Pin::new(&mut shutdown).poll(&mut cx) {
                std::task::Poll::Ready(result) => result.unwrap_err().to_string(),
                std::task::Poll::Pending => "pending".to_owned(),
            };
            self.1.lock().unwrap().send(said).unwrap();
        }
        Ok(())
    }
}

#[test]
fn an_asynchronous_shutdown_does_not_wait_for_its_own_thread() {
    let (sender, said) = channel();
    let processor = Arc::new(ShutsDown(Mutex::new(None), Mutex::new(sender)));
    let queue = BackgroundQueue::new(Arc::clone(&processor));
    *processor.0.lock().unwrap() = Some(queue.clone());
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.start().unwrap();
    let expected = "the queue cannot be flushed from its own thread";
    assert_eq!(said.recv_timeout(LONG).unwrap(), expected);
    trace.end().unwrap();
}

#[test]
fn a_flush_without_time_succeeds_if_nothing_is_queued() {
    let queue = BackgroundQueue::new(InMemory::new());
    let trace = Trace::builder().with_processor(queue.clone());
    let trace = trace.start().unwrap();
    queue.flush(LONG).unwrap();
    // Its thread has no time to answer.
    for _ in 0..100 {
        queue.flush(Duration::ZERO).unwrap();
    }
    trace.end().unwrap();
}
