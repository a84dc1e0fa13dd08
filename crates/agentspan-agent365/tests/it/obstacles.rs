//! Spans that waited until a shutdown say what they waited for.

use std::error::Error;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use agentspan_agent365::error::{BoxError, TokenUnavailable};
use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{
    AccessToken, Agent365Exporter, DropReason, ExportError, ExportReport, TokenResolver,
    token_from_fn,
};
use agentspan_testkit::{Answer, CapturedLogs, Service};
use futures_executor::block_on;

use crate::delivery_fixture::{
    LONG, TENANT, check_conserved, delivery_to, service, span_of, token,
};

/// Long enough for what is asked of the delivery meanwhile, and for nothing else.
const BRIEF: Duration = Duration::from_millis(20);

/// Makes pauses as short as what is asked for.
#[derive(Debug)]
struct WithoutJitter;

impl RetryTimer for WithoutJitter {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn random(&self) -> f64 {
        0.0
    }
}

/// Says at each question what `answer` says of its number, and that it was asked.
fn asked(
    answer: impl Fn(usize) -> Result<Option<AccessToken>, BoxError> + Send + Sync + 'static,
) -> (impl TokenResolver, Receiver<usize>) {
    let (sender, questions) = channel();
    let state = Mutex::new((0, sender));
    let resolver = token_from_fn(move |_| {
        let mut state = state.lock().unwrap();
        state.0 += 1;
        let _ = state.1.send(state.0);
        answer(state.0)
    });
    (resolver, questions)
}

fn busy() -> Result<Option<AccessToken>, BoxError> {
    let error = TokenUnavailable::new("s3cret").with_reason("the vault is closed");
    Err(error.with_retry_after(Duration::from_millis(1)).into())
}

fn exporter(service: &Service, resolver: impl TokenResolver) -> Agent365Exporter {
    let builder = delivery_to(service, resolver).with_retry(Retry::default());
    let delivery = builder.with_retry_timer(WithoutJitter).build().unwrap();
    delivery.exporter()
}

/// What the causes of the one loss say, the loss itself first.
fn causes(report: &ExportReport) -> Vec<String> {
    let loss = &report.identities[0].losses[0];
    assert!(matches!(loss.error, ExportError::ShutdownDeadline { .. }));
    let mut causes = vec![loss.error.to_string()];
    let mut cause = loss.error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes
}

/// Says that a pause has begun, which never ends, and has no number for how long it is.
#[derive(Debug)]
struct ForEver(Mutex<Sender<()>>);

impl RetryTimer for ForEver {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = self.0.lock().unwrap().send(());
        Box::pin(pending())
    }

    fn random(&self) -> f64 {
        f64::NAN
    }
}

#[test]
fn a_flush_during_a_pause_can_say_why_spans_wait() {
    for retry in [Retry::default(), Retry::reference()] {
        let service = service([Answer::status(503)]);
        let (begun, has_begun) = channel();
        let builder = delivery_to(&service, token("t")).with_retry(retry);
        let builder = builder.with_retry_timer(ForEver(Mutex::new(begun)));
        let exporter = builder.build().unwrap().exporter();
        let report = exporter.export_with_report(vec![span_of(TENANT, "waits")]);
        has_begun.recv_timeout(LONG).unwrap();
        let awaited = exporter.delivery().awaited().unwrap();
        let last = format!("tenant {TENANT}, agent waits, the last with status 503");
        assert!(awaited.ends_with(&last), "{awaited}");
        exporter.delivery().shutdown(Duration::ZERO).unwrap_err();
        assert_eq!(exporter.delivery().awaited(), None);
        assert!(block_on(report).is_ok());
        check_conserved(exporter.delivery());
    }
}

