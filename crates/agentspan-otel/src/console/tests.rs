//! What the console shows of a trace.

use std::sync::{Arc, Mutex};

use agentspan_model::keys;
use opentelemetry::trace::{
    Span as _, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::{ConsoleDetail, ConsoleExporter};

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
        tracer.start("a\nb\u{1b}[31m").end()
    });
    assert_eq!(tree.lines().count(), 1);
    assert!(!tree.contains('\u{1b}'));
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
