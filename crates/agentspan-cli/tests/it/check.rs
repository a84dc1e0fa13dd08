//! `agentspan check`: a run without fault, the same with one mistake each, and what the packages sent.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::convert::call_in_openinference;
use crate::{file, run};

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
pub(super) fn found(path: &str, rules: &str) -> Vec<(String, String, String)> {
    found_with(path, rules, &[])
}

/// As [`found`], with more arguments.
fn found_with(path: &str, rules: &str, more: &[&str]) -> Vec<(String, String, String)> {
    let arguments = [&["check", path, "--for", rules, "--format", "json"], more].concat();
    let ran = run(&arguments);
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
            assert!(
                text(finding, "file") == path && finding["line"].is_u64(),
                "{finding}"
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

/// A run in which nothing is wrong by the attribute reference.
fn whole_run() -> Vec<Value> {
    let mut spans = run_of_an_agent();
    let mut output = spans[1].clone();
    output["spanId"] = OUTPUT.into();
    output["name"] = "output_messages".into();
    for key in ["gen_ai.request.model", "gen_ai.provider.name"] {
        output["attributes"].as_object_mut().unwrap().remove(key);
    }
    set(
        &mut output,
        &json!({"gen_ai.operation.name": "output_messages"}),
    );
    spans.push(output);
    for span in &mut spans {
        set(
            span,
            &json!({
                "microsoft.a365.agent.blueprint.id": BLUEPRINT, "microsoft.channel.name": "msteams",
                "client.address": "192.0.2.7", "user.id": "c0000000-0000-0000-0000-00000000000c",
            }),
        );
    }
    for span in &mut spans[..3] {
        set(
            span,
            &json!({"server.address": "agent.example.com", "server.port": "443"}),
        );
    }
    for span in [0, 1] {
        set(
            &mut spans[span],
            &json!({"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": MESSAGES}),
        );
    }
    set(&mut spans[3], &json!({"gen_ai.output.messages": MESSAGES}));
    set(
        &mut spans[2],
        &json!({
            "gen_ai.tool.type": "function", "gen_ai.tool.call.id": "call-1",
            "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "sunny",
        }),
    );
    spans
}

/// Empty lists are not sent.
const MESSAGES: &str = r#"[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]"#;
const OUTPUT: &str = "00f067aa0ba90204";
const WEB: &str = "00f067aa0ba90299";
const BLUEPRINT: &str = "b0000000-0000-0000-0000-00000000000b";
const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";

/// Sets attributes, or takes them away where the value is null.
fn set(span: &mut Value, attributes: &Value) {
    let all = span["attributes"].as_object_mut().unwrap();
    for (key, value) in attributes.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(key)),
            value => drop(all.insert(key.clone(), value.clone())),
        }
    }
}

/// The rule that must find it, the span at which it must, and the attributes that are set wrong.
fn wrong_attributes() -> Vec<(&'static str, usize, Value)> {
    let mut mistakes: Vec<(&'static str, usize, Value)> = [
        ("R01", 2, "gen_ai.operation.name"),
        ("R03", 2, "microsoft.tenant.id"),
        ("R03", 3, "gen_ai.agent.id"),
        ("R13", 2, "gen_ai.conversation.id"),
        ("R14", 3, "microsoft.channel.name"),
        ("R15", 0, "user.id"),
        ("R18", 1, "client.address"),
        ("R19", 1, "server.port"),
        ("R19", 2, "server.address"),
        ("R20", 0, "gen_ai.input.messages"),
        ("R20", 1, "gen_ai.output.messages"),
        ("R21", 0, "gen_ai.output.messages"),
        ("R22", 2, "gen_ai.tool.name"),
        ("R22", 2, "gen_ai.tool.type"),
        ("R22", 2, "gen_ai.tool.call.id"),
        ("R22", 2, "gen_ai.tool.call.arguments"),
        ("R22", 2, "gen_ai.tool.call.result"),
        ("R31", 2, "microsoft.a365.agent.blueprint.id"),
        ("R62", 1, "gen_ai.request.model"),
        ("R62", 3, "gen_ai.agent.name"),
    ]
    .map(|(rule, of, key)| (rule, of, json!({key: null})))
    .into();
    mistakes.extend([
        ("R01", 2, json!({"gen_ai.operation.name": "inference"})),
        ("R01", 3, json!({"gen_ai.operation.name": "apply_guardrail"})),
        ("R02", 3, json!({"gen_ai.operation.name": "Chat"})),
        ("R03", 3, json!({"microsoft.tenant.id": " "})),
        ("R04", 0, json!({"microsoft.a365.agent.blueprint.id": AGENT})),
        ("R05", 1, json!({"microsoft.agent.user.id": AGENT, "microsoft.agent.user.email": "bot@example.com"})),
        ("R13", 2, json!({"gen_ai.conversation.id": "conversation-2"})),
        ("R14", 1, json!({"microsoft.channel.name": "Teams"})),
        ("R15", 0, json!({"user.id": ""})),
        ("R16", 0, json!({"user.id": "29:1bSnHZ7Js2STWrgk6ScEErLk1Lp2zQuD5H2qQ960rtvstKp8tKLl"})),
        ("R16", 1, json!({"user.id": AGENT})),
        (
            "R17",
            0,
            json!({
                "microsoft.agent.user.id": "c0000000-0000-0000-0000-00000000000c",
                "microsoft.agent.user.email": "bot@example.com",
            }),
        ),
        ("R18", 0, json!({"client.address": "192.0.2.7:443"})),
        ("R24", 2, json!({"gen_ai.tool.call.result": "2026-11-28T10:00:00Z"})),
        ("R24", 2, json!({"gen_ai.tool.call.result": {"on": "Monday"}})),
        ("R30", 0, json!({"gen_ai.agent.type": "EntraEmbodied"})),
        ("R30", 2, json!({"microsoft.a365.agent.platform.id": "foundry"})),
        ("R57", 3, json!({"session.id": "s-1", "microsoft.session.id": "s-2"})),
        (
            "R58",
            0,
            json!({
                "microsoft.a365.caller.agent.id": AGENT, "microsoft.a365.caller.agent.name": "Librarian",
                "microsoft.a365.caller.agent.blueprint.id": BLUEPRINT,
            }),
        ),
        ("R62", 3, json!({"gen_ai.agent.name": ""})),
        ("R63", 2, json!({"gen_ai.agent.id": "another-agent"})),
        ("R63", 1, json!({"microsoft.tenant.id": "another-tenant"})),
    ]);
    mistakes
}

