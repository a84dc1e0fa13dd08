//! Why a benchmark cannot run. That something is slow is never among the reasons.

use std::io;
use std::process::ExitCode;

/// The benchmarks could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The arguments make no sense. `--help` lists those that do.
    #[error("cannot understand {given:?}, see --help")]
    Usage {
        /// The argument.
        given: String,
    },
    /// A process that this one needs did not start or went away. Look at what it printed.
    #[error("cannot run {what}")]
    Child {
        /// What was to be run.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// A process printed something else than what was expected of it.
    #[error("cannot understand what {what} printed")]
    Output {
        /// What was run.
        what: String,
    },
    /// A contender could not be set up.
    #[error("cannot set up {what}")]
    SetUp {
        /// Which one.
        what: &'static str,
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tables could not be written.
    #[error("cannot write the tables")]
    Write(#[from] io::Error),
}

impl BenchError {
    pub(crate) fn set_up(
        what: &'static str,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::SetUp { what, source }
    }
}

/// Prints an error with its causes to the standard error stream and gives the code to end with.
#[must_use]
#[expect(clippy::print_stderr, reason = "the end of a program")]
pub fn exit_code(result: Result<(), BenchError>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
