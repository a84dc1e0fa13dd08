//! What can go wrong in a chore, and what to do about it.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

/// A chore did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XtaskError {
    /// The command line names no chore; `cargo xtask help` lists them.
    #[error("no such chore: `{given}`; see `cargo xtask help`")]
    Usage { given: String },
    /// A program cannot be started, usually because it is not installed; the hint says how to get it.
    #[error("cannot start `{program}`; {hint}")]
    Start {
        program: String,
        hint: &'static str,
        source: io::Error,
    },
    /// A program ran and failed; its own output, above, says why.
    #[error("`{command}` ended with {status}")]
    Failed { command: String, status: String },
    /// A program's output is not what it is documented to be.
    #[error("cannot read the output of `{command}`")]
    Output {
        command: String,
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The sources break rules of the house; each finding was printed.
    #[error("tidy: {count} findings")]
    Tidy { count: usize },
    /// Golden files are not what the code writes today; review them and run `cargo xtask golden`.
    #[error("golden files differ: {}", files.join(", "))]
    Golden { files: Vec<String> },
    /// The public API is not what these files say; run `cargo xtask api` and review the difference.
    #[error("the public API differs from {}; run `cargo xtask api`", files.join(", "))]
    Api { files: Vec<String> },
    /// A program brings more crates than it may; `cargo tree` says where they come from.
    #[error("too many crates: {}", heavy.join(", "))]
    Weight { heavy: Vec<String> },
    /// The mutants that no test notices are not those of `proofs/mutants.toml`; the lines above say which.
    #[error("mutants: {differences} differences from the list")]
    Mutants { differences: usize },
    /// A file of the project does not say what it should.
    #[error("cannot read {}", path.display())]
    Content {
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },
    /// A command succeeded with warnings, which are above.
    #[error("`{command}` gave {warnings} warnings")]
    Warnings { command: String, warnings: usize },
    /// Steps of `ci` failed; each printed its own output.
    #[error("failed: {}", steps.join(", "))]
    Steps { steps: Vec<&'static str> },
}

/// The message of an error and of each of its causes.
pub(crate) fn report(error: &XtaskError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
