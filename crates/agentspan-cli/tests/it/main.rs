//! The command, called as a shell calls it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod check;
mod demo;
mod show;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// What the command wrote, and how it ended.
struct Ran {
    out: String,
    errors: String,
    code: ExitCode,
}

fn run(arguments: &[&str]) -> Ran {
    let arguments = std::iter::once("agentspan").chain(arguments.iter().copied());
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let code = agentspan_cli::run(arguments.map(OsString::from), &mut out, &mut errors);
    Ran {
        out: String::from_utf8(out).unwrap(),
        errors: String::from_utf8(errors).unwrap(),
        code,
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
