//! What the standard variables ask for.

use agentspan::discovery::Environment;
use agentspan::{Destination, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry_sdk::trace::InMemorySpanExporter;

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
    let console = ("OTEL_TRACES_EXPORTER", "console");
    let side_channel = ("ENABLE_OTLP_EXPORTER", "True");
    let unknown = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    check(
        &[console, ("ENABLE_OTLP_EXPORTER", "1")],
        &["code", "console"],
        None,
    );
    check(
        &[console, side_channel, unknown],
        &["code", "console"],
        Some("http/json"),
    );
    check(
        &[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ],
        &["code"],
        Some("http/json"),
    );
}
