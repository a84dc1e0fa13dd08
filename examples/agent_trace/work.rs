//! The work of the flow's nodes: one executes a tool, the other streams the answer of a model.

use agentspan_model::agentspec::Message;
use agentspan_processor::execution::{LlmGeneration, ToolExecution};

use crate::Result;
use crate::assistant::Assistant;

pub(crate) async fn forecast(assistant: &Assistant, city: &str) -> Result<String> {
    ToolExecution::of(&assistant.tool)
        .with_inputs(city)
        .with_request_id("call-1")
        .run(|_| async { Ok("sunny".to_owned()) })
        .await
}

pub(crate) async fn answer(assistant: &Assistant, weather: &str) -> Result<String> {
    LlmGeneration::of(&assistant.model)
        .with_prompt([Message::new("user", format!("Say it nicely: {weather}"))])
        .run(|generation| async move {
            // Your model, which streams its answer in pieces.
            let mut answer = String::new();
            for piece in ["It is ", weather, " in Zürich."] {
                generation.add_text(piece)?;
                answer.push_str(piece);
            }
            generation.set_tokens(12, 5);
            Ok(answer)
        })
        .await
}
