//! An agent that plans with a model, runs a flow of nodes with tools, streams its answer, and fails to
//! keep a copy of it.
//!
//! The drivers in `conformance/peers` know this trace by heart.

use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, ExceptionRaised,
    Flow, FlowExecutionEnd, FlowExecutionSpan, FlowExecutionStart, JsonObject, LlmConfig,
    LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan,
    Message, Node, NodeExecutionEnd, NodeExecutionSpan, NodeExecutionStart, Property, Tool,
    ToolCall, ToolExecutionRequest, ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::{Span, TraceError};
use serde_json::{Value, json};

/// What an Agent Spec document would describe.
struct Assistant {
    agent: Agent,
    flow: Flow,
    look_up: Node,
    answer: Node,
    archive: Node,
    forecast: Tool,
    store: Tool,
    model: LlmConfig,
}

impl Assistant {
    fn new() -> Self {
        let model = Component::builder("OpenAiConfig", "main model")
            .with_text("model_id", "gpt-4o")
            .build();
        let tool = |name: &str, description: &str, input: &str| {
            Component::builder("ServerTool", name)
                .with_description(description)
                .with_inputs([Property::new(input, "string")])
                .build()
        };
        let forecast = tool("forecast", "The weather of a city", "city");
        let store = tool("store", "Keeps a text", "text");
        let node = |class: &str, name: &str| Component::builder(class, name);
        let look_up = node("ToolNode", "look up")
            .with_component("tool", forecast.clone())
            .build();
        let answer = node("LlmNode", "answer")
            .with_component("llm_config", model.clone())
            .build();
        let archive = node("ToolNode", "archive")
            .with_component("tool", store.clone())
            .build();
        let nodes = [look_up.clone(), answer.clone(), archive.clone()];
        let flow = Component::builder("Flow", "weather flow").with_components("nodes", nodes);
        let agent = Component::builder("Agent", "weather agent")
            .with_component("llm_config", model.clone())
            .with_components("tools", [forecast.clone()]);
        Self {
            agent: component(agent.build()),
            flow: component(flow.build()),
            look_up: component(look_up),
            answer: component(answer),
            archive: component(archive),
            forecast: component(forecast),
            store: component(store),
            model: component(model),
        }
    }
}

/// The component of a class that is written a few lines above.
#[expect(clippy::expect_used, reason = "the class is written beside the type")]
pub(crate) fn component<T: TryFrom<Component, Error: std::fmt::Debug>>(component: Component) -> T {
    T::try_from(component).expect("a component of this class")
}

#[expect(clippy::expect_used, reason = "the values are written here")]
fn object(value: &Value) -> JsonObject {
    JsonObject::from_serialize(value).expect("an object")
}

/// The agent works in the trace that is current.
pub(crate) fn work() -> Result<(), TraceError> {
    let assistant = Assistant::new();
    let agent = assistant.agent.clone();
    let question = object(&json!({ "city": "Zürich" }));
    Span::builder(AgentExecutionSpan::new(agent.clone()))
        .with_name("weather agent")
        .in_span(|span| {
            span.add_event(AgentExecutionStart::new(agent.clone(), question.clone()))?;
            plan(&assistant)?;
            let answer = flow(&assistant, question)?;
            span.add_event(AgentExecutionEnd::new(agent, answer))
        })
}

