//! What the switches decide, and what the log says of it.

use agentspan::discovery::Environment;
use agentspan::otel::scopes::is_enabled;
use agentspan::prelude::*;
use agentspan::processor::InMemory;
use agentspan::{Agent365Status, Configuration, Destination, Sidecar, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry_sdk::trace::InMemorySpanExporter;

use crate::process::{is_started_by_test, must_pass, said};

fn check(
    variables: &[(&str, &str)],
    has_resolver: bool,
    agent365: Agent365Status,
    missing: Option<[&str; 2]>,
) {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let mut configuration =
        configure().with_environment(&variables.iter().copied().collect::<Environment>());
    if has_resolver {
        configuration = configuration.with_token_resolver(token_from_fn(|_| Ok(None)));
    }
    let processor = configuration.into_processor().unwrap();
    assert_eq!(processor.agent365(), agent365);
    assert_eq!(
        processor.delivery().is_some(),
        agent365 == Agent365Status::Delivers
    );
    let text = logs.text();
    let warnings: Vec<_> = text
        .lines()
        .filter(|line| line.contains("not observed"))
        .collect();
    match missing {
        Some([missing, remedy]) => {
            assert_eq!(warnings.len(), 1, "{text}");
            assert!(warnings[0].contains(missing), "{text}");
            assert!(warnings[0].contains(remedy), "{text}");
        }
        None => assert!(warnings.is_empty(), "{text}"),
    }
}

#[test]
fn the_exporter_needs_its_switch_and_a_token_resolver() {
    let observability = ("ENABLE_OBSERVABILITY", "true");
    let exporter = ("ENABLE_A365_OBSERVABILITY_EXPORTER", "on");
    check(
        &[observability, exporter],
        true,
        Agent365Status::Delivers,
        None,
    );
    check(
        &[observability],
        true,
        Agent365Status::WithoutSwitch,
        Some([
            "ENABLE_A365_OBSERVABILITY_EXPORTER",
            "set it to true, or call with_switches_on",
        ]),
    );
    check(
        &[observability, exporter],
        false,
        Agent365Status::WithoutTokenResolver,
        Some(["a token resolver", "call with_token_resolver"]),
    );
}

#[test]
fn who_sends_spans_elsewhere_and_wants_no_agent_365_is_not_warned_of_it() {
    let warned = |variables: &[(&str, &str)]| {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let environment: Environment = variables.iter().copied().collect();
        let elsewhere = Destination::exporter("elsewhere", InMemorySpanExporter::default());
        let configuration = configure().with_environment(&environment);
        let configuration = configuration.with_destination(elsewhere);
        configuration.into_processor().unwrap();
        logs.text().contains("not observed")
    };
    assert!(!warned(&[("ENABLE_OBSERVABILITY", "true")]));
    assert!(!warned(&[
        ("ENABLE_OBSERVABILITY", "true"),
        ("ENABLE_A365_OBSERVABILITY_EXPORTER", "true"),
    ]));
    // Scopes are off, which the first of them says.
    assert!(!warned(&[]));
}

#[test]
fn who_wants_the_console_alone_is_not_warned_of_agent_365() {
    let warned = |configuration: Configuration, variables: &[(&str, &str)]| {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let environment: Environment = variables.iter().copied().collect();
        let configuration = configuration.with_environment(&environment);
        configuration.into_processor().unwrap();
        logs.text().contains("not observed")
    };
    let observability = ("ENABLE_OBSERVABILITY", "true");
    let exporter = "ENABLE_A365_OBSERVABILITY_EXPORTER";
    assert!(!warned(configure(), &[]));
    assert!(!warned(configure().with_switches_on(), &[]));
    assert!(!warned(configure(), &[observability]));
    assert!(!warned(configure(), &[observability, (exporter, "false")]));
    // The environment asks for Agent 365.
    assert!(warned(configure(), &[observability, (exporter, "true")]));
    assert!(warned(
        configure().with_switches_on(),
        &[(exporter, "true")]
    ));
}

/// Where spans go, and what the log says of it at the start while no switch is set.
const KINDS: [(&str, Option<&str>); 6] = [
    ("console", None),
    ("destination", None),
    ("sidecar", None),
    ("environment", None),
    ("agent spec", None),
    ("delivery", Some("ENABLE_A365_OBSERVABILITY_EXPORTER")),
];

fn of_kind(kind: &str, variables: &[(&str, &str)]) -> Configuration {
    let mut variables = variables.to_vec();
    let configuration = match kind {
        "console" => configure(),
        "destination" => {
            let exporter = InMemorySpanExporter::default();
            configure().with_destination(Destination::exporter("elsewhere", exporter))
        }
        "sidecar" => configure().with_sidecar(Sidecar::new()),
        "environment" => {
            variables.push(("OTEL_TRACES_EXPORTER", "console"));
            configure()
        }
        "agent spec" => configure().with_agent_spec_processor("memory", InMemory::new()),
        _delivery => configure().with_token_resolver(token_from_fn(|_| Ok(None))),
    };
    configuration.with_environment(&variables.into_iter().collect())
}

fn start_scope() {
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    drop(ExecuteToolScope::start(
        &ToolCallDetails::new("clock"),
        &agent,
        &tenant,
    ));
}

#[test]
fn scopes_that_nothing_switches_on_say_so_when_the_first_of_them_starts() {
    let name = "switches::scopes_that_nothing_switches_on_say_so_when_the_first_of_them_starts";
    if !is_started_by_test() {
        // The line comes once in a process.
        let kinds = KINDS.iter().map(|(kind, _)| *kind);
        // A sidecar speaks gRPC.
        let kinds = kinds.filter(|kind| cfg!(feature = "otlp-grpc") || *kind != "sidecar");
        return kinds.for_each(|kind| must_pass(name, &[("KIND", kind)]));
    }
    let (kind, at_start) = KINDS
        .into_iter()
        .find(|(kind, _)| *kind == said("KIND"))
        .unwrap();
    let logs = CapturedLogs::everywhere();
    let off = "scopes are off, so no destination gets their spans";
    for no in ["false", "0", "NO", "off"] {
        for variable in ["ENABLE_OBSERVABILITY", "ENABLE_A365_OBSERVABILITY"] {
            drop(of_kind(kind, &[(variable, no)]).into_processor().unwrap());
            assert!(!is_enabled());
            start_scope();
        }
    }
    drop(
        of_kind(kind, &[("ENABLE_OBSERVABILITY", "true")])
            .into_processor()
            .unwrap(),
    );
    start_scope();
    drop(of_kind(kind, &[]).with_switches_on().into_processor());
    start_scope();
    assert_eq!(logs.count(off), 0, "{}", logs.text());

    let (before, told) = (logs.count("not observed"), logs.count("WARN"));
    let telemetry = of_kind(kind, &[]).install().unwrap();
    telemetry.trace().start().unwrap().end().unwrap();
    // A program that only has traces of Agent Spec needs no scopes.
    assert_eq!(logs.count(off), 0, "{}", logs.text());
    let lines = logs.count("not observed") - before;
    assert_eq!(lines, at_start.iter().count(), "{}", logs.text());
    assert_eq!(logs.count("WARN") - told, lines, "{}", logs.text());
    if let Some(missing) = at_start {
        assert!(logs.contains(missing), "{}", logs.text());
    }
    start_scope();
    start_scope();
    assert_eq!(logs.count(off), 1, "{}", logs.text());
    for remedy in ["with_switches_on()", "ENABLE_OBSERVABILITY=true"] {
        assert!(logs.contains(remedy), "{}", logs.text());
    }
}

#[test]
fn a_word_that_no_switch_knows_is_told_and_not_repeated() {
    let told = |word: &str| {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let variables = [("A365_SUPPRESS_INVOKE_AGENT_INPUT", word)];
        let configuration = configure().with_environment(&variables.into_iter().collect());
        configuration.into_processor().unwrap();
        let text = logs.text();
        assert!(!text.contains("by-hand"), "{text}");
        let told = |line: &&str| line.contains("none of the known words");
        text.lines()
            .filter(told)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lines = told("enabled-by-hand");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("A365_SUPPRESS_INVOKE_AGENT_INPUT"),
        "{lines:?}"
    );
    assert!(lines[0].contains("true, 1, yes, on"), "{lines:?}");
    for known in ["", "TRUE", "off"] {
        assert!(told(known).is_empty(), "{known}");
    }
}
