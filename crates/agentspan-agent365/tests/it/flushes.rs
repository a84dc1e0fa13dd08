//! A flush and a shutdown say no more than is known: losses before the call are told once, and what a
//! deadline overtakes is counted as lost, whatever the thread is busy with.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use agentspan_agent365::{Agent365SpanProcessor, Delivery, DropReason, Enrichment, token_from_fn};
use agentspan_testkit::Answer;
use futures_executor::block_on;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter, SpanProcessor};

use crate::any_span::plain_span;
use crate::delivery_fixture::{
    LONG, TENANT, check_conserved, delivery_to, service, span_of, token,
};

#[test]
fn a14_a_flush_tells_once_of_losses_before_the_call() {
    let service = service([Answer::status(200)]);
    let (reported, reports) = channel();
    let resolver = token_from_fn(|query| match query.identity.agent.as_str() {
        "bad" => Err("no token".into()),
        _ => Ok(None),
    });
    let delivery = delivery_to(&service, resolver)
        .with_batch_spans(1)
        .with_on_report(move |_| reported.send(()).unwrap())
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    // All is settled before the flush.
    for agent in ["bad", "good", "bad"] {
        processor.on_end(span_of(TENANT, agent));
        reports.recv().unwrap();
    }
    let error = delivery.flush(LONG).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation failed: agent365 lost 2 spans (token: 2)"
    );
    delivery.flush(LONG).unwrap();
    // A span that is not meant for Agent 365 is no loss.
    processor.on_end(plain_span());
    delivery.flush(LONG).unwrap();
    processor.on_end(span_of(TENANT, "bad"));
    let error = delivery.flush(LONG).unwrap_err().to_string();
    assert!(error.contains("lost 1 span (token: 1)"), "{error}");
}

#[test]
fn a14_a_flush_tells_of_spans_that_found_the_queue_full() {
    let service = service([Answer::status(200)]);
    let (release, hold) = channel::<()>();
    let hold = Mutex::new(hold);
    let resolver = token_from_fn(move |_| {
        let _ = hold.lock().unwrap().recv();
        Ok(None)
    });
    let delivery = delivery_to(&service, resolver)
        .with_max_spans(2)
        .build()
        .unwrap();
    let exporter = delivery.exporter();
    // The second batch finds no room beside the first.
    let held = exporter.export_with_report(vec![span_of(TENANT, "a"); 2]);
    let refused = exporter.export_with_report(vec![span_of(TENANT, "b"); 3]);
    assert!(block_on(refused).is_err());
    drop(release);
    assert_eq!(block_on(held).unwrap().exported(), 2);
    let error = delivery.flush(LONG).unwrap_err().to_string();
    assert!(error.ends_with("(queue_full: 3)"), "{error}");
    delivery.flush(LONG).unwrap();
}

#[test]
fn a_flush_that_ends_at_its_deadline_leaves_the_losses_to_the_next() {
    let service = service([Answer::status(400), Answer::hang()]);
    let (reported, reports) = channel();
    let delivery = delivery_to(&service, token("t"))
        .with_batch_spans(1)
        .with_on_report(move |_| {
            let _ = reported.send(());
        })
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    processor.on_end(span_of(TENANT, "a"));
    reports.recv().unwrap();
    processor.on_end(span_of(TENANT, "a"));
    let late = delivery.flush(Duration::from_millis(20));
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    let lost = delivery.shutdown(Duration::from_millis(1)).unwrap_err();
    assert_eq!(
        lost.to_string(),
        "Operation failed: agent365 lost 2 spans (permanent_status: 1, shutdown_deadline: 1)"
    );
    let stats = delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::PermanentStatus), 1);
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 1);
}

