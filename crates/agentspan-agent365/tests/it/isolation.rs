//! A1: an identity that the service does not serve, or whose token does not come, costs no other identity
//! anything.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentspan_agent365::retry::RetryTimer;
use agentspan_agent365::{
    Delivery, DeliveryBuilder, DropReason, token_from_async_fn, token_from_fn,
};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use crate::delivery_fixture::{LONG, TENANT, check_conserved, export, span_of, token};

/// A pause that lasts for ever.
#[derive(Debug)]
struct ForEver;

impl RetryTimer for ForEver {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

/// Serves all agents but `bad`.
fn service(profile: Profile, answer: Answer) -> Service {
    let path = match profile {
        Profile::V0_1 => String::from("/maven/agent365/agents/bad/"),
        _ => format!("/observabilityService/tenants/{TENANT}/otlp/agents/bad/"),
    };
    Service::builder().route(&path, [answer]).start().unwrap()
}

fn span(profile: Profile, agent: &'static str) -> SpanData {
    let mut span = span_of(TENANT, agent);
    span.attributes[0].key = profile.tenant_id_key().into();
    let operation = KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat");
    span.attributes.push(operation);
    span
}

/// Hands over more batches of a bad identity than there are slots, and then one of another identity.
fn check_others_are_served(
    profile: Profile,
    service: &Service,
    set: impl FnOnce(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>,
) {
    let builder = Delivery::builder(token("t"))
        .with_profile(profile)
        .with_loopback_endpoint(service.url())
        .with_retry_timer(ForEver)
        .with_batch_delay(Duration::from_millis(50));
    let exporter = set(builder).build().unwrap().exporter();
    let bad: Vec<_> = (0..200)
        .map(|_| exporter.export_with_report(vec![span(profile, "bad")]))
        .collect();
    for _ in 0..3 {
        assert_eq!(export(&exporter, vec![span(profile, "good")]).exported(), 1);
    }
    let stats = exporter.stats();
    assert_eq!((stats.exported, stats.dropped(), stats.queued), (3, 0, 200));
    check_conserved(exporter.delivery());
    let timeout = Duration::from_millis(1);
    assert!(exporter.delivery().shutdown(timeout).is_err());
    // The thread may still hold what is counted as lost already. Now it has ended.
    let _ = exporter.delivery().shutdown(LONG);
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 200);
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    drop(bad);
}

#[test]
fn a1_one_identity_that_stalls_does_not_stop_the_others() {
    for profile in Profile::ALL {
        let service = service(profile, Answer::hang());
        check_others_are_served(profile, &service, |builder| builder);
    }
}

pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "it never happens");
        std::thread::yield_now();
    }
}

#[test]
fn a1_an_identity_that_has_filled_the_queue_before_it_failed_makes_room() {
    let service = service(Profile::V0_1, Answer::hang());
    let delivery = Delivery::builder(token("t"))
        .with_profile(Profile::V0_1)
        .with_loopback_endpoint(service.url())
        .with_batch_spans(1)
        .with_max_spans(80)
        .with_batch_delay(Duration::from_millis(50))
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    for _ in 0..80 {
        processor.on_end(span(Profile::V0_1, "bad"));
    }
    // No span is let in that would show it to the lanes.
    wait_until(|| delivery.stats().queued <= 70);
    let stats = delivery.stats();
    assert_eq!(stats.dropped(), stats.dropped_for(DropReason::QueueShare));
    for sent in 1..=5 {
        processor.on_end(span(Profile::V0_1, "good"));
        wait_until(|| delivery.stats().exported == sent);
    }
    assert_eq!(delivery.stats().dropped_for(DropReason::QueueFull), 0);
    check_conserved(&delivery);
    // It would wait for what hangs.
    let _ = delivery.shutdown(Duration::from_millis(1));
}

#[test]
fn a1_one_identity_that_is_throttled_does_not_stop_the_others() {
    for profile in Profile::ALL {
        let throttled = Answer::status(429).header("retry-after", "60");
        let service = service(profile, throttled);
        check_others_are_served(profile, &service, |builder| builder);
        let requests = service.requests();
        let of_bad = requests
            .iter()
            .filter(|request| request.path().contains("/bad/"));
        // Those that were in flight when the first was answered, and none while the identity pauses.
        assert!(of_bad.count() <= 64);
    }
}

