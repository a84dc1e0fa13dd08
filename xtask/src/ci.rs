//! `cargo xtask ci`: all that CI runs.

use std::time::{Duration, Instant};

use crate::chore_named;
use crate::command::Running;
use crate::error::XtaskError;
use crate::hosts;
use crate::workspace::Workspace;

/// The steps in their order: the quick ones first.
const STEPS: &[(&str, &[&str])] = &[
    ("tidy", &[]),
    ("fmt", &["--check"]),
    ("lint", &[]),
    ("test", &[]),
    ("page", &["--built"]),
    ("doc", &[]),
    ("features", &[]),
    ("api", &["--check"]),
    ("package", &[]),
    ("wasm", &[]),
    ("weight", &["--crates"]),
    ("hosts", &[]),
    ("msrv", &[]),
    ("golden", &["--check"]),
    ("examples", &[]),
    ("loom", &["--quick"]),
    ("fuzz", &["--quick"]),
    ("conformance", &[]),
    ("deny", &[]),
    ("peers", &["agent365"]),
    ("peers", &["agent365", "--profile", "v2"]),
    ("peers", &["agentspec"]),
];

/// The step that runs beside those before it, and is waited for in its turn: it compiles much, in a
/// target directory of its own, and crate after crate, so that a processor would be idle.
const BESIDE: &str = "hosts";

/// Runs every step, also after one has failed, so that one run tells everything.
///
/// The steps `without` are left out, which the summary says: for a machine that cannot have what they
/// need.
pub(crate) fn run(workspace: &Workspace, without: &[&str]) -> Result<(), XtaskError> {
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let mut beside = (!without.contains(&BESIDE)).then(|| start_beside(workspace));
    for &(chore, options) in STEPS {
        let step = [&[chore], options].concat().join(" ");
        println!("\n── {step}");
        if without.contains(&chore) {
            let line = format!("{step:<28} NOT RUN, as asked");
            println!("{line}");
            lines.push(line);
            continue;
        }
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let start = Instant::now();
        let outcome = match beside.take_if(|_| chore == BESIDE) {
            Some(started) => started.and_then(Running::wait),
            None => chore_named(chore, &options, workspace),
        };
        let result = match outcome {
            Ok(()) => "ok",
            Err(error) => {
                eprintln!("xtask: {}", crate::error::report(&error));
                failed.push(chore);
                "FAILED"
            }
        };
        let line = format!("{step:<28} {result:<7} {:>7}", seconds(start.elapsed()));
        println!("{line}");
        lines.push(line);
    }
    println!("\n── ci");
    for line in &lines {
        println!("{line}");
    }
    println!(
        "{:<28} {:<7} {:>7}",
        "together",
        "",
        seconds(begin.elapsed())
    );
    if failed.is_empty() {
        return Ok(());
    }
    Err(XtaskError::Steps { steps: failed })
}

fn start_beside(workspace: &Workspace) -> Result<Running, XtaskError> {
    let log = workspace.target_directory().join("ci-hosts.log");
    hosts::program(workspace, &[]).start(log)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
