//! `agentspan show`.

use std::process::ExitCode;

use serde_json::Value;

use crate::{file, run, vector};

#[test]
fn a_recording_is_shown_as_trees() {
    let ran = run(&[
        "show",
        &vector("agentspec_real_run.jsonl"),
        "--trace",
        "00000000000040008000000000000001",
    ]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    let mut lines = ran.out.lines();
    let head = lines.next().unwrap();
    assert!(
        head.starts_with("trace 00000000000040008000000000000001  "),
        "{head}"
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("└─ trace branching_flow_pass"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("execute_tool"), "{}", ran.out);
}

#[test]
fn a_request_over_several_lines_is_read_as_a_whole() {
    let body = r#"{
  "resourceSpans": [{"scopeSpans": [{"spans": [
    {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "fetch",
     "startTimeUnixNano": "1000000", "endTimeUnixNano": "3500000"}
  ]}]}]
}"#;
    let ran = run(&["show", &file("pretty", "body.json", body)]);
    assert_eq!(
        ran.out,
        "trace 4bf92f3577b34da6a3ce929d0e0e4736  1 span  2.5 ms\n└─ fetch  2.5 ms\n"
    );
}

#[test]
fn json_has_what_the_page_gets() {
    let ran = run(&[
        "show",
        "--json",
        "--contents",
        &vector("agentspec_real_run.jsonl"),
    ]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    let mut conversations = 0;
    for line in ran.out.lines() {
        let trace: Value = serde_json::from_str(line).unwrap();
        let spans = trace["spans"].as_array().unwrap();
        assert_eq!(trace["count"], spans.len());
        for span in spans {
            let contents = &trace["contents"][span["i"].as_str().unwrap()];
            assert_eq!(
                contents["events"].as_array().unwrap().len() as u64,
                span["nev"].as_u64().unwrap()
            );
            assert!(contents["raw"]["start_time"].is_u64(), "{contents}");
            conversations +=
                usize::from(span["k"] == "llm" && contents["messages"][0]["role"].is_string());
        }
    }
    assert!(conversations > 0);
}

#[test]
fn a_run_that_nobody_means_for_agent_365_is_not_refused_in_any_form() {
    let recording = vector("agentspec_real_run.jsonl");
    let otlp = run(&["convert", &recording, "--to", "otlp"]).out;
    for path in [recording, file("forms", "otlp.jsonl", &otlp)] {
        let ran = run(&["show", &path]);
        assert!(ran.out.contains("execute_tool"), "{path}: {}", ran.out);
        assert!(!ran.out.contains("refused"), "{path}: {}", ran.out);
    }
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let body = r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "a\u001b[31m\n\u202eb"}"#;
    let ran = run(&["show", &file("hostile", "span.json", body)]);
    assert!(
        ran.out.contains(r"└─ a\u{1b}[31m\n\u{202e}b"),
        "{}",
        ran.out
    );
}

#[test]
fn lines_that_are_no_spans_are_told_with_their_numbers() {
    let text =
        "{\"traceId\": \"aa\", \"spanId\": \"bb\", \"name\": \"fine\"}\nnonsense\n{\"a\": 1}\n";
    let ran = run(&["show", &file("broken", "lines.jsonl", text)]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(ran.out.contains("fine"));
    assert!(
        ran.errors.contains("lines.jsonl:2: not JSON"),
        "{}",
        ran.errors
    );
    assert!(
        ran.errors.contains("lines.jsonl:3: expected an OTLP"),
        "{}",
        ran.errors
    );
    assert!(ran.errors.contains("cannot read 2 lines"), "{}", ran.errors);
}

#[test]
fn every_file_that_is_not_there_is_named() {
    let ran = run(&["show", "no-such-file.jsonl", "nor-this-one.jsonl"]);
    assert_eq!(ran.code, ExitCode::from(2));
    for place in [
        "agentspan: cannot read no-such-file.jsonl: ",
        "; cannot read nor-this-one.jsonl: ",
    ] {
        assert!(ran.errors.contains(place), "{}", ran.errors);
    }
}
