//! The loopback Agent 365, as a client of plain bytes sees it.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{OBSERVABILITY_PERMISSION, OBSERVABILITY_RESOURCE};
use agentspan_testkit::{Agent365, Answer, unsigned_token};
use serde_json::{Value, json};

use crate::client::{connect, read};

pub(crate) const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
pub(crate) const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";
pub(crate) const SPAN: &str = "00f067aa0ba902b7";

fn path(route: &str) -> String {
    format!("/{route}/tenants/{TENANT}/otlp/agents/{AGENT}/traces?api-version=1")
}

pub(crate) fn service_path() -> String {
    path("observabilityService")
}

fn in_an_hour() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() + 3_600
}

/// What an app-only token claims that the service takes.
pub(crate) fn app_only() -> Value {
    json!({
        "aud": OBSERVABILITY_RESOURCE, "azp": AGENT, "tid": TENANT, "exp": in_an_hour(),
        "roles": [OBSERVABILITY_PERMISSION],
    })
}

fn delegated() -> Value {
    let mut claims = app_only();
    claims["roles"] = Value::Null;
    claims["scp"] = json!(format!("openid {OBSERVABILITY_PERMISSION}"));
    claims
}

/// The same claims, one of them changed.
fn but(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

fn span(operation: &str, tenant: &str) -> Value {
    json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": SPAN, "name": operation,
        "attributes": {
            "gen_ai.operation.name": operation,
            "microsoft.tenant.id": tenant,
            "tenant.id": tenant,
            "gen_ai.agent.id": AGENT,
        },
    })
}

pub(crate) fn body(spans: &[Value]) -> String {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string()
}

/// Posts, and gives the head and the body of the answer.
pub(crate) fn post(service: &Agent365, path: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = connect(service.service().addr());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let (text, _) = read(&mut stream, usize::MAX);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub(crate) fn headers(claims: &Value) -> String {
    let token = unsigned_token(claims);
    format!("content-type: application/json\r\nauthorization: Bearer {token}\r\n")
}

/// Checks the status of an answer, and what stands somewhere in it.
pub(crate) fn check(answer: &(String, String), status: u16, part: &str) {
    let (head, body) = answer;
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert!(
        head.contains(part) || body.contains(part),
        "{head}\n\n{body}"
    );
}

fn check_token(path: &str, claims: &Value, status: u16, part: &str) {
    let service = Agent365::builder().start().unwrap();
    let spans = body(&[span("chat", TENANT)]);
    check(
        &post(&service, path, &headers(claims), &spans),
        status,
        part,
    );
    assert_eq!(service.rows().len(), usize::from(status == 200));
}

#[test]
fn a_token_must_fit_the_route_the_agent_and_the_tenant() {
    let (service, delegated_route) = (service_path(), path("observability"));
    check_token(&service, &app_only(), 200, "\"sent\"");
    check_token(&delegated_route, &delegated(), 200, "\"sent\"");
    check_token(
        &delegated_route,
        &app_only(),
        401,
        "UnsupportedAccessTokenType",
    );
    check_token(&service, &delegated(), 401, "");
    let other = but(app_only(), "aud", "https://graph.microsoft.com");
    check_token(&service, &other, 401, "InvalidAudience");
    let with_scheme = format!("api://{OBSERVABILITY_RESOURCE}");
    check_token(&service, &but(app_only(), "aud", with_scheme), 200, "");
    check_token(&service, &but(app_only(), "exp", 1), 401, "");
    check_token(&service, &but(app_only(), "azp", "another agent"), 403, "");
    check_token(&service, &but(app_only(), "tid", "another tenant"), 403, "");
    let scope = "insufficient_scope";
    check_token(
        &service,
        &but(app_only(), "roles", json!(["Other.Read"])),
        403,
        scope,
    );
    check_token(
        &delegated_route,
        &but(delegated(), "scp", "Other.Read"),
        403,
        scope,
    );
}

#[test]
fn ids_are_the_same_in_whatever_case() {
    let upper = TENANT.to_uppercase();
    let service = Agent365::builder().without_licence(&upper).start().unwrap();
    let claims = but(app_only(), "azp", AGENT.to_uppercase());
    let claims = but(claims, "tid", upper.as_str());
    let spans = body(&[span("chat", &upper)]);
    let post = || post(&service, &service_path(), &headers(&claims), &spans);
    check(&post(), 200, "tenant_not_licensed");
    service.set_licence(TENANT, true);
    check(&post(), 200, "\"sent\"");
}

#[test]
fn a_registered_instance_may_need_no_role() {
    let service = Agent365::builder().without_roles().start().unwrap();
    let claims = but(app_only(), "roles", Value::Null);
    let answer = post(&service, &service_path(), &headers(&claims), &body(&[]));
    check(&answer, 200, "");
}

#[test]
fn what_is_no_token_makes_the_tenant_invalid() {
    let service = Agent365::builder().start().unwrap();
    for authorization in [
        "",
        "authorization: Bearer \r\n",
        "authorization: Bearer a.b\r\n",
    ] {
        let headers = format!("content-type: application/json\r\n{authorization}");
        let answer = post(&service, &service_path(), &headers, &body(&[]));
        check(&answer, 400, "TenantIdInvalid");
    }
}

#[test]
fn a_path_must_be_whole() {
    let service = Agent365::builder().start().unwrap();
    let (headers, body) = (headers(&app_only()), body(&[]));
    let without_otlp = service_path().replace("/otlp", "");
    let answer = post(&service, &without_otlp, &headers, &body);
    check(&answer, 401, "AuthenticationSchemeNotSupported");
    let without_version = service_path().replace("?api-version=1", "");
    let answer = post(&service, &without_version, &headers, &body);
    check(&answer, 400, "UnsupportedApiVersion");
    check(&post(&service, "/v1/traces", &headers, &body), 404, "");
}

#[test]
fn a_body_must_be_json_and_not_too_long() {
    let service = Agent365::builder().limit(400, 413).start().unwrap();
    let json = headers(&app_only());
    check(
        &post(&service, &service_path(), &json, "{"),
        400,
        "InvalidBody",
    );
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(400));
    check(&post(&service, &service_path(), &json, &long), 413, "");
    let protobuf = json.replace("application/json", "application/x-protobuf");
    check(&post(&service, &service_path(), &protobuf, "{}"), 403, "");
    let gzip = format!("content-encoding: gzip\r\n{json}");
    check(
        &post(&service, &service_path(), &gzip, "{}"),
        400,
        "UnsupportedContentEncoding",
    );
}