#[test]
fn a_shutdown_delivers_what_it_can_of_the_others_and_counts_what_is_stalled() {
    for profile in Profile::ALL {
        let service = service(profile, Answer::hang());
        let exporter = Delivery::builder(token("t"))
            .with_profile(profile)
            .with_loopback_endpoint(service.url())
            .with_timeout(LONG * 60)
            // Nothing is sent before the shutdown.
            .with_batch_delay(LONG * 60)
            .build()
            .unwrap();
        let processor = exporter.span_processor();
        let agents = ["bad", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        for agent in agents {
            for _ in 0..3 {
                processor.on_end(span(profile, agent));
            }
        }
        let timeout = Duration::from_secs(2);
        let result = exporter.shutdown(timeout);
        assert!(matches!(result, Err(OTelSdkError::Timeout(at)) if at == timeout));
        let stats = exporter.stats();
        assert_eq!((stats.exported, stats.dropped()), (27, 3), "{stats}");
        assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 3);
        assert_eq!(stats.queued, 0);
    }
}

#[test]
fn of_several_shutdowns_each_has_its_own_time() {
    let service = service(Profile::V0_1, Answer::hang());
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_timeout(LONG * 60)
        .with_batch_delay(LONG * 60)
        .build()
        .unwrap();
    exporter.span_processor().on_end(span(Profile::V0_1, "bad"));
    let (long, short) = (Duration::from_secs(3), Duration::from_millis(10));
    let patient = {
        let exporter = exporter.clone();
        std::thread::spawn(move || exporter.shutdown(long))
    };
    // It is sent since that one asks the delivery to stop.
    service.wait_for(1, LONG).unwrap();
    let result = exporter.shutdown(short);
    assert!(matches!(result, Err(OTelSdkError::Timeout(at)) if at == short));
    let stats = exporter.stats();
    assert_eq!((stats.queued, stats.dropped()), (1, 0), "{stats}");
    let result = patient.join().unwrap();
    assert!(matches!(result, Err(OTelSdkError::Timeout(at)) if at == long));
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 1);
    assert_eq!(stats.queued, 0);
}

/// Much more than all bodies may take of a queue of one mebibyte.
fn large(profile: Profile, agent: &'static str) -> SpanData {
    let mut span = span(profile, agent);
    let text = KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, "x".repeat(100_000));
    span.attributes.push(text);
    span
}

#[test]
fn a13_bodies_without_an_answer_give_way_to_those_of_others() {
    for profile in Profile::ALL {
        let service = service(profile, Answer::hang());
        let exporter = Delivery::builder(token("t"))
            .with_profile(profile)
            .with_loopback_endpoint(service.url())
            .with_timeout(LONG * 60)
            .with_batch_delay(Duration::from_millis(50))
            .with_max_bytes(1024 * 1024)
            .build()
            .unwrap()
            .exporter();
        let bad = [(); 4].map(|()| exporter.export_with_report(vec![large(profile, "bad")]));
        for _ in 0..3 {
            let report = export(&exporter, vec![large(profile, "good")]);
            assert_eq!(report.exported(), 1);
        }
        let stats = exporter.stats();
        assert_eq!((stats.exported, stats.dropped(), stats.queued), (3, 0, 4));
        drop(bad);
    }
}

#[test]
fn a13_who_waits_for_a_token_holds_no_memory_for_a_body() {
    let service = Service::start().unwrap();
    let resolver = token_from_async_fn(|query| async move {
        if query.identity.agent.as_str() != "good" {
            std::future::pending::<()>().await;
        }
        Ok(None)
    });
    let exporter = Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_token_deadline(LONG * 60)
        .with_max_bytes(1024 * 1024)
        .build()
        .unwrap()
        .exporter();
    let bad = ["bad 1", "bad 2", "bad 3", "bad 4"];
    let bad = bad.map(|agent| exporter.export_with_report(vec![large(Profile::V0_1, agent)]));
    let report = export(&exporter, vec![large(Profile::V0_1, "good")]);
    assert_eq!(report.exported(), 1);
    assert_eq!(exporter.stats().body_bytes, 0);
    drop(bad);
}

