//! A blueprint that proves who it is with a credential of `azure_identity`.
//!
//! Entra trusts the managed identity of a host for the blueprint: a federated credential. Any `TokenCredential` gets
//! the token of such an identity, and [`Federated`] shows it to Entra as the assertion of the blueprint.
//!
//! The program runs twice: first as the host, with the endpoint of managed identities, Entra and Agent 365 on the
//! loopback; then, started by the first, as the agent, which knows of its host what App Service tells a program.
//! Fails unless the spans of the agent arrive with a token that was got that way.

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use agentspan::agent365::error::BoxError;
use agentspan::entra::{Assertion, AssertionRequest, AssertionSource, Credential, Entra};
use agentspan::prelude::*;
use agentspan_testkit::{
    Agent365, Answer, Entra as LoopbackEntra, Proof, RecordedRequest, Service,
};
use azure_core::credentials::TokenCredential;
use azure_core::time::OffsetDateTime;
use azure_identity::ManagedIdentityCredential;
use serde_json::json;

type AnyError = Box<dyn Error + Send + Sync>;

const DEADLINE: Duration = Duration::from_secs(30);

const BLUEPRINT: &str = "a0000000-0000-0000-0000-0000000000b1";
const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";

/// What Entra trusts for the blueprint, and where App Service gives it out.
const MANAGED_IDENTITY: &str = "token-of-the-managed-identity";
const IDENTITY_HEADER: &str = "secret-of-the-host";

/// The audience of assertions for Entra.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// Any credential of `azure_identity` whose identity Entra trusts for the blueprint.
#[derive(Debug)]
struct Federated(Arc<dyn TokenCredential>);

#[async_trait::async_trait]
impl AssertionSource for Federated {
    async fn assertion(&self, _: &AssertionRequest<'_>) -> Result<Assertion, BoxError> {
        let scope = format!("{EXCHANGE}/.default");
        let token = self.0.get_token(&[&scope], None).await?;
        let left = token.expires_on - OffsetDateTime::now_utc();
        let assertion = Assertion::new(token.token.secret());
        // The credential keeps tokens, too; one that has expired is not used again.
        Ok(assertion.with_lifetime(left.try_into().unwrap_or_default()))
    }
}

fn main() -> Result<(), AnyError> {
    match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [entra, agent365] => agent(entra, agent365),
        _ => host(),
    }
}

/// Plays the services, and starts the agent as App Service does.
fn host() -> Result<(), AnyError> {
    let identity = Service::builder().answer_with(identity).start()?;
    let entra = LoopbackEntra::builder()
        .blueprint(BLUEPRINT, Proof::assertion(MANAGED_IDENTITY))
        .agent(TENANT, AGENT, BLUEPRINT)
        .start()?;
    let agent365 = Agent365::builder().start()?;
    let status = Command::new(std::env::current_exe()?)
        .args([entra.url(), agent365.url()])
        .env("IDENTITY_ENDPOINT", format!("{}/msi/token", identity.url()))
        .env("IDENTITY_HEADER", IDENTITY_HEADER)
        .env("NO_PROXY", "127.0.0.1")
        .status()?;
    expect(status.success(), "the agent failed")?;

    let asked = entra.asked();
    let shown = asked
        .first()
        .and_then(|form| form.field("client_assertion"));
    expect(
        shown == Some(MANAGED_IDENTITY),
        "Entra was shown another assertion",
    )?;
    let refused: Vec<_> = asked.iter().filter(|form| form.code != Some(0)).collect();
    expect(refused.is_empty(), &format!("Entra refused {refused:?}"))?;
    let rows = agent365.rows().len();
    expect(rows == 1, &format!("Agent 365 has {rows} spans"))?;
    println!(
        "azure_identity asked {} times, Entra was asked {} times, and Agent 365 has {rows} span",
        identity.request_count(),
        asked.len(),
    );
    Ok(())
}

/// The token of the managed identity, as App Service gives it to a program that knows the header.
fn identity(request: &RecordedRequest) -> Answer {
    let is_known = request.header("x-identity-header") == Some(IDENTITY_HEADER);
    let query = request.query().unwrap_or_default();
    let resource = format!(
        "resource={}",
        EXCHANGE.replace(':', "%3A").replace('/', "%2F")
    );
    if !is_known || request.path() != "/msi/token" || !query.contains(&resource) {
        return Answer::status(400);
    }
    let expires = OffsetDateTime::now_utc().unix_timestamp() + 24 * 60 * 60;
    Answer::json(&json!({
        "access_token": MANAGED_IDENTITY,
        "expires_on": expires.to_string(),
        "resource": EXCHANGE,
        "token_type": "Bearer",
    }))
}

/// An agent whose blueprint has no secret.
#[tokio::main]
async fn agent(entra: &str, agent365: &str) -> Result<(), AnyError> {
    let credential = Federated(ManagedIdentityCredential::new(None)?);
    let entra = Entra::builder(BLUEPRINT, Credential::assertion(credential))
        .with_loopback_endpoint(entra)
        .build()?;
    let delivery = Delivery::builder(entra)
        .with_profile(Profile::V2)
        .with_loopback_endpoint(agent365);
    let telemetry = agentspan::configure()
        .with_service_name("library")
        .with_delivery(delivery)
        .with_switches_on()
        .install()?;
    let call = ToolCallDetails::new("find_books");
    ExecuteToolScope::builder(&call)
        .with_agent(&AgentDetails::new(AgentId::parse(AGENT)?))
        .with_tenant(&TenantDetails::new(TenantId::parse(TENANT)?))
        .start()
        .end();
    telemetry.shutdown_async(DEADLINE).await?;
    println!("{}", telemetry.report());
    Ok(())
}

fn expect(is_so: bool, otherwise: &str) -> Result<(), AnyError> {
    if is_so { Ok(()) } else { Err(otherwise.into()) }
}
