//! Spans in files, read back by the types of OpenTelemetry's protocol.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use agentspan_otel::DropReason;
use agentspan_otel::{ExportQueue, OtlpJsonLines};
use agentspan_processor::json_lines::Rotation;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks,
};

const WHILE: Duration = Duration::from_secs(30);

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("agentspan-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn context(number: u8, is_remote: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes([number; 16]),
        SpanId::from_bytes([number; 8]),
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::from_key_value([("vendor", "state")]).unwrap(),
    )
}

/// A span with a value of each kind.
fn full_span() -> SpanData {
    let texts = ["a", "\"\n\u{1}é"].map(StringValue::from).to_vec();
    let attributes = vec![
        KeyValue::new("text", "line\nbreak"),
        KeyValue::new("truth", true),
        KeyValue::new("number", i64::MIN),
        KeyValue::new("real", 0.1),
        KeyValue::new("whole", 2.0),
        KeyValue::new("texts", Value::Array(Array::String(texts))),
        KeyValue::new("truths", Value::Array(vec![true, false].into())),
        KeyValue::new("numbers", Value::Array(vec![1_i64, i64::MAX].into())),
        KeyValue::new("reals", Value::Array(vec![1.5, -0.0].into())),
        KeyValue::new("none", Value::Array(Array::I64(Vec::new()))),
    ];
    let mut events = SpanEvents::default();
    events.events = vec![opentelemetry::trace::Event::new(
        "happened",
        SystemTime::UNIX_EPOCH + Duration::new(5, 6),
        attributes.clone(),
        1,
    )];
    events.dropped_count = 2;
    let mut links = SpanLinks::default();
    links.links = vec![Link::new(context(7, true), attributes.clone(), 3)];
    links.dropped_count = 4;
    SpanData {
        span_context: context(1, false),
        parent_span_id: SpanId::from_bytes([9; 8]),
        parent_span_is_remote: true,
        span_kind: SpanKind::Client,
        name: "chat \"m\"".into(),
        start_time: SystemTime::UNIX_EPOCH + Duration::new(1_765_000_000, 123_456_789),
        end_time: SystemTime::UNIX_EPOCH + Duration::new(1_765_000_001, 1),
        attributes,
        dropped_attributes_count: 5,
        events,
        links,
        status: Status::error("refused"),
        instrumentation_scope: InstrumentationScope::builder("scope")
            .with_version("1.2.3")
            .with_schema_url("https://example.com/scope")
            .with_attributes([KeyValue::new("of", "the scope")])
            .build(),
    }
}

/// A span that has as little as possible.
fn bare_span() -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes([2; 16]),
            SpanId::from_bytes([2; 8]),
            TraceFlags::default(),
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "bare".into(),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("other").build(),
        ..full_span()
    }
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_schema_url(
            [KeyValue::new("service.name", "weather")],
            "https://example.com/r",
        )
        .build()
}

fn export(exporter: &mut OtlpJsonLines, spans: Vec<SpanData>) -> OTelSdkResult {
    exporter.set_resource(&resource());
    futures_executor::block_on(exporter.export(spans))
}

/// Exports to a text in memory.
fn written(spans: Vec<SpanData>) -> String {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    let mut exporter = OtlpJsonLines::with_sink(move |lines| {
        sink.lock().unwrap().push_str(lines);
        Ok(())
    });
    export(&mut exporter, spans).unwrap();
    let text = text.lock().unwrap();
    text.clone()
}

#[test]
fn the_protocols_own_types_read_what_they_would_have_sent() {
    for span in [full_span(), bare_span()] {
        let text = written(vec![span.clone()]);
        let read: TracesData = serde_json::from_str(&text).unwrap();
        let attributes = ResourceAttributesWithSchema::from(&resource());
        let sent = ResourceSpans::new(span, &attributes);
        assert_eq!(read.resource_spans, [sent]);
    }
}

#[test]
fn the_form_is_that_of_the_protocols_json() {
    assert_eq!(
        written(vec![bare_span()]),
        concat!(
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"weather"}}]},"#,
            r#""scopeSpans":[{"scope":{"name":"other"},"spans":[{"traceId":"02020202020202020202020202020202","#,
            r#""spanId":"0202020202020202","flags":256,"name":"bare","kind":1,"#,
            r#""startTimeUnixNano":"1765000000123456789","endTimeUnixNano":"1765000001000000001","status":{}}]}],"#,
            r#""schemaUrl":"https://example.com/r"}]}"#,
            "\n"
        )
    );
}

