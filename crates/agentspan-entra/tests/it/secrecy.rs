//! Secrets, assertions and tokens are shown nowhere.

use std::error::Error;
use std::time::Duration;

use agentspan_agent365::{AccessToken, Agent365Exporter, token_from_async_fn};
use agentspan_entra::{Assertion, AssertionRequest, AssertionSource, Credential, Entra, Secret};
use agentspan_testkit::{Answer, CapturedLogs, Proof, Service, forms_of};
use http::HeaderValue;
use serde_json::json;

use crate::directory::{BLUEPRINT, PERSON, SECRET, TENANT, client, identity, service};

/// The header with which a token is sent: the one way to see one.
pub(crate) fn sent_with(token: &AccessToken) -> HeaderValue {
    let service = Service::start().unwrap();
    let token = token.clone();
    let resolver = token_from_async_fn(move |_| {
        let token = token.clone();
        async move { Ok(Some(token)) }
    });
    let exporter = Agent365Exporter::builder(resolver)
        .with_loopback_endpoint(service.url())
        .build()
        .unwrap();
    let spans = vec![crate::export::span_of(TENANT, "a")];
    futures_executor::block_on(exporter.export_with_report(spans)).unwrap();
    let requests = service.wait_for(1, Duration::from_secs(60)).unwrap();
    let header = requests[0].header("authorization").unwrap();
    HeaderValue::from_str(header).unwrap()
}

fn check_hidden(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        let forms = forms_of(secret, shown.as_bytes());
        assert!(forms.is_empty(), "{forms:?} in {shown}");
    }
}

fn whole(error: &dyn Error) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    shown
}

#[tokio::test]
async fn t31_a_secret_that_entra_repeats_is_not_shown() {
    let logs = CapturedLogs::everywhere();
    let service = service();
    let person = service.user_token(TENANT, PERSON, BLUEPRINT);
    let entra = client(&service).build().unwrap();
    entra.agent_token(&identity()).await.unwrap();
    let repeats = |text: &str| {
        let description = format!("AADSTS1: you sent {text}, which is wrong");
        let body = json!({"error": text, "error_description": description});
        Answer::status(400).body(body.to_string())
    };
    service.play([repeats(&person)]);
    let token = Secret::new(person.as_str());
    let error = entra.token_on_behalf_of(&identity(), &token).await;
    let mut shown = whole(&error.unwrap_err());
    service.play([repeats(SECRET)]);
    let other = client(&service).build().unwrap();
    let error = other.agent_token(&identity()).await;
    shown.push_str(&whole(&error.unwrap_err()));
    assert!(shown.contains("you sent"), "{shown}");
    shown.push_str(&format!(
        "{entra:?} {token:?} {:?}",
        Credential::secret(SECRET)
    ));
    shown.push_str(&logs.text());
    check_hidden(&shown, &[SECRET, &person]);
}

#[derive(Debug)]
struct Fails;

#[async_trait::async_trait]
impl AssertionSource for Fails {
    async fn assertion(
        &self,
        _: &AssertionRequest<'_>,
    ) -> Result<Assertion, Box<dyn Error + Send + Sync>> {
        Err("s3cret-of-the-source".into())
    }
}

#[tokio::test]
async fn t31_the_error_of_a_source_is_given_to_who_asks_and_not_shown() {
    let logs = CapturedLogs::everywhere();
    let service = service();
    service.replace_proof(BLUEPRINT, Proof::assertion("an assertion"));
    let entra = Entra::builder(BLUEPRINT, Credential::assertion(Fails));
    let entra = entra.with_loopback_endpoint(service.url()).build().unwrap();
    let error = entra.agent_token(&identity()).await.unwrap_err();
    let shown = format!("{error} {error:?} {} {entra:?}", logs.text());
    assert!(shown.contains("the blueprint has no assertion"), "{shown}");
    check_hidden(&shown, &["s3cret-of-the-source"]);
    let cause = error.source().unwrap().source().unwrap();
    assert_eq!(cause.to_string(), "s3cret-of-the-source");
}
