//! By default, spans wait for a service that fails.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_agent365::report::AttemptOutcome;
use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{AccessToken, Agent365Exporter, Delivery, DropReason, token_from_fn};
use agentspan_testkit::{Answer, Service};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SpanProcessor;

use crate::delivery_fixture::{
    LONG, Pauses, SHORT, TENANT, check_conserved, export, service, span_of, token,
};

#[test]
fn a14_an_outage_loses_nothing() {
    for down in [Answer::status(503), Answer::refuse(), Answer::reset()] {
        let answers = std::iter::repeat_n(down, 30).chain([Answer::status(200)]);
        let service = service(answers);
        let exporter = Delivery::builder(token("t"))
            .with_loopback_endpoint(service.url())
            .with_retry_timer(Pauses::default())
            .with_concurrency(1)
            .build()
            .unwrap()
            .exporter();
        let spans = ["a", "b", "a"].map(|agent| vec![span_of(TENANT, agent)]);
        let reports = spans.map(|spans| exporter.export_with_report(spans));
        exporter.delivery().flush(LONG).unwrap();
        let reports = reports.map(|report| futures_executor::block_on(report).unwrap());
        let attempts = reports.iter().flat_map(|report| &report.identities);
        let attempts = attempts.map(|identity| identity.attempts.len());
        assert_eq!(attempts.sum::<usize>(), 33);
        let stats = exporter.stats();
        assert_eq!((stats.exported, stats.dropped()), (3, 0), "{stats}");
        check_conserved(exporter.delivery());
    }
}

#[test]
fn a14_pauses_are_random() {
    let service =
        service(std::iter::repeat_n(Answer::status(503), 20).chain([Answer::status(200)]));
    let timer = Pauses::default();
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry_timer(timer.clone())
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let pauses = timer.millis();
    assert_eq!(pauses.len(), 20);
    // Those of the first minute would be whole and half seconds.
    assert!(pauses.iter().any(|pause| pause % 100 > 0), "{pauses:?}");
    let attempts = &report.identities[0].attempts;
    let told = attempts.iter().filter_map(|attempt| attempt.pause);
    assert_eq!(
        told.map(|pause| pause.as_millis()).collect::<Vec<_>>(),
        pauses
    );
}

#[test]
fn spans_that_have_waited_for_too_long_are_dropped() {
    let service = service([Answer::status(503)]);
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry(Retry::for_at_most(Duration::ZERO))
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a"); 3]);
    assert_eq!(report.dropped_for(DropReason::RetriesExhausted), 3);
    assert_eq!(report.identities[0].attempts.len(), 1);
    check_conserved(exporter.delivery());
}

#[test]
fn a_timeout_is_tried_again() {
    let service = service([Answer::hang(), Answer::status(200)]);
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry_timer(Pauses::default())
        .with_timeout(SHORT)
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let outcomes = report.identities[0].attempts.iter();
    let failed = outcomes.filter(|try_| matches!(try_.outcome, AttemptOutcome::Failed(_)));
    assert_eq!((failed.count(), report.exported()), (1, 1));
}

#[test]
fn a_shutdown_does_not_wait_for_a_pause_that_ends_after_it() {
    let service = service([Answer::status(429).header("retry-after", "300")]);
    let (exporter, reports) = {
        let (send, reports) = channel();
        let exporter = Delivery::builder(token("t"))
            .with_loopback_endpoint(service.url())
            .build()
            .unwrap()
            .exporter();
        let report = exporter.export_with_report(vec![span_of(TENANT, "a")]);
        std::thread::spawn(move || send.send(futures_executor::block_on(report).unwrap()));
        (exporter, reports)
    };
    service.wait_for(1, LONG).unwrap();
    let result = exporter.delivery().shutdown(LONG);
    assert!(
        matches!(result, Err(OTelSdkError::Timeout(_))),
        "{result:?}"
    );
    let report = reports.recv().unwrap();
    assert_eq!(report.dropped_for(DropReason::ShutdownDeadline), 1);
    assert_eq!(service.request_count(), 1);
    check_conserved(exporter.delivery());
}

#[test]
fn a_resolver_that_fails_in_an_outage_costs_no_span_whose_token_is_there() {
    let asked = Arc::new(Mutex::new(0));
    let resolver = token_from_fn(move |_| {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        match *asked {
            1 => Ok(Some(AccessToken::new("first")?)),
            _ => Err("the network is down".into()),
        }
    });
    let answers = std::iter::repeat_n(Answer::status(503), 5).chain([Answer::status(200)]);
    let service = service(answers);
    let exporter = Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_retry_timer(Pauses::default())
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    assert_eq!((report.exported(), service.request_count()), (1, 6));
}

/// Says that a pause begins, which lasts for ever.
#[derive(Debug)]
struct SaysSo(Sender<()>);

impl RetryTimer for SaysSo {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = self.0.send(());
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_shutdown_does_not_wait_for_spans_that_it_finds_behind_such_a_pause() {
    let (pauses, has_paused) = channel();
    let service = service([Answer::status(429).header("retry-after", "300")]);
    let delivery = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_batch_delay(Duration::from_secs(3_600))
        .with_retry_timer(SaysSo(pauses))
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    let first = delivery
        .exporter()
        .export_with_report(vec![span_of(TENANT, "a")]);
    has_paused.recv().unwrap();
    // They wait for a batch, not in the lane.
    for _ in 0..3 {
        processor.on_end(span_of(TENANT, "a"));
    }
    let (ended, has_ended) = channel();
    let ending = delivery.clone();
    std::thread::spawn(move || ended.send(ending.shutdown(Duration::from_secs(250))));
    let result = has_ended.recv_timeout(LONG).expect("it waits for a pause");
    assert!(
        matches!(result, Err(OTelSdkError::Timeout(_))),
        "{result:?}"
    );
    drop(first);
    let stats = delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 4);
    assert_eq!(service.request_count(), 1);
    check_conserved(&delivery);
}

