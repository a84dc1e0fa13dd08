//! A logger that panics costs its lines and nothing else.

use std::panic::panic_any;
use std::sync::Once;

use agentspan_testkit::{Answer, Service};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing::{Event, Metadata, Subscriber};

use crate::delivery_fixture::{LONG, SHORT, TENANT, delivery_to, export, service, span_of, token};

/// Panics for each line of this project's crates.
struct PanickingLogger;

impl Subscriber for PanickingLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agentspan")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        panic_any("the logger panics on purpose");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Delivers to `service` while every line that the delivery's thread logs panics, and every enricher and
/// observer. Gives how many spans of two batches arrived.
fn check_delivered(service: &Service, token_text: &str, expected: u64) {
    let logger = Once::new();
    let delivery = delivery_to(service, token(token_text))
        .with_batch_delay(SHORT)
        .with_span_enricher(move |_| {
            // Only the enricher is on that thread before anything is logged.
            logger.call_once(|| std::mem::forget(set_default(PanickingLogger)));
            panic_any("the enricher panics on purpose")
        })
        .with_on_report(|_| panic_any("the observer panics on purpose"))
        .build()
        .unwrap();
    let exporter = delivery.exporter();
    for _ in 0..2 {
        let report = export(&exporter, vec![span_of(TENANT, "a"), span_of(TENANT, "..")]);
        assert_eq!(report.exported() as u64, expected);
    }
    // It tells of what was lost.
    delivery.shutdown(LONG).unwrap_err();
    let stats = delivery.stats();
    assert_eq!((stats.accepted, stats.exported), (4, 2 * expected));
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    assert_eq!(stats.dropped(), 4 - 2 * expected);
}

#[test]
fn spans_are_delivered_and_reported_while_the_logger_panics() {
    check_delivered(&service([Answer::status(200)]), "t", 1);
    check_delivered(&service([Answer::status(500), Answer::status(200)]), "t", 1);
    check_delivered(&service([Answer::status(403)]), "t", 0);
    check_delivered(&service([Answer::status(200)]), "", 1);
}
