//! h14: `OTEL_SDK_DISABLED=true` is the switch that operators use in an incident. It turns everything off, whatever
//! the code says, and lets the traces of callers go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agentspec::SpanDetails;
use agentspan::opentelemetry::Context;
use agentspan::opentelemetry::trace::{Span as _, SpanContext, TraceContextExt, Tracer};
use agentspan::otel::Propagation;
use agentspan::prelude::*;
use agentspan::processor::{InMemory, Span};
use agentspan::{Agent365Status, Destination, InstallError, Telemetry, configure};
use agentspan_testkit::{CapturedLogs, Service};
use opentelemetry::global;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::process::{has_its_own, is_started_by_test, must_pass, said};

const WHILE: Duration = Duration::from_secs(30);

/// What a caller sent: sampled, with a state.
const CALLER: [(&str, &str); 2] = [
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("tracestate", "vendor=1"),
];

fn caller() -> Context {
    Propagation::new().extract_headers(&Context::new(), CALLER)
}

/// Whether a request that leaves from here continues the caller's trace as it is.
#[track_caller]
fn check_goes_on(telemetry: &Telemetry) {
    let headers = telemetry.propagation().to_headers(&Context::current());
    let expected = CALLER.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, expected);
}

fn check_tracer<T: Tracer>(telemetry: &Telemetry, tracer: &T)
where
    T::Span: Send + Sync + 'static,
{
    let span = tracer.start_with_context("inner", &caller());
    assert!(!span.is_recording());
    assert_eq!(
        span.span_context(),
        caller().span().span_context(),
        "flag and state included"
    );
    let _inside = caller().with_span(span).attach();
    check_goes_on(telemetry);
    // Without a caller, no trace begins.
    let span = tracer.start_with_context("alone", &Context::new());
    assert_eq!(*span.span_context(), SpanContext::empty_context());
}

/// The threads of this process that are ours.
fn threads() -> Vec<String> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let names = tasks.filter_map(|task| {
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        Some(name.trim().to_owned())
    });
    names.filter(|name| name.starts_with("agentspan")).collect()
}

fn program() {
    let logs = CapturedLogs::everywhere();
    let kept = InMemorySpanExporter::default();
    let memory = InMemory::new();
    let is_customised = Arc::new(AtomicBool::new(false));
    let in_closure = Arc::clone(&is_customised);
    let delivery = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("token")?))));
    let configuration = configure()
        .with_delivery(delivery.with_loopback_endpoint(said("AGENT365")))
        .with_destination(Destination::exporter("kept", kept.clone()))
        .with_agent_spec_processor("memory", memory.clone())
        .with_provider(move |builder| {
            in_closure.store(true, Ordering::SeqCst);
            builder
        });
    let telemetry = configuration.with_switches_on().install().unwrap();
    assert_eq!(threads(), [""; 0]);
    assert!(logs.contains("OTEL_SDK_DISABLED"));
    assert_eq!(telemetry.agent365(), Agent365Status::SdkDisabled);

    check_tracer(&telemetry, &telemetry.tracer("plain"));
    check_tracer(&telemetry, &global::tracer("global"));
    let span = opentelemetry::trace::TracerProvider::tracer(telemetry.provider(), "sdk").start("s");
    assert!(!span.is_recording());

    let _request = caller().attach();
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let scope = ExecuteToolScope::start(&ToolCallDetails::new("clock"), &agent, &tenant);
    assert!(!scope.is_recording());
    let active = scope.enter();
    check_goes_on(&telemetry);
    drop(active);

    let trace = telemetry.trace().with_name("turn").start().unwrap();
    let step = Span::builder(SpanDetails::Plain).start().unwrap();
    check_goes_on(&telemetry);
    step.end().unwrap();
    trace.end().unwrap();

    telemetry.flush(WHILE).unwrap();
    futures_executor::block_on(telemetry.flush_async(WHILE)).unwrap();
    telemetry.shutdown(WHILE).unwrap();
    futures_executor::block_on(telemetry.shutdown_async(WHILE)).unwrap();
    assert!(telemetry.report().destinations.is_empty());
    assert_eq!(telemetry.report().to_string(), "no destinations");
    assert_eq!(telemetry.agent365_stats(), None);
    drop(telemetry);
    assert!(kept.get_finished_spans().unwrap().is_empty());
    assert_eq!(memory.tree(), "");
    assert!(!is_customised.load(Ordering::SeqCst));
    let again = configure().install().unwrap_err();
    assert!(matches!(again, InstallError::AlreadyInstalled), "{again:?}");
}

