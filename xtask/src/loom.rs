//! `cargo xtask loom`: the hand-off of the queue under the schedules that checkers choose.

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// The checkers, each of which is a condition that the queue's tests are compiled with.
const CHECKERS: [&str; 2] = ["loom", "shuttle"];

/// The tests that are models.
pub(crate) const MODELS: &str = "queue::models";

/// How often `loom` preempts a thread, at most, unless something else is asked for.
const PREEMPTIONS: &str = "3";

/// How often it does so in CI, and for mutants.
pub(crate) const QUICK: &str = "2";

/// Runs the models under all checkers, or under the one that is quicker to build.
///
/// # Errors
///
/// The arguments are not understood, or a model fails.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), XtaskError> {
    let (checkers, preemptions) = match arguments {
        [] => (&CHECKERS[..], PREEMPTIONS),
        ["--quick"] => (&CHECKERS[..1], QUICK),
        ["--preemptions", number] if number.parse::<u8>().is_ok() => (&CHECKERS[..], *number),
        _ => {
            return Err(XtaskError::Usage {
                given: format!("loom {}", arguments.join(" ")),
            });
        }
    };
    for checker in checkers {
        println!("{checker}");
        let command = cargo(workspace)
            .args(["test", "--quiet", "--locked", "--release", "--lib"])
            .args(["--package", "agentspan-queue", "--", MODELS])
            // A directory of its own: other flags throw away what was built.
            .env(
                "CARGO_TARGET_DIR",
                workspace.target_directory().join(checker),
            );
        with_settings(command, checker, preemptions).run()?;
    }
    Ok(())
}

/// A command that builds and runs the models in release mode, with what they are built and run with.
pub(crate) fn with_settings(command: Program, checker: &str, preemptions: &str) -> Program {
    command
        .env("RUSTFLAGS", format!("--cfg {checker}"))
        .env("LOOM_MAX_PREEMPTIONS", preemptions)
        // The models run for seconds: optimising more than this takes longer.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
}