/// As [`wrong_attributes`], for fields of spans.
fn wrong_fields() -> [(&'static str, usize, &'static str, Value); 12] {
    [
        ("R09", 0, "parentSpanId", WEB.into()),
        ("R11", 2, "parentSpanId", Value::Null),
        ("R12", 2, "parentSpanId", WEB.into()),
        ("R25", 2, "spanId", "00F067AA0BA90203".into()),
        ("R25", 2, "spanId", "APBnqgupAgM=".into()),
        ("R25", 2, "spanId", "0000000000000000".into()),
        ("R26", 2, "kind", 3.into()),
        ("R26", 2, "status", json!({"code": 2})),
        (
            "R28",
            2,
            "endTimeUnixNano",
            1_764_999_999_999_999_999_u64.into(),
        ),
        ("R28", 3, "startTimeUnixNano", 1_765_000_000_000_u64.into()),
        ("R28", 3, "endTimeUnixNano", Value::Null),
        ("R28", 1, "startTimeUnixNano", "2026-11-28T10:00:00Z".into()),
    ]
}

#[test]
fn a_whole_run_causes_no_alarm() {
    let path = write("whole", &whole_run());
    let ran = run(&["check", &path]);
    assert!(
        ran.out
            .starts_with("0 errors, 0 warnings, 0 hints in 4 spans of 1 trace "),
        "{}",
        ran.out
    );
}

#[test]
fn each_of_the_seeded_mistakes_is_found_with_its_span_source_and_remedy() {
    const IDS: [&str; 4] = [ROOT, CHAT, TOOL, OUTPUT];
    let mut mistakes = Vec::new();
    for (rule, of, attributes) in wrong_attributes() {
        let mut spans = whole_run();
        set(&mut spans[of], &attributes);
        mistakes.push((rule, IDS[of].to_owned(), spans));
    }
    for (rule, of, field, value) in wrong_fields() {
        let mut spans = whole_run();
        spans[of][field] = value;
        let id = spans[of]["spanId"].as_str().unwrap().to_owned();
        mistakes.push((rule, id, spans));
    }
    // A run without root, one with two, and the span of a web server above the root.
    mistakes.push(("R08", CHAT.to_owned(), whole_run().split_off(1)));
    let mut spans = whole_run();
    let mut inner = spans[0].clone();
    inner["spanId"] = "00f067aa0ba90205".into();
    inner["parentSpanId"] = ROOT.into();
    spans.push(inner);
    mistakes.push(("R10", "00f067aa0ba90205".to_owned(), spans));
    let mut spans = whole_run();
    let mut web = spans[0].clone();
    web["spanId"] = WEB.into();
    web["name"] = "POST /chat".into();
    web["attributes"] = json!({"http.request.method": "POST"});
    spans.push(web);
    spans[0]["parentSpanId"] = WEB.into();
    mistakes.push(("R09", ROOT.to_owned(), spans));

    assert!(mistakes.len() >= 40, "{}", mistakes.len());
    for (number, (rule, at, spans)) in mistakes.iter().enumerate() {
        let path = write(&format!("seeded-{number}"), spans);
        let all = found(&path, "agent365");
        let is_hit = |(found, span, _): &(String, String, String)| found == rule && span == at;
        assert!(
            all.iter().any(is_hit),
            "seed {number}, {rule} at {at}: {all:?}"
        );
        // What else is said is of the same rule: one mistake is one thing to mend.
        let others: Vec<_> = all.iter().filter(|(found, ..)| found != rule).collect();
        assert!(
            others.is_empty(),
            "seed {number}, {rule} at {at}: {others:?}"
        );
        let ran = run(&["check", &path, "--fail-on", "warning"]);
        assert_eq!(ran.code, ExitCode::from(1), "seed {number}");
        assert!(
            ran.out.contains("  fix    ") && ran.out.contains("  source "),
            "{}",
            ran.out
        );
    }
}

