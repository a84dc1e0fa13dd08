//! `cargo xtask ci`: all that CI runs.

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::chore_named;
use crate::command::{Program, Running};
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
    ("api", &["--check"]),
    ("package", &[]),
    ("wasm", &[]),
    ("weight", &["--crates"]),
    ("hosts", &[]),
    ("msrv", &[]),
    ("golden", &["--check"]),
    // This replaces the program that runs, which `api` starts once more for each crate.
    ("programs", &[]),
    ("page", &[]),
    ("examples", &[]),
    ("loom", &["--quick"]),
    ("fuzz", &["--quick"]),
    ("conformance", &[]),
    ("deny", &[]),
    ("peers", &["agent365"]),
    ("peers", &["agent365", "--profile", "v2"]),
    ("peers", &["agent365", "--profile", "v3"]),
    ("peers", &["agentspec"]),
    ("peers", &["rotel"]),
];

/// The steps that run beside those before them, one after the other, and are waited for in their turn: they
/// compile much, in target directories of their own, while tests of the other steps wait for something.
const BESIDE: [&str; 3] = ["hosts", "msrv", "deny"];

/// Runs every step, also after one has failed, so that one run tells everything.
///
/// The steps `without` are left out, which the summary says: for a machine that cannot have what they
/// need.
pub(crate) fn run(workspace: &Workspace, without: &[&str]) -> Result<(), XtaskError> {
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let beside = start_beside(workspace, without)?;
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
        let outcome = if BESIDE.contains(&chore) {
            let lost = |_| XtaskError::Steps { steps: vec![chore] };
            let ended = beside.recv().map_err(lost);
            ended.and_then(|ended| ended).and_then(Running::wait)
        } else {
            chore_named(chore, &options, workspace)
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

/// Runs the steps beside, and sends each when it has ended.
fn start_beside(
    workspace: &Workspace,
    without: &[&str],
) -> Result<Receiver<Result<Running, XtaskError>>, XtaskError> {
    let target = workspace.target_directory();
    // The tests of the workspace replace the program that runs.
    let program = target.join("ci-beside").with_extension(EXE_EXTENSION);
    let file_error = |source| XtaskError::File {
        path: program.clone(),
        source,
    };
    std::env::current_exe()
        .and_then(|own| fs::copy(own, &program))
        .map_err(file_error)?;
    let steps = BESIDE.into_iter().filter(|step| !without.contains(step));
    let programs: Vec<_> = steps
        .map(|step| {
            let hint = "run this again";
            let log = target.join(format!("ci-{step}.log"));
            let program = Program::new(&program, workspace.root(), hint).args([step]);
            (program, log)
        })
        .collect();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        for (program, log) in programs {
            let started = program.start(log);
            let result = started.map(|mut running| {
                running.let_end();
                running
            });
            if sender.send(result).is_err() {
                return;
            }
        }
    });
    Ok(ended)
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
