//! An agent whose flow calls a tool and then streams the answer of a model.
//!
//! Shows the trace on the console while it runs, and records it for `read_trace`.

use std::error::Error;
use std::io::{self, Write};

use agentspan_model::agentspec::{
    AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, JsonObject,
};
use agentspan_processor::{BackgroundQueue, ConsoleTree, JsonLines, Span, Trace};
use serde_json::json;

mod assistant;
mod flow;
mod work;

use assistant::Assistant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let assistant = Assistant::new()?;
    let path = std::env::temp_dir().join("agent_trace.jsonl");
    let recorder = BackgroundQueue::new(JsonLines::create(&path)?);
    Trace::builder()
        .with_name("weather")
        .with_processor(ConsoleTree::stdout())
        .with_processor(recorder)
        .run(|_| answer(&assistant, "Zürich"))
        .await?;
    writeln!(io::stdout(), "\nThe recording is in {}.", path.display())?;
    Ok(())
}

async fn answer(assistant: &Assistant, city: &str) -> Result<()> {
    let agent = assistant.agent.clone();
    let inputs = JsonObject::from_serialize(&json!({ "city": city }))?;
    Span::builder(AgentExecutionSpan::new(agent.clone()))
        .with_name("weather agent")
        .run(|span| async move {
            span.add_event(AgentExecutionStart::new(agent.clone(), inputs.clone()))?;
            let outputs = flow::run(assistant, inputs).await?;
            Ok(span.add_event(AgentExecutionEnd::new(agent, outputs))?)
        })
        .await
}
