//! A client of the variables of Microsoft's package.

use agentspan_agent365::TokenResolver as _;
use agentspan_agent365::token::TokenQuery;
use agentspan_discovery::Environment;
use agentspan_entra::{Entra, EntraBuilder};
use agentspan_model::agent365::Identity;
use agentspan_testkit::{CapturedLogs, Entra as Service, forms_of};

use crate::directory::{AGENT, BLUEPRINT, OTHER_TENANT, SECRET, TENANT, USER, service};

const CLIENT_ID: &str = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTID";
const CLIENT_SECRET: &str = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET";
const TENANT_ID: &str = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__TENANTID";
const INSTANCE: &str = "A365_AGENT_APP_INSTANCE_ID";
const AGENTIC_USER: &str = "A365_AGENTIC_USER_ID";
const OVERRIDE: &str = "A365_OBSERVABILITY_SCOPE_OVERRIDE";

const NEEDED: [(&str, &str); 4] = [
    (CLIENT_ID, BLUEPRINT),
    (CLIENT_SECRET, SECRET),
    (INSTANCE, AGENT),
    (AGENTIC_USER, USER),
];

fn builder(more: &[(&str, &str)], service: &Service) -> EntraBuilder {
    let variables = NEEDED.iter().chain(more).copied();
    let environment = Environment::from_iter(variables);
    let builder = Entra::builder_from_environment(&environment).unwrap();
    builder.with_loopback_endpoint(service.url())
}

/// Resolves the token of a span of `tenant`, and says what Entra was asked: tenant and scope, for each question.
async fn asked(more: &[(&str, &str)], tenant: &str) -> Vec<(String, String)> {
    let service = service();
    let entra = builder(more, &service).build().unwrap();
    let query = TokenQuery::new(Identity::parse(tenant, "agent of a span").unwrap());
    // Entra refuses scopes that it does not know.
    let _ = entra.resolve(&query).await;
    let asked = service.asked().into_iter();
    let scope = |scope: Option<&str>| scope.unwrap_or_default().to_owned();
    asked
        .map(|one| (one.tenant.clone(), scope(one.field("scope"))))
        .collect()
}

fn expected(tenant: &str, scope: &str) -> Vec<(String, String)> {
    let exchange = "api://AzureAdTokenExchange/.default";
    let scopes = [exchange, exchange, scope];
    scopes
        .map(|scope| (tenant.to_owned(), scope.to_owned()))
        .into()
}

#[tokio::test]
async fn the_agent_of_the_environment_acts_as_its_user_in_the_words_of_the_package() {
    let service = service();
    let entra = builder(&[], &service).build().unwrap();
    let query = TokenQuery::new(Identity::parse(TENANT, "agent of a span").unwrap());
    entra.resolve(&query).await.unwrap().unwrap();
    let asked = service.asked();
    let [first, second, third] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(first.field("client_id"), Some(BLUEPRINT));
    assert_eq!(first.field("client_secret"), Some(SECRET));
    assert_eq!(first.field("fmi_path"), Some(AGENT));
    assert_eq!(second.field("client_id"), Some(AGENT));
    assert_eq!(third.field("grant_type"), Some("user_fic"));
    assert_eq!(third.field("user_id"), Some(USER));
    assert_eq!(third.field("requested_token_use"), None);
}

#[tokio::test]
async fn the_tenant_is_that_of_the_environment_or_else_of_the_spans() {
    let scope = "api://9b975845-388f-4429-889e-eab1ef63949c/Agent365.Observability.OtelWrite";
    assert_eq!(asked(&[], TENANT).await, expected(TENANT, scope));
    for blank in ["", " "] {
        let blank = [(TENANT_ID, blank)];
        assert_eq!(asked(&blank, TENANT).await, expected(TENANT, scope));
    }
    let set = [(TENANT_ID, TENANT)];
    assert_eq!(asked(&set, OTHER_TENANT).await, expected(TENANT, scope));
}

#[tokio::test]
async fn the_environment_overrides_the_scope_and_code_overrides_both() {
    let other = [(OVERRIDE, " api://other/.default ")];
    let scope = "api://other/.default";
    assert_eq!(asked(&other, TENANT).await, expected(TENANT, scope));

    let service = service();
    let entra = builder(&other, &service).with_delegated_scope("api://of-code/.default");
    let query = TokenQuery::new(Identity::parse(TENANT, AGENT).unwrap());
    entra.build().unwrap().resolve(&query).await.unwrap_err();
    assert_eq!(
        service.asked()[2].field("scope"),
        Some("api://of-code/.default")
    );
}

#[test]
fn variables_that_are_missing_are_named() {
    for (at, (name, _)) in NEEDED.into_iter().enumerate() {
        for value in [None, Some(""), Some(" \t")] {
            let others = NEEDED.into_iter().filter(|(other, _)| *other != name);
            let set = others.chain(value.map(|value| (name, value)));
            let missing = Entra::builder_from_environment(&Environment::from_iter(set));
            let missing = missing.unwrap_err();
            assert_eq!(missing.names().collect::<Vec<_>>(), [NEEDED[at].0]);
            assert_eq!(missing.to_string(), format!("unset or blank: {name}"));
        }
    }
    let all = Entra::builder_from_environment(&Environment::default()).unwrap_err();
    assert_eq!(all.names().count(), 4);
}

#[tokio::test]
async fn nothing_shows_the_secret_of_the_environment() {
    let logs = CapturedLogs::everywhere();
    let service = service();
    let builder = builder(&[], &service);
    let mut shown = format!("{builder:?}");
    let entra = builder.build().unwrap();
    let query = TokenQuery::new(Identity::parse(OTHER_TENANT, AGENT).unwrap());
    let error = entra.resolve(&query).await.unwrap_err();
    let without_user = Environment::from_iter(NEEDED.into_iter().take(3));
    let missing = Entra::builder_from_environment(&without_user).unwrap_err();
    shown.push_str(&format!(
        "{entra:?} {error} {error:?} {missing} {missing:?}"
    ));
    shown.push_str(&logs.text());
    assert!(shown.contains(BLUEPRINT), "{shown}");
    assert!(forms_of(SECRET, shown.as_bytes()).is_empty(), "{shown}");
}
