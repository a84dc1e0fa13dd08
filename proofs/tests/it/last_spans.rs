//! A9, D6: what becomes of the spans that are queued when a process ends, way by way: each line of the table in
//! the guide's page "When the process ends".

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use agentspan_testkit::Service;
use serde_json::Value;

/// How a process ended, as `Ok(code)` or `Err(signal)`.
type End = Result<i32, i32>;

const SIGINT: i32 = 2;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

fn start(service: &Service, way: &str) -> Child {
    program()
        .args([service.url().as_str(), way])
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The program, with the system's own answer to SIGINT. A shell ignores the signal in what it runs in the
/// background, and children inherit that.
fn program() -> Command {
    let program = env!("CARGO_BIN_EXE_last_spans");
    if cfg!(target_os = "linux") {
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", program]);
        command
    } else {
        Command::new(program)
    }
}

fn end(status: ExitStatus) -> End {
    status.code().ok_or_else(|| status.signal().unwrap())
}

/// Lets a process end in a way, and says how it ended and which spans arrived.
fn ends(way: &str) -> (End, Vec<Value>) {
    let service = Service::start().unwrap();
    let status = start(&service, way).wait().unwrap();
    (end(status), received(&service))
}

/// The same for a process that these signals end, one after the other, when it is ready.
fn ended_by(way: &str, signals: &[&str]) -> (End, Vec<Value>) {
    let service = Service::start().unwrap();
    let mut child = start(&service, way);
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    for signal in signals {
        let (signal, process) = (format!("-{signal}"), child.id().to_string());
        let sent = Command::new("kill").args([signal, process]).status();
        assert!(sent.unwrap().success());
    }
    let status = child.wait().unwrap();
    (end(status), received(&service))
}

fn received(service: &Service) -> Vec<Value> {
    let mut spans = Vec::new();
    for request in service.requests() {
        let body = request.json().unwrap();
        for scope in body["resourceSpans"][0]["scopeSpans"].as_array().unwrap() {
            spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
        }
    }
    spans
}

/// Names of the spans of operations that failed.
fn failed(spans: &[Value]) -> Vec<&str> {
    let failed = spans.iter().filter(|span| {
        let code = &span["status"]["code"];
        code == "ERROR" || code == 2
    });
    failed.map(|span| span["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn check(found: &(End, Vec<Value>), end: End, spans: usize) {
    assert_eq!((found.0, found.1.len()), (end, spans), "{:?}", found.1);
}

#[test]
fn a9_a_main_that_returns_loses_nothing() {
    check(&ends("return"), Ok(0), 3);
    check(&ends("return-a-code"), Ok(7), 3);
}

#[test]
fn d6_a_main_that_returns_early_sends_the_span_that_failed() {
    let found = ends("question-mark");
    check(&found, Ok(1), 4);
    assert_eq!(failed(&found.1), ["execute_tool bank"]);
}

#[test]
fn a9_a_main_that_panics_sends_what_was_open() {
    check(&ends("panic"), Ok(101), 4);
}

#[test]
fn a_panic_elsewhere_ends_its_span_and_nothing_else() {
    check(&ends("panic-in-a-thread"), Ok(0), 4);
    check(&ends("panic-in-a-task"), Ok(0), 4);
}

#[test]
fn spans_that_are_open_when_the_guard_is_dropped_are_not_sent() {
    check(&ends("return-during-a-task"), Ok(0), 3);
}

#[test]
fn a_guard_that_is_not_dropped_sends_nothing() {
    check(&ends("leak"), Ok(0), 0);
    check(&ends("static"), Ok(0), 0);
}

#[test]
fn a_provider_of_scopes_is_not_dropped() {
    check(&ends("own-provider-return"), Ok(0), 0);
    check(&ends("own-provider-shut-down"), Ok(0), 3);
}

#[test]
fn an_exit_loses_what_is_queued_unless_a_shutdown_comes_first() {
    check(&ends("exit"), Ok(7), 0);
    check(&ends("shutdown-and-exit"), Ok(7), 3);
}

#[test]
fn an_abort_loses_what_is_queued() {
    for way in ["abort", "panic-twice", "overflow"] {
        check(&ends(way), Err(SIGABRT), 0);
    }
}

#[test]
fn a_panic_that_aborts_loses_what_is_queued_unless_the_hook_flushes() {
    check(&ends("abort-on-panic"), Err(SIGABRT), 0);
    // The span that was open is not among them.
    check(&ends("flush-and-abort-on-panic"), Err(SIGABRT), 3);
}

#[test]
fn a_signal_that_nobody_handles_loses_what_is_queued() {
    for (name, signal) in [("TERM", SIGTERM), ("INT", SIGINT), ("KILL", SIGKILL)] {
        check(&ended_by("wait", &[name]), Err(signal), 0);
    }
}

#[test]
fn a_signal_that_the_program_handles_loses_nothing() {
    for signal in ["TERM", "INT"] {
        check(&ended_by("wait-for-a-signal", &[signal]), Ok(0), 3);
    }
}

#[test]
fn a_process_that_is_frozen_and_killed_loses_nothing_that_was_flushed() {
    let frozen = ["STOP", "KILL"];
    check(&ended_by("wait", &frozen), Err(SIGKILL), 0);
    check(&ended_by("flush-and-wait", &frozen), Err(SIGKILL), 3);
}
