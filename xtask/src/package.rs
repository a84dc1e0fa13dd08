//! `cargo xtask package`: the published crates are complete.

use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// Packages every published crate as `cargo publish` does. A warning is an error.
///
/// The packages are not built again, because all that they hold is built by other chores.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    let published = || workspace.packages().iter().filter(|p| p.is_published());
    let package = cargo(workspace)
        .args(["package", "--locked", "--no-verify", "--allow-dirty"])
        .args(published().flat_map(|package| ["--package", &package.name]));
    let command = package.line();
    let said = package.read_errors()?;
    print!("{said}");
    let warnings = said
        .lines()
        .filter(|line| line.starts_with("warning"))
        .count();
    match warnings {
        0 => Ok(()),
        _ => Err(XtaskError::Warnings { command, warnings }),
    }
}
