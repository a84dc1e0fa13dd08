//! What ends after the shutdown: nobody gets it, and everybody counts it.

use std::time::Duration;

use agentspan::otel::DropReason;
use agentspan::prelude::*;
use agentspan::processor::InMemory;
use agentspan::{Destination, Telemetry, configure};
use agentspan_testkit::{Answer, CapturedLogs, Service};
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_sdk::trace::InMemorySpanExporter;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(30);
const SAID: &str = "a span ended after the shutdown";

fn start_scope() -> ExecuteToolScope {
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    ExecuteToolScope::start(&ToolCallDetails::new("clock"), &agent, &tenant)
}

/// What each destination accepted, exported, still holds, and dropped after the shutdown.
fn counts(telemetry: &Telemetry) -> Vec<[u64; 4]> {
    let destinations = telemetry.report().destinations.into_iter();
    let counts = destinations.map(|destination| {
        let late = destination.losses.iter();
        let late = late.filter(|(reason, _)| *reason == DropReason::AfterShutdown);
        let late = late.map(|(_, count)| count).sum();
        [
            destination.accepted,
            destination.exported,
            destination.queued,
            late,
        ]
    });
    counts.collect()
}

#[test]
fn spans_that_end_after_the_shutdown_are_counted_and_the_first_is_in_the_log() {
    if !has_its_own(
        "late_spans::spans_that_end_after_the_shutdown_are_counted_and_the_first_is_in_the_log",
    ) {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let delivery = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("token")?))));
    let kept = InMemorySpanExporter::default();
    let telemetry = configure()
        .with_delivery(delivery.with_loopback_endpoint(service.url()))
        .with_destination(Destination::exporter("kept", kept))
        .with_agent_spec_processor("memory", InMemory::new())
        .with_switches_on()
        .install()
        .unwrap();
    start_scope().end();
    telemetry.trace().start().unwrap().end().unwrap();
    telemetry.flush(WHILE).unwrap();
    let open = start_scope();
    let _active = open.enter();
    let waiting = start_scope();
    telemetry.shutdown(WHILE).unwrap();
    let before = counts(&telemetry);
    assert_eq!(logs.count(SAID), 0, "{}", logs.text());

    open.end();
    waiting.end();
    start_scope().in_scope_infallible(|_| ());
    telemetry.tracer("plain").start("plain").end();
    telemetry.trace().start().unwrap().end().unwrap();
    assert_eq!(logs.count(SAID), 1, "{}", logs.text());
    assert_eq!(logs.count("a span was dropped"), 0, "{}", logs.text());
    telemetry.shutdown(WHILE).unwrap();
    let after = counts(&telemetry);
    // Five spans, and three hooks of the trace: its startup, and the start and end of its root.
    for ((before, after), late) in before.iter().zip(&after).zip([5, 5, 3]) {
        let [accepted, exported, queued, none] = *before;
        assert_eq!([queued, none], [0, 0]);
        assert_eq!(*after, [accepted + late, exported, 0, late]);
    }
    assert_eq!(after.len(), 3);
    // The provider goes on until then, and tells what nobody was told.
    let shutdown = telemetry.provider().shutdown_with_timeout(WHILE);
    let error = shutdown.unwrap_err().to_string();
    let told = "kept lost 5 spans (after_shutdown: 5)";
    assert!(error.contains(told), "{error}");
    assert_eq!(counts(&telemetry), after);
}

#[test]
fn a_guard_that_is_dropped_at_once_is_told_of_in_one_line_which_says_what_to_do() {
    let name =
        "late_spans::a_guard_that_is_dropped_at_once_is_told_of_in_one_line_which_says_what_to_do";
    if !has_its_own(name) {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let kept = InMemorySpanExporter::default();
    let kept = configure().with_destination(Destination::exporter("kept", kept));
    let _ = kept.with_switches_on().install().unwrap();
    start_scope().end();
    start_scope().end();
    let text = logs.text();
    assert_eq!(logs.count(SAID), 1, "{text}");
    assert!(
        text.contains("keep the guard in a variable of `main`"),
        "{text}"
    );
    assert_eq!(logs.count("a span was dropped"), 0, "{text}");
}

#[test]
fn a_shutdown_that_gives_up_early_says_that_no_try_fits_and_not_that_its_time_is_over() {
    let name = "late_spans::a_shutdown_that_gives_up_early_says_that_no_try_fits_and_not_that_its_time_is_over";
    if !has_its_own(name) {
        return;
    }
    let later = Answer::status(503).header("Retry-After", "600");
    let service = Service::builder().then_repeat(later).start().unwrap();
    let delivery = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("token")?))));
    let telemetry = configure()
        .with_delivery(delivery.with_loopback_endpoint(service.url()))
        .with_switches_on()
        .install()
        .unwrap();
    start_scope().end();
    let error = telemetry.shutdown(WHILE).unwrap_err().to_string();
    let told =
        "no further try fits into the deadline of 30s with 1 span or hook not sent; agent365";
    assert!(error.starts_with(told), "{error}");
}
