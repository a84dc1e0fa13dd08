//! What the switches decide, and what the log says of it.

use agentspan::discovery::Environment;
use agentspan::prelude::*;
use agentspan::{Agent365Status, Destination, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry_sdk::trace::InMemorySpanExporter;

fn check(
    variables: &[(&str, &str)],
    has_resolver: bool,
    agent365: Agent365Status,
    missing: Option<&str>,
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
        Some(missing) => {
            assert_eq!(warnings.len(), 1, "{text}");
            assert!(warnings[0].contains(missing), "{text}");
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
        Some("ENABLE_A365_OBSERVABILITY_EXPORTER"),
    );
    check(
        &[observability, exporter],
        false,
        Agent365Status::WithoutTokenResolver,
        Some("a token resolver"),
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
    // Scopes are off, which concerns everybody.
    assert!(warned(&[]));
}

#[test]
fn who_wants_the_console_alone_is_not_warned_of_agent_365() {
    let warned = |configuration: agentspan::Configuration, variables: &[(&str, &str)]| {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let environment: Environment = variables.iter().copied().collect();
        let configuration = configuration.with_environment(&environment);
        configuration.into_processor().unwrap();
        logs.text().contains("not observed")
    };
    let observability = ("ENABLE_OBSERVABILITY", "true");
    let exporter = "ENABLE_A365_OBSERVABILITY_EXPORTER";
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
