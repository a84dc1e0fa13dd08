//! `cargo xtask peers`: reference packages run live beside ours.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Program, cargo};
use crate::error::XtaskError;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "conformance/peers/agent365-requirements.txt";
const DRIVER: &str = "conformance/peers/agent365.py";

/// Runs the reference package of Agent 365 and ours over the same spans and the same scopes.
pub(crate) fn agent365(workspace: &Workspace) -> Result<(), XtaskError> {
    let environment = workspace.target_directory().join("peers/agent365");
    let python = python_with(workspace, &environment)?;
    cargo(workspace)
        .args(["run", "--quiet", "--locked", "--bin", "peer_agent365", "--"])
        .args([&python, &workspace.root().join(DRIVER)])
        .run()
}

/// The interpreter of a virtual environment that has the requirements, which are installed once.
fn python_with(workspace: &Workspace, environment: &Path) -> Result<PathBuf, XtaskError> {
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let requirements = workspace.root().join(REQUIREMENTS);
    let wanted = read(&requirements)?;
    let installed = environment.join("installed-requirements.txt");
    if installed.is_file() && read(&installed)? == wanted {
        return Ok(python);
    }
    println!("installing {REQUIREMENTS} into {}", environment.display());
    let hint = "install Python 3.11 or newer with its venv module";
    Program::new("python3", workspace.root(), hint)
        .args(["-m", "venv", "--clear"])
        .args([environment])
        .run()?;
    Program::new(&python, workspace.root(), hint)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .args([&requirements])
        .run()?;
    fs::write(&installed, wanted).map_err(|source| XtaskError::File {
        path: installed,
        source,
    })?;
    Ok(python)
}

fn read(path: &Path) -> Result<String, XtaskError> {
    fs::read_to_string(path).map_err(|source| XtaskError::File {
        path: path.to_path_buf(),
        source,
    })
}
