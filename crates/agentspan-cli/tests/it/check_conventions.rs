//! `agentspan check --for genai` and `--for agentspec`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::check::found;
use crate::{file, run, vector};

const ROOT: &str = "00f067aa0ba90201";
const CHAT: &str = "00f067aa0ba90202";
const TOOL: &str = "00f067aa0ba90203";

/// A run by the GenAI conventions, with the attributes of each span as an object.
fn gen_ai_run() -> [Value; 3] {
    let span = |id: &str, parent: &str, name: &str, attributes: Value| {
        json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": id, "parentSpanId": parent, "name": name,
            "kind": 1, "startTimeUnixNano": "1765000000000000000", "endTimeUnixNano": "1765000001000000000",
            "attributes": attributes, "status": {"code": 0},
        })
    };
    let messages = r#"[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]"#;
    [
        span(
            ROOT,
            "",
            "invoke_agent Librarian",
            json!({
                "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Librarian",
            }),
        ),
        span(
            CHAT,
            ROOT,
            "chat gpt-4o",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.input.messages": messages, "gen_ai.usage.input_tokens": 4, "gen_ai.request.temperature": 0.5,
                "gen_ai.response.finish_reasons": ["stop"],
            }),
        ),
        span(
            TOOL,
            ROOT,
            "execute_tool look_up",
            json!({
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up",
            }),
        ),
    ]
}

fn write(test: &str, spans: &[Value]) -> String {
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    file("genai", &format!("{test}.json"), &body.to_string())
}

