//! `cargo xtask peers`: reference packages and real backends, run live.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::{Built, Workspace};

/// The directory of the drivers and of their requirements.
const PEERS: &str = "conformance/peers";

/// The successor of the packages asks for versions that exclude each other: its list names all that it imports.
const SUCCESSOR: (&str, &[&str]) = ("agent365-v3", &["--no-deps"]);

/// How many inputs are made for each file of vectors, and from which seed.
const INPUTS: [&str; 2] = ["400", "0"];

/// The package of our side.
const CONFORMANCE: &str = "conformance";

/// Runs the reference package of Agent 365 and ours over the same spans and the same scopes.
///
/// Each generation of the package has an environment of its own; they share the driver.
pub(crate) fn agent365(workspace: &Workspace, options: &[&str]) -> Result<(), XtaskError> {
    let (profile, [inputs, seed]) = match *options {
        [] => ("v0.1", INPUTS),
        ["--profile", profile] => (profile, INPUTS),
        ["--profile", "v3", "--inputs", inputs] => ("v3", [inputs, "0"]),
        ["--profile", "v3", "--inputs", inputs, "--seed", seed] => ("v3", [inputs, seed]),
        _ => ("", INPUTS),
    };
    let python = match profile {
        "v0.1" => python_with(workspace, "agent365")?,
        "v2" => python_with(workspace, "agent365-v2")?,
        "v3" => {
            let (peer, pip) = SUCCESSOR;
            let python = python_installed_with(workspace, peer, pip)?;
            recorded_again(workspace, &python, [inputs, seed])?;
            python
        }
        _ => {
            return Err(XtaskError::Usage {
                given: format!("peers agent365 {}", options.join(" ")),
            });
        }
    };
    workspace
        .program(CONFORMANCE, Built::Binary("peer_agent365"))?
        .args([&python, &driver(workspace, "agent365")])
        .args([profile])
        .run()
}

/// Plays the inputs of our vectors, and others, to the successor, and runs what it does with them as vectors.
fn recorded_again(
    workspace: &Workspace,
    python: &Path,
    inputs: [&str; 2],
) -> Result<(), XtaskError> {
    let recorded = directory(workspace, SUCCESSOR.0).join("vectors");
    let vectors = workspace.root().join("conformance/vectors");
    let files = [vectors, recorded.clone()];
    record_and_run(
        workspace,
        python,
        "agent365_v3_vectors",
        &files,
        inputs,
        &recorded,
    )
}

/// Generates documents of Agent Spec, and runs the reference package and ours over them.
pub(crate) fn agentspec(workspace: &Workspace, options: &[&str]) -> Result<(), XtaskError> {
    const PEER: &str = "agentspec";
    let (documents, seed) = match *options {
        [] => ("3000", "0"),
        ["--documents", documents] => (documents, "0"),
        ["--seed", seed] => ("3000", seed),
        ["--documents", documents, "--seed", seed] => (documents, seed),
        _ => {
            return Err(XtaskError::Usage {
                given: format!("peers {PEER} {}", options.join(" ")),
            });
        }
    };
    let python = python_with(workspace, PEER)?;
    let recorded = directory(workspace, PEER).join("documents");
    fs::create_dir_all(&recorded).map_err(|source| XtaskError::File {
        path: recorded.clone(),
        source,
    })?;
    let files = [recorded.join("agentspec_documents.json")];
    record_and_run(
        workspace,
        &python,
        PEER,
        &files,
        [documents, seed],
        &recorded,
    )
}

/// Lets a driver record as many inputs as `inputs` says, from its seed, and runs what it has recorded as vectors.
fn record_and_run(
    workspace: &Workspace,
    python: &Path,
    driver_name: &str,
    files: &[PathBuf],
    inputs: [&str; 2],
    recorded: &Path,
) -> Result<(), XtaskError> {
    let hint = "delete its virtual environment in the target directory and run this again";
    Program::new(python, workspace.root(), hint)
        .args([driver(workspace, driver_name)])
        .args(files)
        .args(inputs)
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Otherwise the order of a set would differ with each run.
        .env("PYTHONHASHSEED", "0")
        .run()?;
    workspace
        .program(CONFORMANCE, Built::Binary("conformance"))?
        .args(["--vectors".as_ref(), recorded.as_os_str()])
        .run()
}

/// Sends traces to Arize Phoenix, and checks what it shows of them.
pub(crate) fn phoenix(workspace: &Workspace) -> Result<(), XtaskError> {
    let example = workspace.path_of("examples", Built::Example("phoenix"))?;
    backend(workspace, "phoenix", &[example])
}

/// Sends traces to MLflow, a second receiver of OTLP, and checks what it shows of them.
pub(crate) fn otlp(workspace: &Workspace) -> Result<(), XtaskError> {
    backend(workspace, "otlp", &[])
}

