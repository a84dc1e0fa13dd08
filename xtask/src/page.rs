//! `cargo xtask page`: the page of `agentspan serve` in a real browser.

use std::path::PathBuf;

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Built, Workspace};

/// What becomes of the pictures that the tests take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// They are in the target directory, to look at.
    Discard,
    /// They are those of the documentation.
    Keep,
}

/// Runs the tests of the page of the command as it is installed, and holds the times that the page has for 10,000
/// spans and 100,000 traces. The machine should have nothing else to do.
pub(crate) fn run_for_speed(workspace: &Workspace) -> Result<(), XtaskError> {
    let command = workspace.command_for_release()?;
    test(workspace, command, Pictures::Discard, &["--speed"])
}

/// Builds the command, and runs the tests of its page. They drive Chromium over a pair of pipes, with nothing but
/// Python's library.
pub(crate) fn run(workspace: &Workspace, pictures: Pictures) -> Result<(), XtaskError> {
    let command = workspace.path_of("agentspan-cli", Built::Binary("agentspan"))?;
    test(workspace, command, pictures, &[])
}

fn test(
    workspace: &Workspace,
    command: PathBuf,
    pictures: Pictures,
    options: &[&str],
) -> Result<(), XtaskError> {
    let target = workspace.target_directory();
    let directory = match pictures {
        Pictures::Discard => target.join("page/images"),
        Pictures::Keep => workspace.root().join("docs/images"),
    };
    let tests = workspace
        .root()
        .join("crates/agentspan-cli/tests/page/page.py");
    Program::new("python3", workspace.root(), "install Python 3.11 or newer")
        .args([tests, command, directory])
        .args(options)
        .env("PYTHONUTF8", "1")
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run()
}
