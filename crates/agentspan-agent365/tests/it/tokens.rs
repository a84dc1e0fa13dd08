//! Whatever a token resolver does costs its identity and no other.

use std::error::Error;
use std::fmt;
use std::future::{Future, ready};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_agent365::error::{BoxError, TokenUnavailable};
use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{
    AccessToken, DropReason, ExportError, TokenResolver, token_from_async_fn, token_from_fn,
};
use agentspan_testkit::Answer;
use async_trait::async_trait;
use opentelemetry::Context;

use crate::delivery_fixture::{
    LONG, SHORT, TENANT, check_conserved, delivery_to, export, exporter_to, service, span_of,
};

fn is_bad(query: &TokenQuery) -> bool {
    query.identity.agent.as_str() == "bad"
}

fn good() -> Option<AccessToken> {
    Some(AccessToken::new("t").unwrap())
}

/// Exports spans of a bad and a good identity. Only the good one's arrive; gives the error of the bad.
fn check_costs_its_identity(resolver: impl TokenResolver, message: &str) -> Option<String> {
    check_costs_within(LONG, resolver, message)
}

fn check_costs_within(
    deadline: Duration,
    resolver: impl TokenResolver,
    message: &str,
) -> Option<String> {
    let service = service([Answer::status(200)]);
    let exporter = delivery_to(&service, resolver)
        .with_token_deadline(deadline)
        .build()
        .unwrap()
        .exporter();
    let spans = vec![span_of(TENANT, "bad"), span_of(TENANT, "good")];
    let report = export(&exporter, spans);
    let [bad, good] = &report.identities[..] else {
        panic!("two identities");
    };
    assert_eq!((bad.exported, good.exported), (0, 1));
    let error = &bad.losses[0].error;
    assert_eq!(error.reason(), DropReason::Token);
    assert_eq!(error.to_string(), message);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path(), "/maven/agent365/agents/good/traces");
    check_conserved(exporter.delivery());
    let source = error.source()?.source()?;
    Some(source.to_string())
}

#[test]
fn a_resolver_that_fails_costs_its_identity() {
    let message = format!("the token resolver failed for tenant {TENANT}, agent bad");
    let answer = |query: &TokenQuery| {
        if is_bad(query) {
            return Err("no luck".into());
        }
        Ok(good())
    };
    let source = check_costs_its_identity(token_from_fn(answer), &message);
    assert_eq!(source.as_deref(), Some("no luck"));
    let source = check_costs_its_identity(
        token_from_async_fn(move |query| async move { answer(&query) }),
        &message,
    );
    assert_eq!(source.as_deref(), Some("no luck"));
}

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

/// Says for the bad identity, so many times, that there is no token at the moment.
fn unavailable(times: usize) -> impl TokenResolver {
    let asked = Arc::new(AtomicUsize::new(0));
    token_from_async_fn(move |query| {
        let is_early = is_bad(&query) && asked.fetch_add(1, SeqCst) < times;
        async move {
            if is_early {
                let pause = Duration::from_millis(1);
                return Err(TokenUnavailable::new("busy").with_retry_after(pause).into());
            }
            Ok(good())
        }
    })
}

#[test]
fn spans_wait_while_a_resolver_says_that_it_may_have_a_token_later() {
    let service = service([Answer::status(200)]);
    let exporter = delivery_to(&service, unavailable(3))
        .with_retry(Retry::default())
        .with_retry_timer(WithoutJitter)
        .build()
        .unwrap()
        .exporter();
    let spans = vec![span_of(TENANT, "bad"), span_of(TENANT, "good")];
    let report = export(&exporter, spans);
    let exported: Vec<_> = report.identities.iter().map(|one| one.exported).collect();
    assert_eq!(exported, [1, 1]);
    let paths: Vec<_> = service
        .requests()
        .iter()
        .map(|one| one.path().to_owned())
        .collect();
    let path = |agent| format!("/maven/agent365/agents/{agent}/traces");
    assert_eq!(paths, [path("good"), path("bad")]);
    check_conserved(exporter.delivery());
}

#[test]
fn retries_of_a_reference_wait_for_no_token() {
    let message = format!("the token resolver failed for tenant {TENANT}, agent bad");
    let source = check_costs_its_identity(unavailable(usize::MAX), &message);
    assert_eq!(
        source.as_deref(),
        Some("no token is available at the moment")
    );
}

