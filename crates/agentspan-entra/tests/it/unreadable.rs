//! Answers that are none of Entra.

use std::time::Duration;

use agentspan_entra::EntraError;
use agentspan_testkit::Answer;

use crate::directory::{client, identity, service};

async fn check_told(answer: Answer, message: &str) {
    let service = service();
    let entra = client(&service).with_timeout(Duration::from_millis(300));
    let entra = entra.build().unwrap();
    service.play([answer]);
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(error.to_string(), message);
    assert!(error.is_retryable());
    // It was one answer: the next one counts again.
    entra.agent_token(&identity()).await.unwrap();
}

#[tokio::test]
async fn an_answer_without_a_token_is_told() {
    let has = |what| format!("the answer about the assertion of the blueprint has {what}");
    let body = |body: &'static str| Answer::status(200).body(body);
    check_told(body("<html>"), &has("no json of a token")).await;
    check_told(body("{\"token\":\"a\"}"), &has("no token")).await;
    let broken = "{\"access_token\":\"a\\r\\nb\"}";
    check_told(body(broken), &has("a token that no header can carry")).await;
    check_told(body("{").truncated(10), &has("no end")).await;
    check_told(body("{").stalled(), &has("no end")).await;
    check_told(Answer::endless_body(), &has("no end")).await;
}

#[tokio::test]
async fn an_entra_that_cannot_be_reached_is_told() {
    let message = "no answer about the assertion of the blueprint";
    for answer in [Answer::reset(), Answer::garbage(), Answer::hang()] {
        check_told(answer, message).await;
    }
    let service = service();
    let entra = client(&service).build().unwrap();
    drop(service);
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert!(matches!(error, EntraError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn t31_redirects_are_not_followed() {
    let service = service();
    let entra = client(&service).build().unwrap();
    service.play([Answer::redirect(307, &service.url())]);
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "entra refused the assertion of the blueprint: 307"
    );
    assert_eq!(service.asked().len(), 1);
}