#[test]
fn h14_a_disabled_sdk_sends_nothing_and_lets_the_trace_of_the_caller_go_on() {
    if is_started_by_test() {
        return program();
    }
    let service = Service::start().unwrap();
    let url = service.url();
    let file = format!(
        "{}/h14-{}.jsonl",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    let variables = [
        ("OTEL_SDK_DISABLED", "True"),
        ("AGENT365", url.as_str()),
        ("OTEL_TRACES_EXPORTER", "otlp,otlp_file,console"),
        // Were it used, it would be an error.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "no url"),
        ("AGENTSPAN_OTLP_FILE", file.as_str()),
        ("ENABLE_A365_OBSERVABILITY_SIDECAR", "true"),
        ("SPECTRA_ENDPOINT", url.as_str()),
    ];
    let this =
        "sdk_disabled::h14_a_disabled_sdk_sends_nothing_and_lets_the_trace_of_the_caller_go_on";
    must_pass(this, &variables);
    assert_eq!(service.connections(), 0);
    assert!(!std::path::Path::new(&file).exists());
}

/// Whether a processor does nothing, and what was logged.
fn processor(value: &str) -> (bool, String) {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let kept = InMemorySpanExporter::default();
    let environment = Environment::from_iter([("OTEL_SDK_DISABLED", value)]);
    let configuration = configure()
        .with_environment(&environment)
        .with_destination(Destination::exporter("kept", kept));
    let processor = configuration.with_switches_on().into_processor().unwrap();
    let is_disabled = processor.agent365() == Agent365Status::SdkDisabled;
    assert_eq!(processor.queues().is_empty(), is_disabled);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let baggage = BaggageBuilder::new()
        .with_correlation_id("request-1")
        .build();
    let context = baggage.to_context(&Context::new());
    let tracer = opentelemetry::trace::TracerProvider::tracer(&provider, "t");
    let span = tracer.start_with_context("s", &context);
    let attributes = span.exported_data().unwrap().attributes;
    assert_eq!(
        attributes.is_empty(),
        is_disabled,
        "baggage is copied or not"
    );
    (is_disabled, logs.text())
}

/// The switch of scopes is one for the whole process.
fn each_value() {
    for value in ["true", "TRUE", " true\n"] {
        let (is_disabled, logs) = processor(value);
        assert!(is_disabled, "{value:?}");
        assert!(!agentspan::otel::scopes::is_enabled());
        assert!(!logs.contains("is ignored"), "{logs}");
    }
    for value in ["", " ", "false", "FALSE"] {
        assert_eq!(processor(value), (false, String::new()), "{value:?}");
        assert!(agentspan::otel::scopes::is_enabled());
    }
    for value in ["1", "yes", "on", "t", "true;", "ｔｒｕｅ"] {
        let (is_disabled, logs) = processor(value);
        assert!(!is_disabled, "{value:?}");
        let said = logs.contains("is ignored") && logs.contains("OTEL_SDK_DISABLED");
        assert!(said, "{value:?}: {logs}");
    }
}

#[test]
fn h14_no_word_but_true_disables_and_other_words_are_told() {
    if has_its_own("sdk_disabled::h14_no_word_but_true_disables_and_other_words_are_told") {
        each_value();
    }
}
