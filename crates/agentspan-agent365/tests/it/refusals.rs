//! F7, T3, T5: what the service says of a request, and of what it refuses, is shown in its own words, and
//! never what it repeats.

use agentspan_agent365::{DropReason, ExportReport};
use agentspan_model::agent365::contract::{Cure, Mender};
use agentspan_testkit::{Answer, CapturedLogs};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::SpanData;

use crate::delivery_fixture::{
    TENANT, check_conserved, delivery_to, export, service, span_of, token,
};

const TOKEN: &str = "a-token-of-the-tests";

/// A span of this trace with this id.
fn numbered(trace: u128, id: u64) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(trace),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        ..span_of(TENANT, "a")
    }
}

/// The report of spans that the service answers so, however often it is asked.
fn report_with(
    token_text: &str,
    answer: Answer,
    spans: Vec<SpanData>,
) -> std::sync::Arc<ExportReport> {
    let service = service([answer]);
    let delivery = delivery_to(&service, token(token_text)).build().unwrap();
    let report = export(&delivery.exporter(), spans);
    check_conserved(&delivery);
    report
}

fn report_of(answer: Answer) -> std::sync::Arc<ExportReport> {
    report_with(TOKEN, answer, vec![span_of(TENANT, "a")])
}

fn check_reasons(answer: Answer, expected: &[&str]) {
    let report = report_of(answer);
    let error = &report.identities[0].losses[0].error;
    let reasons = error.service_reasons().iter();
    let reasons: Vec<_> = reasons
        .map(|reason| (reason.text.as_str(), reason.spans))
        .collect();
    let expected: Vec<_> = expected.iter().map(|text| (*text, 1)).collect();
    assert_eq!(reasons, expected);
    let shown = error.to_string();
    assert!(
        expected.iter().all(|(text, _)| shown.contains(text)),
        "{shown}"
    );
}

const CHALLENGE: &str = concat!(
    r#"Bearer realm="", authorization_uri="https://login.example/authorize", "#,
    r#"error="insufficient_scope", error_description="The token lacks a role", "#,
    r#"scope="Agent365.Observability.OtelWrite""#,
);

const SAID: &str =
    "insufficient_scope: The token lacks a role (scope Agent365.Observability.OtelWrite)";

#[test]
fn f7_a_403_says_why_in_the_words_of_its_challenge_and_of_its_body() {
    let answer = || Answer::status(403).header("www-authenticate", CHALLENGE);
    check_reasons(answer(), &[SAID]);
    let body = r#"{"error":{"code":"AgentNotRegistered","message":"no such agent"}}"#;
    check_reasons(
        answer().body(body),
        &[SAID, "AgentNotRegistered: no such agent"],
    );
    let report = report_of(answer());
    let shown = report.to_string();
    assert!(
        shown.contains(&format!(
            "answered 403 for tenant {TENANT}, agent a: \"{SAID}\""
        )),
        "{shown}"
    );
}

#[test]
fn a_refusal_says_what_is_wrong_and_who_can_mend_it() {
    let of = |answer| {
        let report = report_of(answer);
        let meaning = report.identities[0].losses[0].error.meaning();
        meaning.map(|meaning| (meaning.code, meaning.cure, meaning.mender))
    };
    let challenge = Answer::status(403).header("www-authenticate", CHALLENGE);
    let lacks_scope = ("insufficient_scope", Cure::Final, Mender::Administrator);
    assert_eq!(of(challenge), Some(lacks_scope));
    let body = r#"{"code":"EndpointInvalid","innererror":{"code":"TenantIdInvalid"}}"#;
    let bad_token = ("TenantIdInvalid", Cure::Final, Mender::Program);
    assert_eq!(of(Answer::status(400).body(body)), Some(bad_token));
    let too_large = ("", Cure::Divide, Mender::Program);
    assert_eq!(of(Answer::status(413)), Some(too_large));
    assert_eq!(
        of(Answer::status(503)),
        Some(("", Cure::Retry, Mender::Service))
    );
    assert_eq!(of(Answer::status(404)), None);
}

