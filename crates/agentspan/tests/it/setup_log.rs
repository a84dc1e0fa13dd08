//! Warnings of the set-up: a program may have its subscriber only afterwards, as the layer for `tracing` needs the
//! telemetry.

use std::mem;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::{AgentSpanProcessor, Destination, Telemetry, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing::subscriber::{NoSubscriber, with_default};

use crate::process::has_its_own;
#[cfg(feature = "otlp-http")]
use crate::process::{is_started_by_test, must_pass};

const SAID: &str = "is ignored";

fn kept() -> Destination {
    Destination::exporter("kept", InMemorySpanExporter::default())
}

fn processor() -> AgentSpanProcessor {
    let configuration = configure().with_environment(&Environment::from_iter([(
        "OTEL_TRACES_EXPORTER",
        "zipkin",
    )]));
    configuration
        .with_destination(kept())
        .into_processor()
        .unwrap()
}

/// How often the log has the warning after each of two spans.
fn after_spans(processor: AgentSpanProcessor, logs: &CapturedLogs) -> [usize; 2] {
    let builder = SdkTracerProvider::builder().with_span_processor(processor);
    let tracer = builder.build().tracer("test");
    [(); 2].map(|()| {
        drop(tracer.start("a span"));
        logs.count(SAID)
    })
}

#[test]
fn a_warning_that_nobody_heard_is_repeated_with_the_first_span_that_somebody_hears() {
    let processor = with_default(NoSubscriber::new(), processor);
    let (logs, _guard) = CapturedLogs::on_this_thread();
    assert_eq!(logs.count(SAID), 0);
    assert_eq!(after_spans(processor, &logs), [1, 1]);
}

#[test]
fn a_warning_that_somebody_heard_is_not_repeated() {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let processor = processor();
    assert_eq!(logs.count(SAID), 1);
    assert_eq!(after_spans(processor, &logs), [1, 1]);
}

/// Its variables are read when it is made, before the set-up.
#[cfg(feature = "otlp-http")]
#[test]
fn a_warning_about_a_destination_in_code_is_repeated_too() {
    if !is_started_by_test() {
        let this = "setup_log::a_warning_about_a_destination_in_code_is_repeated_too";
        return must_pass(this, &[("OTEL_EXPORTER_OTLP_HEADERS", "no header")]);
    }
    let otlp = agentspan::Otlp::new().with_endpoint("http://127.0.0.1:1");
    let otlp = Destination::otlp_http(otlp).unwrap().with_filter(|_| false);
    let processor = configure().with_destination(otlp).into_processor().unwrap();
    let (logs, _guard) = CapturedLogs::on_this_thread();
    after_spans(processor, &logs);
    let line = "entries that are no headers";
    assert_eq!(logs.count(line), 1, "{}", logs.text());
}

#[cfg(feature = "tracing")]
#[test]
fn a_subscriber_with_our_layer_hears_the_warnings_of_the_set_up_before_it() {
    if !has_its_own(
        "setup_log::a_subscriber_with_our_layer_hears_the_warnings_of_the_set_up_before_it",
    ) {
        return;
    }
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    let environment = Environment::from_iter([("OTEL_TRACES_SAMPLER", "sometimes")]);
    let configuration = configure().with_environment(&environment);
    let telemetry = configuration.with_destination(kept()).install().unwrap();
    let logs = CapturedLogs::default();
    let lines = fmt::layer().with_ansi(false).with_writer(logs.clone());
    let layers = tracing_subscriber::registry().with(lines);
    tracing::subscriber::set_global_default(layers.with(telemetry.tracing_layer())).unwrap();
    tracing::info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| ());
    drop(telemetry);
    assert_eq!(logs.count(SAID), 1, "{}", logs.text());
}

/// A program that makes no span has a subscriber only after its set-up.
#[track_caller]
fn check_end_without_spans(end: impl FnOnce(Telemetry)) {
    let off = Environment::from_iter([("OTEL_SDK_DISABLED", "true")]);
    let telemetry = configure().with_environment(&off).install().unwrap();
    let (logs, _guard) = CapturedLogs::on_this_thread();
    end(telemetry);
    let count = logs.count("switches all telemetry off");
    assert_eq!(count, 1, "{}", logs.text());
}

#[test]
fn a_program_without_spans_hears_them_when_the_guard_is_dropped() {
    if has_its_own("setup_log::a_program_without_spans_hears_them_when_the_guard_is_dropped") {
        check_end_without_spans(drop);
    }
}

#[test]
fn a_program_without_spans_hears_them_at_its_shutdown() {
    if has_its_own("setup_log::a_program_without_spans_hears_them_at_its_shutdown") {
        // Such as before `process::exit`.
        check_end_without_spans(|telemetry| {
            telemetry.shutdown(Duration::from_secs(5)).unwrap();
            mem::forget(telemetry);
        });
    }
}