/// The model asks for a tool, and says nothing.
fn plan(assistant: &Assistant) -> Result<(), TraceError> {
    let model = assistant.model.clone();
    Span::builder(LlmGenerationSpan::new(model.clone()))
        .with_name("plan")
        .in_span(|span| {
            let prompt = vec![
                Message::new("system", "You are terse."),
                Message::new("user", "Umbrella in Zürich?"),
            ];
            let request = LlmGenerationRequest::new(model.clone(), prompt, "ask-1")
                .with_tools([assistant.forecast.clone()]);
            span.add_event(request)?;
            let call = ToolCall::new("call-1", "forecast", r#"{"city":"Zürich"}"#);
            let response = LlmGenerationResponse::new(model, "ask-1")
                .with_completion_id("completion-1")
                .with_tool_calls(vec![call])
                .with_input_tokens(40)
                .with_output_tokens(12);
            span.add_event(response)
        })
}

fn flow(assistant: &Assistant, inputs: JsonObject) -> Result<JsonObject, TraceError> {
    let flow = assistant.flow.clone();
    Span::builder(FlowExecutionSpan::new(flow.clone()))
        .with_name("weather flow")
        .in_span(|span| {
            span.add_event(FlowExecutionStart::new(flow.clone(), inputs.clone()))?;
            let weather = node(&assistant.look_up, inputs, |inputs| {
                forecast(assistant, inputs)
            })?;
            let answer = node(&assistant.answer, weather, |inputs| {
                streamed_answer(assistant, inputs)
            })?;
            node(&assistant.archive, answer.clone(), |_| store(assistant))?;
            span.add_event(FlowExecutionEnd::new(flow, answer.clone(), "next"))?;
            Ok(answer)
        })
}

fn node(
    node: &Node,
    inputs: JsonObject,
    work: impl FnOnce(&JsonObject) -> Result<JsonObject, TraceError>,
) -> Result<JsonObject, TraceError> {
    Span::builder(NodeExecutionSpan::new(node.clone()))
        .with_name(node.name().to_owned())
        .in_span(|span| {
            span.add_event(NodeExecutionStart::new(node.clone(), inputs.clone()))?;
            let outputs = work(&inputs)?;
            let end = NodeExecutionEnd::new(node.clone(), outputs.clone(), "next");
            span.add_event(end)?;
            Ok(outputs)
        })
}

fn forecast(assistant: &Assistant, inputs: &JsonObject) -> Result<JsonObject, TraceError> {
    let tool = assistant.forecast.clone();
    Span::builder(ToolExecutionSpan::new(tool.clone()))
        .with_name("forecast")
        .in_span(|span| {
            let request = ToolExecutionRequest::new(tool.clone(), inputs.clone(), "call-1");
            span.add_event(request)?;
            let outputs = object(&json!({ "weather": "sunny" }));
            let response = ToolExecutionResponse::new(tool, outputs.clone(), "call-1");
            span.add_event(response)?;
            Ok(outputs)
        })
}

fn streamed_answer(assistant: &Assistant, inputs: &JsonObject) -> Result<JsonObject, TraceError> {
    let model = assistant.model.clone();
    Span::builder(LlmGenerationSpan::new(model.clone()))
        .with_name("answer")
        .in_span(|span| {
            let question = format!("Say it nicely: {}", inputs.as_str());
            let prompt = vec![Message::new("user", question)];
            span.add_event(LlmGenerationRequest::new(model.clone(), prompt, "ask-2"))?;
            let mut answer = String::new();
            for part in ["No umbrella: ", "it is sunny ", "in Zürich."] {
                answer.push_str(part);
                let chunk = LlmGenerationChunkReceived::new(model.clone(), "ask-2");
                span.add_event(chunk.with_content(part))?;
            }
            let response = LlmGenerationResponse::new(model, "ask-2")
                .with_completion_id("completion-2")
                .with_content(answer.as_str())
                .with_input_tokens(25)
                .with_output_tokens(9);
            span.add_event(response)?;
            Ok(object(&json!({ "answer": answer })))
        })
}

/// The tool fails, and the flow goes on without a copy.
fn store(assistant: &Assistant) -> Result<JsonObject, TraceError> {
    let tool = assistant.store.clone();
    Span::builder(ToolExecutionSpan::new(tool.clone()))
        .with_name("store")
        .in_span(|span| {
            let inputs = object(&json!({ "text": "it is sunny" }));
            span.add_event(ToolExecutionRequest::new(tool, inputs, "call-2"))?;
            let failure = ExceptionRaised::new("ArchiveError", "the archive of Zürich is full");
            span.add_event(failure)?;
            Ok(object(&json!({ "stored": false })))
        })
}
