//! A request that the service finds too large is divided, down to single spans, and what follows is sent.

use agentspan_agent365::{Delivery, DropReason, ExportError};
use agentspan_testkit::{Answer, RecordedRequest, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::delivery_fixture::{TENANT, check_conserved, delivery_to, export, span_of, token};

/// Longer than a body with five small spans, and shorter than one with six.
const LIMIT: usize = 2_500;

/// A service that takes no body beyond the limit.
fn limited() -> Service {
    Service::builder()
        .answer_with(|request| match request.body.len() {
            0..=LIMIT => Answer::status(200),
            _ => Answer::status(413),
        })
        .start()
        .unwrap()
}

/// A span whose name is its number.
fn span(number: usize) -> SpanData {
    SpanData {
        name: format!("{number}").into(),
        ..span_of(TENANT, "a")
    }
}

/// A span that is too large alone.
fn large(number: usize) -> SpanData {
    let mut span = span(number);
    span.attributes
        .push(KeyValue::new("text", "x".repeat(LIMIT)));
    span
}

/// The numbers of the spans in the requests that the service took.
fn taken(service: &Service) -> Vec<usize> {
    let is_taken = |request: &&RecordedRequest| request.body.len() <= LIMIT;
    let requests = service.requests();
    let mut numbers = Vec::new();
    for request in requests.iter().filter(is_taken) {
        let body = request.json().unwrap();
        let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
        for span in scopes
            .iter()
            .flat_map(|scope| scope["spans"].as_array().unwrap())
        {
            numbers.push(span["name"].as_str().unwrap().parse().unwrap());
        }
    }
    numbers
}

fn delivery(service: &Service) -> Delivery {
    delivery_to(service, token("t")).build().unwrap()
}

#[test]
fn a14_a_request_that_is_too_large_is_divided_until_it_fits() {
    let service = limited();
    let delivery = delivery(&service);
    let report = export(&delivery.exporter(), (0..100).map(span).collect());
    assert_eq!((report.exported(), report.dropped()), (100, 0));
    assert_eq!(
        taken(&service),
        (0..100).collect::<Vec<_>>(),
        "each once, in order"
    );
    let identity = &report.identities[0];
    let sent = service.requests();
    let bodies: usize = sent
        .iter()
        .map(|request| request.body.len())
        .filter(|length| *length <= LIMIT)
        .sum();
    assert_eq!(
        (identity.body_bytes, identity.attempts.len()),
        (bodies, sent.len())
    );
    assert_eq!(delivery.stats().exported_bytes, bodies as u64);
    check_conserved(&delivery);
}

#[test]
fn a14_a_span_that_is_too_large_alone_costs_itself() {
    let service = limited();
    let delivery = delivery(&service);
    let spans = (0..20).map(|number| match number {
        7 | 13 => large(number),
        _ => span(number),
    });
    let report = export(&delivery.exporter(), spans.collect());
    assert_eq!(report.dropped_for(DropReason::TooLarge), 2);
    let rest: Vec<_> = (0..20).filter(|number| ![7, 13].contains(number)).collect();
    assert_eq!((taken(&service), report.exported()), (rest, 18));
    let [loss] = &report.identities[0].losses[..] else {
        panic!("one cause");
    };
    assert!(matches!(loss.error, ExportError::TooLarge { bytes, .. } if bytes > LIMIT));
    assert!(!report.is_success());
    assert_eq!(delivery.stats().dropped_for(DropReason::TooLarge), 2);
    check_conserved(&delivery);
}

#[test]
fn a14_what_follows_a_request_that_was_too_large_is_sent() {
    let service = limited();
    let delivery = delivery_to(&service, token("t"))
        .with_max_payload_bytes(1)
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), vec![large(0), span(1), span(2)]);
    assert_eq!(taken(&service), [1, 2]);
    assert_eq!(report.dropped_for(DropReason::TooLarge), 1);
}

#[test]
fn t18_a_service_that_takes_nothing_is_asked_for_each_span_once() {
    let service = Service::builder()
        .script([Answer::status(413)])
        .start()
        .unwrap();
    let delivery = delivery(&service);
    let report = export(&delivery.exporter(), (0..64).map(span).collect());
    assert_eq!(report.dropped_for(DropReason::TooLarge), 64);
    // The single spans, and those on the way to the first of them.
    assert!(
        service.request_count() <= 64 + 7,
        "{}",
        service.request_count()
    );
    check_conserved(&delivery);
}

#[test]
fn another_answer_after_a_division_ends_the_identity() {
    let answers = [413, 200, 400].map(Answer::status);
    let service = Service::builder().script(answers).start().unwrap();
    let delivery = delivery(&service);
    let report = export(&delivery.exporter(), (0..8).map(span).collect());
    assert_eq!(
        (
            report.exported(),
            report.dropped_for(DropReason::PermanentStatus)
        ),
        (4, 4)
    );
    check_conserved(&delivery);
}

#[test]
fn a_413_is_final_when_asked_for_as_in_the_reference() {
    let service = limited();
    let delivery = delivery_to(&service, token("t"))
        .with_final_refusals()
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), (0..20).map(span).collect());
    assert_eq!(report.dropped_for(DropReason::PermanentStatus), 20);
    assert_eq!(service.request_count(), 1);
}
