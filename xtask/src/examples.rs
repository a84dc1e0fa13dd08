//! `cargo xtask examples`: runs every example of the workspace.

use crate::command::cargo;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// The example that is a package of its own, so that it builds quickly.
const QUICKSTART: &str = "quickstart";

/// Runs the examples one after the other; each talks to services of its own process only.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    println!("{QUICKSTART}");
    cargo(workspace)
        .args(["run", "--quiet", "--locked", "--package", QUICKSTART])
        .run()?;
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