#[test]
fn a1_an_identity_whose_token_does_not_come_does_not_stop_the_others() {
    let service = Service::start().unwrap();
    let resolver = token_from_async_fn(|query| async move {
        if query.identity.agent.as_str() == "bad" {
            std::future::pending::<()>().await;
        }
        Ok(None)
    });
    let exporter = Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_concurrency(1)
        .build()
        .unwrap()
        .exporter();
    let bad: Vec<_> = (0..20)
        .map(|_| exporter.export_with_report(vec![span_of(TENANT, "bad")]))
        .collect();
    assert_eq!(
        export(&exporter, vec![span_of(TENANT, "good")]).exported(),
        1
    );
    drop(bad);
}

#[test]
fn t20_an_identity_that_does_not_drain_leaves_room_in_the_queue_to_the_others() {
    let profile = Profile::V0_1;
    let service = service(profile, Answer::status(503));
    let exporter = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_retry_timer(ForEver)
        .with_max_spans(100)
        .build()
        .unwrap()
        .exporter();
    for _ in 0..300 {
        drop(exporter.export_with_report(vec![span(profile, "bad")]));
        let good = export(&exporter, vec![span(profile, "good")]);
        assert_eq!(good.exported(), 1);
    }
    let stats = exporter.stats();
    // Alone in the queue, it leaves an eighth to others that come.
    assert_eq!(stats.queued, 88, "{stats}");
    assert_eq!(stats.dropped_for(DropReason::QueueShare), 212, "{stats}");
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 0, "{stats}");
    check_conserved(exporter.delivery());
}

#[test]
fn identities_get_their_turns_one_after_the_other() {
    let service = Service::start().unwrap();
    let resolver = token_from_fn(|_| Ok(None));
    let exporter = Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_concurrency(1)
        .build()
        .unwrap()
        .exporter();
    let agents = ["a", "b", "c"];
    let reports: Vec<_> = std::iter::repeat_n("a", 30)
        .chain(agents)
        .map(|agent| exporter.export_with_report(vec![span_of(TENANT, agent)]))
        .collect();
    exporter.delivery().flush(LONG).unwrap();
    let requests = service.requests();
    let last = |agent: &str| {
        let path = format!("/{agent}/");
        requests
            .iter()
            .rposition(|request| request.path().contains(&path))
    };
    // All of `a` came first, and is not all sent first.
    assert_eq!(last("a"), Some(32));
    let paths: HashSet<_> = requests.iter().map(|request| request.path()).collect();
    assert_eq!(paths.len(), 3);
    drop(Arc::new(reports));
}

#[test]
fn spans_of_many_identities_gather_until_their_requests_are_full() {
    let service = Service::start().unwrap();
    let delivery = Delivery::builder(token("t"))
        .with_loopback_endpoint(service.url())
        .with_batch_spans(2)
        .with_batch_delay(LONG)
        .build()
        .unwrap();
    let (exporter, processor) = (delivery.exporter(), delivery.span_processor());
    let of_each = || ["a", "b", "c"].map(|agent| span_of(TENANT, agent));
    // What comes belongs to three identities.
    assert_eq!(export(&exporter, of_each().to_vec()).exported(), 3);
    let [first, second, third] = of_each();
    processor.on_end(first);
    processor.on_end(second);
    // Two spans are not enough now: if they were, they would be sent with these.
    assert_eq!(export(&exporter, of_each().to_vec()).exported(), 3);
    processor.on_end(third);
    of_each()
        .into_iter()
        .for_each(|span| processor.on_end(span));
    service.wait_for(9, LONG).unwrap();
    delivery.flush(LONG).unwrap();
    assert_eq!(
        (service.request_count(), delivery.stats().exported),
        (9, 12)
    );
}
