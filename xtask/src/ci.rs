//! `cargo xtask ci`: all that CI runs.

use std::time::{Duration, Instant};

use crate::chore_named;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// The steps in their order: the quick ones first.
const STEPS: &[(&str, &[&str])] = &[
    ("tidy", &[]),
    ("fmt", &["--check"]),
    ("lint", &[]),
    ("test", &[]),
    ("doc", &[]),
    ("features", &[]),
    ("hosts", &[]),
    ("msrv", &[]),
    ("golden", &["--check"]),
    ("examples", &[]),
    ("conformance", &[]),
    ("deny", &[]),
    ("peers", &["agent365"]),
    ("peers", &["agent365", "--profile", "v2"]),
    ("peers", &["agentspec"]),
];

/// Runs every step, also after one has failed, so that one run tells everything.
///
/// The step `without` is left out, which the summary says: for a machine that cannot have what it needs.
pub(crate) fn run(workspace: &Workspace, without: Option<&str>) -> Result<(), XtaskError> {
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for &(chore, options) in STEPS {
        let step = [&[chore], options].concat().join(" ");
        println!("\n── {step}");
        if without == Some(chore) {
            let line = format!("{step:<28} NOT RUN, as asked");
            println!("{line}");
            lines.push(line);
            continue;
        }
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let start = Instant::now();
        let result = match chore_named(chore, &options, workspace) {
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

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
