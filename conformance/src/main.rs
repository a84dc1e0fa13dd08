//! `conformance [--vectors DIR] [--mutate ROUNDS | --review | --unreviewed]`: runs the vectors of a directory,
//! or changes what they expect, and reports on standard output. `--review` writes down how our outcomes
//! differ, and `--unreviewed` lists the differences of cases that nobody has reviewed.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use conformance::reviewed::{REVIEWED, Reviewed};
use conformance::{Deviations, SHIPPED_VECTORS, Suite, runners};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            let _ = writeln!(stderr, "conformance: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                let _ = writeln!(stderr, "  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let suite = Suite::new(runners::all(), &Deviations::shipped()?)?;
    let out = &mut std::io::stdout().lock();
    if let Some(rounds) = arguments.mutate {
        let mutations = suite.run_mutated(&arguments.directory, rounds)?;
        mutations.write(out)?;
        return Ok(mutations.is_success());
    }
    if arguments.review {
        let mut reviewed = Reviewed::default();
        for directory in [SHIPPED_VECTORS, ODD_CASES] {
            suite.review(directory.as_ref(), &mut reviewed)?;
        }
        std::fs::write(REVIEWED, reviewed.to_text()?)?;
        return Ok(true);
    }
    let report = suite.run(&arguments.directory)?;
    if arguments.unreviewed {
        report.write_unreviewed(out)?;
    }
    report.write(out)?;
    Ok(report.is_success())
}

/// Cases that are odder than the shipped ones.
const ODD_CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

const USAGE: &str = "usage: [--vectors DIR] [--mutate ROUNDS | --review | --unreviewed]";

struct Arguments {
    directory: PathBuf,
    /// How many scalars of what each case expects are changed, one after the other.
    mutate: Option<usize>,
    /// Whether the differences of deviating cases are written down.
    review: bool,
    /// Whether the differences that nobody has reviewed are listed.
    unreviewed: bool,
}

impl Arguments {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self {
            directory: PathBuf::from(SHIPPED_VECTORS),
            mutate: None,
            review: false,
            unreviewed: false,
        };
        while let Some(arg) = args.next() {
            if arg == "--review" {
                read.review = true;
                continue;
            }
            if arg == "--unreviewed" {
                read.unreviewed = true;
                continue;
            }
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), args.next()),
            };
            let missing = || format!("{name} needs a value; {USAGE}");
            match name {
                "--vectors" => read.directory = value.ok_or_else(missing)?.into(),
                "--mutate" => {
                    let rounds = value.ok_or_else(missing)?;
                    let rounds = rounds.parse().ok().filter(|rounds| *rounds > 0);
                    read.mutate = Some(rounds.ok_or("--mutate needs a number of rounds")?);
                }
                _ => return Err(format!("unknown argument {arg:?}; {USAGE}")),
            }
        }
        Ok(read)
    }
}
