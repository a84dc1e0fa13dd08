//! A 200 is an answer and not a proof: what the service says in its answer decides what became of the
//! spans, and the report, the counts and a flush say so.

use agentspan_agent365::report::{AttemptOutcome, IdentityReport, ServiceReason};
use agentspan_agent365::{Delivery, DropReason, ExportReport};
use agentspan_testkit::{Answer, CapturedLogs, Receipt, Service};
use futures_executor::block_on;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{SpanData, SpanExporter, SpanProcessor};
use serde_json::json;

use crate::delivery_fixture::{
    LONG, SHORT, TENANT, check_conserved, delivery_to, export, service, span_of, token,
};

/// Of another length than `t`: nothing is shown that has so short a token in it.
const TOKEN: &str = "a-token-of-the-tests";

/// A span of this name with an id of its own.
fn named(name: &'static str, id: u64) -> SpanData {
    SpanData {
        name: name.into(),
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        ..span_of(TENANT, "a")
    }
}

/// Spans `one`, `two`, `three`.
fn three() -> Vec<SpanData> {
    vec![named("one", 1), named("two", 2), named("three", 3)]
}

/// A delivery to a service that answers with `receipt`.
fn with_receipt(receipt: Receipt) -> (Service, Delivery) {
    let service = Service::builder()
        .answer_with(move |request| receipt.answer_to(request))
        .start()
        .unwrap();
    let delivery = delivery_to(&service, token(TOKEN)).build().unwrap();
    (service, delivery)
}

/// What became of spans: exported, of them unconfirmed, rejected, not routed.
fn numbers(report: &ExportReport) -> [usize; 4] {
    [
        report.exported(),
        report.unconfirmed(),
        report.dropped_for(DropReason::Rejected),
        report.dropped_for(DropReason::NotRouted),
    ]
}

fn shown(reasons: &[ServiceReason]) -> Vec<String> {
    let shown = reasons.iter();
    shown
        .map(|reason| format!("{}x {reason}", reason.spans))
        .collect()
}

/// The reasons of the losses that are counted under `reason`.
fn why(identity: &IdentityReport, reason: DropReason) -> Vec<String> {
    let losses = identity.losses.iter().map(|loss| &loss.error);
    let reasons = losses
        .filter(|error| error.reason() == reason)
        .flat_map(|error| shown(error.service_reasons()));
    reasons.collect()
}

/// Exports three spans: what became of them by the report and by the counts, and whether the export and a
/// flush succeed.
fn check(receipt: Receipt, expected: [usize; 4]) -> std::sync::Arc<ExportReport> {
    let (service, delivery) = with_receipt(receipt);
    let report = export(&delivery.exporter(), three());
    assert_eq!(numbers(&report), expected);
    let [exported, unconfirmed, rejected, not_routed] = expected.map(|number| number as u64);
    let stats = delivery.stats();
    assert_eq!((stats.exported, stats.unconfirmed), (exported, unconfirmed));
    assert_eq!(stats.dropped_for(DropReason::Rejected), rejected);
    assert_eq!(stats.dropped_for(DropReason::NotRouted), not_routed);
    check_conserved(&delivery);
    assert_eq!(report.is_success(), rejected + not_routed == 0);
    assert_eq!(
        service.request_count(),
        1,
        "rejected spans are not sent again"
    );
    report
}

#[test]
fn results_say_what_became_of_each_span() {
    check(Receipt::new(), [3, 0, 0, 0]);
    let receipt = Receipt::new()
        .rejects("one", "attribute_missing")
        .does_not_route("two", "tenant_not_licensed");
    let report = check(receipt, [1, 0, 1, 1]);
    let identity = &report.identities[0];
    let sinks =
        |reason| ["flashpoint", "sentinel", "esp"].map(|sink| format!("1x {reason} ({sink})"));
    let mut rejected = why(identity, DropReason::Rejected);
    rejected.sort();
    let mut expected = sinks("attribute_missing");
    expected.sort();
    assert_eq!(rejected, expected);
    assert_eq!(why(identity, DropReason::NotRouted).len(), 3);
    assert_eq!(
        (identity.spans, identity.exported, identity.dropped()),
        (3, 1, 2)
    );
}

#[test]
fn a_span_without_a_result_is_unconfirmed() {
    check(Receipt::new().leaves_out("two"), [3, 1, 0, 0]);
    check(Receipt::new().without_results(), [3, 3, 0, 0]);
    let queued = Receipt::new()
        .says("one", "flashpoint", "queued", "later")
        .says("one", "sentinel", "queued", "later")
        .says("one", "esp", "queued", "later");
    check(queued, [3, 1, 0, 0]);
}

#[test]
fn partial_success_counts_the_rejected_as_a_number_or_as_text() {
    let older = || Receipt::new().without_results();
    for rejected in [json!(2), json!("2")] {
        let report = check(
            older().with_partial_success(rejected, "2 spans are bad"),
            [1, 1, 2, 0],
        );
        let reasons = why(&report.identities[0], DropReason::Rejected);
        assert_eq!(reasons, ["2x 2 spans are bad"]);
    }
    check(older().with_partial_success(7, "all of them"), [0, 0, 3, 0]);
    check(older().with_partial_success(-1, ""), [3, 3, 0, 0]);
    check(
        Receipt::new().with_partial_success(1, "one is bad"),
        [2, 0, 1, 0],
    );
    // The two that are counted may well be those that are named.
    let both = Receipt::new()
        .rejects("one", "bad")
        .rejects("two", "bad")
        .with_partial_success(2, "");
    check(both, [1, 0, 2, 0]);
}

