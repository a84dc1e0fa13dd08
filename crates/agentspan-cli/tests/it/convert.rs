//! `agentspan convert`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{Ran, file, run, vector};

fn convert(path: &str, to: &str) -> Ran {
    let ran = run(&["convert", path, "--to", to]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{to}: {}", ran.errors);
    ran
}

/// What `show` says, without ids of traces.
fn shown(path: &str) -> String {
    run(&["show", "--contents", path]).out
}

#[test]
fn a_recording_comes_back_from_otlp_with_all_its_masks() {
    let text = std::fs::read_to_string(vector("agentspec_real_run.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut lines: Vec<Value> = lines
        .filter(|line| line["run"] == "agent_with_tool")
        .collect();
    // Somebody has masked what the model was asked.
    for line in &mut lines {
        for part in ["event", "span"] {
            mask(&mut line[part]);
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let original = file("convert", "original.jsonl", &text);
    let otlp = file("convert", "otlp.jsonl", &convert(&original, "otlp").out);
    let back = file("convert", "back.jsonl", &convert(&otlp, "agentspec").out);
    let ends = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ends = lines.filter(|line| line["hook"] == "on_end");
        let mut ends: Vec<(String, Value)> = ends
            .map(|line| (line["span"]["id"].to_string(), line["span"].clone()))
            .collect();
        ends.sort_by(|a, b| a.0.cmp(&b.0));
        ends
    };
    let (before, after) = (ends(&original), ends(&back));
    assert_eq!(before.len(), 5);
    for ((_, before), (id, after)) in before.iter().zip(&after) {
        for member in [
            "name",
            "start_time",
            "end_time",
            "type",
            "description",
            "metadata",
        ] {
            assert_eq!(before[member], after[member], "{id} {member}");
        }
    }
    assert_eq!(shown(&original), shown(&back));
    let back_text = std::fs::read_to_string(&back).unwrap();
    assert!(back_text.contains("** MASKED **") && !back_text.contains("weather in Agadir"));
    // The order of calls is one that Agent Spec allows.
    let ran = run(&["check", &back, "--for", "agentspec"]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.out);
}

fn mask(part: &mut Value) {
    if let Some(prompt) = part.get_mut("prompt") {
        *prompt = "** MASKED **".into();
    }
    for event in part
        .get_mut("events")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        mask(event);
    }
}

#[test]
fn requests_to_agent_365_become_otlp_and_come_back() {
    let span = json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "parentSpanId": null,
        "name": "chat", "kind": "CLIENT", "startTimeUnixNano": 1_765_000_000_000_000_001_u64,
        "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": {
            "gen_ai.operation.name": "chat", "microsoft.tenant.id": "tenant", "gen_ai.agent.id": "agent",
            "gen_ai.usage.input_tokens": 4, "gen_ai.request.temperature": 0.5, "flag": true,
            "gen_ai.response.finish_reasons": ["stop"], "gen_ai.input.messages": "** MASKED **",
        },
        "events": [{"timeUnixNano": 1_765_000_000_000_000_002_u64, "name": "e", "attributes": {"k": "v"}}],
        "links": null, "status": {"code": "ERROR", "message": "no"},
    });
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": {"service.name": "s"}},
        "scopeSpans": [{"scope": {"name": "Agent365Sdk", "version": "1"}, "spans": [span]}],
    }]});
    let flat = file("convert", "flat.jsonl", &format!("{body}\n"));
    let otlp = convert(&flat, "otlp").out;
    let json: Value = serde_json::from_str(&otlp).unwrap();
    let resource = &json["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"][0]["value"],
        json!({"stringValue": "s"})
    );
    let found = &resource["scopeSpans"][0]["spans"][0];
    assert_eq!(
        (
            &found["kind"],
            &found["status"],
            &found["startTimeUnixNano"]
        ),
        (
            &json!(3),
            &json!({"code": 2, "message": "no"}),
            &json!("1765000000000000001")
        )
    );
    let back = convert(&file("convert", "flat-otlp.jsonl", &otlp), "agent365").out;
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), body);
}

