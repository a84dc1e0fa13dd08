//! `cargo xtask deny`: what the dependencies bring along.

use std::path::{Path, PathBuf};

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// The version of cargo-deny that is installed when it is missing.
const VERSION: &str = "0.20.2";

/// The package whose dependencies are those of our peers.
const BENCHMARKS: &str = "bench";

/// The package of programs that are built to be weighed. One of them is a peer, and nobody runs them.
const WEIGHED: &str = "weight";

/// Checks licences, sources, bans and duplicates; needs no network besides the registry.
pub(crate) fn check(workspace: &Workspace) -> Result<(), XtaskError> {
    let program = install(workspace)?;
    run(workspace, &program, &["check", "licenses", "sources"])?;
    run(
        workspace,
        &program,
        &["--exclude", BENCHMARKS, "check", "bans"],
    )
}

/// Checks for known vulnerabilities; fetches the advisory database.
pub(crate) fn advisories(workspace: &Workspace) -> Result<(), XtaskError> {
    let program = install(workspace)?;
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

/// The path of cargo-deny, which is built into the target directory if it is not there yet.
fn install(workspace: &Workspace) -> Result<PathBuf, XtaskError> {
    let tools = workspace.target_directory().join("tools");
    let program = tools
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        cargo(workspace)
            .args(["install", "--locked", "cargo-deny", "--version", VERSION])
            // It runs for a second: optimising it would take two minutes longer.
            .args(["--debug", "--root"])
            .args([&tools])
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
            .run()?;
    }
    Ok(program)
}