/// Sends traces through rotel, a collector, and checks that they arrive as they were sent.
pub(crate) fn rotel(workspace: &Workspace) -> Result<(), XtaskError> {
    backend(workspace, "rotel", &[])
}

/// Runs agents and flows in the runtimes of Agent Spec, and replays what they record.
///
/// Each runtime has an environment of its own, because their requirements exclude each other.
pub(crate) fn runtimes(workspace: &Workspace) -> Result<(), XtaskError> {
    let mut recordings = Vec::new();
    for runtime in ["runtimes_wayflow", "runtimes_langgraph"] {
        let python = python_with(workspace, runtime)?;
        let recording = directory(workspace, runtime).join("recording.jsonl");
        println!("{runtime}");
        let hint = "delete its virtual environment in the target directory and run this again";
        Program::new(python, workspace.root(), hint)
            .args([driver(workspace, runtime), recording.clone()])
            .env("PYTHONUTF8", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_PROXY", "127.0.0.1")
            .run()?;
        recordings.push(recording);
    }
    workspace
        .program(CONFORMANCE, Built::Binary("peer_runtimes"))?
        .args(&recordings)
        .run()
}

/// Sends spans with live packages, and through a collector, into `agentspan serve`.
pub(crate) fn serve(workspace: &Workspace) -> Result<(), XtaskError> {
    let command = workspace.path_of("agentspan-cli", Built::Binary("agentspan"))?;
    let packages: [(&str, &str, &[&str]); 4] = [
        ("agent365", "agent365", &[]),
        ("agent365-v2", "agent365", &[]),
        (SUCCESSOR.0, "successor", SUCCESSOR.1),
        ("serve_rotel", "rotel", &[]),
    ];
    for (peer, package, options) in packages {
        let python = python_installed_with(workspace, peer, options)?;
        let hint = "delete its virtual environment in the target directory and run this again";
        Program::new(python, workspace.root(), hint)
            .args([
                driver(workspace, "serve"),
                command.clone(),
                PathBuf::from(package),
            ])
            .env("PYTHONUTF8", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_PROXY", "127.0.0.1")
            .run()?;
    }
    Ok(())
}

/// Measures what the command takes to receive, keep and show spans, beside Arize Phoenix and
/// otelite. The machine should have nothing else to do.
pub(crate) fn ingest(workspace: &Workspace, options: &[&str]) -> Result<(), XtaskError> {
    let command = workspace.command_for_release()?;
    let python = python_with(workspace, "phoenix")?;
    let hint = "delete its virtual environment in the target directory and run this again";
    Program::new(&python, workspace.root(), hint)
        .args([driver(workspace, "ingest"), command])
        .args([directory(workspace, "ingest")])
        .args(options)
        .env("PYTHONUTF8", "1")
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .run()
}

/// Runs the driver of a backend, which starts it, uses it and stops it.
fn backend(workspace: &Workspace, peer: &str, programs: &[PathBuf]) -> Result<(), XtaskError> {
    let python = python_with(workspace, peer)?;
    let sender = workspace.path_of(CONFORMANCE, Built::Binary("peer_otlp"))?;
    let hint = "delete its virtual environment in the target directory and run this again";
    Program::new(python, workspace.root(), hint)
        .args([driver(workspace, peer), sender])
        .args(programs)
        .args([directory(workspace, peer)])
        .env("PYTHONUTF8", "1")
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1")
        .run()
}

fn driver(workspace: &Workspace, peer: &str) -> PathBuf {
    let drivers = workspace.root().join(PEERS);
    drivers.join(format!("{peer}.py"))
}

/// Where a peer is installed, and where it keeps its data.
fn directory(workspace: &Workspace, peer: &str) -> PathBuf {
    workspace.target_directory().join("peers").join(peer)
}

/// The interpreter of a virtual environment that has a peer's requirements, which are installed once.
fn python_with(workspace: &Workspace, peer: &str) -> Result<PathBuf, XtaskError> {
    python_installed_with(workspace, peer, &[])
}

/// As [`python_with`], with options for `pip`.
fn python_installed_with(
    workspace: &Workspace,
    peer: &str,
    options: &[&str],
) -> Result<PathBuf, XtaskError> {
    let environment = directory(workspace, peer);
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let name = format!("{peer}-requirements.txt");
    let requirements = workspace.root().join(PEERS).join(&name);
    let wanted = read(&requirements)?;
    let installed = environment.join("installed-requirements.txt");
    if installed.is_file() && read(&installed)? == wanted {
        return Ok(python);
    }
    println!("installing {name} into {}", environment.display());
    let hint = "install Python 3.11 or newer with its venv module";
    Program::new("python3", workspace.root(), hint)
        .args(["-m", "venv", "--clear"])
        .args([&environment])
        .run()?;
    Program::new(&python, workspace.root(), hint)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(options)
        .args(["--requirement"])
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