#[test]
fn f7_whatever_refuses_a_request_is_heard() {
    let body = r#"{"code":"EndpointInvalid","message":"Tenant id  is invalid.","innererror":{"code":"TenantIdInvalid"}}"#;
    check_reasons(
        Answer::status(400).body(body),
        &["EndpointInvalid: Tenant id  is invalid. (TenantIdInvalid)"],
    );
    check_reasons(
        Answer::status(401).body("no\r\n\u{202e}such key"),
        &[r"no\r\n\u{202e}such key"],
    );
    check_reasons(
        Answer::status(503).body("down for repairs"),
        &["down for repairs"],
    );
    check_reasons(Answer::status(404), &[]);
    check_reasons(
        Answer::status(403).body_of(300_000),
        &[&("x".repeat(200) + "…")],
    );
}

#[test]
fn t11_no_word_of_an_answer_repeats_the_token_however_short_or_the_prompt() {
    const PROMPT: &str = "私は病気です、誰にも言わないでください";
    for secret in ["s3cret", "s3cret-canary-7c1f-of-the-token"] {
        for status in [200, 400, 403, 503] {
            let logs = CapturedLogs::everywhere();
            let said = format!("Bearer {} and {PROMPT}", secret.to_uppercase());
            let body = format!(
                r#"{{"message":"{said}","partialSuccess":{{"rejectedSpans":1,"errorMessage":"{said}"}},
                    "results":[{{"spanId":"00000000000004d2","sinks":{{"{secret}":{{"status":"rejected","reason":"{said}"}}}}}}]}}"#
            );
            let answer = Answer::status(status)
                .header("x-ms-correlation-id", &format!("of {secret}"))
                .header("www-authenticate", &format!("Bearer error=\"no {secret}\""))
                .body(body);
            let mut span = span_of(TENANT, "a");
            span.attributes.push(KeyValue::new("prompt", PROMPT));
            let report = report_with(secret, answer, vec![span]);
            assert_eq!(report.exported(), 0);
            let shown = format!("{report:?} {report}");
            assert!(shown.contains("Bearer … and …") || status == 503, "{shown}");
            for text in [shown, logs.text()] {
                let lower = text.to_lowercase();
                assert!(
                    !lower.contains(secret) && !text.contains("病気"),
                    "{status}: {text}"
                );
            }
            assert!(logs.contains("of …"));
        }
    }
}

#[test]
fn a_token_that_serde_refuses_hides_no_rejection() {
    let body = [
        "\u{feff}".as_bytes(),
        br#"{"took":1e999,"half":"\ud800","latin":"caf\xe9","results":["#.as_slice(),
        br#"{"spanId":"0000000000000001","sinks":{"a":{"status":"rejected","reason":"caf"#,
        b"\xe9",
        br#""}}},{"spanId":"0000000000000002","sinks":{"a":{"status":"sent"}}}]}"#,
    ];
    let spans = vec![numbered(1, 1), numbered(1, 2)];
    let report = report_with(TOKEN, Answer::status(200).body(body.concat()), spans);
    assert_eq!((report.exported(), report.unconfirmed()), (1, 0));
    assert_eq!(report.dropped_for(DropReason::Rejected), 1);
    assert!(
        report.to_string().contains("\"caf\u{fffd}\" (a)"),
        "{report}"
    );
}

#[test]
fn a_result_is_of_no_span_if_two_traces_have_one_with_its_id() {
    let result = |status| {
        format!(r#"{{"spanId":"0000000000000001","sinks":{{"a":{{"status":"{status}"}}}}}}"#)
    };
    let body = format!(r#"{{"results":[{}]}}"#, result("rejected"));
    let spans = || vec![numbered(1, 1), numbered(2, 1)];
    let report = report_with(TOKEN, Answer::status(200).body(body), spans());
    assert_eq!((report.exported(), report.unconfirmed()), (2, 2));
    let with_trace = format!(
        r#"{{"results":[{}]}}"#,
        result("rejected").replacen('{', r#"{"traceId":"00000000000000000000000000000002","#, 1)
    );
    let report = report_with(TOKEN, Answer::status(200).body(with_trace), spans());
    assert_eq!((report.exported(), report.unconfirmed()), (1, 1));
    assert_eq!(report.dropped_for(DropReason::Rejected), 1);
}