#[test]
fn on_the_standard_wire_values_are_texts_and_kinds_are_numbers() {
    let standard = |change: &dyn Fn(&mut Value)| {
        let mut spans = whole_run();
        for span in &mut spans {
            let attributes = span["attributes"].take();
            let pairs = attributes.as_object().unwrap().iter();
            let pairs =
                pairs.map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
            span["attributes"] = pairs.collect();
            span["kind"] = 3.into();
            span["status"] = json!({"code": 0});
        }
        change(&mut spans[1]);
        spans
    };
    let tokens = |chat: &mut Value| {
        let attributes = chat["attributes"].as_array_mut().unwrap();
        attributes.push(json!({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "4"}}));
    };
    type Case<'a> = (&'a str, &'a [&'a str], &'a dyn Fn(&mut Value));
    let cases: [Case<'_>; 3] = [
        ("clean", &[], &|_| {}),
        ("tokens", &["R23"], &tokens),
        ("kind", &["R26"], &|chat| chat["kind"] = "CLIENT".into()),
    ];
    for (name, expected, change) in cases {
        let path = write(&format!("standard-{name}"), &standard(change));
        let all = found_with(&path, "agent365", &["--as-sent"]);
        let rules: Vec<&str> = all.iter().map(|(rule, ..)| rule.as_str()).collect();
        assert_eq!(rules, expected, "{name}: {all:?}");
        assert!(
            all.iter().all(|(_, span, _)| span == CHAT),
            "{name}: {all:?}"
        );
        // An exporter writes the spans anew.
        assert_eq!(found(&path, "agent365"), [], "{name}");
    }
}

#[test]
fn spans_of_other_conventions_are_judged_as_the_delivery_sends_them() {
    let identity = [
        (
            "microsoft.tenant.id",
            "e3064512-cc6d-4703-be71-a2ecaecaa98a",
        ),
        ("gen_ai.agent.id", AGENT),
    ];
    let write = |name: &str, more| {
        let body = call_in_openinference("a framework", more);
        file(
            "check",
            &format!("openinference-{name}.json"),
            &body.to_string(),
        )
    };
    let (whole, nobody) = (write("whole", &identity), write("nobody", &[]));
    for rules in ["agent365:package-filter", "agent365:v2", "agent365:v3"] {
        let of_span = |path: &str, more: &[&str]| {
            let all = found_with(path, rules, more);
            let all = all.into_iter().map(|(rule, ..)| rule);
            // A call by itself is no whole run.
            all.filter(|rule| rule != "R08").collect::<Vec<_>>()
        };
        assert_eq!(of_span(&whole, &[]), [""; 0], "{rules}");
        assert_eq!(of_span(&whole, &["--as-sent"])[0], "R01", "{rules}");
        assert_eq!(of_span(&nobody, &[]), ["R03", "R03"], "{rules}");
    }
    let shown = |path: &str| run(&["show", path]).out;
    assert!(!shown(&whole).contains("refused"), "{}", shown(&whole));
    // Nobody means it for Agent 365.
    assert!(!shown(&nobody).contains("refused"), "{}", shown(&nobody));
    let half = write("half", &identity[..1]);
    assert!(
        shown(&half).contains("1 refused by Agent 365"),
        "{}",
        shown(&half)
    );
}

#[test]
fn a_finding_of_many_spans_is_told_once_with_the_first_of_them() {
    let mut spans = run_of_an_agent();
    for number in 0..10 {
        let mut tool = spans[2].clone();
        tool["spanId"] = format!("00f067aa0ba9030{number}").into();
        set(&mut tool, &json!({"gen_ai.operation.name": "use_tool"}));
        spans.push(tool);
    }
    let path = write("many", &spans);
    let arguments = ["check", &path, "--for", "agent365:package-filter"];
    let named = |out: &str| {
        out.lines()
            .filter(|line| line.starts_with("  span "))
            .count()
    };
    let some = run(&arguments).out;
    let head = "error R01 unknown-operation: gen_ai.operation.name (10 times)\n";
    assert!(some.starts_with(head), "{some}");
    assert_eq!(
        (named(&some), some.matches("  fix ").count()),
        (3, 1),
        "{some}"
    );
    assert!(
        some.contains("\n  and 7 more: --all shows them\n"),
        "{some}"
    );
    let all = run(&[&arguments[..], &["--all"]].concat()).out;
    assert_eq!(named(&all), 10, "{all}");
    assert!(
        all.ends_with(
            "10 errors, 0 warnings, 0 hints in 13 spans of 1 trace (agent365:package-filter)\n"
        ),
        "{all}"
    );
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
