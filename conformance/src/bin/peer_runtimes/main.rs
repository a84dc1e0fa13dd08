//! Replays what real runtimes have recorded, for `cargo xtask peers runtimes`.
//!
//! The drivers in `conformance/peers` run WayFlow and LangGraph and record their hooks. This program reads
//! the recordings, replays each run through the bridge with each rendering, and checks that nothing is
//! lost, that no parent dangles, and that no time is outside of the run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod exported;
mod recorded;

use std::error::Error;
use std::process::ExitCode;

use crate::recorded::RecordedRun;

/// As many runs as a complete set of recordings has at least.
const MIN_RUNS: usize = 20;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer_runtimes: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is right.
fn run() -> Result<bool, Box<dyn Error>> {
    let mut runs = Vec::new();
    for path in std::env::args().skip(1) {
        runs.extend(recorded::read(path.as_ref())?);
    }
    if runs.len() < MIN_RUNS {
        return Err(format!("{} runs are fewer than {MIN_RUNS}", runs.len()).into());
    }
    let mut failed = 0;
    for run in &runs {
        let wrong = check(run)?;
        let unfinished = run.open_spans();
        println!(
            "{}: {} hooks, {} spans, {unfinished} never ended{}",
            run.name(),
            run.hooks().len(),
            run.started(),
            if wrong.is_empty() { "" } else { ": WRONG" }
        );
        for line in &wrong {
            println!("  {line}");
        }
        failed += usize::from(!wrong.is_empty());
    }
    println!("{} passed, {failed} failed", runs.len() - failed);
    Ok(failed == 0)
}

/// What is wrong with the replays of a run.
fn check(run: &RecordedRun) -> Result<Vec<String>, Box<dyn Error>> {
    let mut wrong = run.lines_that_change()?;
    for (rendering, spans) in exported::replayed(run)? {
        let about = exported::check(run, &spans);
        wrong.extend(about.into_iter().map(|what| format!("{rendering}: {what}")));
    }
    Ok(wrong)
}
