//! `cargo xtask frameworks`: agents of other frameworks, captured unchanged, and a blueprint that proves who it is with
//! `azure_identity`.

use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// Runs the programs of `frameworks`, a workspace of its own, which fail unless everything arrives. They need the
/// compiler that the frameworks need, which is newer than the one that we declare.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    let agents = ["rig", "genai", "mcp"];
    let profiles = ["v0.1", "v2", "v3"];
    let runs = agents
        .iter()
        .flat_map(|agent| profiles.map(|profile| (agent, profile)));
    for (agent, profile) in runs {
        println!("{agent}, Agent 365 {profile}");
        run_program(workspace, &[agent, "--", profile])?;
    }
    println!("azure_identity");
    run_program(workspace, &["azure_identity"])
}

fn run_program(workspace: &Workspace, arguments: &[&str]) -> Result<(), XtaskError> {
    cargo(workspace)
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .args(["frameworks/Cargo.toml", "--bin"])
        .args(arguments)
        .env(
            "CARGO_TARGET_DIR",
            workspace.target_directory().join("frameworks"),
        )
        // genai reads it itself.
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        .run()
}
