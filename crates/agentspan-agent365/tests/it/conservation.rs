//! Every span that was accepted is exported, dropped for a reason, or still queued.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use agentspan_agent365::{DropReason, Enrichment, token_from_async_fn};
use agentspan_testkit::{Answer, RecordedRequest, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanProcessor;

use crate::any_span::plain_span;
use crate::delivery_fixture::{
    LONG, TENANT, check_conserved, delivery_to, service, span_of, token,
};

#[test]
fn spans_beyond_the_queue_are_dropped_and_counted_exactly() {
    let service = service([Answer::hang()]);
    let processor = delivery_to(&service, token("t"))
        .with_max_spans(10)
        .with_batch_spans(5)
        .build()
        .unwrap()
        .span_processor();
    for _ in 0..25 {
        processor.on_end(span_of(TENANT, "a"));
    }
    let stats = processor.stats();
    assert_eq!((stats.accepted, stats.queued), (25, 10));
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 15);
    assert!(
        processor
            .shutdown_with_timeout(Duration::from_millis(1))
            .is_err()
    );
    let stats = processor.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 10);
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    check_conserved(processor.delivery());
}

#[test]
fn memory_beyond_the_bound_is_dropped_and_counted() {
    let service = service([Answer::hang()]);
    let processor = delivery_to(&service, token("t"))
        .with_max_bytes(100_000)
        .build()
        .unwrap()
        .span_processor();
    for _ in 0..10 {
        let mut span = span_of(TENANT, "a");
        span.name = "x".repeat(40_000).into();
        processor.on_end(span);
    }
    let stats = processor.stats();
    assert_eq!(
        stats.queued + stats.dropped_for(DropReason::QueueFull),
        10,
        "{stats:?}"
    );
    // Two, or one if its body was there first, which takes memory, too.
    assert!((1..=2).contains(&stats.queued), "{stats:?}");
    let of_spans = stats.queued_bytes - stats.body_bytes;
    assert!((40_000..=100_000).contains(&of_spans), "{stats:?}");
    check_conserved(processor.delivery());
}

#[test]
fn what_is_added_to_spans_on_their_way_takes_memory_too() {
    let waiting = |added: usize| {
        let service = service([Answer::hang()]);
        let delivery = delivery_to(&service, token("t")).with_batch_spans(1);
        let delivery = match added {
            0 => delivery,
            added => delivery.with_span_enricher(move |_| {
                Enrichment::none().with_attribute(KeyValue::new("added", "x".repeat(added)))
            }),
        };
        let processor = delivery.build().unwrap().span_processor();
        processor.on_end(span_of(TENANT, "a"));
        service.wait_for(1, LONG).unwrap();
        let stats = processor.stats();
        stats.queued_bytes - stats.body_bytes
    };
    let plain = waiting(0);
    assert!((300..5_000).contains(&plain), "{plain}");
    let grown = waiting(50_000) - plain;
    assert!((50_000..51_000).contains(&grown), "{grown}");
}

#[test]
fn a_full_batch_is_sent_without_waiting_for_the_delay() {
    let service = service([Answer::status(200)]);
    let processor = delivery_to(&service, token("t"))
        .with_batch_spans(3)
        .with_batch_delay(LONG)
        .build()
        .unwrap()
        .span_processor();
    for _ in 0..3 {
        processor.on_end(span_of(TENANT, "a"));
    }
    service.wait_for(1, LONG).unwrap();
}

#[test]
fn a_batch_that_is_not_full_is_sent_after_the_delay() {
    let service = service([Answer::status(200)]);
    let processor = delivery_to(&service, token("t"))
        .with_batch_delay(Duration::from_millis(10))
        .build()
        .unwrap()
        .span_processor();
    processor.on_end(span_of(TENANT, "a"));
    service.wait_for(1, LONG).unwrap();
}

#[test]
fn what_the_fronts_hand_over_is_accounted_for_under_faults() {
    let service = faulty_service();
    let reported = Arc::new(Mutex::new((0, 0)));
    let counted = Arc::clone(&reported);
    let resolver = token_from_async_fn(|query| async move {
        assert!(query.identity.agent.as_str() != "a3", "on purpose");
        if query.identity.agent.as_str() == "a4" {
            return Err("no token".into());
        }
        Ok(None)
    });
    let delivery = delivery_to(&service, resolver)
        .with_concurrency(4)
        .with_batch_spans(50)
        .with_max_spans(200)
        .with_timeout(Duration::from_secs(5))
        .with_on_report(move |report| {
            let mut counted = counted.lock().unwrap();
            counted.0 += report.exported();
            counted.1 += report.dropped();
        })
        .build()
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let processor = delivery.span_processor();
            scope.spawn(move || {
                for n in 0..1_000 {
                    processor.on_end(match n % 10 {
                        8 => span_of("bad tenant", "a"),
                        9 => plain_span(),
                        agent => span_of(TENANT, format!("a{agent}")),
                    });
                }
            });
        }
        let flushing = delivery.clone();
        scope.spawn(move || {
            for _ in 0..20 {
                let _ = flushing.flush(LONG);
                check_no_more_than_accepted(&flushing);
            }
        });
    });
    let _ = delivery.flush(LONG);
    let stats = delivery.stats();
    assert_eq!(
        (stats.accepted, stats.queued, stats.queued_bytes),
        (4_000, 0, 0)
    );
    check_conserved(&delivery);
    let (exported, dropped) = *reported.lock().unwrap();
    let never_taken = stats.dropped_for(DropReason::QueueFull);
    assert_eq!(stats.exported, exported as u64);
    assert_eq!(stats.dropped(), dropped as u64 + never_taken);
    let rejected = stats.dropped_for(DropReason::Rejected);
    assert_eq!(rejected, requests_of(&service, "a7") as u64);
    assert_eq!(received_spans(&service), exported + rejected as usize);
    delivery.shutdown(LONG).unwrap();
    assert_eq!(delivery.stats(), stats);
}

/// Counts are read one after the other, so while spans move only this much holds.
fn check_no_more_than_accepted(delivery: &agentspan_agent365::Delivery) {
    let stats = delivery.stats();
    assert!(
        stats.exported + stats.dropped() <= stats.accepted,
        "{stats:?}"
    );
}

/// Some agents are refused, some are reset now and then, of one a span of each request is rejected,
/// the others are served.
fn faulty_service() -> Service {
    let at = |n: usize| format!("/maven/agent365/agents/a{n}/");
    let partial = serde_json::json!({"partialSuccess": {"rejectedSpans": "1"}});
    Service::builder()
        .route(&at(0), [Answer::status(403)])
        .route(&at(1), [Answer::status(503)])
        .route(&at(2), [Answer::reset()])
        .route(&at(5), [Answer::close()])
        .route(&at(7), [Answer::json(&partial)])
        .start()
        .unwrap()
}

fn requests_of(service: &Service, agent: &str) -> usize {
    let requests = service.requests();
    let of_agent = |request: &&_| is_of(request, agent);
    requests.iter().filter(of_agent).count()
}

fn is_of(request: &RecordedRequest, agent: &str) -> bool {
    request.path().contains(&format!("/{agent}/"))
}

/// How many spans came in requests that were answered with 200.
fn received_spans(service: &Service) -> usize {
    let served = ["a6", "a7"];
    service
        .requests()
        .iter()
        .filter(|request| served.iter().any(|agent| is_of(request, agent)))
        .map(|request| {
            let body = request.json().unwrap();
            let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
            scopes
                .iter()
                .map(|scope| scope["spans"].as_array().unwrap().len())
                .sum::<usize>()
        })
        .sum()
}
