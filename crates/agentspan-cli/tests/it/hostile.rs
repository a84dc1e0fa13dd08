//! Files that somebody made to do harm, or that are broken.

use std::process::ExitCode;

use crate::{Ran, file, run};

/// Characters that a terminal obeys, or that turn the direction of writing.
const OBEYED: [char; 13] = [
    '\u{1b}', '\u{7f}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202d}',
    '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

fn assert_harmless(ran: &Ran, what: &str) {
    for text in [&ran.out, &ran.errors] {
        assert!(!text.contains(OBEYED), "{what}: {text:?}");
    }
}

#[test]
fn t25_no_command_writes_what_a_terminal_obeys() {
    let hostile: String = OBEYED.iter().collect();
    let span = serde_json::json!({
        "traceId": format!("4bf92f{hostile}"), "spanId": format!("00f0{hostile}"), "name": format!("chat {hostile}"),
        "parentSpanId": hostile, "startTimeUnixNano": "5", "endTimeUnixNano": "4",
        "attributes": {
            "gen_ai.operation.name": format!("Chat{hostile}"), "gen_ai.input.messages": hostile, "error.type": hostile,
            "gen_ai.agent.name": hostile,
        },
        "status": {"code": "ERROR", "message": hostile},
    });
    let path = file(
        "terminal",
        &format!("a{}.json", '\u{202e}'),
        &span.to_string(),
    );
    let broken = file(
        "terminal",
        &format!("b{}.json", '\u{202e}'),
        "{\"hook\": \"\u{202e}\"}\n\u{202e}\n",
    );
    for arguments in [
        ["show", "--contents", &path].as_slice(),
        &["show", "--json", "--contents", &path],
        &["check", &path],
        &["check", &path, "--format", "json", "--for", "genai"],
        &["check", &path, "--format", "sarif"],
        &["check", &path, "--format", "github"],
        &["show", &broken],
        &["show", "no-such-\u{202e}file"],
    ] {
        assert_harmless(&run(arguments), arguments[1]);
    }
}

#[test]
fn t26_broken_files_are_told_with_their_names_and_lines() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let hook = format!(
        r#"{{"hook": "on_start", "span": {}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let huge = r#"{"traceId": "aa", "spanId": "bb", "name": "n", "startTimeUnixNano": 1e400}"#;
    let cases: [(&str, Vec<u8>, &str); 11] = [
        (
            "deep",
            deep.into_bytes(),
            "deep.jsonl:1: JSON that is nested too deeply, at column 128",
        ),
        ("hook", hook.into_bytes(), "hook.jsonl:1: "),
        (
            "huge",
            huge.as_bytes().to_vec(),
            "huge.jsonl:1: not JSON: number out of range",
        ),
        (
            "utf8",
            b"{}\n\xff\xfe\n".to_vec(),
            "utf8.jsonl:2: invalid UTF-8 at byte 1",
        ),
        (
            "cut",
            b"{\"traceId\": \"aa\", \"spanId\"".to_vec(),
            "cut.jsonl:1: not JSON: EOF while parsing",
        ),
        ("nul", vec![0; 4096], "nul.jsonl:1: not JSON"),
        (
            "pretty",
            b"{\n  \"resourceSpans\": [\n    oops\n".to_vec(),
            "pretty.jsonl:3: not JSON: expected value at column 5",
        ),
        (
            "gzip",
            vec![0x1f, 0x8b, 8, 0, 0, 0],
            "gzip.jsonl:1: the file is compressed with gzip; decompress it with gzip -d first",
        ),
        (
            "utf16",
            b"\xff\xfe{\0".to_vec(),
            "utf16.jsonl:1: the file is UTF-16; save it as UTF-8",
        ),
        (
            "protobuf",
            vec![b'\n', 16, 0x12, 14, b'\n', 0],
            "protobuf.jsonl:2: not JSON: expected value at column 1; the file is binary: send protobuf to `agentspan serve`",
        ),
        (
            "lists",
            br#"{"resourceSpans": [{"scopeSpans": [{"spans": "none"}]}]}"#.to_vec(),
            "lists.jsonl:1: an element of scopeSpans is not an object with an array spans\nagentspan: cannot read 1 line",
        ),
    ];
    for (name, bytes, expected) in cases {
        let path = file("broken", &format!("{name}.jsonl"), "");
        std::fs::write(&path, bytes).unwrap();
        for command in ["show", "check"] {
            let ran = run(&[command, &path]);
            assert_eq!(ran.code, ExitCode::from(2), "{name}");
            assert!(ran.errors.contains(expected), "{name}: {}", ran.errors);
        }
    }
}

#[test]
fn files_without_spans_are_told_and_do_not_pass_a_check() {
    for (name, text) in [
        ("empty", ""),
        ("blank", "\n \n"),
        ("request", "{\"resourceSpans\": []}\n"),
    ] {
        let path = file("without", &format!("{name}.jsonl"), text);
        let told = format!("no spans in {path}\n");
        let ran = run(&["show", &path]);
        assert_eq!(
            (ran.code, ran.errors),
            (ExitCode::SUCCESS, told.clone()),
            "{name}"
        );
        let ran = run(&["check", &path]);
        assert_eq!(ran.code, ExitCode::from(2), "{name}");
        assert_eq!(
            ran.errors,
            format!("{told}agentspan: found no spans to check\n"),
            "{name}"
        );
    }
}

#[test]
fn a_directory_without_files_of_spans_is_named() {
    let other = file("without-files", "spans.txt", "");
    let directory = std::path::Path::new(&other).parent().unwrap();
    let ran = run(&["show", directory.to_str().unwrap()]);
    let told = format!(
        "no spans in {}: found no files that end in .json or .jsonl\n",
        directory.display()
    );
    assert_eq!((ran.code, ran.errors), (ExitCode::SUCCESS, told));
}

#[test]
fn t26_a_trace_may_be_deeper_than_a_stack_and_go_in_a_circle() {
    let id = |number: u32| format!("{:016x}", number + 1);
    let line = |number: u32, parent: u32| {
        format!(
            r#"{{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "{}", "parentSpanId": "{}", "name": "chat", "startTimeUnixNano": "1765000000000000000", "endTimeUnixNano": "1765000001000000000", "attributes": {{"gen_ai.operation.name": "chat", "microsoft.tenant.id": "t", "gen_ai.agent.id": "a"}}}}"#,
            id(number),
            id(parent)
        )
    };
    const SPANS: u32 = 20_000;
    for first in [SPANS, SPANS - 1] {
        let lines = (0..SPANS).map(|number| line(number, number.checked_sub(1).unwrap_or(first)));
        let text = lines.collect::<Vec<_>>().join("\n");
        let path = file("deep", &format!("{first}.jsonl"), &text);
        let ran = run(&["show", &path]);
        assert_eq!(
            (ran.code, ran.out.lines().count()),
            (ExitCode::SUCCESS, SPANS as usize + 1)
        );
        let ran = run(&["check", &path, "--for", "agent365:package-filter"]);
        assert_eq!(ran.code, ExitCode::from(1), "{}", ran.errors);
    }
}
