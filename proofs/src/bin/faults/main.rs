//! The fault matrix: plays faults to every way into the library, and compares what becomes of the
//! spans with what should. `docs/faults.md` says how to read it.
//!
//! `faults [--only TEXT] [--without DEFENCE | --prove]` prints a line for each row and front, and
//! fails on a difference. `--without` takes a defence away and runs the rows that need it.
//! `--prove` does so for each defence, fails if a row shows no difference, and says of all other rows
//! why nothing can be taken away.
//!
//! `faults soak` plays random schedules of faults, `faults isolation` plays in real time what the
//! rows promise in short, and `faults liveness` times flushes and shutdowns.

mod any_certificate;
mod defence;
mod front;
mod liveness;
mod matrix;
mod measure;
mod outcome;
mod queues;
mod real_time;
mod relay;
mod row;
mod soak;
mod stage;
mod waits;
mod wire;

use std::error::Error;
use std::io::{Write, stdout};
use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use crate::defence::Defence;
use crate::front::Front;
use crate::outcome::{Counts, Outcome};
use crate::row::Row;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// How code of the program misbehaves.
#[expect(clippy::panic, reason = "it is the fault")]
pub(crate) fn on_purpose() -> ! {
    panic!("on purpose")
}

/// What is asked for.
#[derive(Default)]
struct Options {
    only: String,
    without: Option<Defence>,
    prove: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match (argument, options.prove) {
                ("--prove", _) => options.prove = true,
                ("--only", _) => options.only = arguments.next().ok_or("--only TEXT")?.to_owned(),
                ("--without", false) => {
                    let name = arguments.next().ok_or("--without DEFENCE")?;
                    options.without = Some(Defence::named(name)?);
                }
                _ => return Err("faults [--only TEXT] [--without DEFENCE | --prove]".into()),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((chore, rest)) if chore == "soak" => return Ok(exit_code(soak::run(rest)?)),
        Some((chore, rest)) if chore == "isolation" => {
            return Ok(exit_code(real_time::run(rest)?));
        }
        Some((chore, rest)) if chore == "liveness" => {
            return Ok(exit_code(liveness::run(rest)?));
        }
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    // Panics on purpose say nothing; those of the matrix itself end a row.
    panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let ran = if options.prove {
        let defences = Defence::ALL.into_iter();
        let ran = defences.map(|defence| run(&options.only, Some(defence)));
        let ran = ran.collect::<Result<Vec<_>, _>>()?;
        explain_the_rest()?;
        ran
    } else {
        vec![run(&options.only, options.without)?]
    };
    let lines: usize = ran.iter().map(|ran| ran.lines).sum();
    let differ: usize = ran.iter().map(|ran| ran.differences).sum();
    let seconds = started.elapsed().as_secs_f64();
    writeln!(stdout(), "{lines} lines, {differ} differ, {seconds:.1} s")?;
    let is_well = match options.prove {
        true => differ == lines && lines > 0,
        false => differ == 0 && lines > 0,
    };
    Ok(exit_code(is_well))
}

fn exit_code(is_well: bool) -> ExitCode {
    match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// How many lines there were.
#[derive(Clone, Copy, Default)]
struct Ran {
    lines: usize,
    differences: usize,
}

/// Panics of other threads never end, so that nothing contains them and nothing goes on. It lasts
/// until the program ends: a hook that runs cannot be replaced.
fn hold_panicking_threads() {
    let own = thread::current().id();
    panic::set_hook(Box::new(move |_| {
        while thread::current().id() != own {
            thread::park();
        }
    }));
}

/// Says of each row that needs no defence why nothing can be taken away.
fn explain_the_rest() -> Result<(), Failure> {
    writeln!(stdout(), "nothing to take away:")?;
    for row in all_rows().filter(|row| row.defences.is_empty()) {
        let reason = row
            .because
            .ok_or("a row has neither a defence nor a reason")?;
        writeln!(stdout(), "{:4} {:44} {reason}", row.fault, row.what)?;
    }
    Ok(())
}

fn all_rows() -> impl Iterator<Item = Row> {
    matrix::rows().into_iter().chain(queues::rows())
}

/// Runs the rows that need the defence that is taken away, or all rows.
fn run(only: &str, without: Option<Defence>) -> Result<Ran, Failure> {
    let mut ran = Ran::default();
    if let Some(defence) = without {
        writeln!(stdout(), "without {defence}:")?;
    }
    if without == Some(Defence::Containment) {
        hold_panicking_threads();
    }
    for row in all_rows() {
        if without.is_some_and(|defence| !row.defences.contains(&defence)) {
            continue;
        }
        for front in row.fronts.iter().copied() {
            let title = format!("{:4} {front:16} {:44}", row.fault, row.what);
            if !title.contains(only) {
                continue;
            }
            ran.lines += 1;
            let is_different = print(&title, play(&row, front, without))?;
            ran.differences += usize::from(is_different);
        }
    }
    Ok(ran)
}

/// Plays a row. A panic that reaches the caller is a difference.
fn play(row: &Row, front: Front, without: Option<Defence>) -> Outcome {
    let run = panic::AssertUnwindSafe(|| (row.run)(front, without));
    let problem = match panic::catch_unwind(run) {
        Ok(Ok(outcome)) => return outcome,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a panic reached the caller".to_owned(),
    };
    Outcome {
        problems: vec![problem],
        ..Outcome::new(Counts::default(), Counts::default())
    }
}

/// Prints a line, and says whether there is a difference.
fn print(title: &str, outcome: Outcome) -> Result<bool, Failure> {
    let problems = outcome.problems();
    let verdict = match problems.as_slice() {
        [] => "ok".to_owned(),
        problems => format!("DIFFERS: {}", problems.join("; ")),
    };
    writeln!(
        stdout(),
        "{title} {:40} {:6} seen {:3} twice {:6} KiB {:6.1} ms  {verdict}",
        outcome.expected.to_string(),
        outcome.seen,
        outcome.twice,
        outcome.memory_kib,
        outcome.longest.as_secs_f64() * 1e3,
    )?;
    Ok(!problems.is_empty())
}
