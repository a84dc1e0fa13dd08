//! `cargo xtask weight`: what a program takes on with our crates, beside a comparable peer.
//!
//! **Crates** are the lines of `cargo tree --edges normal` for this platform, each crate and version
//! once, the crate itself included. **Build** is a release build of a small program into an empty
//! directory. **Binary** is that program without symbols. The programs are those of the package
//! `weight`: each exports one span over https. The peer is `opentelemetry_sdk` with
//! `opentelemetry-otlp` over HTTP with TLS. **Command** is the program `agentspan` as `cargo install` builds it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// A crate with features, and how many crates it brings, itself included.
struct Tree {
    package: &'static str,
    features: &'static str,
    limits: Option<Limits>,
}

/// How many crates there should be, and how many there may be: as many as there are, so that no more come.
struct Limits {
    goal: usize,
    held: usize,
}

/// The trees that users build. The last one is the peer.
const TREES: [Tree; 4] = [
    Tree {
        package: "agentspan-model",
        features: "",
        limits: Some(Limits { goal: 17, held: 17 }),
    },
    Tree {
        package: "agentspan",
        features: "",
        limits: Some(Limits { goal: 70, held: 82 }),
    },
    Tree {
        package: "agentspan",
        features: "otlp-http",
        limits: Some(Limits {
            goal: 100,
            held: 94,
        }),
    },
    Tree {
        package: "weight",
        features: PEER,
        limits: None,
    },
];

/// The programs of the package `weight`. Each has a feature of its name.
const OURS: [&str; 2] = ["agent365", "agentspan-otlp"];
const PEER: &str = "opentelemetry-otlp";

/// How a program of ours may compare with the peer: a share of the time to build it, and of its size.
const BUILD_LIMIT: f64 = 0.9;
const BINARY_LIMIT: f64 = 1.3;

/// How long the command `agentspan` may be, in bytes, as it is installed.
const COMMAND_LIMIT: u64 = 12_000_000;
const COMMAND_GOAL: u64 = 11_000_000;

/// How soon it should start, and with how much memory its server may idle.
const START_GOAL: Duration = Duration::from_millis(50);
const IDLE_LIMIT: u64 = 30_000;

/// What one program costs.
struct Cost {
    build: Duration,
    bytes: u64,
}

/// Counts the crates, and fails if more have come.
pub(crate) fn crates(workspace: &Workspace) -> Result<(), XtaskError> {
    let mut heavy = Vec::new();
    for tree in &TREES {
        let name = [tree.package, tree.features]
            .join(" ")
            .trim_end()
            .to_owned();
        let count = count(workspace, tree)?;
        let verdict = match &tree.limits {
            Some(Limits { goal, held }) => {
                if count > *held {
                    heavy.push(name.clone());
                }
                let outcome = if count > *goal { "MISSED" } else { "reached" };
                format!("goal <= {goal}: {outcome}; held at {held}")
            }
            None => "the peer".to_owned(),
        };
        println!("crates   {name:<32} {count:>6}            {verdict}");
    }
    match heavy.is_empty() {
        true => Ok(()),
        false => Err(XtaskError::Weight { heavy }),
    }
}

/// Counts the crates, and then builds the programs, which takes minutes.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    let counted = crates(workspace);
    let peer = cost(workspace, PEER)?;
    print("the peer", PEER, &peer, &peer);
    for program in OURS {
        let ours = cost(workspace, program)?;
        print("", program, &ours, &peer);
    }
    counted.and(command(workspace))
}

