//! What the console shows of a trace.

use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use agentspan_model::keys;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{
    SdkTracerProvider, SpanData, SpanEvents, SpanExporter as _, SpanLinks,
};

use super::{ConsoleDetail, ConsoleExporter, tree};

/// Runs `make` with a tracer and gives what was written, durations left out.
fn written(
    detail: ConsoleDetail,
    make: impl FnOnce(&opentelemetry_sdk::trace::SdkTracer),
) -> String {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    let exporter = ConsoleExporter::with_sink(move |tree| {
        sink.lock().unwrap().push_str(tree);
        Ok(())
    })
    .with_detail(detail);
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    make(&provider.tracer("test"));
    provider.shutdown().unwrap();
    let text = text.lock().unwrap();
    text.lines().map(without_duration).collect()
}

fn without_duration(line: &str) -> String {
    let words: Vec<&str> = line.split("  ").collect();
    let kept: Vec<&str> = words
        .into_iter()
        .filter(|word| !word.trim().ends_with(" ms"))
        .collect();
    format!("{}\n", kept.join("  ").trim_end())
}

#[test]
fn children_stand_under_their_parent_in_order_of_their_start() {
    let tree = written(ConsoleDetail::Names, |tracer| {
        let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
        let first = root.with_span(tracer.start_with_context("first", &root));
        tracer.start_with_context("leaf", &first).end();
        let mut second = tracer.start_with_context("second", &root);
        second.set_attribute(KeyValue::new(keys::ERROR_TYPE, "Timeout"));
        second.set_status(Status::error("canary"));
        second.end();
        first.span().end();
        root.span().end();
    });
    assert_eq!(
        tree.split_whitespace().collect::<Vec<_>>().join(" "),
        "root ├─ first │ └─ leaf └─ second error: Timeout"
    );
}

#[test]
fn the_type_of_an_error_whose_text_is_unknown_is_written_once() {
    let failed = |description: &'static str| {
        written(ConsoleDetail::AttributesWithContents, |tracer| {
            let mut span = tracer.start("tool");
            span.set_status(Status::error(description));
            span.end();
        })
    };
    let ends = |description, end| failed(description).trim_end().ends_with(end);
    assert!(ends("_OTHER", "  error: _OTHER"));
    assert!(ends("closed", "  error: _OTHER: closed"));
}

#[test]
fn contents_are_masked_unless_asked_for() {
    let make = |tracer: &opentelemetry_sdk::trace::SdkTracer| {
        let mut span = tracer.start("chat");
        span.set_attribute(KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, "canary"));
        let of_open_inference = format!("{}.0.message.content", keys::LLM_INPUT_MESSAGES);
        span.set_attribute(KeyValue::new(of_open_inference, "canary"));
        span.set_attribute(KeyValue::new(keys::GEN_AI_REQUEST_MODEL, "m"));
        span.end();
    };
    let masked = written(ConsoleDetail::Attributes, make);
    assert!(masked.contains("gen_ai.request.model = m"), "{masked}");
    assert!(
        masked.contains("gen_ai.input.messages = ** MASKED **"),
        "{masked}"
    );
    assert!(!masked.contains("canary"));
    assert!(written(ConsoleDetail::AttributesWithContents, make).contains("canary"));
}

