//! Telemetry is installed once in a process, so one test tells the whole story.

use std::time::Duration;

use agentspan::agent365::DropReason;
use agentspan::discovery::Environment;
use agentspan::model::agentspec::{EventDetails, SpanDetails};
use agentspan::prelude::*;
use agentspan::processor::{InMemory, Span};
use agentspan::{
    Agent365Status, Destination, InstallError, Telemetry, TelemetryError, TelemetryReport,
    configure,
};
use agentspan_testkit::{Answer, Service};
use opentelemetry::Context;
use opentelemetry::trace::Tracer as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Span as SdkSpan, SpanData, SpanProcessor};

use crate::process::has_its_own;

use crate::meters::Meters;
use crate::metrics::check_conserved;

const WHILE: Duration = Duration::from_secs(10);

fn delivery_to(url: &str) -> agentspan::agent365::DeliveryBuilder {
    Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("token")?))))
        .with_loopback_endpoint(url)
}

fn make_span() -> ExecuteToolScope {
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    ExecuteToolScope::start(&ToolCallDetails::new("clock"), &agent, &tenant)
}

#[test]
fn telemetry_is_installed_once_delivers_and_keeps_its_deadlines() {
    if !has_its_own("install::telemetry_is_installed_once_delivers_and_keeps_its_deadlines") {
        return;
    }
    let service = Service::builder()
        .script([Answer::status(200), Answer::hang(), Answer::status(200)])
        .start()
        .unwrap();

    // A setting that cannot be used is named, and nothing is in force.
    let error = configure()
        .with_delivery(delivery_to("http://user:secret@127.0.0.1:1"))
        .with_switches_on()
        .install()
        .unwrap_err();
    assert!(matches!(error, InstallError::Delivery(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("secret"));
    assert!(!make_span().is_recording());

    let meters = Meters::new();
    let memory = InMemory::new();
    let kept = InMemorySpanExporter::default();
    let telemetry = configure()
        .with_service_name("facade")
        .with_service_namespace("tests")
        .with_delivery(delivery_to(&service.url()).with_timeout(Duration::from_millis(500)))
        .with_agent_spec_processor("memory", memory.clone())
        .with_agent_spec_processor("second", InMemory::new())
        .with_destination(Destination::exporter("second", kept.clone()))
        .with_metrics(&meters.provider)
        .with_switches_on()
        .install()
        .unwrap();
    assert_eq!(telemetry.agent365(), Agent365Status::Delivers);

    // A span of a scope has an identity, and one of a plain tracer outside of it has none.
    drop(make_span());
    drop(telemetry.tracer("plain").start("plain"));
    telemetry.flush(WHILE).unwrap();
    let requests = service.wait_for(1, WHILE).unwrap();
    let body = requests[0].json().unwrap();
    let resource = &body["resourceSpans"][0]["resource"]["attributes"];
    assert_eq!(resource["service.name"], "facade");
    assert_eq!(resource["service.namespace"], "tests");
    let stats = telemetry.agent365_stats().unwrap();
    assert_eq!((stats.accepted, stats.exported), (2, 1));
    assert_eq!(stats.dropped_for(DropReason::NoIdentity), 1);

    check_already_installed(&configure().with_switches_on().install().unwrap_err());

    // The service hangs: the flush keeps its deadline and the span stays. The next try delivers it.
    drop(make_span());
    let late = telemetry.flush(Duration::from_millis(1)).unwrap_err();
    // A busy machine may not even have got the span to the other destination.
    assert!(
        matches!(late, TelemetryError::Deadline { unsent: 1.., .. }),
        "{late:?}"
    );
    telemetry.flush(WHILE).unwrap();
    assert_eq!(telemetry.agent365_stats().unwrap().exported, 2);

    // An Agent Spec trace reaches processors of Agent Spec as it is, and destinations as spans.
    let trace = telemetry.trace().with_name("turn").start().unwrap();
    trace.end().unwrap();
    telemetry.flush(WHILE).unwrap();
    assert_eq!(memory.tree(), "RootSpan\n");
    let bridged = kept.get_finished_spans().unwrap().pop().unwrap();
    assert_eq!(bridged.name, "turn");
    add_event_too_late(&telemetry);

    telemetry.shutdown(WHILE).unwrap();
    telemetry.shutdown(WHILE).unwrap();
    let stats = telemetry.agent365_stats().unwrap();
    assert_eq!(
        stats.accepted,
        stats.exported + stats.dropped() + stats.queued
    );
    check_report(&telemetry.report());
    let line = telemetry.report().destinations[0].to_string();
    assert_eq!(
        line,
        format!("agent365: {stats}"),
        "the same line as without the facade"
    );
    check_measured_until_dropped(telemetry, &meters);
}

fn check_already_installed(error: &InstallError) {
    assert!(matches!(error, InstallError::AlreadyInstalled), "{error:?}");
    let error = error.to_string();
    assert!(
        error.ends_with("install it once and keep its guard"),
        "{error}"
    );
}

fn check_report(report: &TelemetryReport) {
    let names: Vec<_> = report.destinations.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["agent365", "second", "memory", "second/2"]);
    for destination in &report.destinations {
        assert_eq!(
            destination.accepted,
            destination.exported + destination.dropped() + destination.queued,
            "{destination}"
        );
    }
    assert_eq!(report.destination("second").unwrap().exported, 6);
    assert_eq!(report.late_events, 1);
    assert!(
        report
            .to_string()
            .contains("\nevents after the end of their span: 1")
    );
}

/// A trace of two spans, one of which has an event after the end of both.
fn add_event_too_late(telemetry: &Telemetry) {
    let trace = telemetry.trace().start().unwrap();
    let span = Span::builder(SpanDetails::Plain).start_detached().unwrap();
    Span::end(&span).unwrap();
    trace.end().unwrap();
    span.add_event(EventDetails::Plain).unwrap();
}

/// The metrics say the same as the report, also after the shutdown, and end with the guard.
fn check_measured_until_dropped(telemetry: Telemetry, meters: &Meters) {
    let series = meters.collect();
    check_conserved(&series);
    let hooks = |metric: &str| {
        series[&format!("agentspan.destination.hook.{metric}{{otel.component.name=memory}}")]
    };
    assert_eq!((hooks("accepted"), hooks("queue.size")), (10.0, 0.0));
    assert_eq!(hooks("exported"), 10.0);
    let executed = "gen_ai.client.operation.duration.count{gen_ai.operation.name=execute_tool}";
    assert_eq!(series[executed], 2.0);
    drop(telemetry);
    let left = meters.collect();
    assert!(
        left.keys().all(|name| name.starts_with("gen_ai.")),
        "{left:?}"
    );
}

/// Panics when it hears of the resource, on the thread that installs.
#[derive(Debug)]
struct PanicsOverResource;

impl SpanProcessor for PanicsOverResource {
    fn on_start(&self, _span: &mut SdkSpan, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn set_resource(&mut self, _resource: &Resource) {
        panic!("a processor panics");
    }
}

#[test]
fn a11_a_processor_that_panics_while_telemetry_is_installed_is_an_error() {
    let error = configure()
        .with_environment(&Environment::default())
        .with_provider(|builder| builder.with_span_processor(PanicsOverResource))
        .install()
        .unwrap_err();
    assert!(matches!(error, InstallError::Panicked), "{error:?}");
}

#[test]
fn a_second_pipeline_does_not_switch_the_scopes_of_the_first_off() {
    let name = "install::a_second_pipeline_does_not_switch_the_scopes_of_the_first_off";
    if !has_its_own(name) {
        return;
    }
    let nothing = || configure().with_environment(&Environment::default());
    let off = nothing().into_processor().unwrap();
    assert!(!make_span().is_recording(), "nothing has switched them on");
    let telemetry = nothing()
        .with_destination(Destination::exporter(
            "kept",
            InMemorySpanExporter::default(),
        ))
        .with_switches_on()
        .install()
        .unwrap();
    assert!(make_span().is_recording());
    let second = nothing().into_processor().unwrap();
    assert!(make_span().is_recording());
    drop((telemetry, off, second));
}
