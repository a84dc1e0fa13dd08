//! A2: a process, or a thread, that ends in the middle of something keeps its exit code. It neither
//! aborts nor hangs, whatever is active and wherever spans go.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const SETUPS: [&str; 8] = [
    "nothing",
    "bridge",
    "console",
    "json-lines",
    "otlp-http",
    "otlp-grpc",
    "agent365",
    "agent-spec",
];

const ACTIVES: [&str; 9] = [
    "trace",
    "nested",
    "out-of-order",
    "entered",
    "last-handle",
    "scope",
    "scope-in-trace",
    "baggage",
    "token",
];

/// Longer than any of it takes.
const LONG: Duration = Duration::from_secs(60);

/// Waits for the end of a child, and says if it did not come.
pub(crate) fn output_of(child: Child) -> Result<Output, &'static str> {
    let (ended, end) = channel();
    let id = child.id();
    thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(LONG) {
        Ok(output) => output.map_err(|_| "cannot be waited for"),
        Err(_) => {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            Err("hangs")
        }
    }
}

/// Runs all combinations with a way to end, and names those that end otherwise.
#[track_caller]
fn check_keeps_its_exit_code(way: &str) {
    let mut wrong = Vec::new();
    for setup in SETUPS {
        for active in ACTIVES {
            let child = Command::new(env!("CARGO_BIN_EXE_process_end"))
                .args([setup, active, way])
                .env("RUST_BACKTRACE", "0")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let end = match output_of(child) {
                Err(error) => error.to_owned(),
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    let last = said
                        .lines()
                        .find(|line| line.contains("panicked") || line.contains("process_end"));
                    if output.status.code() == Some(7) && last.is_none() {
                        continue;
                    }
                    format!("{}: {}", output.status, last.unwrap_or_default())
                }
            };
            wrong.push(format!("{setup} {active}: {end}"));
        }
    }
    assert!(wrong.is_empty(), "{way}:\n{}", wrong.join("\n"));
}

#[test]
fn a2_exit_keeps_its_code() {
    check_keeps_its_exit_code("exit");
}

#[test]
fn a2_exit_on_another_thread_keeps_its_code() {
    check_keeps_its_exit_code("exit-elsewhere");
}

#[test]
fn a2_exit_in_a_thread_that_has_something_active_keeps_its_code() {
    check_keeps_its_exit_code("exit-in-thread");
}

#[test]
fn a2_a_main_that_returns_with_leaked_guards_keeps_its_code() {
    check_keeps_its_exit_code("return-leaked");
}

#[test]
fn a2_a_thread_that_ends_with_leaked_guards_ends_alone() {
    check_keeps_its_exit_code("thread-leaked");
}

#[test]
fn a2_guards_that_a_thread_local_of_the_program_keeps_are_dropped_at_exit() {
    check_keeps_its_exit_code("exit-kept");
    // The thread-local of OpenTelemetry's guards is gone before them.
    check_keeps_its_exit_code("exit-kept-outside");
}

#[test]
fn a2_guards_that_a_thread_local_of_the_program_keeps_are_dropped_at_its_end() {
    check_keeps_its_exit_code("return-kept");
    check_keeps_its_exit_code("thread-kept");
}
