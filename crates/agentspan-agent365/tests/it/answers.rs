//! What each answer of the service, or the lack of one, means for the spans.

use std::time::Duration;

use agentspan_agent365::report::AttemptOutcome;
use agentspan_agent365::transport::TransportError;
use agentspan_agent365::{Agent365Exporter, DropReason, ExportError};
use agentspan_testkit::{Answer, Service};
use futures_executor::block_on;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SpanExporter;

use crate::delivery_fixture::{
    LONG, Pauses, SHORT, TENANT, check_conserved, delivery_to, export, exporter_to, service,
    span_of, token,
};

/// Plays `answers` and checks how often was tried, with which pauses, and what became of the span.
fn check(answers: Vec<Answer>, tries: usize, pauses: &[u128], lost: Option<DropReason>) {
    check_within(LONG, answers, tries, pauses, lost);
}

fn check_within(
    timeout: Duration,
    answers: Vec<Answer>,
    tries: usize,
    pauses: &[u128],
    lost: Option<DropReason>,
) {
    let service = service(answers);
    let timer = Pauses::default();
    let exporter = delivery_to(&service, token("t"))
        .with_retry_timer(timer.clone())
        .with_timeout(timeout)
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let identity = &report.identities[0];
    let reason = identity.losses.first().map(|loss| loss.error.reason());
    assert_eq!(
        (identity.attempts.len(), timer.millis(), reason),
        (tries, pauses.to_vec(), lost),
        "{identity:?}"
    );
    assert_eq!(exporter.stats().attempts, tries as u64);
    check_conserved(exporter.delivery());
}

#[test]
fn every_2xx_is_a_delivery() {
    for status in [200, 201, 202, 204, 299] {
        check(vec![Answer::status(status)], 1, &[], None);
    }
}

#[test]
fn what_may_pass_is_tried_four_times() {
    use DropReason::RetriesExhausted;
    for status in [408, 429, 500, 501, 502, 503, 504, 599] {
        check(
            vec![Answer::status(status)],
            4,
            &[200, 400, 600],
            Some(RetriesExhausted),
        );
    }
    check(
        vec![
            Answer::status(503),
            Answer::status(429),
            Answer::status(200),
        ],
        3,
        &[200, 400],
        None,
    );
    check(
        vec![Answer::status(503), Answer::status(401)],
        2,
        &[200],
        Some(DropReason::PermanentStatus),
    );
}

#[test]
fn what_will_not_pass_is_tried_once() {
    for status in [400, 401, 403, 404, 409, 422] {
        check(
            vec![Answer::status(status)],
            1,
            &[],
            Some(DropReason::PermanentStatus),
        );
    }
    let too_large = vec![Answer::status(413)];
    check(too_large, 1, &[], Some(DropReason::TooLarge));
}

#[test]
fn the_services_own_pause_is_not_asked_for_by_version_0_1() {
    check(
        vec![
            Answer::status(429).header("retry-after", "7"),
            Answer::status(200),
        ],
        2,
        &[200],
        None,
    );
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    for fault in [
        Answer::reset(),
        Answer::refuse(),
        Answer::close(),
        Answer::garbage(),
    ] {
        check(vec![fault, Answer::status(200)], 2, &[200], None);
    }
}

#[test]
fn a6_a_head_that_says_2xx_is_a_delivery_whatever_becomes_of_the_body() {
    for broken in [
        Answer::close_after_head(),
        Answer::status(200).body("{").truncated(100),
        Answer::status(202).truncated(100),
    ] {
        check(vec![broken], 1, &[], None);
    }
    check_within(SHORT, vec![Answer::status(200).stalled()], 1, &[], None);
}

#[test]
fn a6_a_head_decides_whatever_it_says() {
    let refused = Some(DropReason::PermanentStatus);
    let broken = Answer::status(400).body("{").truncated(100);
    check(vec![broken], 1, &[], refused);
    let stalled = Answer::status(404).body("{").stalled();
    check_within(SHORT, vec![stalled], 1, &[], refused);
    let stalled = Answer::status(503).body("{").stalled();
    check_within(SHORT, vec![stalled, Answer::status(200)], 2, &[200], None);
}

