//! The third generation of the contract: one try, and an identity that cools down while its spans wait.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, DropReason, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};
use tokio::sync::Notify;

use crate::any_span::plain_span;
use crate::delivery_fixture::{TENANT, check_conserved, delivery_to, export, service, token};
use crate::isolation::wait_until;

/// What nobody waits for in vain.
const LONG: Duration = Duration::from_secs(60);

fn span(agent: &'static str, user: Option<&'static str>) -> SpanData {
    let user = user.map(|user| KeyValue::new(keys::MICROSOFT_AGENT_USER_ID, user));
    let attributes = [
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
        KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT),
        KeyValue::new(keys::GEN_AI_AGENT_ID, agent),
    ];
    SpanData {
        attributes: attributes.into_iter().chain(user).collect(),
        ..plain_span()
    }
}

/// Pauses that end when the test says so, and how long they were to be.
#[derive(Clone, Debug)]
struct Pauses {
    asked: Arc<Mutex<Sender<Duration>>>,
    end: Arc<Notify>,
}

impl Pauses {
    fn new() -> (Self, Receiver<Duration>) {
        let (asked, pauses) = channel();
        let asked = Arc::new(Mutex::new(asked));
        let end = Arc::default();
        (Self { asked, end }, pauses)
    }
}

impl RetryTimer for Pauses {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        // Nobody may listen any more.
        let _ = self.asked.lock().unwrap().send(pause);
        Box::pin(self.end.notified())
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// Spans, delivered, queued, and dropped for each report.
type Seen = (usize, usize, usize, usize);

fn version_3(service: &Service, pauses: &Pauses) -> (DeliveryBuilder<Delivery>, Receiver<Seen>) {
    let (sender, receiver): (Sender<Seen>, _) = channel();
    let sender = Mutex::new(sender);
    let builder = delivery_to(service, token("t"))
        .with_profile(Profile::V3)
        .with_retry(Retry::reference())
        .with_retry_timer(pauses.clone())
        .with_on_report(move |report| {
            let spans = report.identities.iter().map(|one| one.spans).sum();
            let seen = (spans, report.exported(), report.queued(), report.dropped());
            sender.lock().unwrap().send(seen).unwrap();
        });
    (builder, receiver)
}

#[test]
fn spans_that_wait_for_another_try_are_reported_as_queued_and_again_when_they_arrive() {
    let service = service([Answer::status(503), Answer::status(200)]);
    let (pauses, asked) = Pauses::new();
    let (builder, reports) = version_3(&service, &pauses);
    let delivery = builder.build().unwrap();
    let report = export(&delivery.exporter(), vec![span("a", None)]);
    assert!(report.is_success());
    assert_eq!(report.queued(), 1);
    assert_eq!(report.dropped(), 0);
    assert_eq!(delivery.stats().queued, 1);
    // Nobody tries while the identity cools down.
    let behind = export(&delivery.exporter(), vec![span("a", None), span("b", None)]);
    assert_eq!((behind.queued(), behind.exported()), (1, 1));
    assert_eq!(service.requests().len(), 2);
    assert_eq!(asked.recv_timeout(LONG), Ok(Duration::from_secs(10)));
    pauses.end.notify_one();
    let seen: Vec<Seen> = (0..4)
        .map(|_| reports.recv_timeout(LONG).unwrap())
        .collect();
    assert_eq!(
        seen,
        [(1, 0, 1, 0), (2, 1, 1, 0), (1, 1, 0, 0), (1, 1, 0, 0)]
    );
    assert_eq!(service.requests().len(), 4);
    check_conserved(&delivery);
}

#[test]
fn the_reports_of_spans_that_wait_for_another_try_add_up_to_the_counts() {
    let rejects = || Answer::json(&serde_json::json!({"partialSuccess": {"rejectedSpans": 1}}));
    // With another identity in the batch that is not settled until all of the first are, and without.
    for is_alone in [true, false] {
        let first = [rejects(), Answer::status(200), Answer::status(503)];
        let service = service(first.into_iter().chain([rejects(), Answer::status(200)]));
        let (pauses, asked) = Pauses::new();
        let (others_token, is_asked) = channel();
        let is_asked = Mutex::new(is_asked);
        let resolver = token_from_fn(move |query| {
            if query.identity.agent.as_str() == "b" {
                is_asked.lock().unwrap().recv()?;
            }
            Ok(Some(AccessToken::new("t")?))
        });
        let (sender, reports) = channel();
        let sender = Mutex::new(sender);
        let delivery = delivery_to(&service, resolver)
            .with_profile(Profile::V3)
            .with_retry_timer(pauses.clone())
            // A request for each span.
            .with_max_payload_bytes(1)
            .with_on_report(move |report| {
                let losses = report.identities.iter().flat_map(|one| &one.losses);
                let lost: usize = losses.map(|loss| loss.spans).sum();
                let seen = (
                    report.exported(),
                    report.unconfirmed(),
                    report.dropped(),
                    lost,
                );
                sender.lock().unwrap().send(seen).unwrap();
            })
            .build()
            .unwrap();
        let processor = delivery.span_processor();
        let others = if is_alone { &[][..] } else { &["b"] };
        for agent in ["a"; 4].iter().chain(others) {
            processor.on_end(span(agent, None));
        }
        let _ = delivery.flush(Duration::ZERO);
        asked.recv_timeout(LONG).unwrap();
        pauses.end.notify_one();
        wait_until(|| delivery.stats().queued == others.len() as u64);
        others_token.send(()).unwrap();
        delivery.shutdown(LONG).unwrap_err();
        let stats = delivery.stats();
        let sum = reports.try_iter().fold((0, 0, 0, 0), |sum, one| {
            (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2, sum.3 + one.3)
        });
        let [exported, unconfirmed, dropped] =
            [stats.exported, stats.unconfirmed, stats.dropped()].map(|count| count as usize);
        assert_eq!(dropped, 2);
        assert_eq!(sum, (exported, unconfirmed, dropped, dropped), "{is_alone}");
    }
}

#[test]
fn pauses_grow_from_ten_seconds_by_chance_and_what_the_service_asks_for_comes_first() {
    let asks = Answer::status(429).header("retry-after", "7200");
    let service = service([
        Answer::status(503),
        Answer::status(500),
        asks,
        Answer::status(200),
    ]);
    let (pauses, asked) = Pauses::new();
    let (builder, reports) = version_3(&service, &pauses);
    let delivery = builder.build().unwrap();
    export(&delivery.exporter(), vec![span("a", None)]);
    for seconds in [10, 15, 3_600] {
        assert_eq!(asked.recv_timeout(LONG), Ok(Duration::from_secs(seconds)));
        pauses.end.notify_one();
    }
    let seen = [(); 2].map(|()| reports.recv_timeout(LONG).unwrap());
    assert_eq!(seen, [(1, 0, 1, 0), (1, 1, 0, 0)]);
    assert_eq!(asked.try_iter().count(), 0);
    check_conserved(&delivery);
}

#[test]
fn a_shutdown_tries_what_waits_once_more() {
    for (answer, arrived) in [(200, 1), (503, 0)] {
        let service = service([Answer::status(503), Answer::status(answer)]);
        let (builder, reports) = version_3(&service, &Pauses::new().0);
        let delivery = builder.build().unwrap();
        export(&delivery.exporter(), vec![span("a", None)]);
        let _ = delivery.shutdown(Duration::from_secs(5));
        let reports: Vec<Seen> = reports.try_iter().collect();
        assert_eq!(reports, [(1, 0, 1, 0), (1, arrived, 0, 1 - arrived)]);
        assert_eq!(service.requests().len(), 2);
        let lost = delivery.stats().dropped_for(DropReason::ShutdownDeadline);
        assert_eq!(lost as usize, 1 - arrived);
        check_conserved(&delivery);
    }
}

#[test]
fn a_resolver_that_fails_is_asked_again_and_its_spans_are_kept() {
    let service = service([Answer::status(200)]);
    let (pauses, _asked) = Pauses::new();
    let (sender, reports) = channel();
    let sender = Mutex::new(sender);
    let calls = Mutex::new(0);
    let resolver = token_from_fn(move |_: &TokenQuery| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        match *calls {
            1 => Err("not now".into()),
            _ => Ok(Some(AccessToken::new("t")?)),
        }
    });
    let delivery = delivery_to(&service, resolver)
        .with_profile(Profile::V3)
        .with_retry(Retry::reference())
        .with_retry_timer(pauses.clone())
        .with_on_report(move |report| sender.lock().unwrap().send(report.exported()).unwrap())
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), vec![span("a", None)]);
    assert_eq!(report.queued(), 1);
    assert!(service.requests().is_empty());
    pauses.end.notify_one();
    let exported: Vec<usize> = (0..2)
        .map(|_| reports.recv_timeout(LONG).unwrap())
        .collect();
    assert_eq!(exported, [0, 1]);
    check_conserved(&delivery);
}

#[test]
fn the_user_that_an_agent_acts_as_is_part_of_the_question_for_its_token() {
    let service = service([Answer::status(200)]);
    let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    for profile in [Profile::V2, Profile::V3] {
        let asks = Arc::clone(&asked);
        let resolver = token_from_fn(move |query: &TokenQuery| {
            asks.lock().unwrap().push(query.agentic_user.clone());
            Ok(Some(AccessToken::new("t")?))
        });
        let exporter = delivery_to(&service, resolver)
            .with_profile(profile)
            .build()
            .unwrap()
            .exporter();
        for user in [Some("u1"), Some("u2"), None] {
            export(&exporter, vec![span("a", user)]);
        }
    }
    let expected = [None, None, None, Some("u1"), Some("u2"), None];
    assert_eq!(
        *asked.lock().unwrap(),
        expected.map(|it| it.map(str::to_owned))
    );
}
