//! `agentspan show`.

use std::process::ExitCode;

use serde_json::{Value, json};

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
fn contents_of_a_tool_are_its_arguments_and_its_result() {
    let tool = |attributes: Value| {
        json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "execute_tool look_up",
            "startTimeUnixNano": "1000000", "endTimeUnixNano": "2000000", "attributes": attributes,
        })
    };
    let long = "x".repeat(500);
    let spans = [
        json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up",
            "gen_ai.tool.call.arguments": r#"{"item": "lamp"}"#, "gen_ai.tool.call.result": "three\nleft",
        }),
        json!({
            "openinference.span.kind": "TOOL", "tool.name": "look_up",
            "input.value": r#"{"item": "lamp"}"#, "output.value": "three\nleft",
        }),
        json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "** MASKED **",
            "gen_ai.tool.call.result": long,
        }),
    ];
    let shown = spans.map(|attributes| {
        let path = file("tool", "tool.json", &tool(attributes).to_string());
        let ran = run(&["show", "--contents", &path]);
        let lines = ran.out.lines().skip(2).map(str::trim);
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    for of_convention in &shown[..2] {
        assert_eq!(
            of_convention,
            &[r#"in: {"item":"lamp"}"#, r"out: three\nleft"]
        );
    }
    assert_eq!(shown[2][0], "in: ** MASKED **");
    assert_eq!(shown[2][1], format!("out: {}…", "x".repeat(160)));
}

#[test]
fn tools_of_a_recording_show_what_they_were_given() {
    let ran = run(&["show", "--contents", &vector("agentspec_real_run.jsonl")]);
    let lines: Vec<&str> = ran.out.lines().collect();
    let tools = lines
        .windows(2)
        .filter(|two| two[0].contains("─ execute_tool "));
    let given = tools.filter(|two| two[1].contains("in: {"));
    assert!(given.count() > 0, "{}", ran.out);
}

#[test]
fn a_last_line_that_is_cut_off_is_left_out_and_told() {
    let text = std::fs::read_to_string(vector("agentspec_real_run.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().take(4).collect();
    let span = r#"{"traceId": "aa", "spanId": "bb", "name": "whole"}"#;
    let half = |line: &str| line[..line.len() / 2].to_owned();
    let cases = [
        (format!("{}\n{}", lines[..3].join("\n"), half(lines[3])), 4),
        // Python writes `NaN`.
        (
            format!(
                "{}\n{}",
                lines[1], r#"{"hook": "on_end", "span": {"x": NaN, "y": "#
            ),
            2,
        ),
        (format!("{span}\n{}", half(span)), 2),
        (format!("{span}\n\n{}", r#"{"resourceSpans": [{"sco"#), 3),
    ];
    for (text, line) in cases {
        let path = file("cut", "cut.jsonl", &text);
        for command in [&["show", &path][..], &["convert", &path, "--to", "otlp"]] {
            let ran = run(command);
            assert_eq!(
                ran.code,
                ExitCode::SUCCESS,
                "{line}: {}{}",
                ran.out,
                ran.errors
            );
            let note = format!("cut.jsonl:{line}: note: left out the last line");
            assert!(ran.errors.contains(&note), "{line}: {}", ran.errors);
        }
    }
    // The same within a file is a fault, and so is a file that is no JSON at its end.
    for (text, line, why) in [
        (
            format!("{}\n{}\n{}\n", lines[0], half(lines[1]), lines[2]),
            2,
            "not JSON at column ",
        ),
        (format!("{span}\n{}", "nonsense"), 2, "not JSON"),
        (half(span), 1, "not JSON"),
    ] {
        let ran = run(&["show", &file("cut", "within.jsonl", &text)]);
        assert_eq!(ran.code, ExitCode::from(2), "{}", ran.errors);
        let place = format!("within.jsonl:{line}: ");
        let mut told = ran.errors.lines();
        let is_told = told.any(|told| told.contains(&place) && told.contains(why));
        assert!(
            is_told && !ran.errors.contains("line 1, column"),
            "{}",
            ran.errors
        );
    }
}

#[test]
fn an_id_with_which_no_trace_begins_is_an_error() {
    let real = vector("agentspec_real_run.jsonl");
    let commands: [&[&str]; 3] = [
        &["show", &real, "--trace", "zz"],
        &["diff", &real, &real, "--trace-before", "zz"],
        &["diff", &real, &real, "--trace-after", "zz"],
    ];
    for command in commands {
        let ran = run(command);
        assert_eq!(
            (ran.code, &*ran.out),
            (ExitCode::from(2), ""),
            "{command:?}"
        );
        assert_eq!(ran.errors, "agentspan: no trace starts with zz\n");
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
