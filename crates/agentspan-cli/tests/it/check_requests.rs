//! `agentspan check` of requests: where they go, how long they are, and whose spans they have.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{file, run};

const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";
const OTHER: &str = "b0000000-0000-0000-0000-00000000000b";

/// The root of a run of this agent.
fn span(number: u8, tenant: &str, agent: &str) -> Value {
    json!({
        "traceId": format!("4bf92f3577b34da6a3ce929d0e0e47{number:02x}"), "spanId": "00f067aa0ba90201", "parentSpanId": null,
        "name": "invoke_agent Librarian", "kind": "INTERNAL",
        "startTimeUnixNano": 1_765_000_000_000_000_000_u64, "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": {"gen_ai.operation.name": "invoke_agent", "microsoft.tenant.id": tenant, "gen_ai.agent.id": agent},
        "events": null, "links": null, "status": {"code": "UNSET", "message": ""},
    })
}

fn body(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"resource": {"attributes": {}}, "scopeSpans": [{"scope": {}, "spans": spans}]}]})
}

fn url(tenant: &str, agent: &str) -> String {
    format!(
        "https://agent365.svc.cloud.microsoft/observability/tenants/{tenant}/otlp/agents/{agent}/traces?api-version=1"
    )
}

/// What a request of one span of the agent is said to break.
fn found(name: &str, text: &str, rules: &str) -> Vec<(String, Option<String>)> {
    let path = file("check-requests", &format!("{name}.jsonl"), text);
    let ran = run(&["check", &path, "--for", rules, "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.errors));
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            assert_eq!(
                (finding["file"].as_str(), finding["line"].as_u64()),
                (Some(path.as_str()), Some(1)),
                "{finding}"
            );
            let text = |member: &str| finding[member].as_str().map(str::to_owned);
            assert!(text("fix").is_some() && text("source").is_some());
            (text("rule").unwrap(), text("span"))
        })
        .collect()
}