#[test]
fn a_name_cannot_pretend_to_be_another_line() {
    let tree = written(ConsoleDetail::Names, |tracer| {
        tracer.start("a\nb\u{1b}[31m\u{202e}").end()
    });
    assert_eq!(tree.lines().count(), 1);
    assert!(!tree.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn a_text_cannot_start_a_line_or_turn_the_direction_of_writing() {
    let tree = written(ConsoleDetail::AttributesWithContents, |tracer| {
        let text = "b\u{2028}c\u{2029}d\u{85}e\u{200e}\u{61c}\u{2067}f";
        let span = tracer.span_builder("a\u{202e}b\u{200f}c");
        let span = span.with_attributes([KeyValue::new(keys::GEN_AI_REQUEST_MODEL, text)]);
        tracer.build(span).end();
    });
    assert!(tree.starts_with("a\u{fffd}b\u{fffd}c\n"), "{tree:?}");
    assert!(
        tree.contains("b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}\u{fffd}\u{fffd}f"),
        "{tree:?}"
    );
}

#[test]
fn a_trace_whose_root_never_ends_is_written_at_shutdown() {
    let tree = written(ConsoleDetail::Names, |tracer| {
        let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
        tracer.start_with_context("orphan", &root).end();
        std::mem::forget(root);
    });
    assert_eq!(tree, "orphan\n");
}

fn span(id: u64, parent: u64) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1_u128),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(parent),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: format!("{id} in {parent}").into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn render(spans: Vec<SpanData>, detail: ConsoleDetail) -> String {
    let mut text = String::new();
    tree::render(spans, detail, |piece| text.push_str(piece));
    text
}

#[test]
fn a13_a_long_tree_needs_no_memory_for_its_text() {
    let mut spans: Vec<SpanData> = (1..=16).map(|id| span(id, 0)).collect();
    for span in &mut spans {
        let text = "\u{1}".to_owned() + &"x".repeat(1 << 20);
        span.attributes.push(KeyValue::new("text", text));
    }
    let mut pieces = Vec::with_capacity(64);
    let measured = allocation_counter::measure(|| {
        tree::render(spans, ConsoleDetail::AttributesWithContents, |piece| {
            pieces.push((piece.len(), piece.ends_with('\n')));
        });
    });
    let bytes = pieces.iter().map(|(bytes, _)| bytes).sum::<usize>();
    assert!(bytes > 16 << 20, "{bytes}");
    assert!(pieces.iter().all(|(_, is_whole)| *is_whole));
    let most = measured.bytes_max;
    assert!(most < 4 << 20, "{most} bytes for {bytes}");
}

#[test]
fn a13_spans_whose_roots_never_end_wait_up_to_a_bound_in_bytes() {
    let written = Arc::new(Mutex::new(0));
    let count = Arc::clone(&written);
    let exporter = ConsoleExporter::with_sink(move |text| {
        *count.lock().unwrap() += text.lines().count();
        Ok(())
    })
    .with_detail(ConsoleDetail::Names);
    let measured = allocation_counter::measure(|| {
        for id in 0..64_u64 {
            let mut span = span(id + 2, 1);
            let trace = SpanContext::new(
                TraceId::from(u128::from(id / 4) + 1),
                SpanId::from(id + 2),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            );
            span.span_context = trace;
            let text = "x".repeat(1 << 20);
            span.attributes.push(KeyValue::new("text", text));
            futures_executor::block_on(exporter.export(vec![span])).unwrap();
        }
    });
    let held = measured.bytes_current;
    assert!(held < 17 << 20, "{held} bytes");
    // Sixteen traces of four megabytes, of which three fit.
    assert_eq!(
        (*written.lock().unwrap(), exporter.evicted_traces()),
        (52, 13)
    );
    exporter.force_flush().unwrap();
    assert_eq!(
        (*written.lock().unwrap(), exporter.evicted_traces()),
        (64, 13)
    );
}

#[test]
fn a14_the_text_of_a_deep_trace_grows_with_its_spans_and_not_with_their_square() {
    const DEPTH: u64 = 5_000;
    let spans = (1..=DEPTH).map(|id| span(id, id - 1)).collect();
    let text = render(spans, ConsoleDetail::Names);
    assert_eq!(text.lines().count(), 5_000);
    assert!(text.lines().all(|line| line.chars().count() < 64 * 3 + 80));
}

#[test]
fn spans_with_one_id_are_drawn_once_each_and_make_no_circle() {
    let spans = vec![span(1, 0), span(2, 1), span(1, 2), span(3, 3)];
    let text = render(spans, ConsoleDetail::Names);
    for name in ["1 in 0", "2 in 1", "1 in 2", "3 in 3"] {
        assert_eq!(text.matches(name).count(), 1, "{text}");
    }
}

#[test]
fn a14_a_tree_that_cannot_be_written_costs_no_other() {
    let tried = Arc::new(Mutex::new(0));
    let count = Arc::clone(&tried);
    let exporter = ConsoleExporter::with_sink(move |_| {
        *count.lock().unwrap() += 1;
        Err(std::io::Error::other("full"))
    });
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    let tracer = provider.tracer("test");
    // Their roots never end, so that all are written in the end.
    let roots: Vec<Context> = (0..3)
        .map(|_| Context::new().with_span(tracer.start_with_context("root", &Context::new())))
        .collect();
    for root in &roots {
        tracer.start_with_context("leaf", root).end();
    }
    assert!(provider.shutdown().is_err());
    assert_eq!(*tried.lock().unwrap(), 3);
}
