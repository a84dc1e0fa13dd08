//! The lock files of workspaces beside ours know the dependencies that our crates have now.
//!
//! Cargo keeps that of our own workspace up to date in every build, and the others only when they are built.

use super::Finding;
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// The directories of these workspaces.
const BESIDE: [&str; 3] = ["frameworks", "fuzz", "hosts"];

/// Finds lock files that a build would change.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, XtaskError> {
    let mut findings = Vec::new();
    for directory in BESIDE {
        let manifest = format!("{directory}/Cargo.toml");
        let update = [
            "update",
            "--workspace",
            "--quiet",
            "--manifest-path",
            &manifest,
        ];
        let check = || cargo(workspace).args(update).args(["--locked"]);
        // The registry is asked only if what is known of it does not do.
        match check().args(["--offline"]).run().or_else(|_| check().run()) {
            Ok(()) => {}
            Err(XtaskError::Failed { .. }) => findings.push(Finding::in_file(
                &format!("{directory}/Cargo.lock"),
                format!("is behind: run `cargo {}`", update.join(" ")),
            )),
            Err(error) => return Err(error),
        }
    }
    Ok(findings)
}
