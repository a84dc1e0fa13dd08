//! A7, A8, D3, D4: what each kind of destination gets for a reader who sees no contents, in bytes.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::Profile;
use agentspan::model::agentspec::Disclosure;
use agentspan::model::mapping::{ContentCapture, Rendering};
use agentspan::otel::{ConsoleExporter, OtelBridge, OtlpJsonLines, ScopeTracer};
use agentspan::processor::Trace;
use agentspan::{Destination, configure};
use agentspan_testkit::{CapturedLogs, forms_of};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::canaries::{self, CANARY};
use crate::process::has_its_own;

#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
mod wire;

const WHILE: Duration = Duration::from_secs(30);

/// Sends spans of every source, with contents in every place, to a destination, and gives the provider, whose
/// shutdown empties an exporter that keeps spans. No log may show contents meanwhile.
fn send_to(destination: Destination) -> SdkTracerProvider {
    let logs = CapturedLogs::everywhere();
    let processor = configure()
        .with_environment(&Environment::default())
        .with_destination(destination)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let queue = processor.queues()[0].clone();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(processor)
        .build();
    for profile in Profile::ALL {
        canaries::scopes(&ScopeTracer::with_profile(&provider, profile));
    }
    canaries::foreign(&provider.tracer("foreign"));
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    canaries::agent_spec();
    trace.end().unwrap();
    queue.flush(WHILE).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.dropped(), stats.queued), (0, 0));
    // Not even for a destination that sees contents, and at TRACE.
    let logs = logs.text();
    let leaked: Vec<_> = logs
        .lines()
        .filter(|line| !forms_of(CANARY, line.as_bytes()).is_empty())
        .collect();
    assert_eq!(leaked, Vec::<&str>::new());
    provider
}

/// How a destination is told what it sees, and whether it sees contents.
type Exposure = (fn(Destination) -> Destination, bool);

const EXPOSURES: [Exposure; 4] = [
    (|destination| destination, false),
    (
        |destination| destination.with_disclosure(Disclosure::Masked),
        false,
    ),
    (Destination::with_known_harmless_only, false),
    (
        |destination| destination.with_disclosure(Disclosure::Clear),
        true,
    ),
];

#[track_caller]
fn check(what: &str, bytes: &str, shows: bool) {
    assert!(bytes.len() > 10_000, "{what} got {} bytes", bytes.len());
    match shows {
        true => assert!(bytes.contains(CANARY), "{what}"),
        false => assert_eq!(forms_of(CANARY, bytes.as_bytes()), [""; 0], "{what}"),
    }
}

#[test]
fn t14_no_rendering_shows_contents() {
    if !has_its_own("masks::t14_no_rendering_shows_contents") {
        return;
    }
    for rendering in [
        Rendering::GenAi,
        Rendering::Agent365(Profile::V0_1),
        Rendering::Agent365(Profile::V2),
        Rendering::OpenInference,
        Rendering::AgentSpec,
    ] {
        for (expose, shows) in EXPOSURES {
            let kept = InMemorySpanExporter::default();
            let destination = Destination::exporter("kept", kept.clone());
            let _provider = send_to(expose(destination.with_rendering(rendering)));
            let spans = format!("{:?}", kept.get_finished_spans().unwrap());
            check(&format!("{rendering:?}"), &spans, shows);
        }
    }
}

#[test]
fn t14_no_file_holds_contents() {
    if !has_its_own("masks::t14_no_file_holds_contents") {
        return;
    }
    for (number, (expose, shows)) in EXPOSURES.into_iter().enumerate() {
        let path = format!("{}/masks-{number}.jsonl", env!("CARGO_TARGET_TMPDIR"));
        let _ = fs::remove_file(&path);
        let file = OtlpJsonLines::append(&path).unwrap();
        send_to(expose(Destination::json_lines(file)));
        check("the file", &fs::read_to_string(&path).unwrap(), shows);
    }
}

/// A console, and what it shows.
fn console() -> (ConsoleExporter, Arc<Mutex<String>>) {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    let console = ConsoleExporter::with_sink(move |tree| {
        sink.lock().unwrap().push_str(tree);
        Ok(())
    });
    (console, text)
}

#[test]
fn t14_the_console_shows_contents_when_it_is_asked_once() {
    if !has_its_own("masks::t14_the_console_shows_contents_when_it_is_asked_once") {
        return;
    }
    let (exporter, text) = console();
    send_to(Destination::console(exporter));
    check("the console", &text.lock().unwrap(), false);

    let (exporter, text) = console();
    send_to(Destination::console(exporter.with_contents()));
    check("the console with contents", &text.lock().unwrap(), true);

    let (exporter, text) = console();
    let destination = Destination::console(exporter.with_contents());
    send_to(destination.with_disclosure(Disclosure::Masked));
    check("the console that may not", &text.lock().unwrap(), false);
}

/// Set in a process that a test started, because telemetry is installed once in a process.
const SHOWS: &str = "AGENTSPAN_TEST_SHOWS_CONTENTS";

#[expect(clippy::disallowed_methods, reason = "this is no setting")]
fn is_to_show() -> Option<bool> {
    std::env::var(SHOWS).ok().map(|shows| shows == "true")
}

/// What a program sees of its traces of Agent Spec on the console that stands in.
fn installed_console(environment: &Environment) -> String {
    let (exporter, text) = console();
    let telemetry = configure()
        .with_environment(environment)
        .with_console(exporter.with_contents())
        .install()
        .unwrap();
    let trace = telemetry.trace().start().unwrap();
    canaries::agent_spec();
    trace.end().unwrap();
    telemetry.shutdown(WHILE).unwrap();
    let text = text.lock().unwrap();
    text.clone()
}

#[test]
fn a_console_that_is_alone_captures_the_contents_that_it_shows() {
    if let Some(shows) = is_to_show() {
        let name = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
        let said = [(name, "no_content")].into_iter().filter(|_| !shows);
        let shown = installed_console(&said.collect());
        assert!(shown.contains("chat gpt-4o"), "{shown}");
        // Descriptions are no contents that are captured; prompts are.
        assert_eq!(
            shown.contains("gen_ai.system_instructions"),
            shows,
            "{shown}"
        );
        let prompt = format!("\"system_prompt\":\"What {CANARY} said\"");
        assert_eq!(shown.contains(&prompt), shows, "{shown}");
        return;
    }
    for shows in ["true", "false"] {
        let this = "masks::a_console_that_is_alone_captures_the_contents_that_it_shows";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--quiet"])
            .env(SHOWS, shows)
            .status();
        assert!(status.unwrap().success(), "{shows}");
    }
}
