//! `agentspan serve`, as a program that runs and ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};

use crate::replay::Serving;
use crate::{file, run};

const SPAN: &str = r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "kept"}"#;

/// An empty directory.
fn directory(name: &str) -> String {
    let directory = std::path::Path::new(&file("serve", "x", "")).with_file_name(name);
    drop(std::fs::remove_dir_all(&directory));
    directory.into_os_string().into_string().unwrap()
}

/// Sends spans, and says whether all of them were taken.
fn send(server: &Serving, name: &str, spans: &str) {
    let body = file("serve", name, spans);
    let url = format!("http://{}", server.address);
    let ran = run(&["replay", &body, "--to", &url]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
}

#[cfg(unix)]
#[test]
fn requests_that_are_not_stored_are_told_at_once_and_counted_and_told_at_the_end() {
    let stored = directory("gone");
    let mut server = Serving::start_with(&["--store", &stored], Stdio::piped());
    std::fs::remove_dir_all(&stored).unwrap();
    send(&server, "one.json", SPAN);
    let mut errors = BufReader::new(server.child.stderr.take().unwrap());
    let mut first = String::new();
    errors.read_line(&mut first).unwrap();
    assert!(
        first.starts_with("agentspan: cannot save a request: "),
        "{first}"
    );
    send(&server, "one.json", SPAN);
    assert_eq!(server.get("/api/traces")["unkept"], 2);
    let pid = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut last = String::new();
    errors.read_to_string(&mut last).unwrap();
    assert!(
        last.starts_with("agentspan: 2 requests were not saved: "),
        "{last}"
    );
    assert_eq!(server.child.wait().unwrap().code(), Some(2));
}

#[cfg(unix)]
#[test]
fn half_a_line_of_a_full_disk_spoils_no_other() {
    let stored = directory("full");
    // Files may have 8 blocks of 512 or of 1,024 bytes, by the shell. The first request fits, and half of the second.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let server = Serving::start_below(&["sh", "-c", limited], &["--store", &stored]);
    send(&server, "before.json", SPAN);
    send(
        &server,
        "large.json",
        &SPAN.replace("kept", &"x".repeat(9_000)),
    );
    send(&server, "after.json", &SPAN.replace("0201", "0203"));
    assert_eq!(server.get("/api/traces")["unkept"], 1);
    let ran = run(&["show", &stored]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert_eq!(ran.out.matches("kept").count(), 2, "{}", ran.out);
}

#[test]
fn a_variable_has_the_token() {
    let server = Serving::start(&["--token-env", "CARGO_PKG_NAME"]);
    assert!(server.get("/api/traces")["error"].is_string());
    assert_eq!(server.get("/api/traces?token=agentspan-cli")["total"], 0);
    // Nobody may ask without a token because a variable is misspelt.
    let ran = run(&["serve", "--token-env", "AGENTSPAN_TEST_NO_SUCH_VARIABLE"]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(
        ran.errors.contains(
            "the variable AGENTSPAN_TEST_NO_SUCH_VARIABLE named by --token-env is not set"
        ),
        "{}",
        ran.errors
    );
}

#[test]
fn other_addresses_of_the_loopback_need_no_token() {
    let server = Serving::start(&["--listen", "127.0.0.2"]);
    assert!(
        server.address.starts_with("127.0.0.2:"),
        "{}",
        server.address
    );
    assert_eq!(server.get("/api/traces")["total"], 0);
    let ran = run(&["serve", "--listen", "0.0.0.0"]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(ran.errors.contains("--token-env"), "{}", ran.errors);
}
