//! The command lines of the commands that transform files: `convert`, `diff` and `replay`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{files, files_argument, flag, profile, profile_of, text};
use crate::convert::{ConvertRequest, Identity, Target, Writing};
use crate::diff::DiffRequest;
use crate::replay::{ReplayRequest, Speed};

pub(super) fn convert() -> Command {
    Command::new("convert")
        .about("Write the spans of files in another form, with masks as they are")
        .after_help("Exit codes: 0 if all spans were written, 1 if some have no such form, 2 if a file cannot be read.")
        .arg(files_argument())
        .arg(
            option("to", "FORM", "otlp, agent365, or agentspec for spans with its attributes")
                .required(true)
                .value_parser(Target::NAMES),
        )
        .arg(option("tenant", "ID", "For agent365: the tenant of spans that name none"))
        .arg(option("agent", "ID", "For agent365: the agent of spans that name none"))
        .arg(profile("For agent365: in whose words spans of other conventions are written"))
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
        .about("Compare two runs: steps that came and went, inputs, outputs, tokens, durations")
        .after_help(
            "Traces are compared in their order. A step is the first, second, … of its kind and name below the same\n\
             step. Exit codes: 0 if only times and ids differ, 1 if more does, 2 if a file cannot be read.",
        )
        .arg(file("BEFORE", "The earlier run"))
        .arg(file("AFTER", "The later run"))
        .arg(option("trace-before", "ID", "Only the trace whose id begins with this"))
        .arg(option("trace-after", "ID", "Only the trace whose id begins with this"))
        .arg(flag("contents", "Also print the beginning of what was asked and answered"))
        .arg(flag("json", "Print JSON, one pair of traces a line, with contents"))
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
        .about("Send the spans of files again, over OTLP or to Agent 365")
        .after_help(
            "A URL whose path has /agents/ gets requests of Agent 365, every other one OTLP in JSON. A URL without a path\n\
             gets /v1/traces.",
        )
        .arg(files_argument())
        .arg(option("to", "URL", "Who gets them").required(true))
        .arg(
            option("speed", "SPEED", "full, or original: with the pauses between the ends of spans")
                .default_value("full")
                .value_parser(["full", "original"]),
        )
        .arg(option("token-env", "NAME", "The variable of the environment that has the bearer token"))
        .arg(profile("For Agent 365: in whose words spans of other conventions are written"))
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
