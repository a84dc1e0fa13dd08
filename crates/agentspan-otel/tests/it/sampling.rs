//! Which traces a queue with sampling exports, what it holds, and what it counts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentspan_model::agentspec::Timestamp;
use agentspan_otel::export_queue::{ExportStats, TraceSampling};
use agentspan_otel::{DropReason, ExportQueue};
use agentspan_processor::clock::ManualClock;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracer, SdkTracerProvider, Span, SpanData,
};

const WHILE: Duration = Duration::from_secs(30);

struct Bench {
    queue: ExportQueue,
    exporter: InMemorySpanExporter,
    tracer: SdkTracer,
    clock: Arc<ManualClock>,
    _provider: SdkTracerProvider,
}

impl Bench {
    fn new(sampling: TraceSampling) -> Self {
        Self::with_filter(sampling, |_| true)
    }

    fn with_filter(
        sampling: TraceSampling,
        filter: impl Fn(&SpanData) -> bool + Send + Sync + 'static,
    ) -> Self {
        let exporter = InMemorySpanExporter::default();
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_nanos(0)));
        let queue = ExportQueue::builder("test", exporter.clone())
            .with_sampling(sampling)
            .with_clock(Arc::<ManualClock>::clone(&clock))
            .with_filter(filter)
            .build()
            .unwrap();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue.clone())
            .build();
        Self {
            queue,
            exporter,
            tracer: provider.tracer("t"),
            clock,
            _provider: provider,
        }
    }

    fn root(&self, name: &'static str) -> Span {
        self.tracer.start_with_context(name, &Context::new())
    }

    fn child(&self, parent: &Span, name: &'static str) -> Span {
        self.child_of(parent, SpanBuilder::from_name(name))
    }

    fn child_of(&self, parent: &Span, builder: SpanBuilder) -> Span {
        let ids = parent.span_context();
        let local = SpanContext::new(
            ids.trace_id(),
            ids.span_id(),
            ids.trace_flags(),
            false,
            TraceState::NONE,
        );
        let parent = Context::new().with_remote_span_context(local);
        builder.start_with_context(&self.tracer, &parent)
    }

    /// The names of what was exported so far, in order.
    #[track_caller]
    fn exported(&self) -> Vec<String> {
        self.queue.flush(WHILE).unwrap();
        let spans = self.exporter.get_finished_spans().unwrap();
        spans.iter().map(|span| span.name.to_string()).collect()
    }

    #[track_caller]
    fn stats(&self) -> ExportStats {
        let stats = self.queue.stats();
        let known = stats.exported + stats.dropped() + stats.queued;
        assert_eq!(stats.accepted, known, "{stats:?}");
        stats
    }

    #[track_caller]
    fn check(&self, exported: &[&str], sampled: u64) {
        assert_eq!(self.exported(), exported);
        let stats = self.stats();
        assert_eq!(stats.dropped_for(DropReason::Sampled), sampled);
        assert_eq!((stats.queued, stats.queued_bytes), (0, 0), "{stats:?}");
    }
}

#[test]
fn a_trace_in_which_something_failed_is_kept_whole() {
    let bench = Bench::new(TraceSampling::one_in(0));
    let (mut bad, mut good) = (bench.root("bad"), bench.root("good"));
    bench.child(&bad, "before").end();
    bench.child(&good, "of good").end();
    let mut failing = bench.child(&bad, "failing");
    failing.set_status(Status::error("no"));
    failing.end();
    bench.child(&bad, "after").end();
    bad.end();
    good.end();
    bench.check(&["before", "failing", "after", "bad"], 2);
}

#[test]
fn a_failure_that_only_an_attribute_says_counts() {
    let bench = Bench::new(TraceSampling::one_in(0));
    let mut root = bench.root("root");
    root.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
    root.set_attribute(KeyValue::new("error.type", "timeout"));
    root.end();
    bench.check(&["root"], 0);
}

#[test]
fn failures_are_part_of_the_rest_if_so_asked() {
    let bench = Bench::new(TraceSampling::one_in(0).without_failed());
    let mut root = bench.root("root");
    root.set_status(Status::error("no"));
    root.end();
    bench.check(&[], 1);
}

#[test]
fn a_trace_with_a_slow_span_is_kept() {
    let slow = Duration::from_secs(30);
    let bench = Bench::new(TraceSampling::one_in(0).with_slow(slow));
    for (name, lasted) in [("slow", slow), ("quick", slow - Duration::from_nanos(1))] {
        let mut root = bench.root(name);
        let start = SystemTime::UNIX_EPOCH;
        let builder = SpanBuilder::from_name(name).with_start_time(start);
        bench
            .child_of(&root, builder)
            .end_with_timestamp(start + lasted);
        root.end();
    }
    bench.check(&["slow", "slow"], 2);
}

