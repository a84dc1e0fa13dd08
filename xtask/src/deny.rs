//! `cargo xtask deny`: what the dependencies bring along.

use std::path::Path;

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// The version of cargo-deny that is installed when it is missing.
const VERSION: &str = "0.20.2";

/// The package whose dependencies are those of our peers.
const BENCHMARKS: &str = "bench";

/// The package of programs that are built to be weighed. One of them is a peer, and nobody runs them.
const WEIGHED: &str = "weight";

/// Checks licences, sources, bans and duplicates; needs no network besides the registry.
pub(crate) fn check(workspace: &Workspace) -> Result<(), XtaskError> {
    let program = workspace.installed("cargo-deny", VERSION)?;
    run(workspace, &program, &["check", "licenses", "sources"])?;
    run(
        workspace,
        &program,
        &["--exclude", BENCHMARKS, "check", "bans"],
    )
}

/// Checks for known vulnerabilities; fetches the advisory database.
pub(crate) fn advisories(workspace: &Workspace) -> Result<(), XtaskError> {
    let program = workspace.installed("cargo-deny", VERSION)?;
    run(workspace, &program, &["check", "advisories"])
}

fn run(workspace: &Workspace, program: &Path, arguments: &[&str]) -> Result<(), XtaskError> {
    Program::new(program, workspace.root(), "delete it and run this again")
        .args([
            "--workspace",
            "--all-features",
            "--locked",
            "--exclude",
            WEIGHED,
        ])
        .args(arguments)
        .run()
}
