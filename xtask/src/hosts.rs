//! `cargo xtask hosts`: what becomes of programs that use TLS when they are linked to us.

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// Runs the matrix of `hosts`, a workspace of its own: features must not be unified with ours.
///
/// If its lock file is behind the crates, `cargo update --workspace` in its directory mends that.
pub(crate) fn run(workspace: &Workspace, kinds: &[&str]) -> Result<(), XtaskError> {
    program(workspace, kinds).run()
}

/// The program that does so.
fn program(workspace: &Workspace, kinds: &[&str]) -> Program {
    cargo(workspace)
        .args([
            "run",
            "--quiet",
            "--locked",
            "--manifest-path",
            "hosts/Cargo.toml",
        ])
        .args(["--bin", "matrix", "--features", "matrix", "--"])
        .args(kinds)
        .env(
            "CARGO_TARGET_DIR",
            workspace.target_directory().join("hosts"),
        )
}
