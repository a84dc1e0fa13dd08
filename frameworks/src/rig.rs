//! An agent of rig, captured unchanged: two lines of ours, and `main` checks what arrives.
//!
//! The model is a script behind a real HTTP endpoint. The agent asks it twice: once with two tools of which one
//! fails, and once with an answer that is streamed. Its spans go to two receivers of OTLP, of which one may see
//! contents, and to a service that stands for Agent 365.

mod model;
mod received;
mod tools;

use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::{Identity, Profile};
use agentspan::model::agentspec::Disclosure;
use agentspan::prelude::*;
use agentspan::tracing::TracingSettings;
use agentspan::{Destination, Otlp};
use agentspan_testkit::{Answer, Service};
use futures::StreamExt as _;
use rig_agent::AgentBuilder;
use rig_core::providers::openai::OpenAIConfig;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::received::check;
use crate::tools::{Trains, Weather};

pub(crate) type AnyError = Box<dyn std::error::Error>;

/// How long a flush may take: far longer than it does.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let model = model::start()?;
    let (masked, clear) = (Service::start()?, Service::start()?);
    let agent365 = Service::builder()
        .then_repeat(Answer::status(200))
        .start()?;
    let delivery = Delivery::builder(token_from_async_fn(|_| async {
        Ok(Some(AccessToken::new("a-token-for-the-loopback")?))
    }))
    .with_profile(Profile::V2)
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
        .switched_on()
        .install()?;
    // A program says `telemetry.tracing_layer()`. This one also takes what rig logs at `TRACE`, where prompts are, to
    // show that no content arrives where none may.
    let settings = TracingSettings::new().with_events(LevelFilter::TRACE);
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer_with(settings))
        .init();

    ask(&model.url()).await?;

    telemetry.flush_async(DEADLINE).await?;
    println!("{}", telemetry.report());
    check(&masked, &clear, &agent365)?;
    telemetry.shutdown_async(DEADLINE).await?;
    Ok(())
}

/// What a program that uses rig does, as rig's documentation shows it.
async fn ask(model: &str) -> Result<(), AnyError> {
    let openai = OpenAIConfig::new("no-key")
        .with_base_url(format!("{model}/v1"))
        .client();
    let agent = AgentBuilder::new(openai.chat("gpt-4o"))
        .name("clerk")
        .preamble("Answer in one sentence. CANARY-preamble")
        .record_content_telemetry(true)
        .tool(Weather)
        .tool(Trains)
        .build();

    let answer = agent
        .prompt("How do I get to Genoa? CANARY-prompt")
        .max_turns(4)
        .await?;
    println!("{answer}");

    let mut stream = agent.prompt("And in one word? CANARY-prompt").stream();
    while let Some(item) = stream.next().await {
        item?;
    }
    Ok(())
}

fn otlp(service: &Service) -> Result<Destination, AnyError> {
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
    Ok(Destination::otlp_http(otlp)?)
}
