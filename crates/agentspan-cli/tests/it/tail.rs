//! `agentspan tail`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, Stdio};

use crate::replay::Serving;
use crate::{file, run, vector};

/// `agentspan tail`, until it is dropped.
struct Tailing {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    errors: std::io::Lines<BufReader<ChildStderr>>,
}

impl Tailing {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_agentspan"))
            .arg("tail")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            lines,
            errors,
        }
    }

    /// Waits until it says that it follows the server. What came before is not shown.
    fn wait(&mut self) {
        let first = self.errors.next().unwrap().unwrap();
        assert!(
            first.starts_with("agentspan: following 127.0.0.1:"),
            "{first}"
        );
    }

    /// The lines up to the next empty one. It waits for them.
    fn tree(&mut self) -> Vec<String> {
        let lines = self.lines.by_ref().map(Result::unwrap);
        lines.take_while(|line| !line.is_empty()).collect()
    }
}

impl Drop for Tailing {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const SPAN: &str = r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "first", "startTimeUnixNano": 1765000000000000000, "endTimeUnixNano": 1765000001000000000, "status": {"code": "ERROR"}}"#;

#[test]
fn a_file_that_grows_is_followed() {
    let path = file("tail", "grows.jsonl", &format!("{SPAN}\n"));
    let mut tailing = Tailing::start(&[&path]);
    // No colours: it is no terminal.
    assert_eq!(
        tailing.tree(),
        [
            "trace 4bf92f3577b34da6a3ce929d0e0e4736  1 span  1.00 s  1 error",
            "└─ first  1.00 s  ✗ error"
        ]
    );
    let second = SPAN.replace(
        "0201\", ",
        "0202\", \"parentSpanId\": \"00f067aa0ba90201\", ",
    );
    let mut appended = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    writeln!(appended, "{}", second.replace("first", "second")).unwrap();
    assert_eq!(tailing.tree()[2], "   └─ second  1.00 s  ✗ error");
}

#[test]
fn a_file_that_is_rotated_is_waited_for() {
    let path = file("tail", "rotated.jsonl", &format!("{SPAN}\n"));
    let mut tailing = Tailing::start(&[&path]);
    assert_eq!(tailing.tree()[1], "└─ first  1.00 s  ✗ error");
    std::fs::remove_file(&path).unwrap();
    let told = tailing.errors.next().unwrap().unwrap();
    assert!(
        told.ends_with("rotated.jsonl is gone, waiting for it to come back"),
        "{told}"
    );
    let next = SPAN.replace("4bf9", "0bf9").replace("first", "next");
    std::fs::write(&path, format!("{next}\n")).unwrap();
    assert_eq!(tailing.tree()[1], "└─ next  1.00 s  ✗ error");
}

#[test]
fn a_server_is_followed() {
    let server = Serving::start(&[]);
    let mut tailing = Tailing::start(&["--from", &server.address]);
    tailing.wait();
    let body = file("tail", "sent.json", SPAN);
    let url = format!("http://{}", server.address);
    let ran = run(&["replay", &body, "--to", &url]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert_eq!(tailing.tree()[1], "└─ first  1.00 s  ✗ error");
}

#[test]
fn a_trace_that_has_made_room_does_not_end_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Its traces are asked for in the order of their events: the first one is gone, the second is there.
    let server = std::thread::spawn(move || {
        let asked = || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            lines.find(|line| line.as_ref().unwrap().is_empty());
            (stream, first)
        };
        let (mut events, _) = asked();
        let event = |id: &str| format!("event: trace\ndata: {{\"id\": \"{id}\"}}\n\n");
        let rows = event("run-1 a:b") + &event("run-2");
        write!(events, "HTTP/1.1 200 OK\r\n\r\n{rows}").unwrap();
        let (mut stream, first) = asked();
        assert!(first.contains("/api/trace/run%2D1%20a%3Ab/raw"), "{first}");
        write!(
            stream,
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let (mut stream, _) = asked();
        let span = SPAN.replace("4bf92f3577b34da6a3ce929d0e0e4736", "run-2");
        let body =
            format!("{{\"resourceSpans\": [{{\"scopeSpans\": [{{\"spans\": [{span}]}}]}}]}}");
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        events
    });
    let mut tailing = Tailing::start(&["--from", &address]);
    tailing.wait();
    assert!(tailing.tree()[0].starts_with("trace run-2 "));
    let said = tailing.errors.next().unwrap().unwrap();
    assert_eq!(
        said,
        "agentspan: the server evicted trace run-1 a:b before its last changes were printed"
    );
    drop(server.join().unwrap());
}

#[test]
fn without_a_server_it_says_so() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = run(&["tail", "--from", &gone.to_string()]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(
        ran.errors.contains(&format!("cannot follow {gone}")),
        "{}",
        ran.errors
    );
    let ran = run(&[
        "tail",
        "--from",
        "192.0.2.1:4318",
        "--token-env",
        "CARGO_PKG_NAME",
    ]);
    assert!(ran.errors.contains("is not encrypted"), "{}", ran.errors);
}

#[test]
fn t28_what_is_stored_is_read_by_all_commands_and_shown_again() {
    let directory = std::path::Path::new(&file("tail", "x", "")).with_file_name("stored");
    drop(std::fs::remove_dir_all(&directory));
    let directory = directory.to_str().unwrap();
    let recording = vector("agentspec_real_run.jsonl");
    {
        let server = Serving::start(&["--store", directory]);
        let ran = run(&[
            "replay",
            &recording,
            "--to",
            &format!("http://{}", server.address),
        ]);
        assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    }
    let names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(names.len(), 1);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&names[0].metadata().unwrap().permissions())
            & 0o777,
        0o600
    );
    // What was sent is what is stored.
    let ran = run(&["diff", &recording, directory]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}{}", ran.out, ran.errors);
    assert!(
        ran.out.contains("0 added, 0 missing, 0 changed"),
        "{}",
        ran.out
    );
    let server = Serving::start(&["--store", directory]);
    assert_eq!(server.get("/api/traces")["sums"]["spans"], 37);
}

#[test]
fn faults_come_as_often_as_they_were_asked_for() {
    let body = file("tail", "fault.json", SPAN);
    let server = Serving::start(&["--fault", "429,retry-after=0,times=2"]);
    let url = format!("http://{}", server.address);
    // `replay` tries again, as the answer asks it to.
    let ran = run(&["replay", &body, "--to", &url]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert_eq!(server.get("/api/traces")["total"], 1);
    let server = Serving::start(&["--fault", "403"]);
    let ran = run(&[
        "replay",
        &body,
        "--to",
        &format!("http://{}", server.address),
    ]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(
        ran.errors.contains("the receiver answered 403"),
        "{}",
        ran.errors
    );
    assert_eq!(server.get("/api/traces")["total"], 0);
    for fault in [
        "200",
        "nonsense",
        "429,retry=1",
        "429,times=x",
        "429,times=0",
    ] {
        assert_eq!(
            run(&["serve", "--fault", fault]).code,
            ExitCode::from(2),
            "{fault}"
        );
    }
}
