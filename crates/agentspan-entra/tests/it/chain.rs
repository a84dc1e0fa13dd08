//! What is asked on the way to a token, field by field.

use agentspan_agent365::TokenResolver as _;
use agentspan_agent365::token::TokenQuery;
use agentspan_entra::{AgentUser, Secret};
use agentspan_model::agent365::Identity;
use agentspan_testkit::{AskedToken, claims_of};
use http::HeaderValue;

use crate::directory::{
    AGENT, BLUEPRINT, OTHER_AGENT, OTHER_TENANT, PERSON, SECRET, TENANT, USER, client, identity,
    service,
};

const EXCHANGE: &str = "api://AzureADTokenExchange/.default";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const APP: &str = "api://9b975845-388f-4429-889e-eab1ef63949c/.default";
const WRITE: &str = "api://9b975845-388f-4429-889e-eab1ef63949c/Agent365.Observability.OtelWrite";

/// Checks the fields of a form, in any order. `*` stands for an assertion, which the service has checked.
fn check_form(asked: &AskedToken, tenant: &str, expected: &[(&str, &str)]) {
    assert_eq!(
        (asked.tenant.as_str(), asked.code),
        (tenant, Some(0)),
        "{asked:?}"
    );
    let is_assertion = |name: &str| {
        matches!(
            name,
            "client_assertion" | "assertion" | "user_federated_identity_credential"
        )
    };
    let mut found: Vec<_> = asked
        .fields
        .iter()
        .map(|(name, value)| match is_assertion(name) {
            true => (name.as_str(), "*"),
            false => (name.as_str(), value.as_str()),
        })
        .collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn blueprint_form(agent: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("client_id", BLUEPRINT),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", EXCHANGE),
        ("fmi_path", agent),
    ]
}

fn agent_form(agent: &'static str, scope: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("client_id", agent),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", "*"),
        ("grant_type", "client_credentials"),
        ("scope", scope),
    ]
}

/// The claim of a token, which is read from a header as Agent 365 gets it.
fn claims(token: &agentspan_agent365::AccessToken) -> serde_json::Value {
    let value: HeaderValue = crate::secrecy::sent_with(token);
    let text = value.to_str().unwrap();
    claims_of(text.strip_prefix("Bearer ").unwrap()).unwrap()
}

#[tokio::test]
async fn an_agent_gets_its_token_by_the_assertion_of_its_blueprint() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let token = entra.agent_token(&identity()).await.unwrap();
    let asked = service.asked();
    let [first, second] = &asked[..] else {
        panic!("{asked:?}");
    };
    check_form(first, TENANT, &blueprint_form(AGENT));
    check_form(second, TENANT, &agent_form(AGENT, APP));
    let claims = claims(&token);
    assert_eq!(claims["azp"], AGENT);
    assert_eq!(claims["scp"], serde_json::Value::Null);
}

#[tokio::test]
async fn ids_in_other_case_get_the_same_tokens() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let identity = Identity::parse(&TENANT.to_uppercase(), &AGENT.to_uppercase()).unwrap();
    let user = AgentUser::id(USER.to_uppercase());
    entra.agent_token(&identity).await.unwrap();
    entra.agent_user_token(&identity, &user).await.unwrap();
}

#[tokio::test]
async fn a_person_is_acted_for_with_the_token_that_came_with_the_request() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let person = Secret::new(service.user_token(TENANT, PERSON, BLUEPRINT));
    let token = entra
        .token_on_behalf_of(&identity(), &person)
        .await
        .unwrap();
    let asked = service.asked();
    let [first, second] = &asked[..] else {
        panic!("{asked:?}");
    };
    check_form(first, TENANT, &blueprint_form(AGENT));
    let expected = [
        ("client_id", AGENT),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", "*"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", "*"),
        ("requested_token_use", "on_behalf_of"),
        ("scope", WRITE),
    ];
    check_form(second, TENANT, &expected);
    assert_eq!(claims(&token)["oid"], PERSON);
}