#[test]
fn a_remark_about_spans_that_arrived_is_kept() {
    let receipt = Receipt::new()
        .says("one", "esp", "not_routed", "sink_not_enabled")
        .with_partial_success(0, "slow down");
    let report = check(receipt, [3, 0, 0, 0]);
    let notices = shown(&report.identities[0].notices);
    assert_eq!(notices, ["1x sink_not_enabled (esp)", "0x slow down"]);
}

#[test]
fn an_export_and_a_flush_tell_of_what_was_rejected() {
    let (_service, delivery) = with_receipt(Receipt::new().rejects("one", "bad"));
    assert_eq!(delivery.receiver_message(), None);
    let error = block_on(delivery.exporter().export(three())).unwrap_err();
    let expected = format!(
        "Operation failed: 1 of 3 spans was lost; the service rejected spans of tenant {TENANT}, agent a: "
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let message = delivery.receiver_message().unwrap();
    assert!(message.starts_with("bad ("), "{message}");
    let processor = delivery.span_processor();
    processor.on_end(named("one", 1));
    let error = delivery.flush(LONG).unwrap_err().to_string();
    assert!(error.ends_with("(rejected: 2)"), "{error}");
    delivery.flush(LONG).unwrap();
}

#[test]
fn numbers_that_cannot_be_keep_the_counts_exact() {
    let result = |id: &str, status: &str| json!({"spanId": id, "sinks": {"a": {"status": status}}});
    let answers = [
        json!({"results": [result("00000000000000ff", "rejected")], "partialSuccess": {"rejectedSpans": u64::MAX}}),
        json!({"results": [result("0000000000000001", "rejected"), result("0000000000000001", "sent")]}),
        json!({"results": [[[]], {"spanId": {}}], "partialSuccess": {"rejectedSpans": -9}}),
        json!({"results": {"0000000000000001": "rejected"}, "partialSuccess": []}),
        json!("rejected"),
    ];
    let bodies = answers.iter().map(ToString::to_string);
    let broken = ["", "{", "\u{0}", "{\"results\": [{\"spanId\": "].map(String::from);
    for body in bodies.chain(broken) {
        let service = service([Answer::status(200).body(body)]);
        let delivery = delivery_to(&service, token(TOKEN)).build().unwrap();
        // Two spans have the same id.
        let spans = vec![named("one", 1), named("one", 1), named("two", 2)];
        let report = export(&delivery.exporter(), spans);
        let [exported, unconfirmed, rejected, not_routed] = numbers(&report);
        assert_eq!(exported + rejected + not_routed, 3);
        assert!(unconfirmed <= exported);
        let losses: usize = report.identities[0]
            .losses
            .iter()
            .map(|loss| loss.spans)
            .sum();
        assert_eq!(losses, report.dropped());
        check_conserved(&delivery);
        assert_eq!(delivery.stats().queued, 0);
    }
}

#[test]
fn a6_an_answer_that_breaks_off_is_delivered_and_unconfirmed() {
    let broken = [
        Answer::status(200).body("{\"results\": [").truncated(100),
        Answer::status(200).stalled(),
        Answer::endless_body(),
    ];
    for answer in broken {
        let service = service([answer]);
        let delivery = delivery_to(&service, token(TOKEN))
            .with_timeout(SHORT)
            .build()
            .unwrap();
        let report = export(&delivery.exporter(), three());
        assert_eq!(numbers(&report), [3, 3, 0, 0]);
        assert_eq!(
            (service.request_count(), delivery.stats().unconfirmed),
            (1, 3)
        );
        let outcome = &report.identities[0].attempts[0].outcome;
        assert!(matches!(
            outcome,
            AttemptOutcome::Answered {
                is_whole: false,
                ..
            }
        ));
    }
}

#[test]
fn no_reason_repeats_a_token_or_what_a_span_holds() {
    const PROMPT: &str = "I have an illness that nobody knows of";
    const TOKEN: &str = "s3cret-canary-7c1f-of-the-token";
    let logs = CapturedLogs::everywhere();
    let said = format!("bad span\r\n\u{202e}'{PROMPT}' with Bearer {TOKEN}");
    let receipt = Receipt::new()
        .rejects("one", &said)
        .with_partial_success(1, &said);
    let service = Service::builder()
        .answer_with(move |request| receipt.answer_to(request))
        .start()
        .unwrap();
    let delivery = delivery_to(&service, token(TOKEN)).build().unwrap();
    let mut spans = three();
    spans[1]
        .attributes
        .push(opentelemetry::KeyValue::new("prompt", PROMPT));
    let report = export(&delivery.exporter(), spans);
    let shown = format!("{report:?} {report}");
    let kept = r"bad span\r\n\u{202e}'…' with Bearer …";
    assert!(report.to_string().contains(kept), "{report}");
    for text in [shown, logs.text()] {
        assert!(!text.contains(PROMPT) && !text.contains(TOKEN), "{text}");
    }
    assert!(logs.contains("bad span"));
}