#[test]
fn one_breach_of_the_genai_conventions_is_found_at_its_span() {
    let clean = write("clean", &gen_ai_run());
    assert_eq!(found(&clean, "genai"), []);
    let attributes: [(&str, usize, Value); 14] = [
        ("G01", 1, json!({"gen_ai.operation.name": null})),
        ("G02", 1, json!({"gen_ai.operation.name": "Chat"})),
        ("G04", 1, json!({"gen_ai.provider.name": null})),
        ("G05", 1, json!({"gen_ai.request.model": null})),
        ("G06", 2, json!({"gen_ai.tool.name": null})),
        (
            "G08",
            1,
            json!({"gen_ai.provider.name": null, "gen_ai.system": "openai"}),
        ),
        ("G08", 1, json!({"gen_ai.usage.prompt_tokens": 4})),
        ("G09", 1, json!({"gen_ai.usage.input_tokens": "4"})),
        ("G09", 1, json!({"gen_ai.request.temperature": "0.5"})),
        ("G09", 1, json!({"gen_ai.response.finish_reasons": "stop"})),
        ("G10", 1, json!({"gen_ai.usage.input_tokens": -4})),
        ("G11", 1, json!({"gen_ai.input.messages": "Hello"})),
        (
            "G11",
            1,
            json!({"gen_ai.input.messages": r#"[{"role": "user", "content": "Hello"}]"#}),
        ),
        (
            "G11",
            0,
            json!({"gen_ai.output.messages": r#"[{"role": "assistant", "parts": ["Hello"]}]"#}),
        ),
    ];
    let fields: [(&str, usize, &str, Value); 4] = [
        ("G07", 2, "status", json!({"code": 2})),
        ("G13", 2, "spanId", "APBnqgupAgM=".into()),
        ("G14", 2, "endTimeUnixNano", "1764000000000000000".into()),
        ("G14", 2, "startTimeUnixNano", "1765000000".into()),
    ];
    let mut mistakes = Vec::new();
    for (rule, of, changes) in attributes {
        let mut spans = gen_ai_run();
        let all = spans[of]["attributes"].as_object_mut().unwrap();
        all.extend(changes.as_object().unwrap().clone());
        all.retain(|_, value| !value.is_null());
        mistakes.push((rule, of, spans));
    }
    for (rule, of, field, value) in fields {
        let mut spans = gen_ai_run();
        spans[of][field] = value;
        mistakes.push((rule, of, spans));
    }
    for (number, (rule, of, spans)) in mistakes.iter().enumerate() {
        let at = spans[*of]["spanId"].as_str().unwrap().to_lowercase();
        let all = found(&write(&number.to_string(), spans), "genai");
        let is_it = all.len() == 1 && all[0].0 == *rule && all[0].1.to_lowercase() == at;
        assert!(is_it, "{rule} at {at}: {all:?}");
    }
}

#[test]
fn a_span_of_openinference_with_the_id_of_its_agent_lacks_no_operation() {
    let mut spans = gen_ai_run();
    for (span, kind) in spans.iter_mut().zip(["AGENT", "LLM", "TOOL"]) {
        span["attributes"] = json!({"openinference.span.kind": kind, "gen_ai.agent.id": "agent"});
    }
    assert_eq!(found(&write("openinference", &spans), "genai"), []);
    // What it has of the conventions is judged nevertheless.
    spans[1]["attributes"]["gen_ai.usage.input_tokens"] = "4".into();
    let all = found(&write("openinference-type", &spans), "genai");
    assert!(all.len() == 1 && all[0].0 == "G09", "{all:?}");
}

#[test]
fn what_we_render_breaks_no_convention() {
    let real = vector("agentspec_real_run.jsonl");
    let ran = run(&[
        "check",
        &real,
        "--for",
        "genai",
        "--for",
        "agentspec",
        "--fail-on",
        "warning",
    ]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("(genai, agentspec)"), "{}", ran.out);
}

/// The lines of one run of an agent with a tool.
fn recording() -> Vec<Value> {
    let text = std::fs::read_to_string(vector("agentspec_real_run.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["run"] == "agent_with_tool")
        .collect()
}

#[test]
fn one_breach_of_agent_spec_is_found_at_its_line() {
    type Change = fn(&mut Vec<Value>);
    // The rule, the line, and the change. Lines count from zero here.
    let mistakes: [(&str, usize, Change); 15] = [
        ("S01", 4, |lines| drop(lines.remove(4))),
        ("S01", 8, |lines| lines.insert(8, lines[7].clone())),
        ("S02", 2, |lines| drop(lines.remove(17))),
        ("S03", 7, |lines| lines[7]["span"]["end_time"] = 1.into()),
        ("S03", 7, |lines| lines[7]["span"]["end_time"] = Value::Null),
        ("S04", 8, |lines| lines[8]["parent_id"] = "nobody".into()),
        ("S06", 9, |lines| {
            lines[9]["event"] = lines[5]["event"].clone()
        }),
        ("S07", 10, |lines| drop(lines.remove(10))),
        ("S07", 14, |lines| drop(lines.remove(13))),
        ("S08", 10, |lines| {
            lines[10]["event"]["request_id"] = "another".into()
        }),
        ("S08", 14, |lines| {
            lines[14]["event"]["request_id"] = "another".into()
        }),
        ("S09", 6, |lines| {
            lines[6]["event"]["input_tokens"] = (-4).into()
        }),
        ("S10", 7, |lines| {
            let mut other = lines[11]["span"].clone();
            for member in ["id", "start_time", "end_time"] {
                other[member] = lines[7]["span"][member].clone();
            }
            lines[7]["span"] = other;
        }),
        ("S11", 8, |lines| lines[8]["trace"] = Value::Null),
        ("S12", 7, |lines| lines.swap(6, 7)),
    ];
    let write = |name: &str, lines: &[Value]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        file("agentspec", name, &text)
    };
    assert_eq!(found(&write("clean.jsonl", &recording()), "agentspec"), []);
    for (number, (rule, line, change)) in mistakes.into_iter().enumerate() {
        let mut lines = recording();
        change(&mut lines);
        let path = write(&format!("{number}.jsonl"), &lines);
        let ran = run(&["check", &path, "--for", "agentspec", "--format", "json"]);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let is_it = |finding: &Value| finding["rule"] == rule && finding["line"] == line + 1;
        assert!(
            findings.iter().any(is_it),
            "{number}: {rule} in {line}: {json:#}"
        );
    }
}
