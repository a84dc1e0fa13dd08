//! The command lines of the commands that transform files: `convert`, `diff` and `replay`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{agent, files, files_argument, flag, profile, profile_of, tenant, text};
use crate::convert::{ConvertRequest, Identity, Target, Writing};
use crate::diff::DiffRequest;
use crate::replay::{ReplayRequest, Speed};

pub(super) fn convert() -> Command {
    Command::new("convert")
        .about("Convert the spans in files to another format; masked values stay masked")
        .after_help("Exit codes: 0 if all spans were written, 1 if some cannot be written in the format, 2 if a file cannot be read.")
        .arg(files_argument())
        .arg(
            option("to", "FORM", "Output format; agentspec writes only spans with Agent Spec attributes")
                .required(true)
                .value_parser(Target::NAMES),
        )
        .arg(option("tenant", "ID", "With --to agent365: tenant ID of spans that have none").value_parser(tenant))
        .arg(option("agent", "ID", "With --to agent365: agent ID of spans that have none").value_parser(agent))
        .arg(profile("With --to agent365: generation to translate spans of other conventions to"))
}

pub(super) fn convert_request(matches: &ArgMatches) -> ConvertRequest {
    ConvertRequest {
        files: files(matches),
        to: Target::named(&text(matches, "to").unwrap_or_default()),
        writing: Writing {
            profile: profile_of(matches),
            identity: Identity {
                tenant: text(matches, "tenant"),
                agent: text(matches, "agent"),
            },
        },
    }
}

pub(super) fn diff() -> Command {
    let file = |name: &'static str, help: &'static str| {
        let file = Arg::new(name).required(true).value_name(name);
        file.value_parser(value_parser!(PathBuf)).help(help)
    };
    Command::new("diff")
        .about("Compare two runs: added and missing steps, inputs, outputs, tokens, and durations")
        .after_help(
            "Traces are paired in order. Steps match if they have the same kind, name, and parent; equal steps are paired\n\
             in order. Exit codes: 0 if only times and IDs differ, 1 if anything else does, 2 if a file cannot be read.",
        )
        .arg(file("BEFORE", "The earlier run"))
        .arg(file("AFTER", "The later run"))
        .arg(option("trace-before", "ID", "Compare only traces of BEFORE whose ID starts with this prefix"))
        .arg(option("trace-after", "ID", "Compare only traces of AFTER whose ID starts with this prefix"))
        .arg(flag("contents", "Also print the beginning of each input and output"))
        .arg(flag("json", "Print one JSON object per pair of traces, including inputs and outputs"))
}

pub(super) fn diff_request(matches: &ArgMatches) -> DiffRequest {
    let file = |name: &str| {
        matches
            .get_one::<PathBuf>(name)
            .cloned()
            .unwrap_or_default()
    };
    DiffRequest {
        before: file("BEFORE"),
        after: file("AFTER"),
        traces: [text(matches, "trace-before"), text(matches, "trace-after")],
        is_json: matches.get_flag("json"),
        has_contents: matches.get_flag("contents"),
    }
}

pub(super) fn replay() -> Command {
    Command::new("replay")
        .about("Resend the spans in files, over OTLP or to Agent 365")
        .after_help(
            "If the path of the URL contains /agents/, the spans are sent as Agent 365 requests, otherwise as OTLP in JSON.\n\
             If the URL has no path, /v1/traces is used.",
        )
        .arg(files_argument())
        .arg(option("to", "URL", "URL to send the spans to").required(true))
        .arg(
            option("speed", "SPEED", "full sends as fast as possible; original keeps the pauses between the ends of spans")
                .default_value("full")
                .value_parser(["full", "original"]),
        )
        .arg(option("token-env", "NAME", "Environment variable that holds the bearer token"))
        .arg(profile("For Agent 365: generation to translate spans of other conventions to"))
}

pub(super) fn replay_request(matches: &ArgMatches) -> ReplayRequest {
    ReplayRequest {
        files: files(matches),
        to: text(matches, "to").unwrap_or_default(),
        speed: match text(matches, "speed").as_deref() {
            Some("original") => Speed::Original,
            _ => Speed::Full,
        },
        token_variable: text(matches, "token-env"),
        profile: profile_of(matches),
    }
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}