/// A call of a model in the words of OpenInference, with more attributes.
pub(super) fn call_in_openinference(scope: &str, more: &[(&str, &str)]) -> Value {
    let own = [
        ("openinference.span.kind", "LLM"),
        ("llm.model_name", "gpt-4o"),
        ("llm.provider", "openai"),
        ("input.value", "hi"),
    ];
    let pairs = own.iter().chain(more);
    let pairs = pairs.map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
    json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": [{
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": "1796025889416163840", "endTimeUnixNano": "1796025889426163840",
        "attributes": pairs.collect::<Vec<_>>(),
    }]}]}]})
}

#[test]
fn spans_of_openinference_are_translated_whether_they_name_a_tenant_or_not() {
    let tenants: [&[(&str, &str)]; 3] = [
        &[],
        &[
            ("microsoft.tenant.id", "tenant"),
            ("gen_ai.agent.id", "agent"),
        ],
        &[("tenant.id", "tenant"), ("gen_ai.agent.id", "agent")],
    ];
    for (number, tenant) in tenants.into_iter().enumerate() {
        for (profile, key) in [("v2", "microsoft.tenant.id"), ("v0.1", "tenant.id")] {
            let body = call_in_openinference("a framework", tenant).to_string();
            let path = file("convert", &format!("openinference-{number}.json"), &body);
            let ran = run(&["convert", &path, "--to", "agent365", "--profile", profile]);
            let body: Value = serde_json::from_str(&ran.out).unwrap();
            let found = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"];
            let operation = found["gen_ai.operation.name"].as_str().unwrap();
            assert_eq!(operation.to_lowercase(), "chat", "{tenant:?} {profile}");
            assert_eq!(found["openinference.span.kind"], Value::Null, "{found}");
            let tenants = ["microsoft.tenant.id", "tenant.id"].map(|key| &found[key]);
            let named = usize::from(!tenant.is_empty());
            assert_eq!(tenants.iter().filter(|id| id.is_string()).count(), named);
            assert_eq!(found[key].is_string(), named == 1, "{profile}: {found}");
        }
    }
}

#[test]
fn spans_in_the_words_of_the_generation_come_back_from_otlp_as_they_were() {
    // Not by a scope of Agent 365, so that they are read and written again.
    let messages = r#"[{"parts":[{"content":"** MASKED **","type":"text"}],"role":"user"}]"#;
    let span = json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "parentSpanId": null,
        "name": "chat gpt-4o", "kind": "CLIENT", "startTimeUnixNano": 1_765_000_000_000_000_001_u64,
        "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": {
            "gen_ai.operation.name": "chat", "microsoft.tenant.id": "tenant", "gen_ai.agent.id": "agent",
            "gen_ai.usage.input_tokens": 4, "gen_ai.request.temperature": 0.5, "flag": true,
            "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
            "gen_ai.response.finish_reasons": "[\"stop\"]", "gen_ai.input.messages": messages,
            "gen_ai.output.messages": messages, "microsoft.channel.name": "web",
        },
        "events": null, "links": null, "status": {"code": "UNSET", "message": ""},
    });
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": {"service.name": "s"}},
        "scopeSpans": [{"scope": {"name": "a framework", "version": "1"}, "spans": [span]}],
    }]});
    let flat = file("convert", "words.jsonl", &format!("{body}\n"));
    let otlp = convert(&flat, "otlp").out;
    let back = convert(&file("convert", "words-otlp.jsonl", &otlp), "agent365").out;
    let back = serde_json::from_str(&back).unwrap();
    assert_eq!(with_messages_read(back), with_messages_read(body));
}

/// Reads the texts that are messages: the order of their members depends on features of `serde_json`.
fn with_messages_read(mut body: Value) -> Value {
    let attributes = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"];
    for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
        let text = attributes[key].as_str().unwrap();
        attributes[key] = serde_json::from_str(text).unwrap();
    }
    body
}

