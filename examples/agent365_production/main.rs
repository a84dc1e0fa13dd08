//! Agents of two tenants as they run in production: `cargo run --example agent365_production`.
//!
//! The blueprint proves to Entra who it is, each agent gets its own token, and the spans go to Agent 365. One
//! tenant has no licence, and the report says so. The tokens are replaced while the service works: once because
//! they are about to expire, and once because Agent 365 refuses one. Entra and Agent 365 are played by services
//! in this process, which check what they get as the real ones do.

#![expect(clippy::print_stdout, reason = "the example shows what happens")]

mod agent;
mod later;
mod losses;
mod services;

use std::error::Error;
use std::time::Duration;

use agentspan::entra::{Credential, Entra};
use agentspan::prelude::*;

use crate::agent::answer;
use crate::later::Later;
use crate::losses::Losses;
use crate::services::{BLUEPRINT, CONTOSO, FABRIKAM, SECRET, Services};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let services = Services::start()?;
    let (clock, losses) = (Later::default(), Losses::default());

    // Prefer a certificate or a managed identity to a secret where there is one.
    let entra = Entra::builder(BLUEPRINT, Credential::secret(SECRET))
        .with_loopback_endpoint(services.entra.url())
        .with_clock(clock.clone())
        .build()?;
    let delivery = Delivery::builder(entra)
        .with_profile(Profile::V3)
        .with_loopback_endpoint(services.agent365.url())
        .with_on_report(losses.observer());
    let telemetry = agentspan::configure()
        .with_service_name("library")
        .with_delivery(delivery)
        .with_switches_on()
        .install()?;

    let contoso = Identity::parse(CONTOSO.tenant, CONTOSO.agent)?;
    let fabrikam = Identity::parse(FABRIKAM.tenant, FABRIKAM.agent)?;
    let (one, other) = tokio::join!(answer(&contoso), answer(&fabrikam));
    one.and(other)?;
    // A flush tells of losses; the service goes on.
    if let Err(lost) = telemetry.flush_async(Duration::from_secs(30)).await {
        println!("{lost}");
    }
    println!(
        "first turn: {} questions to Entra",
        services.entra.asked().len()
    );

    // Nobody waits for a new token, since it is asked for before the old one has expired.
    clock.turn(Duration::from_secs(55 * 60));
    answer(&contoso).await?;
    telemetry.flush_async(Duration::from_secs(30)).await?;
    println!("55 minutes later: {}", services.entra.asked().len());

    // Agent 365 refuses the token of one request: it is sent again with a new one.
    services.refuse_a_token();
    answer(&contoso).await?;
    telemetry.shutdown_async(Duration::from_secs(30)).await?;
    println!("after a refused token: {}\n", services.entra.asked().len());

    println!(
        "Agent 365 has {} spans, each with all that is mandatory",
        services.rows()
    );
    println!("{losses}");
    println!("{}", telemetry.report());
    assert_eq!(services.entra.asked().len(), 7);
    assert_eq!(
        losses.to_string(),
        "fabrikam lost 3 spans: not_routed: tenant_not_licensed"
    );
    assert_eq!(services.rows(), 9);
    Ok(())
}
