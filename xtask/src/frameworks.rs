//! `cargo xtask frameworks`: agents of other frameworks, captured unchanged.

use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// Runs the programs of `frameworks`, a workspace of its own, which fail unless everything arrives. They need the
/// compiler that the frameworks need, which is newer than the one that we declare.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    for (agent, profile) in [
        ("rig", "v2"),
        ("rig", "v0.1"),
        ("genai", "v2"),
        ("genai", "v0.1"),
        ("mcp", "v2"),
        ("mcp", "v0.1"),
    ] {
        println!("{agent}, Agent 365 {profile}");
        cargo(workspace)
            .args(["run", "--quiet", "--locked", "--manifest-path"])
            .args(["frameworks/Cargo.toml", "--bin", agent, "--", profile])
            .env(
                "CARGO_TARGET_DIR",
                workspace.target_directory().join("frameworks"),
            )
            // genai reads it itself.
            .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
            .run()?;
    }
    Ok(())
}