/// Does not wait, and exports another span of the identity in each pause.
#[derive(Clone, Debug, Default)]
struct OthersCome(Arc<Mutex<Others>>);

#[derive(Debug, Default)]
struct Others {
    exporter: Option<Agent365Exporter>,
    exported: usize,
}

impl RetryTimer for OthersCome {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut others = self.0.lock().unwrap();
        if let Some(exporter) = &others.exporter {
            // It is on its way without the report.
            drop(exporter.export_with_report(vec![span_of(TENANT, "a")]));
            others.exported += 1;
        }
        Box::pin(std::future::ready(()))
    }
}

#[test]
fn a_span_that_is_refused_alone_is_dropped_and_costs_no_other() {
    let service = Service::builder()
        .answer_with(|request| {
            let body = request.json().unwrap().to_string();
            Answer::status(if body.contains("poison") { 500 } else { 200 })
        })
        .start()
        .unwrap();
    let others = OthersCome::default();
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry_timer(others.clone())
        .build()
        .unwrap()
        .exporter();
    let mut spans = vec![span_of(TENANT, "a"); 5];
    spans[3].name = "poison".into();
    others.0.lock().unwrap().exporter = Some(exporter.delivery().exporter());
    let bad = export(&exporter, spans);
    others.0.lock().unwrap().exporter = None;
    let lost = exporter.delivery().flush(LONG).unwrap_err().to_string();
    assert!(lost.contains("lost 1 span (poison: 1)"), "{lost}");
    assert_eq!(
        (bad.exported(), bad.dropped_for(DropReason::Poison)),
        (4, 1)
    );
    let error = &bad.identities[0].losses[0].error;
    let expected = "4 tries failed for a span of tenant ";
    assert!(error.to_string().starts_with(expected), "{error}");
    let stats = exporter.stats();
    let others = others.0.lock().unwrap().exported;
    assert_eq!((stats.exported as usize, others > 0), (others + 4, true));
    check_conserved(exporter.delivery());
}

/// Waits for no pause of up to a second, as long as there were only three, and tells of each.
#[derive(Debug)]
struct ForASecond(Sender<Duration>, AtomicIsize);

impl RetryTimer for ForASecond {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = self.0.send(pause);
        let is_over = self.1.fetch_sub(1, SeqCst) > 0 && pause <= Duration::from_secs(1);
        match is_over {
            true => Box::pin(std::future::ready(())),
            false => Box::pin(std::future::pending()),
        }
    }

    fn random(&self) -> f64 {
        1.0
    }
}

/// A delivery whose pauses end only if they are at most a second, and the pauses.
fn delivery_for_a_second(service: &Service, ends: isize) -> (Delivery, Receiver<Duration>) {
    let (paused, pauses) = channel();
    let delivery = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry_timer(ForASecond(paused, AtomicIsize::new(ends)))
        .build();
    (delivery.unwrap(), pauses)
}

#[test]
fn a_flush_and_a_shutdown_wait_no_longer_than_the_service_asks_for() {
    for end in [Delivery::flush, Delivery::shutdown] {
        let asks = Answer::status(429).header("Retry-After", "1");
        let answers = [Answer::status(503), Answer::status(503), asks];
        let service = service(answers.into_iter().chain([Answer::status(200)]));
        let (delivery, pauses) = delivery_for_a_second(&service, 3);
        let _export = delivery
            .exporter()
            .export_with_report(vec![span_of(TENANT, "a")]);
        let pauses: Vec<_> = pauses.iter().take(3).collect();
        assert_eq!(pauses.last(), Some(&Duration::from_secs(1)), "{pauses:?}");
        end(&delivery, LONG).unwrap();
        assert_eq!(delivery.stats().exported, 1);
    }
}

#[test]
fn a_pause_of_a_shutdown_is_no_longer_than_the_service_asks_for() {
    let answers = std::iter::repeat_n(Answer::status(503), 3);
    let asks = Answer::status(429).header("Retry-After", "1");
    let answers = answers.chain([asks.clone(), asks, Answer::status(200)]);
    let service = service(answers);
    let (delivery, pauses) = delivery_for_a_second(&service, isize::MAX);
    let exporter = delivery.exporter();
    let _export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    let two = Duration::from_secs(2);
    assert!(pauses.iter().any(|pause| pause == two));
    // The next ones of our own would be of four and eight seconds, and never end.
    delivery.shutdown(LONG).unwrap();
    assert_eq!(delivery.stats().exported, 1);
}

#[test]
fn a_service_that_wants_nothing_before_the_end_of_a_shutdown_is_left_alone() {
    let asks = Answer::status(429).header("Retry-After", "300");
    let service = service([Answer::status(503), asks]);
    let (delivery, pauses) = delivery_for_a_second(&service, 0);
    let exporter = delivery.exporter();
    let export = || exporter.export_with_report(vec![span_of(TENANT, "a")]);
    let _first = export();
    pauses.recv().unwrap();
    let _others = [export(), export()];
    delivery.shutdown(LONG).unwrap_err();
    assert_eq!(
        delivery.stats().dropped_for(DropReason::ShutdownDeadline),
        3
    );
    assert_eq!(service.requests().len(), 2, "one told us to wait");
}
