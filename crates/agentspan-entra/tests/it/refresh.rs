//! How long tokens are kept, and who asks for the next one.

use std::time::Duration;

use agentspan_agent365::TokenResolver as _;
use agentspan_agent365::error::TokenUnavailable;
use agentspan_agent365::token::TokenQuery;
use agentspan_entra::{Entra, EntraError};
use agentspan_testkit::{Answer, Entra as Service};
use serde_json::json;

use crate::directory::{TestClock, client, identity, service};

const HOUR: u64 = 3_600;

fn client_at(service: &Service, clock: &TestClock) -> Entra {
    client(service).with_clock(clock.clone()).build().unwrap()
}

/// Asks at each of these times, in seconds, and checks how many questions were put until then.
async fn check_questions(random: f64, times: &[(u64, usize)]) {
    let service = service();
    let clock = TestClock::with_random(random);
    let entra = client_at(&service, &clock);
    let mut now = 0;
    for (time, questions) in times {
        clock.turn(time - now);
        now = *time;
        entra.agent_token(&identity()).await.unwrap();
        assert_eq!(service.asked().len(), *questions, "after {time} s");
    }
}

#[tokio::test]
async fn a_token_is_replaced_between_ten_and_five_minutes_before_it_expires() {
    // Both the assertion and the token are old then.
    check_questions(0.0, &[(0, 2), (HOUR - 301, 2), (HOUR - 300, 4)]).await;
    check_questions(1.0, &[(0, 2), (HOUR - 601, 2), (HOUR - 600, 4)]).await;
    check_questions(0.5, &[(0, 2), (HOUR - 451, 2), (HOUR - 450, 4)]).await;
    check_questions(f64::NAN, &[(0, 2), (HOUR - 301, 2), (HOUR - 300, 4)]).await;
}

#[tokio::test]
async fn no_time_is_too_long_to_be_replaced_before() {
    let service = service();
    let clock = TestClock::with_random(1.0);
    let client = client(&service).with_clock(clock);
    let client = client.with_refresh_before(Duration::MAX).build().unwrap();
    client.agent_token(&identity()).await.unwrap();
}

#[tokio::test]
async fn an_old_token_is_used_on_when_the_next_one_does_not_come_in_time() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client(&service)
        .with_clock(clock.clone())
        .with_deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    let old = entra.agent_token(&identity()).await.unwrap();
    clock.turn(HOUR - 200);
    service.play([Answer::hang()]);
    // The second call finds that the first was in vain a short time ago.
    for _ in 0..2 {
        assert_eq!(entra.agent_token(&identity()).await.unwrap(), old);
        assert_eq!(service.asked().len(), 3);
    }
    clock.turn(30);
    assert_ne!(entra.agent_token(&identity()).await.unwrap(), old);
}

#[tokio::test]
async fn a_short_token_is_kept_for_half_of_its_life_and_one_may_ask_to_be_replaced_early() {
    let service = service();
    let clock = TestClock::with_random(1.0);
    let entra = client_at(&service, &clock);
    let answer = |token: &str, more: serde_json::Value| {
        let mut body = json!({"access_token": token, "token_type": "Bearer"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Answer::json(&body)
    };
    service.play([
        answer("t1", json!({"expires_in": 100_000, "refresh_in": 50})),
        answer("a1", json!({"expires_in": "60"})),
    ]);
    entra.agent_token(&identity()).await.unwrap();
    clock.turn(29);
    entra.agent_token(&identity()).await.unwrap();
    assert_eq!(service.asked().len(), 2);
    service.play([answer("a2", json!({"expires_in": 60}))]);
    clock.turn(1);
    entra.agent_token(&identity()).await.unwrap();
    assert_eq!(service.asked().len(), 3);
    service.play([
        answer("t2", json!({"expires_in": 100_000})),
        answer("a3", json!({"expires_in": 60})),
    ]);
    clock.turn(30);
    entra.agent_token(&identity()).await.unwrap();
    let asked = service.asked();
    let assertions: Vec<_> = asked
        .iter()
        .map(|one| one.field("client_assertion"))
        .collect();
    let expected = [None, Some("t1"), Some("t1"), None, Some("t2")];
    assert_eq!(assertions, expected);
}

#[tokio::test]
async fn one_question_for_the_same_token_is_asked_at_a_time() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let entra = entra.clone();
        tasks.spawn(async move { entra.agent_token(&identity()).await.unwrap() });
    }
    let tokens = tasks.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn nobody_waits_for_the_next_token_while_the_old_one_lives() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client_at(&service, &clock);
    let old = entra.agent_token(&identity()).await.unwrap();
    clock.turn(HOUR - 200);
    // The question for the next one hangs, and another one is not kept waiting by that.
    service.play([Answer::hang()]);
    let mut asking = tokio::task::JoinSet::new();
    let same = entra.clone();
    asking.spawn(async move { same.agent_token(&identity()).await });
    while service.asked().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(entra.agent_token(&identity()).await.unwrap(), old);
    assert!(asking.try_join_next().is_none());
}

