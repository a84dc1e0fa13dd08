//! What spans hold that nobody ends has a bound (fault A13).

use std::sync::Arc;

use agentspan_model::agentspec::{ExceptionRaised, Id, SpanDetails};
use agentspan_model::mapping::span_id_bytes;
use agentspan_otel::OtelBridge;
use agentspan_processor::{Span, SpanProcessor, Trace};
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::watched::{Kept, text};

const BOUND: usize = 1 << 20;

struct Run {
    kept: Kept,
    bridge: Arc<OtelBridge>,
}

impl Run {
    fn new(writes: fn(OtelBridge) -> OtelBridge) -> Self {
        let kept = Kept::default();
        let provider = OtelBridge::prepare(SdkTracerProvider::builder());
        let provider = provider.with_simple_exporter(kept.clone()).build();
        let bridge = writes(OtelBridge::new(&provider)).with_max_open_bytes(BOUND);
        Self {
            kept,
            bridge: Arc::new(bridge),
        }
    }

    fn trace(&self) -> agentspan_processor::trace::TraceGuard {
        let bridge: Arc<dyn SpanProcessor> = Arc::<OtelBridge>::clone(&self.bridge);
        let trace = Trace::builder().with_processor(bridge);
        trace.start().unwrap()
    }
}

fn never_ended(n: usize) -> agentspan_processor::span::OpenSpan {
    let span = Span::builder(SpanDetails::Plain).with_name(n.to_string());
    span.start_detached().unwrap()
}

fn span_id(id: &Id) -> SpanId {
    SpanId::from_bytes(span_id_bytes(id))
}

#[test]
fn a13_spans_that_nobody_ends_are_exported_as_unfinished_the_oldest_first() {
    for writes in [|bridge| bridge, OtelBridge::with_records_only] {
        let run = Run::new(writes);
        let trace = run.trace();
        let spans: Vec<_> = (0..1_000).map(never_ended).collect();
        let (open, evicted) = (run.bridge.open_spans(), run.bridge.evicted_spans());
        assert!(open < 300, "{open} are open");
        assert_eq!(evicted, 1_001 - open as u64);
        let exported = run.kept.spans();
        assert_eq!(exported.len() as u64, evicted);
        // With records only, their names are not on them.
        let started = std::iter::once(trace.root().id()).chain(spans.iter().map(|span| span.id()));
        for (span, id) in exported.iter().zip(started) {
            assert_eq!(span.span_context.span_id(), span_id(id));
        }
        for span in exported.iter().skip(1) {
            let unfinished = text(span, "agentspec.unfinished");
            assert_eq!(unfinished.as_deref(), Some("true"));
        }
        // The ends of those that are gone change nothing, and each span is exported once.
        for span in spans {
            span.end().unwrap();
        }
        trace.end().unwrap();
        assert_eq!(run.kept.spans().len(), 1_001);
    }
}

#[test]
fn a13_events_count_too_and_those_of_a_span_that_is_gone_are_counted() {
    let run = Run::new(OtelBridge::with_records_only);
    let trace = run.trace();
    trace.root().end().unwrap();
    let first = never_ended(0);
    let second = never_ended(1);
    let event = || ExceptionRaised::new("Timeout", "x".repeat(BOUND / 4));
    // The bridge masks, so that it holds no message.
    for _ in 0..100 {
        first.add_event(event()).unwrap();
    }
    assert_eq!(run.bridge.evicted_spans(), 0);
    for _ in 0..10_000 {
        first.add_event(event()).unwrap();
    }
    assert_eq!(
        (run.bridge.evicted_spans(), run.bridge.open_spans()),
        (1, 1)
    );
    assert!(run.bridge.late_events() > 0);
    let exported = run.kept.spans().pop().unwrap();
    assert_eq!(exported.span_context.span_id(), span_id(first.id()));
    let events = exported.events.len() as u64;
    assert_eq!(events + run.bridge.late_events(), 10_100);
    first.end().unwrap();
    second.end().unwrap();
    trace.end().unwrap();
}