#[test]
fn tokens_of_all_calls_count_together_and_sums_do_not() {
    let bench = Bench::new(TraceSampling::one_in(0).with_tokens(1_000));
    let call = |parent: &Span, operation: &'static str| {
        let builder = SpanBuilder::from_name(operation).with_attributes([
            KeyValue::new("gen_ai.operation.name", operation),
            KeyValue::new("gen_ai.usage.input_tokens", 400),
            KeyValue::new("gen_ai.usage.output_tokens", 100),
        ]);
        bench.child_of(parent, builder).end();
    };
    let mut many = bench.root("many");
    call(&many, "chat");
    call(&many, "chat");
    many.end();
    let mut few = bench.root("few");
    call(&few, "chat");
    call(&few, "invoke_agent");
    few.end();
    bench.check(&["chat", "chat", "many"], 3);
}

#[test]
fn one_in_n_of_the_rest_is_chosen_by_the_id_of_the_trace() {
    let chosen = || {
        let bench = Bench::new(TraceSampling::one_in(10));
        for id in 1..=100 {
            let caller = SpanContext::new(
                TraceId::from(id),
                SpanId::from(1),
                TraceFlags::SAMPLED,
                true,
                TraceState::NONE,
            );
            let caller = Context::new().with_remote_span_context(caller);
            bench
                .tracer
                .start_with_context(id.to_string(), &caller)
                .end();
        }
        let exported = bench.exported();
        bench.check(&exported.iter().map(String::as_str).collect::<Vec<_>>(), 90);
        exported
    };
    let first = chosen();
    assert_eq!(first.len(), 10);
    assert_eq!(first, chosen());
}

#[test]
fn one_in_one_keeps_everything_at_once() {
    let bench = Bench::new(TraceSampling::one_in(1));
    let root = bench.root("root");
    bench.child(&root, "child").end();
    bench.check(&["child"], 0);
}

#[test]
fn spans_after_the_root_follow_the_decision_until_one_fails() {
    let bench = Bench::new(TraceSampling::one_in(0));
    let mut root = bench.root("root");
    let children = ["late", "failing", "later"].map(|name| bench.child(&root, name));
    root.end();
    for mut child in children {
        if child.exported_data().unwrap().name == "failing" {
            child.set_status(Status::error("no"));
        }
        child.end();
    }
    bench.check(&["failing", "later"], 2);
}

#[test]
fn what_waits_for_a_decision_is_bounded() {
    let bytes = TraceSampling::one_in(0).with_max_bytes(20_000);
    let spans = TraceSampling::one_in(0).with_max_spans(10);
    for sampling in [bytes, spans] {
        let bench = Bench::new(sampling);
        let roots: Vec<_> = (0..40).map(|_| bench.root("root")).collect();
        for root in &roots {
            let mut child = bench.child(root, "child");
            child.set_attribute(KeyValue::new("text", "x".repeat(1_000)));
            child.end();
        }
        assert_eq!(bench.exported(), [""; 0]);
        let stats = bench.stats();
        assert!((1..=20).contains(&stats.queued), "{stats:?}");
        assert!(stats.queued_bytes <= 20_000, "{stats:?}");
        // The oldest is decided, and its root follows.
        let mut roots = roots.into_iter();
        roots.next().unwrap().end();
        roots.next_back().unwrap().set_status(Status::error("no"));
        assert_eq!(bench.exported(), ["child", "root"]);
    }
}

#[test]
fn traces_that_go_on_at_the_end_are_kept() {
    let bench = Bench::new(TraceSampling::one_in(0));
    let root = bench.root("root");
    bench.child(&root, "child").end();
    assert_eq!(bench.exported(), [""; 0]);
    assert_eq!(bench.stats().queued, 1);
    bench.queue.shutdown(WHILE).unwrap();
    let stats = bench.stats();
    assert_eq!((stats.exported, stats.queued), (1, 0));
}

#[test]
fn a_root_that_the_filter_refuses_decides_all_the_same() {
    let bench = Bench::with_filter(TraceSampling::one_in(0), |span| span.name != "root");
    let mut good = bench.root("root");
    bench.child(&good, "of good").end();
    good.end();
    let mut bad = bench.root("root");
    bench.child(&bad, "of bad").end();
    bad.set_status(Status::error("no"));
    bad.end();
    // The thread learns of them with the next spans.
    assert_eq!(bench.exported().len(), 1);
    bench.check(&["of bad"], 1);
}