#[tokio::test]
async fn a_token_that_cannot_be_replaced_is_used_until_it_expires() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client_at(&service, &clock);
    let old = entra.agent_token(&identity()).await.unwrap();
    service.play((0..100).map(|_| Answer::status(500)));
    clock.turn(HOUR - 200);
    // The assertion cannot be replaced either, and lives as long.
    for questions in [4, 4] {
        assert_eq!(entra.agent_token(&identity()).await.unwrap(), old);
        assert_eq!(service.asked().len(), questions);
    }
    // Not with every call, but every half a minute.
    clock.turn(30);
    assert_eq!(entra.agent_token(&identity()).await.unwrap(), old);
    assert_eq!(service.asked().len(), 6);
    clock.turn(170);
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert!(matches!(error, EntraError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn nothing_is_asked_before_the_pause_that_entra_asks_for_is_over() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client_at(&service, &clock);
    service.play([Answer::status(429).header("retry-after", "7")]);
    let query = TokenQuery::new(identity());
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let error = entra.resolve(&query).await.unwrap_err();
        let unavailable: &TokenUnavailable = error.downcast_ref().unwrap();
        pauses.push(unavailable.retry_after().unwrap().as_secs());
        clock.turn(3);
    }
    assert_eq!(pauses, [7, 4, 1]);
    assert_eq!(service.asked().len(), 1);
    clock.turn(1);
    entra.resolve(&query).await.unwrap();
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn a_token_that_the_service_refuses_is_replaced_but_not_over_and_over() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client_at(&service, &clock);
    let query = TokenQuery::new(identity());
    let first = entra.resolve(&query).await.unwrap().unwrap();
    let refuse =
        |token: &agentspan_agent365::AccessToken| query.clone().with_refused(token.clone());
    let second = entra.resolve(&refuse(&first)).await.unwrap().unwrap();
    assert_ne!(first, second);
    // The assertion of the blueprint is not at fault.
    assert_eq!(service.asked().len(), 3);
    // Another one had the first token, too.
    assert_eq!(
        entra.resolve(&refuse(&first)).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(
        entra.resolve(&refuse(&second)).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(service.asked().len(), 3);
    clock.turn(30);
    assert_ne!(entra.resolve(&refuse(&second)).await.unwrap(), Some(second));
    assert_eq!(service.asked().len(), 4);
}

#[tokio::test]
async fn assertions_that_are_refused_are_replaced_once_and_never_sent_again() {
    let service = service();
    let clock = TestClock::with_random(0.0);
    let entra = client_at(&service, &clock);
    entra.agent_token(&identity()).await.unwrap();
    service.expire_assertions();
    clock.turn(1);
    let user = agentspan_entra::AgentUser::id(crate::directory::USER);
    entra.agent_user_token(&identity(), &user).await.unwrap();
    let codes: Vec<_> = service
        .asked()
        .iter()
        .map(|one| one.code.unwrap())
        .collect();
    assert_eq!(codes, [0, 0, 500_133, 0, 0, 0]);
    // If new ones do not help, that is the answer.
    service.expire_assertions();
    clock.turn(HOUR);
    service.refuse_once(500_133);
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().codes, [500_133]);
}

#[tokio::test]
async fn all_questions_have_one_deadline() {
    let service = service();
    service.play([Answer::hang()]);
    let deadline = Duration::from_millis(50);
    let entra = client(&service).with_deadline(deadline).build().unwrap();
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(error.to_string(), "no token within 50ms");
    assert!(error.is_retryable());
}