#[test]
fn requests_of_the_direct_profile_are_otlp_with_every_value_as_a_string() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let span = json!({
        "traceId": id, "spanId": "00f067aa0ba90201", "parentSpanId": null,
        "name": "chat", "kind": "CLIENT", "startTimeUnixNano": 1_765_000_000_000_000_001_u64,
        "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": {
            "gen_ai.operation.name": "chat", "microsoft.tenant.id": "tenant", "gen_ai.agent.id": "agent",
            "gen_ai.usage.input_tokens": 4, "gen_ai.request.temperature": 0.5, "flag": true,
            "gen_ai.response.finish_reasons": ["stop"], "nothing": null,
        },
        "events": [{"timeUnixNano": 1_765_000_000_000_000_002_u64, "name": "e", "attributes": {"k": 1}}],
        "links": null, "status": {"code": "UNSET", "message": null},
    });
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": {"service.name": "s"}},
        "scopeSpans": [{"scope": {"name": "n", "version": null}, "spans": [span]}],
    }]});
    let path = file("convert", "direct.jsonl", &format!("{body}\n"));
    let ran = run(&["convert", &path, "--to", "agent365", "--profile", "direct"]);
    let pair = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let resource = &found["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"],
        json!([pair("service.name", "s")])
    );
    assert_eq!(resource["scopeSpans"][0]["scope"], json!({"name": "n"}));
    let mut span = resource["scopeSpans"][0]["spans"][0].clone();
    let attributes = span["attributes"].take();
    let has = |key: &str, text: &str| {
        let pairs = attributes.as_array().unwrap();
        assert!(pairs.contains(&pair(key, text)), "{key}: {attributes}");
    };
    has("gen_ai.operation.name", "chat");
    has("gen_ai.usage.input_tokens", "4");
    has("gen_ai.request.temperature", "0.5");
    has("flag", "true");
    has("gen_ai.response.finish_reasons", "[\"stop\"]");
    assert_eq!(attributes.as_array().unwrap().len(), 7);
    let expected = json!({
        "traceId": id, "spanId": "00f067aa0ba90201", "name": "chat", "kind": 3,
        "startTimeUnixNano": "1765000000000000001", "endTimeUnixNano": "1765000001000000000",
        "attributes": null,
        "events": [{"timeUnixNano": "1765000000000000002", "name": "e", "attributes": [pair("k", "1")]}],
    });
    assert_eq!(span, expected);
}

