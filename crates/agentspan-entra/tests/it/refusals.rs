//! What Entra refuses, and what is said of it.

use agentspan_entra::{Credential, Entra, EntraError, Hop, Secret, aadsts};
use agentspan_model::agent365::Identity;
use agentspan_testkit::{Answer, Entra as Service, Proof};
use serde_json::json;

use crate::directory::{
    AGENT, BLUEPRINT, OTHER_AGENT, PERSON, SECRET, TENANT, USER, client, identity, service,
};

fn check_refused(error: EntraError, hop: Hop, code: u32) {
    let EntraError::Refused {
        hop: found,
        refusal,
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*found, &refusal.codes[..]), (hop, &[code][..]));
    let known = aadsts::explain(code).unwrap();
    assert_eq!(refusal.explanation(), Some(known));
    let message = error.to_string();
    assert!(
        message.contains(known.cause) && message.contains(known.remedy),
        "{message}"
    );
    assert!(error.is_retryable());
}

async fn check_credential(service: &Service, credential: Credential, code: u32) {
    let entra = Entra::builder(BLUEPRINT, credential).with_loopback_endpoint(service.url());
    let error = entra.build().unwrap().agent_token(&identity()).await;
    check_refused(error.unwrap_err(), Hop::BlueprintAssertion, code);
}

#[tokio::test]
async fn a_wrong_or_expired_secret_is_told_with_its_remedy() {
    let service = service();
    check_credential(&service, Credential::secret("the id of it"), 7_000_215).await;
    service.replace_proof(BLUEPRINT, Proof::expired_secret(SECRET));
    check_credential(&service, Credential::secret(SECRET), 7_000_222).await;
}

#[tokio::test]
async fn an_agent_of_another_blueprint_or_tenant_is_told() {
    let service = Service::builder()
        .blueprint(BLUEPRINT, Proof::secret(SECRET))
        .agent(TENANT, AGENT, "another blueprint")
        .agent("another tenant", OTHER_AGENT, BLUEPRINT)
        .start()
        .unwrap();
    let entra = client(&service).build().unwrap();
    let error = entra.agent_token(&identity()).await.unwrap_err();
    check_refused(error, Hop::BlueprintAssertion, 7_002_134);
    let elsewhere = Identity::parse(TENANT, OTHER_AGENT).unwrap();
    let error = entra.agent_token(&elsewhere).await.unwrap_err();
    check_refused(error, Hop::AgentToken, 700_211);
    let nobody = Identity::parse(TENANT, "nobody").unwrap();
    let error = entra.agent_token(&nobody).await.unwrap_err();
    check_refused(error, Hop::BlueprintAssertion, 700_016);
}

#[tokio::test]
async fn a_token_of_a_person_for_another_audience_is_told() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let other = Secret::new(service.user_token(TENANT, PERSON, "https://graph.microsoft.com"));
    let error = entra.token_on_behalf_of(&identity(), &other).await;
    check_refused(error.unwrap_err(), Hop::OnBehalfOf, 50_013);
}

#[tokio::test]
async fn a_missing_consent_is_told_and_given_later() {
    let service = Service::builder()
        .blueprint(BLUEPRINT, Proof::secret(SECRET))
        .agent(TENANT, AGENT, BLUEPRINT)
        .agent_user(AGENT, USER, "weather@contoso.com")
        .start()
        .unwrap();
    let entra = client(&service).build().unwrap();
    let user = agentspan_entra::AgentUser::id(USER);
    let error = entra.agent_user_token(&identity(), &user).await;
    check_refused(error.unwrap_err(), Hop::AgentUser, 65_001);
    service.consent(TENANT, AGENT);
    entra.agent_user_token(&identity(), &user).await.unwrap();
}

#[tokio::test]
async fn scopes_and_ways_that_agents_may_not_use_are_told() {
    let service = service();
    let entra = client(&service).with_app_scope("api://9b975845-388f-4429-889e-eab1ef63949c/Read");
    let error = entra.build().unwrap().agent_token(&identity()).await;
    check_refused(error.unwrap_err(), Hop::AgentToken, 1_002_012);
}

#[tokio::test]
async fn every_code_that_is_known_is_explained_when_entra_says_it() {
    let service = service();
    for known in aadsts::ALL {
        let entra = client(&service).build().unwrap();
        service.refuse_once(known.code);
        let error = entra.agent_token(&identity()).await.unwrap_err();
        check_refused(error, Hop::BlueprintAssertion, known.code);
    }
}

#[tokio::test]
async fn a_code_that_is_not_known_is_told_in_entras_words() {
    let service = service();
    let body = json!({"error": "invalid_grant", "error_description": "AADSTS123: so it is."});
    service.play([Answer::status(400).body(body.to_string())]);
    let entra = client(&service).build().unwrap();
    let error = entra.agent_token(&identity()).await.unwrap_err();
    let expected = "entra refused the assertion of the blueprint: \
                    400 invalid_grant AADSTS123: AADSTS123: so it is.";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.refusal().unwrap().codes, [123]);
}

#[tokio::test]
async fn a_busy_entra_is_no_refusal() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let temporarily = json!({"error": "temporarily_unavailable"}).to_string();
    for answer in [
        Answer::status(500),
        Answer::status(503).body("<html>"),
        Answer::status(408),
        Answer::status(400).body(temporarily),
    ] {
        service.play([answer]);
        let error = entra.agent_token(&identity()).await.unwrap_err();
        assert!(
            matches!(
                error,
                EntraError::Busy {
                    retry_after: None,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}