#[test]
fn numbers_that_json_has_not_are_written_by_name() {
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut span = bare_span();
    span.attributes = numbers.map(|number| KeyValue::new("n", number)).to_vec();
    let line: serde_json::Value = serde_json::from_str(&written(vec![span])).unwrap();
    let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let found = [0, 1, 2].map(|n| {
        span["attributes"][n]["value"]["doubleValue"]
            .as_str()
            .unwrap()
    });
    assert_eq!(found, ["NaN", "Infinity", "-Infinity"]);
}

#[test]
fn each_export_is_a_line_and_a_full_file_is_put_aside() {
    let directory = Directory::new("rotation");
    let path = directory.file("traces.jsonl");
    let mut exporter = OtlpJsonLines::rotating(&path, Rotation::at_bytes(1_000, 2)).unwrap();
    for n in 0..6 {
        let mut spans = vec![bare_span(), bare_span()];
        spans[0].name = format!("span {n}").into();
        export(&mut exporter, spans).unwrap();
    }
    let names = |file: &str| {
        let text = fs::read_to_string(directory.file(file)).unwrap();
        let spans = text.lines().flat_map(|line| {
            let read: TracesData = serde_json::from_str(line).unwrap();
            read.resource_spans[0].scope_spans[0].spans.clone()
        });
        spans.map(|span| span.name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(names("traces.jsonl"), "span 5, bare");
    assert_eq!(names("traces.jsonl.1"), "span 4, bare");
    assert_eq!(names("traces.jsonl.2"), "span 3, bare");
    let mut files: Vec<_> = fs::read_dir(&directory.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["traces.jsonl", "traces.jsonl.1", "traces.jsonl.2"]);
}

#[test]
fn an_export_after_a_crash_begins_a_line_of_its_own() {
    let directory = Directory::new("crash");
    let path = directory.file("traces.jsonl");
    fs::write(&path, r#"{"resourceSpans":[{"resou"#).unwrap();
    let mut exporter = OtlpJsonLines::append(&path).unwrap();
    export(&mut exporter, vec![bare_span()]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    serde_json::from_str::<TracesData>(lines[1]).unwrap();
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_at_once() {
    let directory = Directory::new("no-path");
    let error = OtlpJsonLines::append(directory.file("missing/traces.jsonl")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn spans_that_cannot_be_written_are_counted_and_later_ones_are_written() {
    let directory = Directory::new("lost");
    let path = directory.file("inner/traces.jsonl");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let exporter = OtlpJsonLines::rotating(&path, Rotation::at_bytes(1, 1)).unwrap();
    let queue = ExportQueue::builder("file", exporter).build().unwrap();
    let put = || {
        queue.put(bare_span());
        queue.flush(WHILE)
    };
    put().unwrap();
    // There is no place for the next file.
    fs::rename(directory.file("inner"), directory.file("away")).unwrap();
    put().unwrap_err();
    fs::rename(directory.file("away"), directory.file("inner")).unwrap();
    put().unwrap();
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.exported), (3, 2));
    assert_eq!(stats.dropped_for(DropReason::Failed), 1);
    let lines = |name: &str| {
        fs::read_to_string(directory.file(name))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!(lines("inner/traces.jsonl"), 1);
    assert_eq!(lines("inner/traces.jsonl.1"), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_the_spans_of_its_time_and_nothing_else() {
    let exporter = OtlpJsonLines::append("/dev/full").unwrap();
    let full = ExportQueue::builder("full", exporter).build().unwrap();
    let kept = InMemorySpanExporter::default();
    let beside = ExportQueue::builder("beside", kept.clone())
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(full.clone())
        .with_span_processor(beside.clone())
        .build();
    let tracer = opentelemetry::trace::TracerProvider::tracer(&provider, "t");
    drop(opentelemetry::trace::Tracer::start(&tracer, "s"));
    beside.flush(WHILE).unwrap();
    full.flush(WHILE).unwrap_err();
    assert_eq!(full.stats().dropped_for(DropReason::Failed), 1);
    assert_eq!(kept.get_finished_spans().unwrap().len(), 1);
}