#[test]
fn a_request_that_goes_wrong_is_found_by_its_rule() {
    let one = || body(&[span(1, TENANT, AGENT)]);
    let right = url(TENANT, AGENT);
    let at_span = Some("00f067aa0ba90201".to_owned());
    type Case<'a> = (&'a str, Value, Vec<(&'a str, Option<String>)>);
    let cases: [Case<'_>; 13] = [
        ("right", json!({"url": right, "body": one()}), vec![]),
        (
            "as-text",
            json!({"url": right, "body": one().to_string()}),
            vec![],
        ),
        (
            "other-tenant",
            json!({"url": url(OTHER, AGENT), "body": one()}),
            vec![("R06", at_span.clone())],
        ),
        (
            "other-agent",
            json!({"url": url(TENANT, OTHER), "body": one().to_string()}),
            vec![("R29", at_span)],
        ),
        (
            "encoded",
            json!({"url": url("%65", AGENT), "body": one()}),
            vec![],
        ),
        (
            "without-otlp",
            json!({"target": right.replace("/otlp", ""), "body": one()}),
            vec![("R34", None)],
        ),
        (
            "without-version",
            json!({"path": right.replace("?api-version=1", ""), "body": one()}),
            vec![("R35", None)],
        ),
        (
            "long-by-header",
            json!({"url": right, "headers": {"Content-Length": "1000001"}, "body": one()}),
            vec![("R27", None)],
        ),
        (
            "just-short-enough",
            json!({"url": right, "headers": {"content-length": 1_000_000}, "body": one()}),
            vec![],
        ),
        (
            "compressed",
            json!({"url": right, "headers": {"content-encoding": "gzip", "content-length": "1000001"}, "body": one()}),
            vec![],
        ),
        (
            "two-agents",
            json!({"headers": {}, "body": body(&[span(1, TENANT, AGENT), span(2, TENANT, OTHER)])}),
            vec![("R29", None)],
        ),
        // Nobody says that it was sent like this.
        (
            "two-agents-unsent",
            body(&[span(1, TENANT, AGENT), span(2, TENANT, OTHER)]),
            vec![],
        ),
        // What goes elsewhere is no request to Agent 365.
        (
            "elsewhere",
            json!({"url": "http://127.0.0.1:4318/v1/traces", "body": body(&[span(1, TENANT, AGENT), span(2, TENANT, OTHER)])}),
            vec![],
        ),
    ];
    for (name, request, expected) in cases {
        let all = found(name, &format!("{request}\n"), "agent365:package-filter");
        let all: Vec<_> = all
            .iter()
            .map(|(rule, span)| (rule.as_str(), span.clone()))
            .collect();
        assert_eq!(all, expected, "{name}");
    }
}

#[test]
fn a_body_counts_as_long_as_it_is_on_its_way() {
    let mut long = span(1, TENANT, AGENT);
    long["attributes"]["gen_ai.input.messages"] = "é".repeat(500_000).into();
    let body = body(&[long]);
    assert!(body.to_string().len() > 1_000_000);
    let rules = |name: &str, text: &str| {
        let all = found(name, text, "agent365:package-filter");
        all.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(rules("long", &format!("{body}\n")), ["R27"]);
    let indented = serde_json::to_string_pretty(&body).unwrap();
    assert_eq!(rules("long-for-people", &indented), ["R27"]);
    // Blanks that only people read do not count.
    let spans: Vec<Value> = (0..250).map(|at| span(at, TENANT, AGENT)).collect();
    let short = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let indent = format!("\n{}", " ".repeat(400));
    let spread = serde_json::to_string_pretty(&short)
        .unwrap()
        .replace('\n', &indent);
    assert!(spread.len() > 1_000_000 && short.to_string().len() < 1_000_000);
    assert_eq!(rules("short-for-people", &spread), [""; 0]);
}

#[test]
fn what_an_exporter_is_given_is_no_request_unless_it_is_sent_as_it_stands() {
    let mut spans = [span(1, TENANT, AGENT), span(2, TENANT, OTHER)];
    for span in &mut spans {
        let attributes = span["attributes"].take();
        let pairs = attributes.as_object().unwrap().iter();
        let pairs = pairs.map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
        span["attributes"] = pairs.collect();
        (span["kind"], span["status"]) = (1.into(), json!({"code": 0}));
    }
    let text = format!("{}\n", json!({"headers": {}, "body": body(&spans)}));
    assert_eq!(found("given", &text, "agent365:package-filter"), []);
    let path = file("check-requests", "sent.jsonl", &text);
    let ran = run(&[
        "check",
        &path,
        "--for",
        "agent365:package-filter",
        "--as-sent",
    ]);
    assert!(
        ran.out.contains("warning R29 mixed-identities"),
        "{}",
        ran.out
    );
}

/// Each generation has its own keys, and its exporter its own operations.
#[test]
fn a_profile_says_whose_exporter_sends_the_spans() {
    let with = |changes: Value| {
        let mut span = span(1, TENANT, AGENT);
        let attributes = span["attributes"].as_object_mut().unwrap();
        for (key, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(attributes.remove(key)),
                value => drop(attributes.insert(key.clone(), value.clone())),
            }
        }
        format!("{}\n", body(&[span]))
    };
    let usual = with(json!({}));
    let completion = with(json!({"gen_ai.operation.name": "text_completion"}));
    let first = with(
        json!({"microsoft.tenant.id": null, "gen_ai.operation.name": null, "tenant.id": TENANT}),
    );
    let expected: [(&str, &str, &[&str]); 9] = [
        ("v2", &usual, &[]),
        ("v3", &usual, &[]),
        ("v0.1", &usual, &["R03"]),
        // A call of a model outside of any run.
        ("v2", &completion, &["R08"]),
        ("v3", &completion, &["R01", "R08"]),
        ("v0.1", &first, &[]),
        ("v2", &first, &["R01", "R03"]),
        ("v3", &first, &["R01", "R03"]),
        (
            "v0.1",
            &first.replace("00f067aa0ba90201", "00F067AA0BA90201"),
            &["R25"],
        ),
    ];
    for (number, (profile, text, rules)) in expected.into_iter().enumerate() {
        let rule_set = format!("agent365:{profile}");
        let all = found(&format!("profile-{number}"), text, &rule_set);
        let all: Vec<&str> = all.iter().map(|(rule, _)| rule.as_str()).collect();
        assert_eq!(all, rules, "{profile}: {text}");
    }
    let path = file("check-requests", "named.jsonl", &usual);
    let ran = run(&["check", &path, "--for", "agent365:v3"]);
    assert_eq!(ran.code, ExitCode::SUCCESS);
    assert!(ran.out.contains("(agent365:v3)"), "{}", ran.out);
    assert_eq!(
        run(&["check", &path, "--for", "agent365:v4"]).code,
        ExitCode::from(2)
    );
}
