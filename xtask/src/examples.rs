//! `cargo xtask examples`: runs every example of the workspace.

use crate::command::cargo;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// Runs the examples one after the other; each talks to services of its own process only.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    for package in workspace.packages() {
        let examples = package
            .targets
            .iter()
            .filter(|target| target.kind == ["example"]);
        for example in examples {
            println!("{}", example.name);
            cargo(workspace)
                .args(["run", "--quiet", "--locked", "--example", &example.name])
                .run()?;
        }
    }
    Ok(())
}
