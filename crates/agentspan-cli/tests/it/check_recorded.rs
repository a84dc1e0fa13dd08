//! What the reference packages sent causes no false alarm: `agentspan check` of the recorded requests.

use std::collections::HashSet;

use agentspan_model::received::ReceivedJson;
use serde_json::Value;

use crate::{file, run, vector};

/// Why an error in a recording is right: the service would not show these spans as part of a run, and their authors
/// meant it so.
///
/// A recording of an exporter is one batch, often of a single span, without the rest of its run. Whether spans hang
/// together is judged by recordings of runs.
const OF_BROKEN_RUNS: [&str; 6] = ["R08", "R09", "R10", "R11", "R12", "R49"];

/// The requests of all cases of a generation, one a line, with the names of the cases.
fn requests(generation: &str) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(vector(&format!("export_{generation}.json"))).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let mut requests = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        let of_case = case["expected"]["requests"].as_array();
        for request in of_case.into_iter().flatten() {
            // Long bodies are recorded as their hashes only. A span that has not ended is one that nobody shows.
            let is_ended = |body: &str| !body.contains("\"endTimeUnixNano\":null");
            if request["body"].as_str().is_some_and(is_ended) {
                requests.push((case["name"].as_str().unwrap().to_owned(), request.clone()));
            }
        }
    }
    requests
}

/// The errors and warnings, with the line.
fn findings(path: &str, rules: &str) -> Vec<Value> {
    let ran = run(&["check", path, "--for", rules, "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.errors));
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["level"] != "hint")
        .cloned()
        .collect()
}

#[test]
fn requests_of_the_packages_cause_no_false_alarm_by_the_rules_of_their_generation() {
    let mut false_alarms = Vec::new();
    for (generation, profile) in [("v0_1", "v0.1"), ("v2", "v2"), ("v3", "v3")] {
        let requests = requests(generation);
        assert!(requests.len() > 50, "{generation}: {}", requests.len());
        // Each request by itself: cases use the same ids again.
        for (number, (case, request)) in requests.iter().enumerate() {
            let name = format!("{generation}-{number}.jsonl");
            let path = file("check-recorded", &name, &format!("{request}\n"));
            for finding in findings(&path, &format!("agent365:{profile}")) {
                let rule = finding["rule"].as_str().unwrap();
                // The exporters send `Chat`, of which the contract says what becomes of it.
                let is_about_chat = rule == "R02" && request["body"].to_string().contains("Chat");
                if !OF_BROKEN_RUNS.contains(&rule) && !is_about_chat {
                    false_alarms.push(format!(
                        "{generation} {case}: {rule} {}",
                        finding["attribute"]
                    ));
                }
            }
        }
    }
    assert_eq!(false_alarms, [""; 0]);
}

/// Whole runs among the recordings: an `invoke_agent` span at the root, and all others below it.
#[test]
fn whole_runs_of_the_packages_cause_no_alarm_at_all() {
    let mut whole = 0;
    for (generation, profile) in [("v2", "v2"), ("v3", "v3")] {
        for (number, (case, request)) in requests(generation).iter().enumerate() {
            // Python writes `NaN`, too.
            let body = ReceivedJson::read(request["body"].as_str().unwrap().as_bytes());
            if !is_whole_run(&body.value) {
                continue;
            }
            whole += 1;
            let name = format!("whole-{generation}-{number}.jsonl");
            let path = file("check-recorded", &name, &format!("{request}\n"));
            let all = findings(&path, &format!("agent365:{profile}"));
            assert!(all.is_empty(), "{case}: {all:#?}");
        }
    }
    assert!(whole > 50, "{whole}");
}

fn is_whole_run(body: &Value) -> bool {
    let mut roots = HashSet::new();
    let mut seen = HashSet::new();
    let resources = body["resourceSpans"].as_array().into_iter().flatten();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    for span in scopes.flat_map(|scope| scope["spans"].as_array().unwrap()) {
        let (trace, id) = (span["traceId"].to_string(), span["spanId"].to_string());
        let is_root = span["parentSpanId"].is_null()
            && span["attributes"]["gen_ai.operation.name"] == "invoke_agent";
        if !is_root || !roots.insert(trace.clone()) || !seen.insert((trace, id)) {
            return false;
        }
    }
    !roots.is_empty()
}

#[test]
fn recordings_of_agent_spec_break_no_convention_but_where_they_mean_to() {
    let recordings = format!(
        "{}/../agentspan-otel/tests/recordings",
        env!("CARGO_MANIFEST_DIR")
    );
    let cases: [(String, &[&str]); 3] = [
        (vector("agentspec_real_run.jsonl"), &[]),
        // They are recordings of these very mistakes.
        (format!("{recordings}/repeated_id.jsonl"), &["never-ended"]),
        (format!("{recordings}/never_ended.jsonl"), &["never-ended"]),
    ];
    for (path, expected) in cases {
        assert_eq!(findings(&path, "genai"), [Value::Null; 0], "{path}");
        let all = findings(&path, "agentspec");
        let names: Vec<&str> = all
            .iter()
            .map(|finding| finding["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{path}");
    }
}
