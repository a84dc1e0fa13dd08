//! An agent whose flow calls a tool and then streams the answer of a model.
//!
//! Shows the trace on the console while it runs, and records it for `read_trace`.

use std::error::Error;
use std::io::{self, Write};

use agentspan_processor::execution::AgentExecution;
use agentspan_processor::{BackgroundQueue, ConsoleTree, JsonLines, Trace};
use serde_json::json;

mod assistant;
mod flow;
mod work;

use assistant::Assistant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let assistant = Assistant::new();
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

async fn answer(assistant: &Assistant, city: &str) -> Result<String> {
    AgentExecution::of(&assistant.agent)
        .with_inputs(&json!({ "city": city }))
        .run(|_| flow::run(assistant, city))
        .await
}
