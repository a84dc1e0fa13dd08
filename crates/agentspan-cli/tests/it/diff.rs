//! `agentspan diff`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{file, run, vector};

fn span(id: &str, parent: &str, name: &str, length: u64, attributes: Value) -> Value {
    let attributes = attributes.as_object().unwrap().clone();
    json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": id, "parentSpanId": parent, "name": name,
        "startTimeUnixNano": "1765000000000000000", "endTimeUnixNano": (1_765_000_000_000_000_000 + length).to_string(),
        "attributes": attributes,
    })
}

fn agent_run(other: bool) -> String {
    let chat = |tokens: u64, answer: &str| {
        let message =
            json!([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]);
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens,
            "gen_ai.output.messages": message.to_string(),
        })
    };
    let tool =
        |name: &str| json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name});
    let mut spans = vec![
        span(
            "a1",
            "",
            "invoke_agent A",
            9_000_000_000,
            json!({"gen_ai.operation.name": "invoke_agent"}),
        ),
        span("a2", "a1", "chat m", 1_000_000_000, chat(4, "first")),
        span("a3", "a1", "execute_tool f", 1_000, tool("f")),
        span("a4", "a1", "chat m", 1_000_000_000, chat(5, "second")),
    ];
    if other {
        // The second call of the model says something else, one tool gave way to another, and ids differ.
        spans[2] = span("a3", "a1", "execute_tool g", 1_000, tool("g"));
        spans[3] = span("a4", "a1", "chat m", 3_000_000_000, chat(7, "third"));
        for span in &mut spans {
            let id = span["spanId"].as_str().unwrap().replace('a', "b");
            span["spanId"] = id.into();
            span["parentSpanId"] = span["parentSpanId"]
                .as_str()
                .unwrap()
                .replace('a', "b")
                .into();
        }
    }
    spans.iter().map(|span| format!("{span}\n")).collect()
}

#[test]
fn steps_that_came_went_and_changed_are_told() {
    let before = file("diff", "before.jsonl", &agent_run(false));
    let after = file("diff", "after.jsonl", &agent_run(true));
    let ran = run(&["diff", &before, &after]);
    assert_eq!(ran.code, ExitCode::from(1), "{}", ran.errors);
    let lines: Vec<&str> = ran.out.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "  invoke_agent A  9.00 s",
            "    chat m  1.00 s",
            "−   execute_tool f  1 µs",
            "+   execute_tool g  1 µs",
            "≠   chat m  input tokens 5 → 7  output changed  1.00 s → 3.00 s",
            "1 added, 1 missing, 1 changed of 5 steps",
        ],
        "{}",
        ran.out
    );
    let ran = run(&["diff", &before, &after, "--contents"]);
    assert!(
        ran.out.contains("second") && ran.out.contains("third"),
        "{}",
        ran.out
    );
    let ran = run(&["diff", &before, &after, "--json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["spans"][4]["changes"]["input tokens"], json!([5, 7]));
}

#[test]
fn a_run_is_the_same_as_itself() {
    let path = file("diff", "same.jsonl", &agent_run(false));
    let ran = run(&["diff", &path, &path]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.out);
    assert!(
        ran.out
            .ends_with("0 added, 0 missing, 0 changed of 4 steps\n"),
        "{}",
        ran.out
    );
}

#[test]
fn what_is_masked_in_one_run_does_not_differ() {
    let tool = |arguments: &str, result: &str| {
        let attributes = json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f",
            "gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": result,
        });
        span("a1", "", "execute_tool f", 1_000, attributes).to_string()
    };
    let clear = file("diff", "clear.json", &tool("{}", "sunny"));
    let masked = file("diff", "masked.json", &tool("** MASKED **", "** MASKED **"));
    for pair in [[&clear, &masked], [&masked, &clear], [&masked, &masked]] {
        let ran = run(&["diff", "--contents", pair[0], pair[1]]);
        assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.out);
        let lines: Vec<&str> = ran.out.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "  execute_tool f  input masked  output masked  1 µs",
                "0 added, 0 missing, 0 changed of 1 step",
            ]
        );
        let ran = run(&["diff", "--json", pair[0], pair[1]]);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(json["spans"][0]["changes"], json!({}));
        assert_eq!(json["spans"][0]["masked"], json!(["input", "output"]));
    }
    // What both show is compared.
    let other = file("diff", "other.json", &tool("** MASKED **", "rain"));
    let ran = run(&["diff", "--contents", &clear, &other]);
    assert_eq!(ran.code, ExitCode::from(1), "{}", ran.out);
    assert!(
        ran.out.contains("input masked  output sunny → rain"),
        "{}",
        ran.out
    );
}

#[test]
fn a_masked_recording_is_the_same_as_the_run_that_it_masks() {
    let text = std::fs::read_to_string(vector("agentspec_real_run.jsonl")).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.contains("\"agent_with_tool\""));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let write = |name: &str, lines: &[Value]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        file("diff", name, &text)
    };
    let clear = write("recording.jsonl", &lines);
    let mut lines = lines;
    lines.iter_mut().for_each(mask);
    let masked = write("recording-masked.jsonl", &lines);
    let ran = run(&["diff", "--contents", &clear, &masked]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.out);
    assert!(
        ran.out.contains("input masked") && ran.out.contains(" 0 changed of "),
        "{}",
        ran.out
    );
}

/// Masks contents as the masked dump of a recording does.
fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "inputs" | "outputs" | "prompt" | "content" | "system_prompt" => {
                        *member = "** MASKED **".into();
                    }
                    _ => mask(member),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_circle_of_spans_is_compared_once() {
    let circle = [
        span("a1", "a2", "x", 1, json!({})),
        span("a2", "a1", "y", 1, json!({})),
        span("a3", "a3", "z", 1, json!({})),
    ];
    let text: String = circle.iter().map(|span| format!("{span}\n")).collect();
    let path = file("diff", "circle.jsonl", &text);
    let ran = run(&["diff", &path, &path]);
    assert!(ran.out.ends_with("0 changed of 3 steps\n"), "{}", ran.out);
}