#[test]
fn a14_what_is_queued_at_the_deadline_of_a_shutdown_is_lost_though_the_thread_is_busy() {
    let service = service([Answer::status(200)]);
    let (release, hold) = channel::<()>();
    let (entered, busy) = channel();
    let hold = Mutex::new(hold);
    let delivery = delivery_to(&service, token("t"))
        .with_span_enricher(move |_| {
            let _ = entered.send(());
            let _ = hold.lock().unwrap().recv();
            Enrichment::none()
        })
        .with_batch_spans(2)
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    for _ in 0..5 {
        processor.on_end(span_of(TENANT, "a"));
    }
    busy.recv().unwrap();
    let late = delivery.shutdown(Duration::from_millis(1));
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    let stats = delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 5);
    assert_eq!((stats.accepted, stats.exported, stats.queued), (5, 0, 0));
    // The thread goes on, sends nothing more, and counts nothing twice.
    drop(release);
    let late = delivery.shutdown(LONG);
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    let at_the_end = delivery.stats();
    assert_eq!(at_the_end.queued_bytes, 0);
    assert_eq!(at_the_end.dropped(), stats.dropped());
    assert_eq!((service.request_count(), at_the_end.queued), (0, 0));
    check_conserved(&delivery);
}

/// Loses two spans, and lets `end` say so.
fn losing(end: impl FnOnce(Delivery, Agent365SpanProcessor) -> OTelSdkResult) -> String {
    let service = service([Answer::status(200)]);
    let resolver = token_from_fn(|query| match query.identity.agent.as_str() {
        "bad" => Err("no token".into()),
        _ => Ok(None),
    });
    let delivery = delivery_to(&service, resolver).build().unwrap();
    let processor = delivery.span_processor();
    for agent in ["bad", "good", "bad"] {
        processor.on_end(span_of(TENANT, agent));
    }
    processor.on_end(plain_span());
    end(delivery, processor).map_or_else(|error| error.to_string(), |()| "nothing".to_owned())
}

#[test]
fn a14_a_shutdown_tells_of_each_loss_that_no_flush_told() {
    let lost = "Operation failed: agent365 lost 2 spans (token: 2)";
    assert_eq!(losing(|delivery, _| delivery.shutdown(LONG)), lost);
    // By the calls of the SDK, too.
    assert_eq!(losing(|_, processor| processor.shutdown()), lost);
    let of_a_provider = losing(|_, processor| {
        let provider = SdkTracerProvider::builder().with_span_processor(processor);
        provider.build().shutdown()
    });
    assert!(of_a_provider.contains("agent365 lost 2 spans (token: 2)"));
    let of_an_exporter = losing(|delivery, processor| {
        let exporter = delivery.exporter();
        // The front that closes first flushes, the last one shuts down.
        let first = processor.shutdown();
        assert!(first.is_err(), "{first:?}");
        exporter.shutdown()
    });
    assert_eq!(of_an_exporter, "nothing");
}

#[test]
fn a14_a_shutdown_tells_nothing_twice() {
    let told = losing(|delivery, _| {
        delivery.flush(LONG).unwrap_err();
        delivery.shutdown(LONG)
    });
    assert_eq!(told, "nothing");
    let told = losing(|delivery, _| {
        delivery.shutdown(LONG).unwrap_err();
        delivery.shutdown(LONG)
    });
    assert_eq!(told, "nothing");
}

#[test]
fn a_shutdown_without_time_succeeds_if_nothing_is_queued() {
    let service = service([Answer::status(200)]);
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let delivery = delivery_to(&service, token("t"))
        .with_on_report(move |_| {
            begun.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        })
        .build()
        .unwrap();
    let _export = delivery
        .exporter()
        .export_with_report(vec![span_of(TENANT, "a")]);
    // Its thread is busy with what became of the span, and has no time to end.
    has_begun.recv().unwrap();
    assert_eq!(delivery.stats().queued, 0);
    delivery.shutdown(Duration::ZERO).unwrap();
    drop(release);
}

#[test]
fn a_flush_without_time_succeeds_if_nothing_is_queued() {
    let service = service([Answer::hang()]);
    let delivery = delivery_to(&service, token("t")).build().unwrap();
    // Its thread has no time to answer.
    for _ in 0..100 {
        delivery.flush(Duration::ZERO).unwrap();
    }
    let _export = delivery
        .exporter()
        .export_with_report(vec![span_of(TENANT, "a")]);
    let late = delivery.flush(Duration::ZERO);
    assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");
    delivery.shutdown(Duration::ZERO).unwrap_err();
}
