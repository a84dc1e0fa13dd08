//! `agentspan check`: a run without fault, the same with one mistake each, and what the packages sent.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{file, run, vector};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ROOT: &str = "00f067aa0ba90201";
const CHAT: &str = "00f067aa0ba90202";
const TOOL: &str = "00f067aa0ba90203";

/// A run with which the exporters of the packages have no trouble.
fn run_of_an_agent() -> Vec<Value> {
    let span = |id: &str, parent: Value, name: &str, own: Value| {
        let mut attributes = json!({
            "microsoft.tenant.id": "e3064512-cc6d-4703-be71-a2ecaecaa98a",
            "gen_ai.agent.id": "a0000000-0000-0000-0000-00000000000a",
            "gen_ai.agent.name": "Librarian",
            "gen_ai.conversation.id": "conversation-1",
        });
        let own = own.as_object().unwrap().clone();
        attributes.as_object_mut().unwrap().extend(own);
        json!({
            "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": "INTERNAL",
            "startTimeUnixNano": 1_765_000_000_000_000_000_u64, "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
            "attributes": attributes, "events": null, "links": null, "status": {"code": "UNSET", "message": ""},
        })
    };
    vec![
        span(
            ROOT,
            Value::Null,
            "invoke_agent Librarian",
            json!({"gen_ai.operation.name": "invoke_agent"}),
        ),
        span(
            CHAT,
            ROOT.into(),
            "chat gpt-4o",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
            }),
        ),
        span(
            TOOL,
            ROOT.into(),
            "execute_tool look_up",
            json!({
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up",
            }),
        ),
    ]
}

fn write(test: &str, spans: &[Value]) -> String {
    let body = json!({"resourceSpans": [{"resource": {"attributes": {}}, "scopeSpans": [{"scope": {}, "spans": spans}]}]});
    file("check", &format!("{test}.jsonl"), &format!("{body}\n"))
}

/// The errors and warnings: rule, span, attribute.
fn found(path: &str, rules: &str) -> Vec<(String, String, String)> {
    let ran = run(&["check", path, "--for", rules, "--format", "json"]);
    let json: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.errors));
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["level"] != "hint");
    findings
        .map(|finding| {
            assert!(
                !text(finding, "fix").is_empty() && !text(finding, "source").is_empty(),
                "{finding}"
            );
            assert_eq!(
                (text(finding, "file").as_str(), finding["line"].as_u64()),
                (path, Some(1))
            );
            (
                text(finding, "rule"),
                text(finding, "span"),
                text(finding, "attribute"),
            )
        })
        .collect()
}

#[test]
fn a_run_without_fault_causes_no_alarm() {
    let path = write("clean", &run_of_an_agent());
    assert_eq!(found(&path, "agent365:package-filter"), []);
    assert_eq!(
        run(&["check", &path, "--for", "agent365:package-filter"]).code,
        ExitCode::SUCCESS
    );
}

