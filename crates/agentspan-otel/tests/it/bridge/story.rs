//! A small agent that says the same thing everywhere.

use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, ExceptionRaised,
    HumanInTheLoopRequest, HumanInTheLoopResponse, JsonObject, LlmConfig,
    LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan,
    Message, StateSnapshotEmitted, Tool, ToolCall, ToolExecutionRequest, ToolExecutionResponse,
    ToolExecutionSpan, ToolExecutionStreamingChunkReceived,
};
use agentspan_processor::Span;

pub(crate) fn model() -> LlmConfig {
    let model = Component::builder("OpenAiConfig", "main model")
        .with_id("llm-1")
        .with_text("model_id", "gpt-4o");
    LlmConfig::try_from(model.build()).unwrap()
}

pub(crate) fn tool() -> Tool {
    let tool = Component::builder("ServerTool", "get_weather").with_id("tool-1");
    Tool::try_from(tool.build()).unwrap()
}

pub(crate) fn agent() -> Agent {
    let agent = Component::builder("Agent", "Weather Agent")
        .with_id("agent-component")
        .with_component("llm_config", model());
    Agent::try_from(agent.build()).unwrap()
}

pub(crate) fn object(text: &str) -> JsonObject {
    JsonObject::from_serialize(&serde_json::json!({ "text": text })).unwrap()
}

/// Runs an agent that puts `text` into every field that holds content.
pub(crate) fn run(text: &str) {
    let run = Span::builder(AgentExecutionSpan::new(agent()))
        .start()
        .unwrap();
    let say = |event: agentspan_model::agentspec::EventDetails| run.add_event(event).unwrap();
    say(AgentExecutionStart::new(agent(), object(text)).into());
    generate(text);
    use_tool(text);
    say(HumanInTheLoopRequest::new("ask-1", object(text)).into());
    say(HumanInTheLoopResponse::new("ask-1", object(text)).into());
    say(StateSnapshotEmitted::new("conversation-1", object(text))
        .with_extra_state(object(text))
        .into());
    say(ExceptionRaised::new("ValueError", text)
        .with_stacktrace(text)
        .into());
    say(AgentExecutionEnd::new(agent(), object(text)).into());
    run.end().unwrap();
}

fn generate(text: &str) {
    let span = Span::builder(LlmGenerationSpan::new(model()))
        .start()
        .unwrap();
    let prompt = vec![Message::new("user", text).with_sender(text)];
    let calls = vec![ToolCall::new("call-1", "get_weather", text)];
    let request = LlmGenerationRequest::new(model(), prompt, "r-1").with_tools([tool()]);
    span.add_event(request).unwrap();
    let chunk = LlmGenerationChunkReceived::new(model(), "r-1")
        .with_content(text)
        .with_tool_calls(calls.clone());
    span.add_event(chunk).unwrap();
    let response = LlmGenerationResponse::new(model(), "r-1")
        .with_content(text)
        .with_tool_calls(calls)
        .with_input_tokens(12)
        .with_output_tokens(3);
    span.add_event(response).unwrap();
    span.end().unwrap();
}

fn use_tool(text: &str) {
    let span = Span::builder(ToolExecutionSpan::new(tool()))
        .start()
        .unwrap();
    let request = ToolExecutionRequest::new(tool(), object(text), "call-1");
    span.add_event(request).unwrap();
    let chunk = ToolExecutionStreamingChunkReceived::new(tool(), "call-1", text);
    span.add_event(chunk).unwrap();
    let response = ToolExecutionResponse::new(tool(), object(text), "call-1");
    span.add_event(response).unwrap();
    span.end().unwrap();
}