#[test]
fn t07_an_answer_that_never_ends_ends_with_the_timeout() {
    for fault in [
        Answer::hang(),
        Answer::endless_head(),
        Answer::informational_flood(),
    ] {
        check_within(SHORT, vec![fault, Answer::status(200)], 2, &[200], None);
    }
    let service = service([Answer::hang()]);
    let exporter = delivery_to(&service, token("t"))
        .with_timeout(SHORT)
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let attempts = &report.identities[0].attempts;
    assert_eq!(attempts.len(), 4);
    for attempt in attempts {
        assert!(matches!(
            attempt.outcome,
            AttemptOutcome::Failed(TransportError::Timeout { timeout: SHORT })
        ));
    }
}

#[test]
fn t07_a_body_beyond_256_kib_is_left_unread_and_the_head_decides() {
    check(vec![Answer::endless_body()], 1, &[], None);
    let service = service([Answer::endless_body()]);
    let exporter = exporter_to(&service, token("t"));
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let AttemptOutcome::Answered {
        status, body_bytes, ..
    } = report.identities[0].attempts[0].outcome
    else {
        panic!("an answer");
    };
    assert_eq!(status, 200);
    assert_eq!(body_bytes, 256 * 1024);
}

#[test]
fn t08_a_redirect_is_never_followed() {
    let elsewhere = Service::start().unwrap();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/maven", elsewhere.url());
        check(
            vec![Answer::redirect(status, &location)],
            1,
            &[],
            Some(DropReason::PermanentStatus),
        );
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn the_error_names_status_identity_and_correlation_id() {
    let service = service([Answer::status(403)
        .header("request-id", "r-1")
        .header("x-ms-correlation-id", "c-1")
        .body("no such agent")]);
    let exporter = exporter_to(&service, token("a-token-of-the-tests"));
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let Some(ExportError::Status {
        status,
        correlation_id,
        ..
    }) = report.identities[0].losses.first().map(|loss| &loss.error)
    else {
        panic!("a status");
    };
    assert_eq!((*status, correlation_id.as_deref()), (403, Some("c-1")));
    let error = block_on(exporter.export(vec![span_of(TENANT, "a")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Operation failed: 1 of 1 span was lost; the service answered 403 for tenant {TENANT}, agent a: \"no such agent\""
        )
    );
}

#[test]
fn one_identity_that_hangs_does_not_hold_up_another() {
    let service = Service::builder()
        .route("/maven/agent365/agents/stuck/", [Answer::hang()])
        .start()
        .unwrap();
    let exporter = delivery_to(&service, token("t"))
        .with_concurrency(2)
        .with_timeout(LONG)
        .build()
        .unwrap()
        .exporter();
    let stuck = exporter.export_with_report(vec![span_of(TENANT, "stuck")]);
    let report = export(&exporter, vec![span_of(TENANT, "well")]);
    assert_eq!(report.exported(), 1);
    let result = exporter.shutdown_with_timeout(Duration::from_millis(10));
    assert!(matches!(result, Err(OTelSdkError::Timeout(_))));
    let report = block_on(stuck).unwrap();
    assert_eq!(report.dropped_for(DropReason::ShutdownDeadline), 1);
    check_conserved(exporter.delivery());
}

#[test]
fn after_shutdown_every_export_fails_and_is_counted() {
    let service = service([Answer::status(200)]);
    let exporter: Agent365Exporter = exporter_to(&service, token("t"));
    exporter.shutdown().unwrap();
    exporter.shutdown().unwrap();
    for spans in [vec![span_of(TENANT, "a")], vec![]] {
        let result = block_on(exporter.export(spans));
        assert!(matches!(result, Err(OTelSdkError::AlreadyShutdown)));
    }
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::AfterShutdown), 1);
    assert_eq!(service.connections(), 0);
    check_conserved(exporter.delivery());
}
