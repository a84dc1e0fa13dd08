//! `conformance [--vectors DIR]`: runs the vectors of a directory and reports on standard output.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

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
    let directory = directory(std::env::args().skip(1))?;
    let suite = Suite::new(runners::all(), &Deviations::shipped()?)?;
    let report = suite.run(&directory)?;
    report.write(&mut std::io::stdout().lock())?;
    Ok(report.is_success())
}

fn directory(mut args: impl Iterator<Item = String>) -> Result<PathBuf, String> {
    let mut directory = PathBuf::from(SHIPPED_VECTORS);
    while let Some(arg) = args.next() {
        if let Some(value) = arg.strip_prefix("--vectors=") {
            directory = value.into();
        } else if arg == "--vectors" {
            directory = args.next().ok_or("--vectors needs a directory")?.into();
        } else {
            return Err(format!("unknown argument {arg:?}; usage: [--vectors DIR]"));
        }
    }
    Ok(directory)
}
