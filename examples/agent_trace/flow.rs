//! The flow: it looks something up, and answers with the result.

use agentspan_model::agentspec::{
    FlowExecutionEnd, FlowExecutionSpan, FlowExecutionStart, JsonObject, NodeExecutionEnd,
    NodeExecutionSpan, NodeExecutionStart,
};
use agentspan_processor::Span;

use crate::Result;
use crate::assistant::Assistant;
use crate::work::{model, tool};

pub(crate) async fn run(assistant: &Assistant, inputs: JsonObject) -> Result<JsonObject> {
    let flow = assistant.flow.clone();
    let span = Span::builder(FlowExecutionSpan::new(flow.clone())).with_name("weather flow");
    span.run(|span| async move {
        span.add_event(FlowExecutionStart::new(flow.clone(), inputs.clone()))?;
        let weather = node(assistant, "look up", inputs, tool).await?;
        let outputs = node(assistant, "answer", weather, model).await?;
        span.add_event(FlowExecutionEnd::new(flow, outputs.clone(), "next"))?;
        Ok(outputs)
    })
    .await
}

async fn node(
    assistant: &Assistant,
    name: &'static str,
    inputs: JsonObject,
    work: impl AsyncFnOnce(&Assistant, JsonObject) -> Result<JsonObject>,
) -> Result<JsonObject> {
    let node = assistant.node(name)?;
    let span = Span::builder(NodeExecutionSpan::new(node.clone())).with_name(name);
    span.run(|span| async move {
        span.add_event(NodeExecutionStart::new(node.clone(), inputs.clone()))?;
        let outputs = work(assistant, inputs).await?;
        span.add_event(NodeExecutionEnd::new(node, outputs.clone(), "next"))?;
        Ok(outputs)
    })
    .await
}
