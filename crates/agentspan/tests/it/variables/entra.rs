//! The variables that describe a client of Entra.

use agentspan::agent365::TokenResolver as _;
use agentspan::agent365::token::TokenQuery;
use agentspan::agent365::transport::io_runtime;
use agentspan::discovery::Environment;
use agentspan::prelude::Identity;
use agentspan_entra::{Entra, MissingVariables};
use agentspan_testkit::{Answer, AskedToken, Entra as Service};
use serde_json::json;

use super::program::Row;

const ALL: [(&str, &str); 5] = [
    ("A365_AGENT_APP_INSTANCE_ID", "instance"),
    ("A365_AGENTIC_USER_ID", "user"),
    (
        "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTID",
        "blueprint",
    ),
    (
        "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET",
        "s3cret",
    ),
    (
        "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__TENANTID",
        "tenant",
    ),
];

/// What a client of these variables asks of Entra, with one of them left out.
fn asked(without: &str) -> Result<Vec<AskedToken>, MissingVariables> {
    let set = ALL.into_iter().filter(|(name, _)| *name != without);
    let builder = Entra::builder_from_environment(&Environment::from_iter(set))?;
    let service = Service::builder().start().unwrap();
    service.play((0..3).map(|_| Answer::json(&json!({"access_token": "t"}))));
    let entra = builder
        .with_loopback_endpoint(service.url())
        .build()
        .unwrap();
    let query = TokenQuery::new(Identity::parse("tenant-of-span", "agent-of-span").unwrap());
    let runtime = io_runtime(1).unwrap();
    runtime.block_on(entra.resolve(&query)).unwrap().unwrap();
    Ok(service.asked())
}

pub(super) fn client(row: &Row) {
    let missing = asked(row.variable).unwrap_err();
    assert_eq!(missing.names().collect::<Vec<_>>(), [row.variable]);
    let asked = asked("").unwrap();
    let (at, field) = match row.variable {
        "A365_AGENT_APP_INSTANCE_ID" => (0, "fmi_path"),
        "A365_AGENTIC_USER_ID" => (2, "user_id"),
        name if name.ends_with("ID") => (0, "client_id"),
        _ => (0, "client_secret"),
    };
    let value = ALL.iter().find(|(name, _)| *name == row.variable);
    assert_eq!(asked[at].field(field), value.map(|(_, value)| *value));
}

pub(super) fn tenant(row: &Row) {
    assert_eq!(asked("").unwrap()[0].tenant, "tenant");
    assert_eq!(asked(row.variable).unwrap()[0].tenant, "tenant-of-span");
}
