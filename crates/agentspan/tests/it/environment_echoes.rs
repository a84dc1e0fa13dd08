//! A14: whatever a variable of the environment holds, what is logged, reported and shown of it is short and
//! on one line.

use std::error::Error;

use agentspan::agent365::Delivery;
use agentspan::configure;
use agentspan::discovery::{Environment, Switches};
use agentspan::model::agent365::Profile;
use agentspan::prelude::*;
use agentspan_testkit::CapturedLogs;

/// What every hostile value begins with after a line break, as a line of a log would.
const FORGED: &str = "FORGED";

/// Longer than any line is that echoes one value.
const LONGEST: usize = 1_000;

/// Switches that make variables count, each with others at their defaults.
const SETTINGS: [&[(&str, &str)]; 5] = [
    &[("OTEL_TRACES_EXPORTER", "console,otlp,otlp_file")],
    &[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ],
    &[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:9"),
    ],
    &[
        ("ENABLE_A365_OBSERVABILITY_SIDECAR", "true"),
        ("SPECTRA_PROTOCOL", "http"),
    ],
    &[("ENABLE_A365_OBSERVABILITY_EXPORTER", "true")],
];

fn hostile() -> [String; 5] {
    let long = "x".repeat(100_000);
    [
        format!("{long}\n{FORGED}"),
        format!("\r\n{FORGED} \u{1b}[31m\u{202e}\u{7}\0"),
        format!("https://{long}.example/{long}"),
        format!("https://{}.example\n{FORGED}", "y.".repeat(100)),
        "name,".repeat(20_000),
    ]
}

/// The names of all variables that are read.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    let _ = Environment::from_lookup(|name| {
        names.push(name.to_owned());
        None
    });
    names
}

/// All that is said of this environment.
fn echoes(environment: &Environment) -> String {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    let configuration = configure()
        .with_delivery(Delivery::builder(resolver).with_profile(Profile::V2))
        .with_environment(environment);
    let mut said = format!("{:?}\n{configuration:?}\n", Switches::read(environment));
    match configuration.into_processor() {
        Ok(processor) => said.push_str(&format!("{processor:?}\n{}\n", processor.report())),
        Err(error) => {
            said.push_str(&format!("{error:?}\n"));
            let mut cause: Option<&dyn Error> = Some(&error);
            while let Some(error) = cause {
                said.push_str(&format!("{error}\n"));
                cause = error.source();
            }
        }
    }
    said + &logs.text()
}

#[test]
fn t13_no_value_of_the_environment_is_echoed_at_length_or_forges_a_line() {
    let mut wrong = Vec::new();
    for name in names() {
        for value in hostile() {
            for settings in SETTINGS {
                let others = settings.iter().copied();
                let all = others.chain([(name.as_str(), value.as_str())]);
                let said = echoes(&all.collect());
                let is_wrong = |line: &&str| {
                    let is_raw = |c: char| c.is_control() && c != '\t' || c == '\u{202e}';
                    line.len() > LONGEST
                        || line.trim_start().starts_with(FORGED)
                        || line.contains(is_raw)
                };
                if let Some(line) = said.lines().find(is_wrong) {
                    let start: String = line.chars().take(120).collect();
                    wrong.push(format!("{name}: {} bytes: {start:?}", line.len()));
                }
                if said.lines().count() > 100 {
                    wrong.push(format!("{name}: {} lines", said.lines().count()));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
