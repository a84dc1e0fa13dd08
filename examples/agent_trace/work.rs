//! The work of the flow's nodes: one executes a tool, the other streams the answer of a model.

use agentspan_model::agentspec::{
    JsonObject, LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse,
    LlmGenerationSpan, Message, ToolExecutionRequest, ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::Span;
use serde_json::json;

use crate::Result;
use crate::assistant::Assistant;

pub(crate) async fn tool(assistant: &Assistant, inputs: JsonObject) -> Result<JsonObject> {
    let tool = assistant.tool.clone();
    let span = Span::builder(ToolExecutionSpan::new(tool.clone()))
        .start_async()
        .await?;
    span.add_event(ToolExecutionRequest::new(tool.clone(), inputs, "call-1"))?;
    let outputs = JsonObject::from_serialize(&json!({ "weather": "sunny" }))?;
    span.add_event(ToolExecutionResponse::new(tool, outputs.clone(), "call-1"))?;
    span.end_async().await?;
    Ok(outputs)
}

pub(crate) async fn model(assistant: &Assistant, inputs: JsonObject) -> Result<JsonObject> {
    let model = assistant.model.clone();
    let span = Span::builder(LlmGenerationSpan::new(model.clone()))
        .start_async()
        .await?;
    let prompt = vec![Message::new(
        "user",
        format!("Say it nicely: {}", inputs.as_str()),
    )];
    span.add_event(LlmGenerationRequest::new(model.clone(), prompt, "ask-1"))?;
    let mut answer = String::new();
    for part in assistant.streams() {
        answer.push_str(part);
        let chunk = LlmGenerationChunkReceived::new(model.clone(), "ask-1").with_content(part);
        span.add_event(chunk)?;
    }
    let response = LlmGenerationResponse::new(model, "ask-1")
        .with_content(answer.as_str())
        .with_input_tokens(12)
        .with_output_tokens(5);
    span.add_event(response)?;
    span.end_async().await?;
    Ok(JsonObject::from_serialize(&json!({ "answer": answer }))?)
}