#[test]
fn spans_wait_for_a_token_in_place_of_a_refused_one() {
    let service = service([Answer::status(401), Answer::status(200)]);
    let asked = AtomicUsize::new(0);
    let resolver = token_from_async_fn(move |_| {
        let number = asked.fetch_add(1, SeqCst);
        async move {
            match number {
                1 => Err(TokenUnavailable::new("busy").into()),
                number => Ok(Some(AccessToken::new(format!("t{number}"))?)),
            }
        }
    });
    let exporter = delivery_to(&service, resolver)
        .with_retry(Retry::default())
        .with_retry_timer(WithoutJitter)
        .build()
        .unwrap()
        .exporter();
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    assert_eq!(report.identities[0].exported, 1);
    let requests = service.requests();
    let tokens: Vec<_> = requests
        .iter()
        .map(|one| one.header("authorization"))
        .collect();
    assert_eq!(tokens, [Some("Bearer t0"), Some("Bearer t2")]);
}

/// An error that panics when it is dropped.
#[derive(Debug)]
struct PanicsWhenDropped;

impl fmt::Display for PanicsWhenDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("on purpose")
    }
}

impl Error for PanicsWhenDropped {}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("the drop of an error panics");
    }
}

#[test]
fn a12_the_delivery_goes_on_after_any_number_of_panics() {
    let service = service([Answer::status(200)]);
    let exporter = delivery_to(
        &service,
        token_from_fn(|query: &TokenQuery| {
            if is_bad(query) {
                return Err(PanicsWhenDropped.into());
            }
            Ok(good())
        }),
    )
    .with_on_report(|_| panic_any(PanicsWhenDropped))
    .build()
    .unwrap()
    .exporter();
    const MANY: u64 = 100;
    for _ in 0..MANY {
        export(&exporter, vec![span_of(TENANT, "bad")]);
    }
    export(&exporter, vec![span_of(TENANT, "good")]);
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::Token), MANY);
    assert_eq!((stats.exported, stats.dropped()), (1, MANY));
    assert_eq!(stats.panics, MANY + 1);
    check_conserved(exporter.delivery());
    let lost = exporter.delivery().shutdown(LONG).unwrap_err();
    assert!(lost.to_string().contains("(token: "), "{lost}");
}

/// A resolver that panics when it is asked, and when it is dropped.
#[derive(Debug)]
struct PanickingResolver;

#[async_trait]
impl TokenResolver for PanickingResolver {
    async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        panic_any(PanicsWhenDropped)
    }
}

impl Drop for PanickingResolver {
    fn drop(&mut self) {
        panic_any(PanicsWhenDropped);
    }
}

#[test]
fn a11_a_resolver_that_panics_in_its_drop_holds_up_no_shutdown() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, PanickingResolver);
    export(&exporter, vec![span_of(TENANT, "a")]);
    let lost = exporter.delivery().shutdown(LONG).unwrap_err();
    assert!(lost.to_string().contains("(token: "), "{lost}");
    let stats = exporter.stats();
    assert_eq!((stats.dropped_for(DropReason::Token), stats.panics), (1, 1));
}

#[test]
fn a_resolver_that_panics_costs_its_identity() {
    let message = format!("the token resolver panicked for tenant {TENANT}, agent bad");
    let answer = |query: &TokenQuery| {
        assert!(!is_bad(query), "on purpose");
        Ok(good())
    };
    check_costs_its_identity(token_from_fn(answer), &message);
    check_costs_its_identity(
        token_from_async_fn(move |query| async move { answer(&query) }),
        &message,
    );
    check_costs_its_identity(
        token_from_async_fn(move |query| ready(answer(&query))),
        &message,
    );
}

#[test]
fn a_resolver_that_hangs_costs_its_identity() {
    let message = format!(
        "the token resolver gave no answer for tenant {TENANT}, agent bad within {SHORT:?}"
    );
    let (release, hang) = channel::<()>();
    let hang: Mutex<Receiver<()>> = Mutex::new(hang);
    let blocking = token_from_fn(move |query| {
        if is_bad(query) {
            // Until the test is over.
            let _ = hang.lock().unwrap().recv();
        }
        Ok(good())
    });
    check_costs_within(SHORT, blocking, &message);
    drop(release);
    let pending = token_from_async_fn(|query| async move {
        if is_bad(&query) {
            std::future::pending::<()>().await;
        }
        Ok(good())
    });
    check_costs_within(SHORT, pending, &message);
}

