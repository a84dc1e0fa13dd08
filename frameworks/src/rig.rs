//! An agent of rig, captured unchanged: two lines of ours, and `main` checks what arrives.
//!
//! The model is a script behind a real HTTP endpoint. The agent asks it twice: once with two tools of which one
//! fails, and once with an answer that is streamed. Its spans go to two receivers of OTLP, of which one may see
//! contents, and to a service that stands for Agent 365.

mod model;
mod received;
mod stage;
mod tools;

use futures::StreamExt as _;
use rig_agent::AgentBuilder;
use rig_core::providers::openai::OpenAIConfig;

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
            "execute_tool trains",
            "execute_tool weather",
            "invoke_agent clerk",
            "invoke_agent clerk",
        ],
        spans_of_traces: &[2, 5],
    };
    stage::capture(&expected, ask).await
}

/// What a program that uses rig does, as rig's documentation shows it.
async fn ask(model: String) -> Result<(), AnyError> {
    let openai = OpenAIConfig::new("no-key").with_base_url(model).client();
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
