//! `cargo xtask examples`: runs every example of the workspace, and checks its spans.

use std::fs;

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Built, Workspace};

/// The example that is a package of its own, so that it builds quickly.
const QUICKSTART: &str = "quickstart";

/// Those whose spans go to Agent 365, by the default profile; the quickstart speaks all of them.
const OF_AGENT365: [&str; 2] = ["axum_service", "request_tokens"];
const PROFILES: [&str; 3] = ["v0.1", "v2", "v3"];

/// Runs the examples one after the other; each talks to services of its own process only. `agentspan check` has
/// nothing to say of the spans that they also write to a file.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    for profile in PROFILES {
        println!("{QUICKSTART} --profile {profile}");
        let name = format!("{QUICKSTART}-{profile}");
        let run = workspace
            .program(QUICKSTART, Built::Binary(QUICKSTART))?
            .args(["--profile", profile]);
        run_checked(workspace, run, &name, &[&format!("agent365:{profile}")])?;
    }
    for package in workspace.packages() {
        let examples = package
            .targets
            .iter()
            .filter(|target| target.kind == ["example"]);
        for example in examples {
            println!("{}", example.name);
            let run = workspace.program(&package.name, Built::Example(&example.name))?;
            let rules: &[&str] = match example.name.as_str() {
                "agent365_production" => &["agent365:v3"],
                name if OF_AGENT365.contains(&name) => &["agent365:v0.1"],
                _ => &[],
            };
            run_checked(workspace, run, &example.name, rules)?;
        }
    }
    Ok(())
}

/// Runs an example, and checks the spans that it has written, if it has: some read a trace only.
fn run_checked(
    workspace: &Workspace,
    example: Program,
    name: &str,
    rules: &[&str],
) -> Result<(), XtaskError> {
    let directory = workspace.target_directory().join("examples");
    let file = directory.join(name).with_extension("jsonl");
    let file_error = |source| XtaskError::File {
        path: file.clone(),
        source,
    };
    fs::create_dir_all(&directory).map_err(file_error)?;
    if file.exists() {
        fs::remove_file(&file).map_err(file_error)?;
    }
    example
        .env("OTEL_TRACES_EXPORTER", "otlp_file")
        .env("AGENTSPAN_OTLP_FILE", &file)
        .run()?;
    if !file.exists() {
        return Ok(());
    }
    let rules = rules.iter().flat_map(|rules| ["--for", *rules]);
    workspace
        .program("agentspan-cli", Built::Binary("agentspan"))?
        .args(["check", "--fail-on", "warning", "--for", "genai"])
        .args(rules)
        .args([&file])
        .run()
}
