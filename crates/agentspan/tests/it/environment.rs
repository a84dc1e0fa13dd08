//! What the standard variables ask for.

use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::{Destination, InstallError, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

/// The names of the destinations, beside one that is set in code, and what the log says.
fn destinations(variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let processor = configure()
        .with_environment(&variables.iter().copied().collect::<Environment>())
        .with_destination(Destination::exporter(
            "code",
            InMemorySpanExporter::default(),
        ))
        .into_processor()
        .unwrap();
    let queues = processor.queues().iter();
    let names = queues.map(|queue| queue.name().to_owned()).collect();
    (names, logs.text())
}

#[track_caller]
fn check(variables: &[(&str, &str)], names: &[&str], ignored: Option<&str>) {
    let (found, log) = destinations(variables);
    assert_eq!(found, names, "{variables:?}");
    assert_eq!(
        log.contains("is ignored"),
        ignored.is_some(),
        "{variables:?}: {log}"
    );
    assert!(log.contains(ignored.unwrap_or_default()), "{log}");
}

#[test]
fn the_environment_adds_destinations_and_ignores_what_it_does_not_know() {
    check(&[], &["code"], None);
    check(&[("OTEL_TRACES_EXPORTER", "none")], &["code"], None);
    check(
        &[("OTEL_TRACES_EXPORTER", " console, ")],
        &["code", "console"],
        None,
    );
    check(
        &[("OTEL_TRACES_EXPORTER", "zipkin,console")],
        &["code", "console"],
        Some("zipkin"),
    );
    // A name that is said twice is one destination, or every span would arrive twice.
    check(
        &[("OTEL_TRACES_EXPORTER", "console,console, console")],
        &["code", "console"],
        None,
    );
    let console = ("OTEL_TRACES_EXPORTER", "console");
    let side_channel = ("ENABLE_OTLP_EXPORTER", "True");
    let unknown = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    check(
        &[console, ("ENABLE_OTLP_EXPORTER", "1")],
        &["code", "console"],
        None,
    );
    // A protocol that is not understood is as good as unset.
    let otlp = cfg!(feature = "otlp-http").then_some("otlp");
    let with_otlp =
        |first: &[&'static str]| -> Vec<_> { first.iter().copied().chain(otlp).collect() };
    check(
        &[console, side_channel, unknown],
        &with_otlp(&["code", "console"]),
        Some("http/json"),
    );
    check(
        &[("OTEL_TRACES_EXPORTER", "otlp_file")],
        &["code"],
        Some("otlp_file"),
    );
    let of_spans = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json");
    check(
        &[("OTEL_TRACES_EXPORTER", "OTLP"), of_spans],
        &with_otlp(&["code"]),
        Some("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
    );
}

#[test]
fn the_environment_names_a_file_and_one_that_cannot_be_written_is_an_error() {
    let directory = std::env::temp_dir().join(format!("agentspan-env-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("traces.jsonl");
    let variables = |path: &str| {
        Environment::from_iter([
            ("OTEL_TRACES_EXPORTER", "otlp_file"),
            ("AGENTSPAN_OTLP_FILE", path),
        ])
    };
    let configuration = configure().with_environment(&variables(path.to_str().unwrap()));
    let processor = configuration.into_processor().unwrap();
    let queue = processor.queues()[0].clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let mut span = provider.tracer("t").start("chat");
    span.set_attribute(KeyValue::new("gen_ai.input.messages", "a prompt"));
    span.end();
    queue.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(queue.name(), "json_lines");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let resource = &line["resourceSpans"][0];
    assert_eq!(resource["scopeSpans"][0]["spans"][0]["name"], "chat");
    let keys = resource["resource"]["attributes"].to_string();
    assert!(keys.contains("service.name"), "{keys}");
    // Masked by default, as everywhere.
    assert!(
        text.contains("MASKED") && !text.contains("a prompt"),
        "{text}"
    );

    let missing = directory.join("missing/traces.jsonl");
    let configuration = configure().with_environment(&variables(missing.to_str().unwrap()));
    let error = configuration.into_processor().unwrap_err();
    assert!(matches!(error, InstallError::Environment(_)), "{error:?}");
    let named = std::error::Error::source(&error).unwrap().to_string();
    assert!(named.contains("AGENTSPAN_OTLP_FILE"), "{named}");
    // What `main` prints of it.
    let shown = format!("{error:?}");
    assert!(shown.starts_with(&format!("{error}: {named}: ")), "{shown}");
    std::fs::remove_dir_all(&directory).unwrap();
}