#[tokio::test]
async fn t31_the_tokens_of_two_persons_are_kept_apart() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let mut got = Vec::new();
    for person in ["p1", "p2", "p1"] {
        // Another token of the same person is another one: nobody knows that it is the same person.
        let text = service.user_token(TENANT, person, BLUEPRINT);
        let token = Secret::new(text);
        for _ in 0..2 {
            let token = entra.token_on_behalf_of(&identity(), &token).await;
            got.push(claims(&token.unwrap())["oid"].clone());
        }
    }
    assert_eq!(got, ["p1", "p1", "p2", "p2", "p1", "p1"]);
    // One assertion of the blueprint, and a question for each token of a person.
    assert_eq!(service.asked().len(), 4);
}

async fn check_agent_user(user: AgentUser, field: (&str, &str)) {
    let service = service();
    let entra = client(&service).build().unwrap();
    let token = entra.agent_user_token(&identity(), &user).await.unwrap();
    let asked = service.asked();
    let [first, second, third] = &asked[..] else {
        panic!("{asked:?}");
    };
    check_form(first, TENANT, &blueprint_form(AGENT));
    check_form(second, TENANT, &agent_form(AGENT, EXCHANGE));
    let expected = [
        ("client_id", AGENT),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", "*"),
        ("grant_type", "user_fic"),
        ("user_federated_identity_credential", "*"),
        field,
        ("requested_token_use", "on_behalf_of"),
        ("scope", WRITE),
    ];
    check_form(third, TENANT, &expected);
    assert_eq!(claims(&token)["oid"], USER);
}

#[tokio::test]
async fn an_agent_acts_as_its_user_by_two_assertions() {
    check_agent_user(AgentUser::id(USER), ("user_id", USER)).await;
    let name = "weather@contoso.com";
    check_agent_user(AgentUser::name(name), ("username", name)).await;
}

#[tokio::test]
async fn tokens_are_asked_for_in_the_tenant_of_the_spans() {
    let service = service();
    let entra = client(&service).build().unwrap();
    let other = Identity::parse(OTHER_TENANT, OTHER_AGENT).unwrap();
    entra.agent_token(&identity()).await.unwrap();
    entra.agent_token(&other).await.unwrap();
    let tenants: Vec<_> = service.asked().into_iter().map(|one| one.tenant).collect();
    assert_eq!(tenants, [TENANT, TENANT, OTHER_TENANT, OTHER_TENANT]);
}

#[tokio::test]
async fn a_tenant_that_is_set_is_asked_for_the_agent_that_is_set() {
    let service = service();
    let entra = client(&service).with_tenant(TENANT).with_agent(AGENT);
    let entra = entra.build().unwrap();
    let other = Identity::parse(OTHER_TENANT, "agent of a span").unwrap();
    let token = entra.agent_token(&other).await.unwrap();
    assert_eq!(claims(&token)["azp"], AGENT);
    assert_eq!(service.asked()[0].tenant, TENANT);
}

#[tokio::test]
async fn the_resolver_acts_as_the_user_of_the_spans_if_it_is_told_to() {
    let service = service();
    let of_spans = client(&service)
        .with_agent_users_of_spans()
        .build()
        .unwrap();
    let alone = client(&service).build().unwrap();
    let as_one = client(&service).with_agent_user(AgentUser::id(USER));
    let as_one = as_one.build().unwrap();
    let without = TokenQuery::new(identity());
    let with = without.clone().with_agentic_user(USER);
    let mut users = Vec::new();
    for (entra, query) in [
        (&of_spans, &with),
        (&of_spans, &without),
        (&alone, &with),
        (&as_one, &without),
    ] {
        let token = entra.resolve(query).await.unwrap().unwrap();
        users.push(claims(&token)["oid"].clone());
    }
    assert_eq!(users, [USER, AGENT, AGENT, USER]);
}