/// Builds the command as `cargo install` does, and fails if it is too long, or idles with too much memory. When it
/// starts, it should do so before anybody notices, but a busy machine is no failure.
pub(crate) fn command(workspace: &Workspace) -> Result<(), XtaskError> {
    let program = workspace.command_for_release()?;
    let file_error = |path: &Path| {
        let path = path.to_owned();
        move |source| XtaskError::File { path, source }
    };
    let bytes = fs::metadata(&program).map_err(file_error(&program))?.len();
    let start = start_of(&program).map_err(file_error(&program))?;
    println!(
        "command  agentspan {bytes:>10} bytes  goal <= {COMMAND_GOAL}: {}; held at {COMMAND_LIMIT}",
        outcome(bytes <= COMMAND_GOAL)
    );
    println!(
        "start    agentspan {:>10} us     goal <= {}: {}",
        start.as_micros(),
        START_GOAL.as_micros(),
        outcome(start <= START_GOAL)
    );
    let idle = idle_kilobytes(&program).map_err(file_error(&program))?;
    if let Some(idle) = idle {
        println!("idle     agentspan {idle:>10} kB     held at {IDLE_LIMIT}");
    }
    match bytes <= COMMAND_LIMIT && idle.is_none_or(|idle| idle <= IDLE_LIMIT) {
        true => Ok(()),
        false => Err(XtaskError::Weight {
            heavy: vec!["agentspan".to_owned()],
        }),
    }
}

fn outcome(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "MISSED" }
}

/// How long the command takes to print its version: the median of some.
fn start_of(program: &Path) -> io::Result<Duration> {
    const ROUNDS: usize = 21;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        Command::new(program).arg("--version").output()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
}

/// How much memory the server has once it says where it is. Only Linux tells.
fn idle_kilobytes(program: &Path) -> io::Result<Option<u64>> {
    let mut server = Command::new(program)
        .args(["serve", "--port", "0", "--grpc-port", "0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", server.id()));
    let mut line = String::new();
    let said = match server.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut line),
        None => Ok(0),
    };
    let status = fs::read_to_string(status);
    server.kill()?;
    server.wait()?;
    said?;
    let status = status.unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(resident.and_then(|text| text.split_whitespace().next()?.parse().ok()))
}

fn count(workspace: &Workspace, tree: &Tree) -> Result<usize, XtaskError> {
    let lines = cargo(workspace)
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--package", tree.package, "--features", tree.features])
        .read()?;
    let lines: BTreeSet<&str> = lines
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    Ok(lines.len())
}

fn cost(workspace: &Workspace, program: &str) -> Result<Cost, XtaskError> {
    let directory = workspace.target_directory().join("weight").join(program);
    let file_error = |source| XtaskError::File {
        path: directory.clone(),
        source,
    };
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(file_error)?;
    }
    // What has to be downloaded is no part of a build.
    cargo(workspace)
        .args(["fetch", "--quiet", "--locked"])
        .run()?;
    let start = Instant::now();
    cargo(workspace)
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "weight",
        ])
        .args(["--bin", program, "--features", program])
        .env("CARGO_TARGET_DIR", &directory)
        // As it is for those who set nothing.
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .run()?;
    let build = start.elapsed();
    let binary = directory
        .join("release")
        .join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    let bytes = fs::metadata(binary).map_err(file_error)?.len();
    fs::remove_dir_all(&directory).map_err(file_error)?;
    Ok(Cost { build, bytes })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a binary has fewer bytes than 2^52"
)]
fn print(what: &str, program: &str, cost: &Cost, peer: &Cost) {
    let verdict = |ratio: f64, limit: f64| match what {
        "" if ratio <= limit => format!("goal <= {limit} x: reached"),
        "" => format!("goal <= {limit} x: MISSED"),
        _ => what.to_owned(),
    };
    let seconds = cost.build.as_secs_f64();
    let ratio = seconds / peer.build.as_secs_f64();
    let said = verdict(ratio, BUILD_LIMIT);
    println!("build    {program:<32} {seconds:>6.1} s  {ratio:>5.2} x  {said}");
    let kib = cost.bytes / 1024;
    let ratio = cost.bytes as f64 / peer.bytes as f64;
    let said = verdict(ratio, BINARY_LIMIT);
    println!("binary   {program:<32} {kib:>6} KiB {ratio:>5.2} x  {said}");
}
