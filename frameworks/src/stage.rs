//! What an agent is captured on: a scripted model, two receivers of OTLP, and a service that stands for Agent 365.

use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::{Identity, Profile};
use agentspan::model::agentspec::Disclosure;
use agentspan::prelude::*;
use agentspan::tracing::TracingSettings;
use agentspan::{Destination, Otlp};
use agentspan_testkit::{Answer, Service};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::model::Script;
use crate::received::{Expected, check};
use crate::{AnyError, model};

/// How long a flush may take: far longer than it does.
const DEADLINE: Duration = Duration::from_secs(30);

/// Captures what `ask` does with the model at the address that it is given, and fails unless what is `expected`
/// arrives everywhere. The first argument of the program is the generation of Agent 365: `v0.1`, `v2` or `v3`.
pub(crate) async fn capture(
    expected: &Expected,
    script: &Script,
    ask: impl AsyncFnOnce(String) -> Result<(), AnyError>,
) -> Result<(), AnyError> {
    let profile = match std::env::args().nth(1).as_deref() {
        Some("v0.1") => Profile::V0_1,
        Some("v2") | None => Profile::V2,
        Some("v3") => Profile::V3,
        Some(other) => return Err(format!("{other:?} is no generation of Agent 365").into()),
    };
    let model = model::start(script)?;
    let (masked, clear) = (Service::start()?, Service::start()?);
    let agent365 = Service::builder()
        .then_repeat(Answer::status(200))
        .start()?;
    let delivery = Delivery::builder(token_from_async_fn(|_| async {
        Ok(Some(AccessToken::new("a-token-for-the-loopback")?))
    }))
    .with_profile(profile)
    .with_loopback_endpoint(agent365.url());

    let telemetry = agentspan::configure()
        .with_environment(&Environment::default())
        .with_service_name("travel")
        .with_identity(Identity::parse("tenant-1", "agent-1")?)
        .with_delivery(delivery)
        .with_destination(otlp(&masked)?.with_name("masked"))
        .with_destination(
            otlp(&clear)?
                .with_name("clear")
                .with_disclosure(Disclosure::Clear),
        )
        .with_switches_on()
        .install()?;
    // A program says `telemetry.tracing_layer()`. This one also takes what is logged at `TRACE`, where rig has prompts,
    // to show that no content arrives where none may.
    let settings = TracingSettings::new().with_events(LevelFilter::TRACE);
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer_with(settings))
        .init();

    ask(format!("{}/v1", model.url())).await?;

    telemetry.flush_async(DEADLINE).await?;
    println!("{}", telemetry.report());
    check(expected, &masked, &clear, &agent365)?;
    telemetry.shutdown_async(DEADLINE).await?;
    Ok(())
}

fn otlp(service: &Service) -> Result<Destination, AnyError> {
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
    Ok(Destination::otlp_http(otlp)?)
}