#[test]
fn spans_of_no_known_operation_or_of_another_tenant_are_counted_as_rejected() {
    let service = Agent365::builder().start().unwrap();
    let spans = [
        span("chat", TENANT),
        span("responses", TENANT),
        span("chat", "other"),
    ];
    let answer = post(
        &service,
        &service_path(),
        &headers(&app_only()),
        &body(&spans),
    );
    let answer: Value = serde_json::from_str(&answer.1).unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], 2);
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    assert_eq!(service.rows().len(), 1);
}

#[test]
fn spans_of_a_tenant_without_a_licence_are_routed_nowhere_until_it_has_one() {
    let service = Agent365::builder().without_licence(TENANT).start().unwrap();
    let (headers, body) = (headers(&app_only()), body(&[span("chat", TENANT)]));
    let (_, answer) = post(&service, &service_path(), &headers, &body);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let said = json!({"status": "not_routed", "reason": "tenant_not_licensed"});
    let sinks = json!({"flashpoint": said, "sentinel": said, "esp": said});
    assert_eq!(answer["results"], json!([{"spanId": SPAN, "sinks": sinks}]));
    assert!(service.rows().is_empty());
    service.set_licence(TENANT, true);
    check(
        &post(&service, &service_path(), &headers, &body),
        200,
        "\"sent\"",
    );
    assert_eq!(service.rows().len(), 1);
}

#[test]
fn a_row_has_empty_columns_for_what_is_mandatory_and_missing() {
    let service = Agent365::builder().start().unwrap();
    let spans = body(&[span("chat", TENANT)]);
    post(&service, &service_path(), &headers(&app_only()), &spans);
    let row = service.rows().remove(0);
    assert_eq!((row.tenant.as_str(), row.agent.as_str()), (TENANT, AGENT));
    assert_eq!((row.name.as_str(), row.span_id.as_str()), ("chat", SPAN));
    let has = |key: &str| row.missing.iter().any(|missing| missing == key);
    assert!(
        has("gen_ai.request.model") && has("server.port"),
        "{:?}",
        row.missing
    );
    assert!(
        !has("gen_ai.agent.id") && !has("gen_ai.tool.name"),
        "{:?}",
        row.missing
    );
}

#[test]
fn older_answers_and_the_first_generation_say_nothing_of_spans() {
    let older = Agent365::builder().without_results().start().unwrap();
    let spans = body(&[span("chat", TENANT)]);
    let (_, answer) = post(&older, &service_path(), &headers(&app_only()), &spans);
    assert_eq!(answer, "{\"partialSuccess\":null}");
    let first = Agent365::builder().profile(Profile::V0_1).start().unwrap();
    let path = format!("/maven/agent365/agents/{AGENT}/traces?api-version=1");
    let spans = body(&[span("anything", TENANT)]);
    let (_, answer) = post(&first, &path, &headers(&app_only()), &spans);
    assert_eq!(answer, "{\"partialSuccess\":null}");
    assert_eq!(first.rows()[0].tenant, TENANT);
    check(
        &post(&first, &service_path(), &headers(&app_only()), &spans),
        404,
        "",
    );
}

#[test]
fn answers_that_are_played_come_first() {
    let service = Agent365::builder().start().unwrap();
    service.play([Answer::status(429).header("retry-after", "1")]);
    let (headers, body) = (headers(&app_only()), body(&[]));
    check(
        &post(&service, &service_path(), &headers, &body),
        429,
        "retry-after: 1",
    );
    check(&post(&service, &service_path(), &headers, &body), 200, "");
}
