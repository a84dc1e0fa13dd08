//! The command, called as a shell calls it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod check;
mod check_conventions;
mod check_recorded;
mod check_requests;
mod completions;
mod convert;
mod demo;
mod diff;
mod doctor;
mod hostile;
mod replay;
mod serve;
mod show;
mod tail;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What the command wrote, and how it ended.
struct Ran {
    out: String,
    errors: String,
    code: ExitCode,
}

/// Runs the program itself.
fn run(arguments: &[&str]) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_agentspan"))
        .args(arguments)
        .output()
        .unwrap();
    // A program that a signal ended has no code.
    let code = ran.status.code().unwrap();
    Ran {
        out: String::from_utf8(ran.stdout).unwrap(),
        errors: String::from_utf8(ran.stderr).unwrap(),
        code: ExitCode::from(u8::try_from(code).unwrap()),
    }
}

/// A file in a directory that is this test's own.
fn file(test: &str, name: &str, text: &str) -> String {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("cli")
        .join(test);
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// A file of the recorded vectors.
fn vector(name: &str) -> String {
    format!(
        "{}/../../conformance/vectors/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}