/// A closure that returns at once for good agents, and never for others. It counts its calls for the others,
/// and ends when the sender is dropped.
fn hanging(calls: &Arc<Mutex<u64>>) -> (Sender<()>, impl TokenResolver + use<>) {
    let (release, hang) = channel::<()>();
    let hang = Arc::new(Mutex::new(hang));
    let calls = Arc::clone(calls);
    let resolver = token_from_fn(move |query| {
        assert_eq!(std::thread::current().name(), Some("agentspan-token"));
        if query.identity.agent.as_str().starts_with("good") {
            return Ok(good());
        }
        *calls.lock().unwrap() += 1;
        let _ = hang.lock().map(|hang| hang.recv());
        Ok(None)
    });
    (release, resolver)
}

#[test]
fn identities_whose_closure_never_returns_cost_no_other_its_tokens() {
    let service = service([Answer::status(200)]);
    let calls = Arc::default();
    let (release, resolver) = hanging(&calls);
    let exporter = delivery_to(&service, resolver)
        .with_retry(Retry::default())
        .with_token_deadline(SHORT)
        .build()
        .unwrap()
        .exporter();
    for round in 1..=3 {
        let spans = (0..20).map(|n| span_of(TENANT, format!("bad{n}")));
        let spans = spans.chain([span_of(TENANT, format!("good{round}"))]);
        let report = export(&exporter, spans.collect());
        assert_eq!(report.dropped_for(DropReason::Token), 20, "{round}");
        assert_eq!(report.exported(), 1, "{round}");
    }
    assert_eq!(*calls.lock().unwrap(), 20, "one call for each identity");
    drop(release);
}

#[test]
fn closures_that_never_return_keep_32_threads_and_no_more() {
    let service = service([Answer::status(200)]);
    let calls = Arc::default();
    let (release, resolver) = hanging(&calls);
    let exporter = delivery_to(&service, resolver)
        .with_retry(Retry::default())
        .with_token_deadline(SHORT)
        .with_concurrency(64)
        .build()
        .unwrap()
        .exporter();
    let spans = (0..40)
        .map(|n| span_of(TENANT, format!("bad{n}")))
        .collect();
    let report = export(&exporter, spans);
    assert_eq!(report.dropped_for(DropReason::Token), 40);
    assert_eq!((*calls.lock().unwrap(), service.connections()), (32, 0));
    drop(release);
}

#[test]
fn without_a_token_the_request_goes_without_authorization() {
    for resolver in [None, Some(AccessToken::new("").unwrap())] {
        let service = service([Answer::status(200)]);
        let exporter = exporter_to(&service, token_from_fn(move |_| Ok(resolver.clone())));
        let report = export(&exporter, vec![span_of(TENANT, "a")]);
        assert!(report.is_success());
        assert_eq!(service.requests()[0].header("authorization"), None);
    }
}

#[test]
fn t12_a_token_is_sent_for_the_identity_that_it_was_resolved_for_only() {
    let service = service([Answer::status(200)]);
    let resolver = token_from_async_fn(|query| async move {
        Ok(Some(AccessToken::new(query.identity.agent.as_str())?))
    });
    let exporter = exporter_to(&service, Arc::new(resolver));
    let spans = (0..20).map(|n| span_of(TENANT, format!("a{n}"))).collect();
    assert_eq!(export(&exporter, spans).exported(), 20);
    for request in service.requests() {
        let agent = request.path().split('/').nth(4).unwrap().to_owned();
        assert_eq!(
            request.header("authorization"),
            Some(format!("Bearer {agent}").as_str())
        );
    }
}

#[test]
fn telemetry_is_suppressed_while_a_resolver_runs() {
    let service = service([Answer::status(200)]);
    let answer = || match Context::is_current_telemetry_suppressed() {
        true => Ok(None),
        false => Err("not suppressed".into()),
    };
    let blocking = exporter_to(&service, token_from_fn(move |_| answer()));
    assert!(export(&blocking, vec![span_of(TENANT, "a")]).is_success());
    let asynchronous = exporter_to(
        &service,
        token_from_async_fn(move |_| async move { answer() }),
    );
    assert!(export(&asynchronous, vec![span_of(TENANT, "a")]).is_success());
}

#[test]
fn an_error_of_a_resolver_is_not_shown_by_debug() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token_from_fn(|_| Err("s3cret".into())));
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let shown = format!("{report:?} {report:#?} {report} {exporter:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(matches!(
        report.identities[0].losses[0].error,
        ExportError::Token { .. }
    ));
}
