//! A token for each request: `cargo run --example request_tokens`.
//!
//! A service answers two callers at once. Each caller brings its own token, and the spans of its
//! request reach Agent 365 with that token only. A service in this process plays Agent 365.

#![expect(clippy::print_stdout, reason = "the example shows what happens")]

use std::error::Error;
use std::time::Duration;

use agentspan::agent365::{PerRequestExport, token_from_request};
use agentspan::prelude::*;
use agentspan_testkit::{Answer, Service};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent365 = Service::builder().script([Answer::status(200)]).start()?;
    let delivery = Delivery::builder(token_from_request())
        .with_per_request_export(PerRequestExport::new())
        .with_loopback_endpoint(agent365.url());
    let telemetry = agentspan::configure()
        .with_service_name("request tokens")
        .with_delivery(delivery)
        .with_switches_on()
        .install()?;

    let (one, other) = tokio::join!(serve("token-of-ada"), serve("token-of-grace"));
    one.and(other)?;

    telemetry.shutdown_async(Duration::from_secs(5)).await?;
    println!("Agent 365 received:");
    let mut arrived = Vec::new();
    for request in agent365.requests() {
        let body = request.json()?;
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
        let spans = spans.map_or(0, Vec::len);
        let token = request
            .header("authorization")
            .unwrap_or("no token")
            .to_owned();
        println!("{spans} spans with {token}");
        arrived.push((spans, token));
    }
    arrived.sort();
    let expected = ["token-of-ada", "token-of-grace"].map(|token| (2, format!("Bearer {token}")));
    assert_eq!(arrived, expected);
    Ok(())
}

/// Answers one request, with the token that came with it.
async fn serve(token: &str) -> Result<(), Box<dyn Error>> {
    let token = ExportToken::new(AccessToken::new(token)?);
    let agent = AgentDetails::new(AgentId::parse("librarian")?);
    let tenant = TenantDetails::new(TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?);
    let turn = async {
        let invocation = InvokeAgentDetails::new(agent.clone());
        InvokeAgentScope::start(&invocation, &tenant)
            .run(|_| async {
                let call = ToolCallDetails::new("look_up_book");
                ExecuteToolScope::start(&call, &agent, &tenant)
                    .run(|_| async {
                        tokio::task::yield_now().await;
                        Ok::<_, std::io::Error>(())
                    })
                    .await
            })
            .await
    };
    turn.with_export_token(&token).await?;
    Ok(())
}
