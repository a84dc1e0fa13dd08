//! Filters and fan-outs.

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::agentspec::SpanDetails;
use agentspan_processor::HookFuture;
use agentspan_processor::span::OpenSpan;
use agentspan_processor::span_processor::Hook;
use agentspan_processor::trace::OpenTrace;
use agentspan_processor::{BackgroundQueue, FanOut, Filter, InMemory, Span, SpanProcessor, Trace};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

fn program(processor: impl SpanProcessor + 'static) {
    let trace = Trace::builder().with_processor(processor).start().unwrap();
    let a = span("a").start().unwrap();
    let b = span("b").start().unwrap();
    b.add_event(EVENT).unwrap();
    b.end().unwrap();
    a.end().unwrap();
    trace.end().unwrap();
}

#[test]
fn a_filter_shows_all_hooks_of_a_span_or_none() {
    let recorder = Recorder::new();
    program(Filter::new(recorder.clone()).with_names(["b"]));
    assert_eq!(
        recorder.calls(),
        [
            "startup  0",
            "on_start b 2",
            "on_event b/Event 3",
            "on_end b 3",
            "shutdown  0"
        ]
    );
}

#[test]
fn all_conditions_must_hold() {
    let memory = InMemory::new();
    let filter = Filter::new(memory.clone()).with_types(["Span"]);
    program(filter.with_predicate(|span| span.name() != "a"));
    memory.expect_tree("b (Span)").unwrap();
}

#[test]
fn the_answer_at_the_start_holds_to_the_end() {
    let recorder = Recorder::new();
    let filter = Filter::new(recorder.clone()).with_predicate(|span| span.event_count() == 0);
    program(filter.with_names(["b"]));
    assert_eq!(recorder.count("on_end b"), 1);
}

#[test]
fn asynchronous_hooks_are_filtered_too() {
    let recorder = Recorder::new();
    let filter = Filter::new(recorder.clone()).with_names(["a"]);
    let trace = Trace::builder().with_processor(filter);
    block_on(trace.run(|_| async {
        span("a")
            .run(|a| async move { a.add_event_async(EVENT).await })
            .await
    }))
    .unwrap();
    assert_eq!(
        recorder.calls()[1..4],
        [
            "on_start.await a 1",
            "on_event.await a/Event 2",
            "on_end.await a 2"
        ]
    );
    assert_eq!(recorder.count("on_start.await RootSpan"), 0);
}

fn sampled(ratio: f64, traces: u32) -> usize {
    let memory = InMemory::new();
    for number in 0..traces {
        let filter = Filter::new(memory.clone()).with_trace_ratio(ratio);
        let trace = Trace::builder().with_id(format!("trace {number}").as_str());
        let trace = trace.with_processor(filter).start().unwrap();
        Span::builder(SpanDetails::Plain)
            .start()
            .unwrap()
            .end()
            .unwrap();
        trace.end().unwrap();
    }
    let spans = memory.spans();
    // Whole traces: a root and its child.
    assert_eq!(
        spans.iter().filter(|span| span.parent_id.is_none()).count() * 2,
        spans.len()
    );
    spans.len() / 2
}

#[test]
fn traces_are_sampled_whole_and_by_their_id() {
    assert_eq!(
        (sampled(0.0, 50), sampled(1.0, 50), sampled(f64::NAN, 50)),
        (0, 50, 0)
    );
    let quarter = sampled(0.25, 1_000);
    assert!((200..300).contains(&quarter), "{quarter}");
    assert_eq!(sampled(0.25, 1_000), quarter);
}

#[test]
fn a_target_that_fails_harms_no_other_and_is_counted() {
    let (bad, good) = (Recorder::failing(Hook::OnStart, "b"), Recorder::new());
    let panics = Recorder::behaving(|hook, _| {
        assert_ne!(hook, Hook::OnEvent);
        Ok(())
    });
    let targets = FanOut::new()
        .with_target(bad.clone())
        .with_target(panics)
        .with_target(good.clone());
    let targets = Arc::new(targets);
    program(targets.clone());
    assert_eq!(targets.failures(), [1, 1, 0]);
    assert_eq!(good.calls().len(), 9);
    // It hears nothing more of the span that it failed to start.
    assert_eq!(bad.count("on_event b") + bad.count("on_end b"), 0);
}

#[test]
fn targets_get_asynchronous_hooks_where_there_are_any() {
    let (one, two) = (Recorder::new(), Recorder::new());
    let targets = FanOut::new()
        .with_target(one.clone())
        .with_target(two.clone());
    let trace = Trace::builder().with_processor(targets);
    block_on(trace.run(|_| async {
        span("a")
            .run(|a| async move { a.add_event_async(EVENT).await })
            .await
    }))
    .unwrap();
    assert_eq!(one.calls(), two.calls());
    assert_eq!(one.count("on_event.await a/Event"), 1);
}

/// Two traces with a processor in common, and a span of the same id in each: `one` under the first, `two`
/// under the second.
struct Twins {
    traces: [OpenTrace; 2],
    spans: [OpenSpan; 2],
}

fn twins(processor: &Arc<impl SpanProcessor + 'static>) -> Twins {
    let trace = |_| {
        let trace = Trace::builder().with_processor(Arc::clone(processor));
        trace.start_detached().unwrap()
    };
    let traces = [(); 2].map(trace);
    let [first, second] = &traces;
    let twin = |name, trace: &OpenTrace| {
        let span = span(name).with_id("the same").with_parent(trace.root());
        span.start_detached().unwrap()
    };
    let spans = [twin("one", first), twin("two", second)];
    Twins { traces, spans }
}

