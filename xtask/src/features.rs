//! `cargo xtask features` and `cargo xtask msrv`: what a user of one published crate builds.
//!
//! A build of the whole workspace unifies features and hides what a crate forgot to ask for.

use crate::command::{Program, cargo};
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

/// Checks the published crates with the minimum version of Rust that they declare.
pub(crate) fn minimum_version(workspace: &Workspace) -> Result<(), XtaskError> {
    for package in workspace.packages() {
        let (true, Some(version)) = (package.is_published(), &package.rust_version) else {
            continue;
        };
        println!("{}: Rust {version}", package.name);
        let hint = "install rustup from https://rustup.rs";
        Program::new("rustup", workspace.root(), hint)
            .args([
                "run", version, "cargo", "check", "--quiet", "--locked", "--lib",
            ])
            .args(["--package", &package.name, "--all-features"])
            // A directory of its own: two compilers would throw away each other's work.
            .env(
                "CARGO_TARGET_DIR",
                workspace.target_directory().join("msrv"),
            )
            .run()?;
    }
    Ok(())
}
