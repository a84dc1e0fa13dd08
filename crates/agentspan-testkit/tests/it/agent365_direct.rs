//! The loopback Agent 365 for senders without a package: what it takes, and each thing that it refuses.

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{ATTRIBUTES, Operation, Requirement, RuleSet};
use agentspan_testkit::{Agent365, Agent365Builder};
use serde_json::{Value, json};

use crate::agent365::{AGENT, SPAN, TENANT, app_only, body, check, headers, post, service_path};

fn builder() -> Agent365Builder {
    Agent365::builder().profile(Profile::Direct)
}

fn pair(key: &str, text: &str) -> Value {
    json!({"key": key, "value": {"stringValue": text}})
}

/// What the reference demands of each span of an operation.
fn mandatory(operation: Operation) -> Vec<&'static str> {
    let attributes = ATTRIBUTES.iter();
    let mandatory = attributes.filter(|attribute| {
        attribute.requirement(operation, RuleSet::default()) == Requirement::Mandatory
    });
    mandatory.map(|attribute| attribute.key).collect()
}

/// A span with all that is mandatory for its operation, also for an agent with a user that another one calls.
fn span(operation: Operation) -> Value {
    let known = [
        ("gen_ai.operation.name", operation.name()),
        ("microsoft.tenant.id", TENANT),
        ("gen_ai.agent.id", AGENT),
    ];
    let demanded = ATTRIBUTES.iter().filter(|attribute| {
        matches!(
            attribute.requirement(operation, RuleSet::default()),
            Requirement::Mandatory
                | Requirement::MandatoryUnlessFailed
                | Requirement::MandatoryIfEmbodied
                | Requirement::MandatoryBetweenAgents
        )
    });
    let attributes = demanded.map(|attribute| {
        let known = known.iter().find(|(of, _)| *of == attribute.key);
        pair(attribute.key, known.map_or("1", |(_, text)| text))
    });
    json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": SPAN, "name": operation.name(), "kind": 3,
        "startTimeUnixNano": "1765000000000000001", "endTimeUnixNano": "1765000000000000002",
        "attributes": attributes.collect::<Vec<_>>(),
    })
}

fn chat() -> Value {
    span(Operation::Chat)
}

/// The same span without an attribute.
fn without(mut span: Value, key: &str) -> Value {
    let attributes = span["attributes"].as_array_mut().unwrap();
    attributes.retain(|pair| pair["key"] != key);
    span
}

fn with(mut span: Value, pair: Value) -> Value {
    span["attributes"].as_array_mut().unwrap().push(pair);
    span
}

fn answer_of(service: &Agent365, span: &Value) -> Value {
    let body = body(std::slice::from_ref(span));
    let answer = post(service, &service_path(), &headers(&app_only()), &body);
    check(&answer, 200, "");
    serde_json::from_str(&answer.1).unwrap()
}

/// What every sink says of the only span.
fn said(answer: &Value) -> Value {
    let sinks = answer["results"][0]["sinks"].as_object().unwrap();
    let mut sinks = sinks.values();
    let first = sinks.next().unwrap().clone();
    assert!(sinks.all(|sink| *sink == first), "{answer}");
    first
}

#[test]
fn a_span_with_all_that_is_mandatory_is_sent() {
    let service = builder().start().unwrap();
    for operation in Operation::ALL {
        let answer = answer_of(&service, &span(operation));
        assert_eq!(said(&answer), json!({"status": "sent"}), "{operation:?}");
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], 0);
    }
    assert_eq!(service.rows().len(), 4);
}

#[test]
fn each_mandatory_attribute_is_missed() {
    let service = builder().start().unwrap();
    // What names operation and identity decides whether the span is known at all.
    let of_identity = [
        "gen_ai.operation.name",
        "microsoft.tenant.id",
        "gen_ai.agent.id",
    ];
    for operation in Operation::ALL {
        let keys = mandatory(operation).into_iter();
        for key in keys.filter(|key| !of_identity.contains(key)) {
            let answer = answer_of(&service, &without(span(operation), key));
            let missing = json!({"status": "rejected", "reason": "attribute_missing"});
            assert_eq!(said(&answer), missing, "{operation:?} without {key}");
        }
    }
    assert!(service.rows().is_empty());
}