#[test]
fn a_root_that_ended_in_time_decides_however_late_the_next_span_comes() {
    let bench = Bench::with_filter(TraceSampling::one_in(0), |span| span.name != "root");
    let mut bad = bench.root("root");
    bench.child(&bad, "of bad").end();
    bench.queue.flush(WHILE).unwrap();
    bench.clock.advance(Duration::from_secs(9 * 60));
    bad.set_status(Status::error("no"));
    bad.end();
    bench.clock.advance(Duration::from_secs(2 * 60));
    bench.root("other").end();
    bench.queue.flush(WHILE).unwrap();
    // The thread learns of them with the next spans.
    bench.check(&["of bad"], 1);
    assert_eq!(bench.stats().dropped_for(DropReason::SampledByAge), 0);
}

#[test]
fn what_is_sampled_out_is_no_failure_of_flush_or_shutdown() {
    let bench = Bench::new(TraceSampling::one_in(0));
    bench.root("root").end();
    bench.queue.flush(WHILE).unwrap();
    bench.root("root").end();
    bench.queue.shutdown(WHILE).unwrap();
    assert_eq!(bench.stats().dropped_for(DropReason::Sampled), 2);
}

/// Lets the thread of the queue see the spans, and then time pass.
fn pass(bench: &Bench, time: Duration) {
    bench.queue.flush(WHILE).unwrap();
    bench.clock.advance(time);
    bench.queue.flush(WHILE).unwrap();
}

#[test]
fn a_trace_whose_root_never_ends_waits_for_ten_minutes() {
    let bench = Bench::new(TraceSampling::one_in(0));
    let (lost, going_on) = (bench.root("lost"), bench.root("going on"));
    bench.child(&lost, "child").end();
    bench.child(&lost, "child").end();
    pass(&bench, Duration::from_secs(300));
    bench.child(&going_on, "child").end();
    pass(&bench, Duration::from_secs(300) - Duration::from_nanos(1));
    let stats = bench.stats();
    assert_eq!((stats.queued, stats.dropped()), (3, 0), "{stats:?}");
    pass(&bench, Duration::from_nanos(1));
    let stats = bench.stats();
    assert_eq!(stats.dropped_for(DropReason::SampledByAge), 2, "{stats:?}");
    assert_eq!(stats.dropped_for(DropReason::Sampled), 0, "{stats:?}");
    assert_eq!(stats.queued, 1, "the other trace is younger");
    // Nothing failed by that, and what ends later follows.
    let mut failing = bench.child(&lost, "failing");
    failing.set_status(Status::error("no"));
    failing.end();
    drop(going_on);
    bench.check(&["failing"], 2);
    drop(lost);
    assert_eq!(bench.exported(), ["failing", "lost"]);
}

#[test]
fn a_trace_that_has_waited_for_longer_than_what_is_slow_is_kept() {
    let slow = Duration::from_secs(30);
    for (slow, exported) in [(slow, 1), (slow * 3, 0)] {
        let sampling = TraceSampling::one_in(0)
            .with_slow(slow)
            .with_max_age(Duration::from_secs(60));
        let bench = Bench::new(sampling);
        let root = bench.root("root");
        bench.child(&root, "child").end();
        pass(&bench, Duration::from_secs(60));
        assert_eq!(bench.exported().len(), exported, "{slow:?}");
        let aged = bench.stats().dropped_for(DropReason::SampledByAge);
        assert_eq!(aged, 1 - exported as u64, "{slow:?}");
    }
}

#[test]
fn old_traces_are_decided_with_the_spans_of_others() {
    let bench = Bench::new(TraceSampling::one_in(0).with_max_age(Duration::from_secs(1)));
    let old: Vec<_> = (0..5).map(|_| bench.root("old")).collect();
    for root in &old {
        bench.child(root, "child").end();
    }
    bench.queue.flush(WHILE).unwrap();
    bench.clock.advance(Duration::from_secs(1));
    let mut other = bench.root("other");
    other.set_status(Status::error("no"));
    other.end();
    assert_eq!(bench.exported(), ["other"]);
    let stats = bench.stats();
    assert_eq!(stats.dropped_for(DropReason::SampledByAge), 5);
    assert_eq!(stats.queued, 0);
}

#[test]
fn a_trace_that_is_slow_by_now_is_kept_when_room_is_needed() {
    let slow = Duration::from_secs(30);
    for (waits, kept) in [
        (slow, &["of old"][..]),
        (slow - Duration::from_nanos(1), &[]),
    ] {
        let bench = Bench::new(TraceSampling::one_in(0).with_slow(slow).with_max_spans(1));
        let (old, new) = (bench.root("old"), bench.root("new"));
        bench.child(&old, "of old").end();
        pass(&bench, waits);
        bench.child(&new, "of new").end();
        assert_eq!(bench.exported(), kept);
    }
}
