//! `cargo xtask features`: each published crate builds alone, with each of its features alone.
//!
//! A build of the whole workspace unifies features and hides what a crate forgot to ask for.

use crate::command::cargo;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// Checks every published crate without its default features, then with each feature by itself.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    for package in workspace
        .packages()
        .iter()
        .filter(|package| package.is_published())
    {
        check(workspace, &package.name, None)?;
        for feature in package.features.keys() {
            check(workspace, &package.name, Some(feature))?;
        }
    }
    Ok(())
}

fn check(workspace: &Workspace, package: &str, feature: Option<&str>) -> Result<(), XtaskError> {
    println!("{package}: {}", feature.unwrap_or("no features"));
    cargo(workspace)
        .args(["check", "--quiet", "--locked", "--lib"])
        .args(["--package", package, "--no-default-features"])
        .args(["--features", feature.unwrap_or_default()])
        .run()
}