#[test]
fn spans_that_waited_for_a_token_until_the_shutdown_say_why_there_was_none() {
    let logs = CapturedLogs::everywhere();
    let service = service([]);
    let (resolver, questions) = asked(|_| busy());
    let exporter = exporter(&service, resolver);
    let first = exporter.export_with_report(vec![span_of(TENANT, "waits")]);
    // It waits behind the first, and has asked nobody.
    let second = exporter.export_with_report(vec![span_of(TENANT, "waits"); 2]);
    while questions.recv_timeout(LONG).unwrap() < 2 {}
    exporter.delivery().shutdown(BRIEF).unwrap_err();
    let (deadline, no_token) = (
        format!(
            "the shutdown deadline passed before the spans of tenant {TENANT}, agent waits were delivered"
        ),
        format!("the token resolver failed for tenant {TENANT}, agent waits"),
    );
    for report in [block_on(first).unwrap(), block_on(second).unwrap()] {
        let causes = causes(&report);
        assert_eq!(causes[..2], [deadline.clone(), no_token.clone()]);
        assert_eq!(causes.last().unwrap(), "s3cret");
    }
    let told = format!("{no_token}: the vault is closed");
    let failure = exporter.delivery().last_failure();
    assert_eq!(failure.as_deref(), Some(told.as_str()));
    assert!(logs.contains(&told), "{}", logs.text());
    assert!(!logs.contains("s3cret"), "{}", logs.text());
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 3);
    assert_eq!((stats.accepted, stats.dropped()), (3, 3));
    check_conserved(exporter.delivery());
}

#[test]
fn spans_that_waited_for_the_service_until_the_shutdown_say_what_it_answered() {
    let service = service([Answer::status(503), Answer::hang()]);
    let exporter = exporter(&service, token("t"));
    let export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    service.wait_for(2, LONG).unwrap();
    let awaited =
        format!("the service has given no answer yet to try 2 for tenant {TENANT}, agent a");
    assert_eq!(exporter.delivery().awaited(), Some(awaited));
    exporter.delivery().shutdown(BRIEF).unwrap_err();
    let tried = format!("1 try failed for tenant {TENANT}, agent a");
    let causes = causes(&block_on(export).unwrap());
    assert_eq!((causes.len(), &causes[1]), (2, &tried));
    let told = format!("{tried}, the last with status 503");
    assert_eq!(exporter.delivery().last_failure(), Some(told));
}

#[test]
fn what_is_over_is_not_said_to_be_waited_for_but_the_answer_that_is_missing() {
    let service = service([Answer::status(503), Answer::status(200), Answer::hang()]);
    let (resolver, _questions) = asked(|number| match number {
        1 => busy(),
        _ => Ok(Some(AccessToken::new("t")?)),
    });
    let exporter = exporter(&service, resolver);
    let export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    assert_eq!(block_on(export).unwrap().exported(), 1);
    let export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    service.wait_for(3, LONG).unwrap();
    exporter.delivery().shutdown(BRIEF).unwrap_err();
    let pending =
        format!("the service has given no answer yet to try 1 for tenant {TENANT}, agent a");
    assert_eq!(causes(&block_on(export).unwrap())[1], pending);
    assert_eq!(exporter.delivery().last_failure(), Some(pending));
}

#[test]
fn a_resolver_that_hangs_is_named_while_it_is_waited_for_and_when_the_deadline_has_passed() {
    let service = service([]);
    let (release, released) = channel::<()>();
    let (asked, was_asked) = channel();
    let state = Mutex::new((asked, released));
    let resolver = token_from_fn(move |_| {
        let state = state.lock().unwrap();
        let _ = state.0.send(());
        let _ = state.1.recv();
        Ok(None)
    });
    let exporter = exporter(&service, resolver);
    let delivery = exporter.delivery();
    assert_eq!(delivery.awaited(), None);
    let export = exporter.export_with_report(vec![span_of(TENANT, "a")]);
    was_asked.recv_timeout(LONG).unwrap();
    let pending =
        format!("the token resolver has given no answer yet for tenant {TENANT}, agent a");
    assert_eq!(delivery.awaited(), Some(pending.clone()));
    delivery.shutdown(BRIEF).unwrap_err();
    assert_eq!(causes(&block_on(export).unwrap())[1], pending);
    assert_eq!(delivery.last_failure(), Some(pending));
    assert_eq!(delivery.awaited(), None);
    drop(release);
}
