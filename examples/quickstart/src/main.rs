//! A small agent, traced and exported, with nothing to install: `cargo run -p quickstart`.
//! With `-- --profile v2`, it uses the second generation of the Agent 365 contract.
//!
//! The model is a script behind a real HTTP endpoint, the tools read files of this repository, and
//! the spans go over HTTP to a fake Agent 365 in this process.

#![expect(clippy::print_stdout, reason = "the example shows what happens")]

mod agent;
mod arguments;
mod model;
mod received;
mod tools;

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan::otel::{ConsoleDetail, ConsoleExporter};
use agentspan::prelude::*;
use agentspan_testkit::{Answer, Service};
use tracing_subscriber::filter::LevelFilter;

use crate::agent::{Agent, AnyError};

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .without_time()
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .init();
    let model = model::start()?;
    // The first request is turned away once, to show a retry.
    let agent365 = Service::builder()
        .script([Answer::status(503), Answer::status(200)])
        .start()?;

    let token = || AccessToken::new("a-token-for-the-loopback");
    let reports = Arc::new(Mutex::new(Vec::new()));
    let delivery = Delivery::builder(token_from_async_fn(
        move |_| async move { Ok(Some(token()?)) },
    ))
    .with_profile(arguments::profile()?)
    .with_loopback_endpoint(agent365.url())
    .with_on_report(received::keep_reports(&reports));
    let console = ConsoleExporter::new().with_detail(ConsoleDetail::Names);
    let telemetry = agentspan::configure()
        .with_service_name("quickstart")
        .with_service_namespace("agentspan")
        .with_delivery(delivery)
        .with_provider(|provider| provider.with_simple_exporter(console))
        .with_switches_on()
        .install()?;

    let tenant = TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?;
    let agent_id = AgentId::parse("a0000000-0000-0000-0000-00000000000a")?;
    let request = BaggageBuilder::new()
        .with_correlation_id("request-1")
        .with_conversation_id("conversation-1")
        .build();
    let details = AgentDetails::new(agent_id).with_name("Librarian");
    let agent = Agent::new(details, TenantDetails::new(tenant), &model.url());

    println!("The trace:\n");
    let answer = agent
        .answer("What is in this repository?")
        .with_baggage(&request)
        .await?;
    println!("\nThe answer:\n\n{answer}");
    telemetry.shutdown_async(Duration::from_secs(5)).await?;
    received::print_requests(&agent365, &reports)?;
    Ok(())
}
