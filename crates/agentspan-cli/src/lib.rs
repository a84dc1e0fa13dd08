//! The command `agentspan`: shows the runs of agents, and explains why a span will not arrive.
//!
//! `agentspan show FILE` prints the traces of a file as trees; `agentspan check FILE` lists spans
//! that Agent 365 would refuse, and explains why; `README.md` has the others. Files hold recordings
//! of Agent Spec Tracing, OTLP in JSON (one request a line, or one for the whole file), or requests
//! to Agent 365.
//!
//! The library beside the command has one function, [`run`], so that tests can call it.

mod answers;
mod arguments;
mod check;
mod command_error;
mod convert;
mod delivered;
mod demo;
mod diff;
mod digest;
mod doctor;
mod facts;
mod group;
mod ingest;
mod judging;
mod kept;
mod loopback;
mod place;
mod reading;
mod replay;
mod row;
mod search;
mod serve;
mod show;
mod shown;
mod skeleton;
mod span;
mod store;
mod tail;
mod tree;
mod variable;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::arguments::Request;
use crate::command_error::{CommandError, Outcome};

/// Runs the command with these arguments, of which the first is the name of the program.
///
/// Exit codes: 0 for success; 1 if there are findings; 2 if the command line or a file cannot be
/// read, or if the command failed.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> ExitCode {
    match try_run(arguments, out, errors) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        // Whoever read the output has seen enough.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // There is nowhere left to report that the report cannot be written.
            let _ = writeln!(errors, "agentspan: {}", error.report());
            ExitCode::from(2)
        }
    }
}

fn try_run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match arguments::parse(arguments)? {
        Request::Help(text) => {
            write!(out, "{text}")?;
            Ok(Outcome::Fine)
        }
        Request::Check(request) => check::run(request, out, errors),
        Request::Completions(shell) => {
            // To write directly would panic if the output cannot be written.
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut arguments::command(), "agentspan", &mut text);
            out.write_all(&text)?;
            Ok(Outcome::Fine)
        }
        Request::Convert(request) => convert::run(request, out, errors),
        Request::Demo(request) => demo::run(request, out),
        Request::Diff(request) => diff::run(request, out, errors),
        Request::Doctor(request) => doctor::run(request, out),
        Request::Manual(command) => {
            clap_mangen::Man::new(*command).render(out)?;
            Ok(Outcome::Fine)
        }
        Request::Replay(request) => replay::run(request, out, errors),
        Request::Serve(request) => serve::run(request, out, errors),
        Request::Show(request) => show::run(request, out, errors),
        Request::Tail(request) => tail::run(request, out, errors),
    }
}
