//! Those who wait for the same question get its outcome when it fails, too.

use std::error::Error;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use agentspan_agent365::AccessToken;
use agentspan_entra::{
    AgentUser, Assertion, AssertionRequest, AssertionSource, Credential, EntraError,
};
use agentspan_testkit::Answer;
use async_trait::async_trait;
use tokio::task::yield_now;

use crate::directory::{BLUEPRINT, USER, client, identity, service};

type Asking<'a> = Pin<Box<dyn Future<Output = Result<AccessToken, EntraError>> + 'a>>;

/// Polls each of them once, so that all wait, and then awaits them.
async fn errors_of(mut all: Vec<Asking<'_>>) -> Vec<EntraError> {
    let mut waker = Context::from_waker(Waker::noop());
    for one in &mut all {
        assert!(one.as_mut().poll(&mut waker).is_pending());
    }
    let mut errors = Vec::new();
    for one in all {
        errors.push(one.await.unwrap_err());
    }
    errors
}

#[tokio::test]
async fn who_waits_for_a_token_gets_the_failure_and_who_comes_later_asks_anew() {
    let service = service();
    let entra = client(&service).build().unwrap();
    service.play([Answer::status(500)]);
    let identity = identity();
    let asking = || -> Asking<'_> { Box::pin(entra.agent_token(&identity)) };
    let errors = errors_of((0..20).map(|_| asking()).collect()).await;
    for error in &errors {
        assert!(matches!(error, EntraError::Busy { .. }), "{error:?}");
    }
    assert_eq!((errors.len(), service.asked().len()), (20, 1));
    asking().await.unwrap();
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn tokens_that_need_the_same_assertion_share_its_failure() {
    let service = service();
    let entra = client(&service).build().unwrap();
    service.refuse_once(7_000_215);
    let (identity, user) = (identity(), AgentUser::id(USER));
    let errors = errors_of(vec![
        Box::pin(entra.agent_token(&identity)),
        Box::pin(entra.agent_user_token(&identity, &user)),
    ])
    .await;
    let codes = errors.iter().map(|error| error.refusal().unwrap().codes[0]);
    assert_eq!(codes.collect::<Vec<_>>(), [7_000_215; 2]);
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_fail_the_others() {
    let service = service();
    let entra = client(&service).build().unwrap();
    service.play([Answer::hang()]);
    let identity = identity();
    let mut first: Asking<'_> = Box::pin(entra.agent_token(&identity));
    let mut second = pin!(entra.agent_token(&identity));
    let mut waker = Context::from_waker(Waker::noop());
    while service.asked().is_empty() {
        assert!(first.as_mut().poll(&mut waker).is_pending());
        yield_now().await;
    }
    assert!(second.as_mut().poll(&mut waker).is_pending());
    drop(first);
    second.await.unwrap();
    assert_eq!(service.asked().len(), 3);
}

#[derive(Debug)]
struct Fails(Arc<AtomicUsize>);

#[async_trait]
impl AssertionSource for Fails {
    async fn assertion(
        &self,
        _: &AssertionRequest<'_>,
    ) -> Result<Assertion, Box<dyn Error + Send + Sync>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        yield_now().await;
        Err(std::io::Error::other("the vault is closed").into())
    }
}

#[tokio::test]
async fn a_source_of_assertions_is_asked_once_and_each_caller_can_read_its_error() {
    let service = service();
    let asked = Arc::new(AtomicUsize::new(0));
    let credential = Credential::assertion(Fails(Arc::clone(&asked)));
    let entra = agentspan_entra::Entra::builder(BLUEPRINT, credential)
        .with_loopback_endpoint(service.url())
        .build()
        .unwrap();
    let identity = identity();
    let asking = || -> Asking<'_> { Box::pin(entra.agent_token(&identity)) };
    let errors = errors_of((0..3).map(|_| asking()).collect()).await;
    assert_eq!((errors.len(), asked.load(Ordering::SeqCst)), (3, 1));
    for error in &errors {
        let assertion = error.source().unwrap();
        let cause = assertion.source().unwrap();
        assert!(cause.downcast_ref::<std::io::Error>().is_some());
    }
}
