//! `cargo xtask features`, `msrv` and `platforms`: what a user of one published crate builds.
//!
//! A build of the whole workspace unifies features and hides what a crate forgot to ask for.

use std::collections::BTreeMap;

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// The crate whose features choose between implementations, and the choice that is not the default.
const OTHER_CHOICE: (&str, &str) = ("agentspan-tls", "ring");

/// Crates, and platforms that they build for besides the one that runs the tests.
struct Elsewhere {
    package: &'static str,
    platforms: &'static [&'static str],
}

const ELSEWHERE: [Elsewhere; 2] = [
    // It reads traces in a browser, too.
    Elsewhere {
        package: "agentspan-model",
        platforms: &["wasm32-unknown-unknown"],
    },
    // With it come all others that a program links.
    Elsewhere {
        package: "agentspan",
        platforms: &["x86_64-pc-windows-gnu", "aarch64-apple-darwin"],
    },
];

/// The features that need a compiler of C for the platform, directly or through the defaults.
const IN_C: [&str; 3] = ["aws-lc-rs", "default", "ring"];

/// Checks every published crate without its default features, then with each feature of its own by itself but for the
/// defaults, which everything else here is built with, and runs the tests of what no default feature chooses.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    for package in workspace
        .packages()
        .iter()
        .filter(|package| package.is_published())
    {
        check(workspace, &package.name, None)?;
        let features = package.features.iter();
        let of_its_own = features.filter(|(name, on)| *name != "default" && !only_passes_on(on));
        for (feature, _) in of_its_own {
            check(workspace, &package.name, Some(feature))?;
        }
    }
    let (package, feature) = OTHER_CHOICE;
    println!("{package}: tests with {feature}");
    cargo(workspace)
        .args(["test", "--quiet", "--locked", "--no-default-features"])
        .args(["--package", package, "--features", feature])
        .run()
}

/// Whether a feature only switches on those of other crates of ours, for which they are checked themselves.
fn only_passes_on(switched_on: &[String]) -> bool {
    let is_passed_on =
        |feature: &String| feature.starts_with("agentspan-") && feature.contains('/');
    !switched_on.is_empty() && switched_on.iter().all(is_passed_on)
}

fn check(workspace: &Workspace, package: &str, feature: Option<&str>) -> Result<(), XtaskError> {
    println!("{package}: {}", feature.unwrap_or("no features"));
    cargo(workspace)
        .args(["check", "--quiet", "--locked", "--lib"])
        .args(["--package", package, "--no-default-features"])
        .args(["--features", feature.unwrap_or_default()])
        .run()
}

/// Checks the published crates with the minimum version of Rust that they declare, all in one build.
pub(crate) fn minimum_version(workspace: &Workspace) -> Result<(), XtaskError> {
    let mut by_version: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in workspace.packages() {
        if let (true, Some(version)) = (package.is_published(), &package.rust_version) {
            by_version.entry(version).or_default().push(&package.name);
        }
    }
    for (version, packages) in by_version {
        println!("Rust {version}: {}", packages.join(", "));
        Program::new("rustup", workspace.root(), "get it from https://rustup.rs")
            .args(["run", version, "cargo", "check", "--quiet", "--locked"])
            .args(["--lib", "--all-features"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            // A directory of its own: two compilers would throw away each other's work.
            .env(
                "CARGO_TARGET_DIR",
                workspace.target_directory().join("msrv"),
            )
            .run()?;
    }
    Ok(())
}

/// Checks crates for other platforms, with all features but those in C. Rustup installs the standard library of a
/// platform if it is not there.
pub(crate) fn platforms(workspace: &Workspace) -> Result<(), XtaskError> {
    for Elsewhere { package, platforms } in ELSEWHERE {
        let found = workspace
            .packages()
            .iter()
            .find(|found| found.name == package);
        let features = found
            .into_iter()
            .flat_map(|package| package.features.keys());
        let features: Vec<_> = features
            .map(String::as_str)
            .filter(|feature| !IN_C.contains(feature))
            .collect();
        for platform in platforms {
            println!("{package}: {platform}");
            Program::new("rustup", workspace.root(), "get it from https://rustup.rs")
                .args(["target", "add", platform])
                .run()?;
            cargo(workspace)
                .args([
                    "check",
                    "--quiet",
                    "--locked",
                    "--lib",
                    "--no-default-features",
                ])
                .args(["--package", package, "--target", platform])
                .args(["--features", &features.join(",")])
                .run()?;
        }
    }
    Ok(())
}
