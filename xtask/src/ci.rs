//! `cargo xtask ci`: all that CI runs.

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::chore_named;
use crate::command::{Program, Running};
use crate::error::XtaskError;
use crate::workspace::{HAS_PROGRAMS, Workspace};

/// A chore and its options.
type Step = (&'static str, &'static [&'static str]);

/// The steps in their order: the quick ones first.
const STEPS: &[Step] = &[
    ("tidy", &[]),
    ("fmt", &["--check"]),
    ("lint", &[]),
    ("test", &[]),
    ("doc", &[]),
    ("api", &["--check"]),
    ("package", &[]),
    // This replaces the program that runs, which `api` starts once more for each crate.
    ("programs", &[]),
    ("features", &[]),
    ("platforms", &[]),
    ("weight", &["--crates"]),
    ("hosts", &[]),
    ("msrv", &[]),
    ("golden", &["--check"]),
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

/// The steps that run beside the others from the start: they compile much, in target directories of their own, while
/// tests of the other steps wait for something.
const FROM_THE_START: &[Step] = &[("hosts", &[]), ("msrv", &[]), ("deny", &[])];

/// The steps that run beside those after `programs`: one core has most of the work, that of Python.
const AFTER_PROGRAMS: &[Step] = &[
    ("peers", &["agent365"]),
    ("peers", &["agent365", "--profile", "v2"]),
    ("peers", &["agent365", "--profile", "v3"]),
    ("peers", &["agentspec"]),
    ("peers", &["rotel"]),
];

/// Runs every step, also after one has failed, so that one run tells everything.
///
/// The steps `without` are left out, which the summary says: for a machine that cannot have what they
/// need.
pub(crate) fn run(workspace: &Workspace, without: &[&str]) -> Result<(), XtaskError> {
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    // The tests of the workspace replace the program that runs.
    let program = copy_of_this_program(workspace)?;
    let mut beside = vec![Chain::start(workspace, &program, FROM_THE_START, without)];
    for &step in STEPS {
        let (chore, options) = step;
        let name = named(step);
        println!("\n── {name}");
        if without.contains(&chore) {
            let line = format!("{name:<28} NOT RUN, as asked");
            println!("{line}");
            lines.push(line);
            continue;
        }
        let start = Instant::now();
        let outcome = match beside.iter().find(|chain| chain.steps.contains(&step)) {
            Some(chain) => chain.wait_for(chore),
            None => {
                let options: Vec<_> = options.iter().map(ToString::to_string).collect();
                chore_named(chore, &options, workspace)
            }
        };
        if chore == "programs" && outcome.is_ok() {
            beside.push(Chain::start(workspace, &program, AFTER_PROGRAMS, without));
        }
        let result = match outcome {
            Ok(()) => "ok",
            Err(error) => {
                eprintln!("xtask: {}", crate::error::report(&error));
                failed.push(chore);
                "FAILED"
            }
        };
        let line = format!("{name:<28} {result:<7} {:>7}", seconds(start.elapsed()));
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

/// Steps that run beside the others, one after the other, and are waited for in their turn.
struct Chain {
    steps: &'static [Step],
    ended: Receiver<Result<Running, XtaskError>>,
}

impl Chain {
    /// Starts the steps, but for those `without`, as processes of `program`.
    fn start(
        workspace: &Workspace,
        program: &Path,
        steps: &'static [Step],
        without: &[&str],
    ) -> Self {
        let asked_for = steps.iter().filter(|(chore, _)| !without.contains(chore));
        let programs: Vec<_> = asked_for
            .map(|&(chore, options)| {
                let log = format!("ci-{}.log", named((chore, options)).replace(' ', "-"));
                let mut program = Program::new(program, workspace.root(), "run this again")
                    .args([chore])
                    .args(options);
                if workspace.has_programs() {
                    program = program.env(HAS_PROGRAMS, "1");
                }
                (program, workspace.target_directory().join(log))
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
        Self { steps, ended }
    }

    /// Waits for the next step, which runs `chore`, and prints what it wrote.
    fn wait_for(&self, chore: &'static str) -> Result<(), XtaskError> {
        let lost = |_| XtaskError::Steps { steps: vec![chore] };
        self.ended.recv().map_err(lost)?.and_then(Running::wait)
    }
}

/// A copy that nothing replaces while the steps run.
fn copy_of_this_program(workspace: &Workspace) -> Result<PathBuf, XtaskError> {
    let directory = workspace.target_directory();
    let program = directory.join("ci-beside").with_extension(EXE_EXTENSION);
    std::env::current_exe()
        .and_then(|own| fs::copy(own, &program))
        .map_err(|source| XtaskError::File {
            path: program.clone(),
            source,
        })?;
    Ok(program)
}

fn named((chore, options): Step) -> String {
    [&[chore], options].concat().join(" ")
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
