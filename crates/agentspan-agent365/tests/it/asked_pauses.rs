//! The part of a pause that the service or the token resolver asks for.

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use agentspan_agent365::error::TokenUnavailable;
use agentspan_agent365::retry::RetryTimer;
use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, token_from_fn};
use agentspan_testkit::{Answer, Service};

use crate::delivery_fixture::{TENANT, service, span_of, token};

/// No pause is longer, whatever is asked for.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Tells of each pause, and ends those at once that the closure chooses, and no others.
#[derive(Debug)]
struct Ends(fn(Duration) -> bool, Sender<Duration>);

impl RetryTimer for Ends {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = self.1.send(pause);
        match self.0(pause) {
            true => Box::pin(ready(())),
            false => Box::pin(pending()),
        }
    }

    fn random(&self) -> f64 {
        1.0
    }
}

/// Runs `check` with a span that the service takes after the failures, each of which may ask for a pause
/// in seconds, and then with one for which the token resolver fails so.
fn check_asked(
    failures: &'static [Option<u64>],
    ends: fn(Duration) -> bool,
    check: impl Fn(&Delivery, &Receiver<Duration>),
) {
    let answers = failures.iter().map(|asked| match asked {
        Some(seconds) => Answer::status(429).header("retry-after", &seconds.to_string()),
        None => Answer::status(503),
    });
    let fails = service(answers.chain([Answer::status(200)]));
    check_with(&fails, Delivery::builder(token("t")), ends, &check);
    let questions = AtomicUsize::new(0);
    let resolver = token_from_fn(
        move |_| match failures.get(questions.fetch_add(1, SeqCst)) {
            Some(asked) => {
                let asked = asked.map(Duration::from_secs);
                Err(TokenUnavailable::new("later")
                    .with_retry_after(asked)
                    .into())
            }
            None => Ok(Some(AccessToken::new("t")?)),
        },
    );
    let works = service([Answer::status(200)]);
    check_with(&works, Delivery::builder(resolver), ends, &check);
}

fn check_with(
    service: &Service,
    builder: DeliveryBuilder,
    ends: fn(Duration) -> bool,
    check: impl Fn(&Delivery, &Receiver<Duration>),
) {
    let (paused, pauses) = channel();
    let builder = builder.with_loopback_endpoint(service.url());
    let delivery = builder
        .with_retry_timer(Ends(ends, paused))
        .build()
        .unwrap();
    let exporter = delivery.exporter();
    let _export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    check(&delivery, &pauses);
    assert_eq!(delivery.stats().exported, 1);
}

#[test]
fn a_shutdown_waits_for_a_pause_that_is_shorter_than_was_asked_for() {
    let failures = &[None, Some(600)];
    check_asked(
        failures,
        |pause| pause == LONGEST,
        |delivery, pauses| {
            assert!(pauses.recv().unwrap() < LONGEST);
            // It ends the first pause.
            delivery
                .shutdown(LONGEST + Duration::from_secs(60))
                .unwrap();
        },
    );
}

#[test]
fn a_pause_of_no_time_that_is_asked_for_is_one_of_our_own() {
    check_asked(
        &[Some(0)],
        |_| true,
        |delivery, pauses| {
            delivery.flush(LONGEST).unwrap();
            let pauses: Vec<_> = pauses.try_iter().collect();
            assert_eq!(pauses, [Duration::from_millis(500)]);
        },
    );
}
