//! Spans reach the service under their own identity, or not at all.

use agentspan_agent365::DropReason;
use agentspan_testkit::{Answer, CapturedLogs};
use futures_executor::block_on;
use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanExporter;

use crate::any_span::plain_span;
use crate::delivery_fixture::{
    TENANT, check_conserved, export, exporter_to, service, span_of, token,
};

/// Exports one span of the identity beside one of a good identity.
fn check_refused(tenant: impl Into<Value>, agent: impl Into<Value>, cause: &str) {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token("t"));
    let bad = span_of(tenant, agent);
    let report = export(&exporter, vec![bad.clone(), span_of(TENANT, "good")]);
    assert_eq!((report.exported(), report.dropped()), (1, 1), "{cause}");
    assert_eq!(report.dropped_for(DropReason::BadIdentity), 1);
    assert_eq!(report.refused[0].error.to_string(), cause);
    let targets: Vec<_> = service.requests().into_iter().map(|r| r.target).collect();
    assert_eq!(
        targets,
        ["/maven/agent365/agents/good/traces?api-version=1"]
    );
    let error = block_on(exporter.export(vec![bad])).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Operation failed: 1 of 1 span was lost; {cause}")
    );
    check_conserved(exporter.delivery());
}

#[test]
fn t02_an_agent_id_that_could_leave_its_segment_is_refused() {
    check_refused(TENANT, "..", "agent id must not be `.` or `..`");
    check_refused(
        TENANT,
        "a/../b",
        "agent id contains the forbidden character '/' at byte 1",
    );
    check_refused(
        TENANT,
        "a?x=1",
        "agent id contains the forbidden character '?' at byte 1",
    );
    check_refused(
        TENANT,
        "a#b",
        "agent id contains the forbidden character '#' at byte 1",
    );
    check_refused(
        TENANT,
        "%2e%2e",
        "agent id contains the forbidden character '%' at byte 0",
    );
    check_refused(
        TENANT,
        "a\r\nx: y",
        "agent id contains the forbidden character '\\r' at byte 1",
    );
}

#[test]
fn a_tenant_id_that_is_no_host_is_refused() {
    check_refused(
        "bad tenant",
        "a",
        "tenant id holds ' ' at byte 3, and a host allows only ASCII letters, digits and dashes",
    );
    check_refused(
        "contoso.evil.example",
        "a",
        "tenant id holds '.' at byte 7, and a host allows only ASCII letters, digits and dashes",
    );
    check_refused(
        format!("{TENANT}\n"),
        "a",
        "tenant id contains the forbidden character '\\n' at byte 36",
    );
    check_refused(
        "x".repeat(200),
        "a",
        "tenant id makes a host label of 201 bytes, and at most 63 are allowed",
    );
}

#[test]
fn an_id_that_is_no_string_is_refused() {
    check_refused(12_345, "7", "tenant or agent id is not a string");
    check_refused(TENANT, 7, "tenant or agent id is not a string");
    check_refused(TENANT, true, "tenant or agent id is not a string");
}

#[test]
fn spans_without_an_identity_are_counted_and_the_export_succeeds() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token("t"));
    let spans = vec![plain_span(), span_of(TENANT, "  "), span_of(TENANT, "a")];
    block_on(exporter.export(spans)).unwrap();
    let stats = exporter.stats();
    assert_eq!(
        (stats.exported, stats.dropped_for(DropReason::NoIdentity)),
        (1, 2)
    );
    assert_eq!(service.request_count(), 1);
    check_conserved(exporter.delivery());
}

#[test]
fn a_span_without_an_identity_is_logged_with_the_attributes_that_it_lacks() {
    let logs = CapturedLogs::everywhere();
    let exporter = exporter_to(&service([]), token("t"));
    let spans = vec![plain_span(), span_of(TENANT, "  "), span_of(" ", "a")];
    block_on(exporter.export(spans)).unwrap();
    for missing in ["tenant.id, gen_ai.agent.id", "gen_ai.agent.id", "tenant.id"] {
        let field = format!("missing=\"{missing}\"");
        assert!(logs.contains(&field), "{missing}: {}", logs.text());
    }
    // Only that crate reads it.
    let remedy = logs.text().find("with the crate agentspan");
    assert!(remedy < logs.text().find("A365_TENANT_ID"));
    assert!(remedy.is_some(), "{}", logs.text());
}

#[test]
fn a_span_with_a_bad_identity_is_logged_with_its_name_and_its_ids() {
    let logs = CapturedLogs::everywhere();
    let exporter = exporter_to(&service([]), token("t"));
    for id in [Value::from(".."), Value::from(7)] {
        let mut first = span_of(TENANT, id.clone());
        first.name = format!("invoke_agent {id}\n").into();
        let context = &first.span_context;
        let ids = format!(
            "trace_id={} span_id={}",
            context.trace_id(),
            context.span_id()
        );
        let spans = vec![first, span_of(TENANT, id.clone())];
        block_on(exporter.export(spans)).unwrap_err();
        let (lines, name) = (logs.text(), format!("invoke_agent {id}"));
        let line = lines.lines().find(|line| line.contains(&name));
        let line = line.unwrap_or_else(|| panic!("{name}: {lines}"));
        assert!(line.contains("bad_identity"), "{line}");
        assert!(line.contains(&ids), "{line}");
    }
}

#[test]
fn each_identity_has_its_own_request_in_order_of_appearance() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token("t"));
    let spans = vec![
        span_of(TENANT, "b"),
        span_of(TENANT, "a"),
        span_of(TENANT, "b"),
    ];
    let report = export(&exporter, spans);
    let found: Vec<_> = report
        .identities
        .iter()
        .map(|identity| (identity.identity.agent.as_str(), identity.spans))
        .collect();
    assert_eq!(found, [("b", 2), ("a", 1)]);
    let requests = service.requests();
    for (request, identity) in requests.iter().zip(&report.identities) {
        let path = format!(
            "/maven/agent365/agents/{}/traces",
            identity.identity.agent.as_str()
        );
        assert_eq!(request.path(), path);
        assert_eq!(request.body.len(), identity.body_bytes);
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer t"));
    }
    assert_eq!((requests.len(), service.connections()), (2, 1));
}
