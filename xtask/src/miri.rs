//! `cargo xtask miri`: unit tests in an interpreter that finds undefined behaviour and data races.

use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// The crates whose unit tests need no network and no other process.
const CRATES: [&str; 3] = ["agentspan-queue", "agentspan-record", "agentspan-discovery"];

/// Tests that compare how long things take, or that go through thousands of inputs, which takes hours there.
const TOO_LONG: [&str; 2] = ["costs_the_same", "queue::tests::model"];

/// Interprets the unit tests of `crates`, or of all that it can.
///
/// Miri is a component of the nightly toolchain: `rustup +nightly component add miri rust-src`.
///
/// # Errors
///
/// A crate is none of these, a test fails, or there is no Miri.
pub(crate) fn run(workspace: &Workspace, crates: &[&str]) -> Result<(), XtaskError> {
    if crates.iter().any(|name| !CRATES.contains(name)) {
        return Err(XtaskError::Usage {
            given: format!("miri {}", crates.join(" ")),
        });
    }
    let crates = if crates.is_empty() { &CRATES } else { crates };
    for name in crates {
        println!("{name}");
        let skipped = TOO_LONG.iter().flat_map(|test| ["--skip", test]);
        cargo(workspace)
            .args(["miri", "test", "--quiet", "--locked", "--lib"])
            .args(["--package", name, "--"])
            .args(skipped)
            .env("RUSTUP_TOOLCHAIN", "nightly")
            // Tests ask for the time. What panics when it is dropped is given up, so it leaks on purpose. A
            // backtrace takes longer than the test.
            .env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-ignore-leaks")
            .env("RUST_BACKTRACE", "0")
            .env("PROPTEST_CASES", "4")
            .env(
                "CARGO_TARGET_DIR",
                workspace.target_directory().join("miri"),
            )
            .run()?;
    }
    Ok(())
}
