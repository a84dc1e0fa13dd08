//! `agentspan replay`, against a server of the program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};

use serde_json::{Value, json};

use crate::{file, run, vector};

/// `agentspan serve` on free ports, until it is dropped.
pub(super) struct Serving {
    pub(super) child: Child,
    pub(super) address: String,
}

impl Serving {
    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::start_below(&[], arguments)
    }

    /// As the last arguments of another program.
    pub(super) fn start_below(program: &[&str], arguments: &[&str]) -> Self {
        let whole = [program, &[env!("CARGO_BIN_EXE_agentspan")]].concat();
        let mut command = Command::new(whole[0]);
        command.args(&whole[1..]);
        Self::spawn(command, arguments)
    }

    /// With what it says on standard error.
    pub(super) fn start_with(arguments: &[&str], errors: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentspan"));
        command.stderr(errors);
        Self::spawn(command, arguments)
    }

    fn spawn(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--port", "0", "--grpc-port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.rsplit("http://").next().unwrap();
        let address = address.trim_end_matches('/').to_owned();
        Self { child, address }
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn what_is_replayed_arrives_whole() {
    let server = Serving::start(&[]);
    let url = format!("http://{}", server.address);
    let path = vector("agentspec_real_run.jsonl");
    let ran = run(&["replay", &path, "--to", &url]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert!(
        ran.out.contains("37 of 37 spans were accepted"),
        "{}",
        ran.out
    );
    let listed = server.get("/api/traces");
    assert_eq!(
        (&listed["total"], &listed["sums"]["spans"]),
        (&6.into(), &37.into())
    );
    // At the original speed, too: the recording takes parts of a second.
    let ran = run(&["replay", &path, "--to", &url, "--speed", "original"]);
    assert!(
        ran.out.contains("37 of 37 spans were accepted"),
        "{}{}",
        ran.out,
        ran.errors
    );
}

#[test]
fn requests_to_agent_365_need_their_token() {
    let server = Serving::start(&[]);
    let body = file(
        "replay",
        "span.json",
        r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "chat", "startTimeUnixNano": 1765000000000000000, "endTimeUnixNano": 1765000001000000000, "attributes": {"gen_ai.operation.name": "chat", "microsoft.tenant.id": "t", "gen_ai.agent.id": "a"}}"#,
    );
    let url = format!(
        "http://{}/observability/tenants/t/otlp/agents/a/traces?api-version=1",
        server.address
    );
    let ran = run(&["replay", &body, "--to", &url]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(ran.errors.contains("401"), "{}", ran.errors);
    let ran = run(&[
        "replay",
        &body,
        "--to",
        &url,
        "--token-env",
        "CARGO_PKG_NAME",
    ]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert_eq!(server.get("/api/traces")["total"], 1);
}

#[test]
fn t27_a_token_leaves_this_machine_over_https_only() {
    let body = file("replay", "empty.jsonl", "");
    let ran = run(&[
        "replay",
        &body,
        "--to",
        "http://192.0.2.1/v1/traces",
        "--token-env",
        "CARGO_PKG_NAME",
    ]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(
        ran.errors.contains("a token is only sent over https"),
        "{}",
        ran.errors
    );
}

#[test]
fn what_nobody_takes_is_told() {
    let path = vector("agentspec_real_run.jsonl");
    for url in ["ftp://127.0.0.1/", "nonsense", "http://"] {
        assert_eq!(
            run(&["replay", &path, "--to", url]).code,
            ExitCode::from(2),
            "{url}"
        );
    }
    // Nobody listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = run(&["replay", &path, "--to", &format!("http://{gone}")]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(ran.errors.contains("cannot connect"), "{}", ran.errors);
}

const SPAN: &str = r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "chat", "startTimeUnixNano": 1765000000000000000, "endTimeUnixNano": 1765000001000000000, "attributes": {"gen_ai.operation.name": "chat", "microsoft.tenant.id": "t", "gen_ai.agent.id": "a"}}"#;

/// A receiver that answers one connection after the other with these bodies, and ends a connection without a body.
fn receiver(answers: &[Option<Value>]) -> (String, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answers = answers.to_vec();
    let thread = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let line = std::mem::take(&mut line).to_lowercase();
                if let Some(bytes) = line.strip_prefix("content-length:") {
                    length = bytes.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            if let Some(body) = answer {
                let body = body.to_string();
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                )
                .unwrap();
            }
        }
    });
    (address, thread)
}

#[test]
fn spans_that_the_receiver_rejects_are_told_with_its_reason() {
    let of_span = |status: &str| {
        json!({"results": [{"spanId": "00f067aa0ba90201", "sinks":
            {"esp": {"status": status, "reason": "tenant_not_licensed agentspan-cli"}}}], "partialSuccess": null})
    };
    let counted = json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no room"}});
    let agent365 = "/observability/tenants/t/otlp/agents/a/traces?api-version=1";
    let body = file("replay", "rejected.json", SPAN);
    for (path, answer, taken, why) in [
        (
            agent365,
            of_span("rejected"),
            0,
            "rejected 1 span of a request: tenant_not_licensed …",
        ),
        (agent365, of_span("not_routed"), 0, "rejected 1 span"),
        (agent365, of_span("sent"), 1, ""),
        ("", counted, 0, "rejected 1 span of a request: no room"),
        ("", json!({}), 1, ""),
    ] {
        let (address, thread) = receiver(&[Some(answer.clone())]);
        let url = format!("http://{address}{path}");
        let token = ["--token-env", "CARGO_PKG_NAME"];
        let ran = run(&["replay", &body, "--to", &url, token[0], token[1]]);
        thread.join().unwrap();
        let taken = format!("{taken} of 1 span was accepted");
        assert!(ran.out.contains(&taken), "{answer}: {}", ran.out);
        assert!(ran.errors.contains(why), "{answer}: {}", ran.errors);
        assert!(!ran.errors.contains("agentspan-cli"), "{}", ran.errors);
        let code = if why.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        };
        assert_eq!(ran.code, code, "{answer}");
    }
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let body = file("replay", "broken.json", SPAN);
    let (address, thread) = receiver(&[None, Some(json!({}))]);
    let ran = run(&["replay", &body, "--to", &format!("http://{address}")]);
    thread.join().unwrap();
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    assert!(ran.out.contains("1 of 1 span was accepted"), "{}", ran.out);
}
