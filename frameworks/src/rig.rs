//! An agent of rig, captured unchanged: two lines of ours, and `main` checks what arrives.
//!
//! The model is a script behind a real HTTP endpoint. An agent asks it twice: once with a second agent for a tool,
//! which has two tools of its own of which one fails, and once with an answer that is streamed. The program serves
//! a request in a scope, so that all is one trace. Its spans go to two receivers of OTLP, of which one may see
//! contents, and to a service that stands for Agent 365.

mod model;
mod received;
mod stage;
mod tools;

use agentspan::prelude::*;
use futures::StreamExt as _;
use rig_agent::AgentBuilder;
use rig_core::providers::openai::OpenAIConfig;

use crate::model::Script;
use crate::received::Expected;
use crate::tools::{Trains, Weather};

pub(crate) type AnyError = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let expected = Expected {
        names: &[
            "chat gpt-4o",
            "chat gpt-4o",
            "chat gpt-4o",
            "chat gpt-4o",
            "chat gpt-4o",
            "execute_tool clerk",
            "execute_tool trains",
            "execute_tool weather",
            // rig makes no span for the second agent: it runs in that of the tool that stands for it.
            "invoke_agent host",
            "invoke_agent travel",
            "invoke_agent travel",
        ],
        spans_of_traces: &[11],
        tokens: &[30, 47, 60, 80, 100],
    };
    stage::capture(&expected, &Script::WithSubAgent, serve).await
}

/// A request, as the program has it in hand.
async fn serve(model: String) -> Result<(), AnyError> {
    let host = AgentDetails::new(AgentId::parse("agent-1")?).with_name("host");
    let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    InvokeAgentScope::start(&InvokeAgentDetails::new(host), &tenant)
        .run_infallible(|_| ask(model))
        .await
}

/// What a program that uses rig does, as rig's documentation shows it.
async fn ask(model: String) -> Result<(), AnyError> {
    let openai = OpenAIConfig::new("no-key").with_base_url(model).client();
    let clerk = AgentBuilder::new(openai.chat("gpt-4o"))
        .name("clerk")
        .default_max_turns(4)
        .preamble("Answer in one sentence. CANARY-preamble")
        .record_content_telemetry(true)
        .tool(Weather)
        .tool(Trains)
        .build();
    let agent = AgentBuilder::new(openai.chat("gpt-4o"))
        .name("travel")
        .record_content_telemetry(true)
        .dynamic_tool(clerk.into_tool()?)
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