#[test]
fn a_value_that_is_no_string_is_rejected() {
    let service = builder().start().unwrap();
    for value in [
        json!({"intValue": "4"}),
        json!({"boolValue": true}),
        json!({"arrayValue": {"values": [{"stringValue": "a"}]}}),
    ] {
        let answer = answer_of(
            &service,
            &with(chat(), json!({"key": "own", "value": value})),
        );
        let expected = json!({"status": "rejected", "reason": "attribute_not_a_string"});
        assert_eq!(said(&answer), expected);
    }
}

#[test]
fn older_answers_count_what_is_rejected() {
    let service = builder().without_results().start().unwrap();
    let model = "gen_ai.request.model";
    let answer = answer_of(&service, &without(chat(), model));
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], 1);
    assert_eq!(answer.get("results"), None);
}

#[test]
fn other_operations_and_tenants_are_counted_and_have_no_result() {
    let service = builder().start().unwrap();
    for (key, text) in [
        ("gen_ai.operation.name", "text_completion"),
        ("gen_ai.operation.name", "Chat"),
        ("microsoft.tenant.id", "another"),
        ("gen_ai.agent.id", "another"),
    ] {
        let span = with(without(chat(), key), pair(key, text));
        let answer = answer_of(&service, &span);
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], 1, "{key}");
        assert_eq!(answer["results"], json!([]), "{key}");
    }
}

#[test]
fn spans_of_a_tenant_without_a_licence_are_routed_nowhere() {
    let service = builder().without_licence(TENANT).start().unwrap();
    let answer = answer_of(&service, &chat());
    let expected = json!({"status": "not_routed", "reason": "tenant_not_licensed"});
    assert_eq!(said(&answer), expected);
}

#[test]
fn a_body_that_is_no_otlp_is_refused() {
    let service = builder().start().unwrap();
    let changed = |name: &str, value: Value| {
        let mut span = chat();
        span[name] = value;
        body(&[span])
    };
    let with_events = json!([{"name": "e", "attributes": {"k": "v"}}]);
    let unread = json!({"key": "k", "value": {"stringValue": "a", "intValue": "1"}});
    let mut resource: Value = serde_json::from_str(&body(&[chat()])).unwrap();
    resource["resourceSpans"][0]["resource"] = json!({"attributes": {"service.name": "s"}});
    for (what, body) in [
        ("resourceSpans", "{}".to_owned()),
        ("scopeSpans", json!({"resourceSpans": [{}]}).to_string()),
        ("resource", resource.to_string()),
        (
            "attributes",
            changed("attributes", json!({"gen_ai.operation.name": "chat"})),
        ),
        ("attributes", body(&[with(chat(), unread)])),
        ("events", changed("events", with_events)),
        ("events", changed("events", json!({}))),
        ("links", changed("links", json!("none"))),
        ("traceId", changed("traceId", json!("0".repeat(32)))),
        ("spanId", changed("spanId", json!("short"))),
        ("parentSpanId", changed("parentSpanId", Value::Null)),
        ("name", changed("name", Value::Null)),
        ("kind", changed("kind", json!("CLIENT"))),
        (
            "startTimeUnixNano",
            changed("startTimeUnixNano", json!("2025-01-01")),
        ),
        ("endTimeUnixNano", changed("endTimeUnixNano", Value::Null)),
        ("status", changed("status", json!({"code": "ERROR"}))),
    ] {
        let answer = post(&service, &service_path(), &headers(&app_only()), &body);
        check(&answer, 400, &format!("the body is no OTLP/JSON: {what}"));
    }
    assert!(service.rows().is_empty());
}