impl Twins {
    fn end(self) {
        // The second first.
        for span in self.spans.into_iter().rev() {
            span.add_event(EVENT).unwrap();
            span.end().unwrap();
        }
        self.traces
            .into_iter()
            .for_each(|trace| trace.end().unwrap());
    }
}

#[test]
fn f3_a_filter_tells_spans_of_one_id_in_two_traces_apart() {
    let recorder = Recorder::new();
    twins(&Arc::new(Filter::new(recorder.clone()))).end();
    for name in ["one", "two"] {
        for hook in ["on_start", "on_event", "on_end"] {
            assert_eq!(
                recorder.count(&format!("{hook} {name}")),
                1,
                "{hook} {name}"
            );
        }
    }
    // One of them is not shown, and nothing of it.
    let recorder = Recorder::new();
    twins(&Arc::new(Filter::new(recorder.clone()).with_names(["one"]))).end();
    assert_eq!(
        recorder.count("on_start one") + recorder.count("on_end one"),
        2
    );
    let of_two = ["on_start two", "on_event two", "on_end two"];
    assert_eq!(of_two.map(|call| recorder.count(call)), [0, 0, 0]);
}

#[test]
fn f3_a_fan_out_tells_spans_of_one_id_in_two_traces_apart() {
    let recorder = Recorder::failing(Hook::OnStart, "one");
    twins(&Arc::new(FanOut::new().with_target(recorder.clone()))).end();
    let ends = ["on_event one", "on_end one", "on_event two", "on_end two"];
    assert_eq!(ends.map(|call| recorder.count(call)), [0, 0, 1, 1]);
}

#[test]
fn f3_a_background_queue_tells_spans_of_one_id_in_two_traces_apart() {
    let recorder = Recorder::failing(Hook::OnStart, "one");
    let queue = BackgroundQueue::new(recorder.clone());
    twins(&Arc::new(queue.clone())).end();
    queue.flush(Duration::from_secs(60)).unwrap();
    let ends = [
        "on_event.await one",
        "on_end.await one",
        "on_event.await two",
        "on_end.await two",
    ];
    assert_eq!(ends.map(|call| recorder.count(call)), [0, 0, 1, 1]);
}

#[test]
fn f3_what_is_kept_in_memory_belongs_to_the_span_of_its_trace() {
    let memory = InMemory::new();
    let twins = twins(&Arc::new(memory.clone()));
    let [one, two] = &twins.spans;
    span("below one")
        .with_parent(one)
        .start_detached()
        .unwrap()
        .end()
        .unwrap();
    one.add_event(EVENT).unwrap();
    span("below two")
        .with_parent(two)
        .start_detached()
        .unwrap()
        .end()
        .unwrap();
    assert_eq!(memory.span("one").unwrap().span.events.len(), 1);
    assert_eq!(memory.span("two").unwrap().span.events.len(), 0);
    assert_eq!(
        memory.tree(),
        "RootSpan [open]\n└─ one (Span) [open]\n   · Event\n   └─ below one (Span)\n\
         RootSpan [open]\n└─ two (Span) [open]\n   └─ below two (Span)\n"
    );
    twins.end();
    assert!(memory.open_spans().is_empty());
}

/// Never returns from the asynchronous hook of one kind of one span.
#[derive(Debug)]
struct Hangs(Hook);

impl Hangs {
    fn hook(&self, hook: Hook, span: &Span) -> HookFuture<'_> {
        if hook == self.0 && span.name() == "a" {
            HookFuture::new(std::future::pending())
        } else {
            HookFuture::ready(Ok(()))
        }
    }
}

impl SpanProcessor for Hangs {
    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.hook(Hook::OnStart, span)
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.hook(Hook::OnEnd, span)
    }
}

/// Polls a future until it hangs, and drops it.
fn give_up<F: Future>(future: F) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = Box::pin(future);
    for _ in 0..10 {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
}

#[test]
fn targets_of_a_hook_that_is_given_up_hear_of_it_all_the_same() {
    let fan_out = |hook| {
        let (before, after) = (Recorder::new(), Recorder::new());
        let targets = FanOut::new()
            .with_target(before.clone())
            .with_target(Hangs(hook))
            .with_target(after.clone());
        let trace = Trace::builder().with_processor(targets).start().unwrap();
        (trace, before, after)
    };

    let (trace, before, after) = fan_out(Hook::OnEnd);
    give_up(span("a").start_detached().unwrap().end_async());
    trace.end().unwrap();
    for target in [&before, &after] {
        assert_eq!((target.count("on_start a"), target.count("on_end")), (1, 2));
    }

    let (trace, before, after) = fan_out(Hook::OnStart);
    give_up(span("a").start_async());
    trace.end().unwrap();
    assert_eq!(before.count("on_start.await a"), 1);
    assert_eq!(before.count("on_end a"), 1);
    assert_eq!(after.count("on_start a") + after.count("on_end a"), 0);
}

#[test]
fn a_target_that_failed_to_start_a_span_hears_no_event_after_its_end_either() {
    let bad = Recorder::failing(Hook::OnStart, "a");
    let targets = FanOut::new().with_target(bad.clone());
    let trace = Trace::builder().with_processor(targets).start().unwrap();
    let a = span("a").start_detached().unwrap();
    let handle = Span::clone(&a);
    a.end().unwrap();
    handle.add_event(EVENT).unwrap();
    trace.end().unwrap();
    assert_eq!(bad.count("on_event a") + bad.count("on_end a"), 0);
}
