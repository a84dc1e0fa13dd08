//! `agentspan convert`: writes the spans of files in another format.

mod agent365;
mod agent_spec;
mod otlp;
mod profile;
mod standard;

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::command_error::{CommandError, Outcome};
use crate::show;
use crate::shown::{counted, shown_json};
use crate::span::Span;

pub(crate) use agent365::{Identity, Writing, bodies};
pub(crate) use otlp::request;

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// OTLP in JSON, one request a line for each trace.
    Otlp,
    /// Requests to Agent 365, one a line for each identity in a trace.
    Agent365,
    /// A recording of Agent Spec, one hook a line.
    AgentSpec,
}

impl Target {
    pub(crate) const NAMES: [&'static str; 3] = ["otlp", "agent365", "agentspec"];

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "agent365" => Self::Agent365,
            "agentspec" => Self::AgentSpec,
            _ => Self::Otlp,
        }
    }
}

/// The options of `convert`.
#[derive(Debug)]
pub(crate) struct ConvertRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) to: Target,
    /// How requests to Agent 365 are written.
    pub(crate) writing: Writing,
}

pub(crate) fn run(
    request: ConvertRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (store, unreadable) = show::read(request.files, errors)?;
    let mut left_out = 0;
    let mut known = agent_spec::KnownTraces::default();
    for trace in store.traces() {
        let lines: Vec<Value> = match request.to {
            Target::Otlp => vec![otlp::request(&sorted(&trace.spans()))],
            Target::Agent365 => bodies(&sorted(&trace.spans()), &request.writing),
            Target::AgentSpec => {
                let (lines, others) = agent_spec::recording(trace, &mut known);
                left_out += others;
                lines
            }
        };
        for line in lines {
            writeln!(out, "{}", shown_json(&line))?;
        }
    }
    if unreadable > 0 {
        return Err(CommandError::Lines(unreadable));
    }
    if left_out > 0 {
        writeln!(
            errors,
            "skipped {} without Agent Spec attributes",
            counted(left_out, "span")
        )?;
        return Ok(Outcome::Found);
    }
    Ok(Outcome::Fine)
}

/// The spans of a trace, those that started first first.
fn sorted(spans: &[Span]) -> Vec<&Span> {
    let mut spans: Vec<&Span> = spans.iter().collect();
    spans.sort_by_key(|span| span.start);
    spans
}