#[test]
fn one_mistake_is_found_by_its_rule_at_its_span() {
    type Change = fn(&mut Vec<Value>);
    let mistakes: [(&str, &str, Change); 14] = [
        ("R01", TOOL, |spans| {
            spans[2]["attributes"]["gen_ai.operation.name"] = "use_tool".into()
        }),
        ("R01", TOOL, |spans| {
            drop(
                spans[2]["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("gen_ai.operation.name"),
            )
        }),
        ("R02", CHAT, |spans| {
            spans[1]["attributes"]["gen_ai.operation.name"] = "Chat".into()
        }),
        ("R03", CHAT, |spans| {
            drop(
                spans[1]["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("microsoft.tenant.id"),
            )
        }),
        ("R03", TOOL, |spans| {
            spans[2]["attributes"]["gen_ai.agent.id"] = " ".into()
        }),
        ("R08", CHAT, |spans| drop(spans.remove(0))),
        ("R09", ROOT, |spans| {
            spans[0]["parentSpanId"] = "00f067aa0ba90209".into()
        }),
        ("R10", TOOL, |spans| {
            spans[2]["attributes"]["gen_ai.operation.name"] = "invoke_agent".into()
        }),
        ("R11", CHAT, |spans| spans[1]["parentSpanId"] = Value::Null),
        ("R12", TOOL, |spans| {
            spans[2]["parentSpanId"] = "00f067aa0ba90209".into()
        }),
        ("R13", TOOL, |spans| {
            spans[2]["attributes"]["gen_ai.conversation.id"] = "conversation-2".into()
        }),
        ("R63", CHAT, |spans| {
            spans[1]["attributes"]["gen_ai.agent.id"] =
                "a0000000-0000-0000-0000-00000000000b".into()
        }),
        ("R03", CHAT, |spans| {
            spans[1]["attributes"]["microsoft.tenant.id"] = "".into()
        }),
        ("R01", ROOT, |spans| {
            spans[0]["attributes"]["gen_ai.operation.name"] = "run".into()
        }),
    ];
    for (number, (rule, at, change)) in mistakes.into_iter().enumerate() {
        let mut spans = run_of_an_agent();
        change(&mut spans);
        let path = write(&format!("mistake-{number}"), &spans);
        let all = found(&path, "agent365:package-filter");
        let hit = all
            .iter()
            .any(|(found, span, _)| found == rule && span == at);
        assert!(hit, "mistake {number}, {rule} at {at}: {all:?}");
        let code = run(&[
            "check",
            &path,
            "--for",
            "agent365:package-filter",
            "--fail-on",
            "warning",
        ])
        .code;
        assert_eq!(code, ExitCode::from(1), "mistake {number}");
    }
}

#[test]
fn what_the_package_sent_causes_no_false_alarm() {
    let vectors: Value =
        serde_json::from_str(&std::fs::read_to_string(vector("export_v2.json")).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    let requests = cases.flat_map(|case| case["expected"]["requests"].as_array().unwrap());
    let bodies: Vec<&str> = requests
        .filter_map(|request| request["body"].as_str())
        .collect();
    assert!(bodies.len() > 50);
    for (number, body) in bodies.iter().enumerate() {
        let path = file("check", &format!("recorded-{number}.json"), body);
        let ran = run(&[
            "check",
            &path,
            "--for",
            "agent365:package-filter",
            "--format",
            "json",
        ]);
        let json: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{number}: {}", ran.errors));
        for finding in json["findings"].as_array().unwrap() {
            let rule = finding["rule"].as_str().unwrap();
            // Single spans without a run around them, and operations that are exported and not documented:
            // the recordings have them on purpose.
            let is_known = ["R01", "R08", "R09", "R10", "R11", "R12"].contains(&rule);
            assert!(
                is_known || finding["level"] != "error",
                "{number}: {finding}"
            );
        }
    }
}

#[test]
fn sarif_names_rule_file_and_span() {
    let mut spans = run_of_an_agent();
    spans[1]["attributes"]["gen_ai.operation.name"] = "Chat ".into();
    let path = write("sarif", &spans);
    let ran = run(&[
        "check",
        &path,
        "--for",
        "agent365:package-filter",
        "--format",
        "sarif",
    ]);
    let sarif: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
        let location = &result["locations"][0];
        assert_eq!(
            location["physicalLocation"]["artifactLocation"]["uri"],
            path.as_str()
        );
        assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
    }
}

#[test]
fn annotations_stay_on_one_line_whatever_a_span_is_called() {
    let mut spans = run_of_an_agent();
    spans[1]["name"] = "chat\n::error::50% off, really: yes".into();
    spans[1]["attributes"]["gen_ai.operation.name"] = "Chat".into();
    let path = write("github", &spans);
    let ran = run(&[
        "check",
        &path,
        "--for",
        "agent365:package-filter",
        "--format",
        "github",
    ]);
    assert!(!ran.out.is_empty());
    for line in ran.out.lines() {
        let is_annotation = ["::error ", "::warning ", "::notice "]
            .iter()
            .any(|begin| line.starts_with(begin));
        assert!(
            is_annotation && line.contains("file=") && line.contains(",line=1,title=R"),
            "{line}"
        );
    }
    assert!(ran.out.contains("50%25 off"), "{}", ran.out);
}

#[test]
fn rules_that_are_not_there_are_refused_with_those_that_are() {
    let ran = run(&["check", "x", "--for", "agent366"]);
    assert_eq!(ran.code, ExitCode::from(2));
    assert!(
        ran.errors.contains("agent365:package-filter"),
        "{}",
        ran.errors
    );
}