#[test]
fn a_recording_becomes_requests_that_agent_365_takes() {
    let arguments = [
        "convert",
        &vector("agentspec_real_run.jsonl"),
        "--to",
        "agent365",
        "--tenant",
        "e3064512-cc6d-4703-be71-a2ecaecaa98a",
        "--agent",
        "a0000000-0000-0000-0000-00000000000a",
    ];
    let ran = run(&arguments);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    for line in ran.out.lines() {
        let body: Value = serde_json::from_str(line).unwrap();
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .unwrap()
        {
            let attributes = span["attributes"].as_object().unwrap();
            assert_eq!(
                attributes["gen_ai.agent.id"],
                "a0000000-0000-0000-0000-00000000000a"
            );
            assert!(
                attributes.keys().all(|key| !key.starts_with("agentspec.")),
                "{attributes:?}"
            );
        }
    }
    let path = file("convert", "of-recording.jsonl", &ran.out);
    let ran = run(&[
        "check",
        &path,
        "--for",
        "agent365:package-filter",
        "--format",
        "json",
    ]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = json["findings"].as_array().unwrap();
    // Its flows are no operations of Agent 365.
    let is_about_flows =
        |finding: &Value| ["R09", "R12"].contains(&finding["rule"].as_str().unwrap());
    assert!(findings.iter().all(is_about_flows), "{findings:#?}");
}

#[test]
fn ids_that_could_break_out_of_a_url_are_no_options() {
    let path = vector("agentspec_real_run.jsonl");
    for option in ["--tenant", "--agent"] {
        for id in ["../x", "..", "a/b", "a?b", " ", "a\u{200b}b"] {
            let ran = run(&["convert", &path, "--to", "agent365", option, id]);
            assert_eq!(
                (ran.code, &*ran.out),
                (ExitCode::from(2), ""),
                "{option} {id:?}"
            );
            assert!(ran.errors.contains(option), "{}", ran.errors);
            let ran = run(&["doctor", option, id]);
            assert_eq!(
                (ran.code, &*ran.out),
                (ExitCode::from(2), ""),
                "{option} {id:?}"
            );
        }
    }
}

#[test]
fn a_generation_has_the_same_names_everywhere() {
    let path = vector("agentspec_real_run.jsonl");
    for name in ["v0.1", "v2", "v3", "direct"] {
        let long = format!("agent365:{name}");
        let of_check = |word: &str| {
            let ran = run(&["check", &path, "--for", word]);
            assert_ne!(ran.code, ExitCode::from(2), "{word}: {}", ran.errors);
            ran.out
        };
        assert_eq!(of_check(name), of_check(&long));
        let of_convert = |word: &str| {
            let ran = run(&["convert", &path, "--to", "agent365", "--profile", word]);
            assert_eq!(ran.code, ExitCode::SUCCESS, "{word}: {}", ran.errors);
            ran.out
        };
        assert_eq!(of_convert(name), of_convert(&long));
    }
}

#[test]
fn spans_that_are_not_of_agent_spec_are_counted() {
    let span = r#"{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba90201", "name": "GET"}"#;
    let ran = run(&[
        "convert",
        &file("convert", "web.json", span),
        "--to",
        "agentspec",
    ]);
    assert_eq!((ran.code, ran.out.as_str()), (ExitCode::from(1), ""));
    assert!(
        ran.errors
            .contains("skipped 1 span without Agent Spec attributes"),
        "{}",
        ran.errors
    );
}

/// The runs of a recording, each with the ids and the names of its spans.
fn runs(recording: &str) -> BTreeMap<Option<String>, BTreeSet<(String, String)>> {
    let lines = recording
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut runs: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in lines.filter(|line| line["hook"] == "on_start") {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let span = (text(&line["span"]["id"]), text(&line["span"]["name"]));
        let run = line["run"].as_str().map(str::to_owned);
        assert!(runs.entry(run).or_default().insert(span), "{line}");
    }
    runs
}

#[test]
fn the_names_of_runs_survive_every_form_that_has_spans_of_agent_spec() {
    let mut text = std::fs::read_to_string(vector("agentspec_real_run.jsonl")).unwrap();
    let before = runs(&text);
    assert!(before.len() > 5 && before.keys().all(Option::is_some));
    // One recording more, which has no name.
    let unnamed = text.lines().filter(|line| line.contains("agent_with_tool"));
    let unnamed: String = unnamed
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("run");
            if let Some(trace) = line.get_mut("trace").filter(|trace| !trace.is_null()) {
                trace["id"] = "00000000-0000-4000-8000-0000000000ff".into();
            }
            format!("{line}\n")
        })
        .collect();
    text.push_str(&unnamed);
    let before = runs(&text);
    let original = file("convert", "runs.jsonl", &text);
    let same = convert(&original, "agentspec").out;
    assert_eq!(runs(&same), before);
    let otlp = file(
        "convert",
        "runs-otlp.jsonl",
        &convert(&original, "otlp").out,
    );
    assert_eq!(runs(&convert(&otlp, "agentspec").out), before);
    let again = file("convert", "runs-again.jsonl", &same);
    assert_eq!(runs(&convert(&again, "agentspec").out), before);
    // Agent 365 gets the name with the resource, since its spans have no room for it.
    let bodies = convert(&original, "agent365").out;
    assert!(
        bodies.contains(r#""agentspan.recording.run":"tool_failure""#),
        "{bodies}"
    );
}
