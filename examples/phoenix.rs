//! A traced agent in Arize Phoenix.
//!
//! Start Phoenix with `pip install arize-phoenix` and `phoenix serve`, then run
//! `cargo run --example phoenix -- http://127.0.0.1:4317`, the address for OTLP over gRPC. Without
//! an address, the example shows the spans on the console.

#![expect(clippy::print_stdout, reason = "the example says where to look")]

use std::error::Error;
use std::time::Duration;

use agentspan::otel::ConsoleExporter;
use agentspan::{Destination, Otlp, Telemetry};
use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, Disclosure,
    JsonObject, LlmConfig, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message,
    Tool, ToolExecutionRequest, ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_model::mapping::{ContentCapture, Rendering};
use agentspan_processor::Span;
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let telemetry = telemetry(address.as_deref())?;
    let trace_id = telemetry.trace().with_name("weather").in_trace(|trace| {
        let id = trace.id().as_str().replace('-', "");
        answer("Zürich").map(|()| id)
    })?;
    telemetry.shutdown(Duration::from_secs(10))?;
    if let Some(address) = address {
        println!("sent trace {trace_id} to the project weather at {address}");
    }
    Ok(())
}

/// Phoenix reads the vocabulary of OpenInference. It is to see contents, which are masked by
/// default.
fn telemetry(address: Option<&str>) -> Result<Telemetry> {
    let destination = match address {
        Some(address) => {
            Destination::otlp_grpc(Otlp::new().with_endpoint(address))?.with_name("phoenix")
        }
        None => Destination::console(ConsoleExporter::new()),
    };
    let telemetry = agentspan::configure()
        .with_service_name("weather")
        .with_resource_attribute("openinference.project.name", "weather")
        .with_content_capture(ContentCapture::SpanAndEvent)
        .with_destination(
            destination
                .with_rendering(Rendering::OpenInference)
                .with_disclosure(Disclosure::Clear),
        )
        .install()?;
    Ok(telemetry)
}

/// The agent looks something up, and lets a model say it.
fn answer(city: &str) -> Result<()> {
    let model = Component::builder("OpenAiConfig", "main model")
        .with_text("model_id", "gpt-4o")
        .build();
    let tool = Component::builder("ServerTool", "forecast")
        .with_description("The weather of a city")
        .build();
    let agent = Component::builder("Agent", "weather agent")
        .with_component("llm_config", model.clone())
        .with_components("tools", [tool.clone()])
        .build();
    let (agent, tool, model): (Agent, Tool, LlmConfig) =
        (agent.try_into()?, tool.try_into()?, model.try_into()?);

    let inputs = JsonObject::from_serialize(&json!({ "city": city }))?;
    Span::builder(AgentExecutionSpan::new(agent.clone())).in_span(|span| {
        span.add_event(AgentExecutionStart::new(agent.clone(), inputs.clone()))?;
        let weather = forecast(&tool, inputs)?;
        let answer = say(&model, &weather)?;
        let outputs = JsonObject::from_serialize(&json!({ "answer": answer }))?;
        span.add_event(AgentExecutionEnd::new(agent, outputs))?;
        Ok(())
    })
}

fn forecast(tool: &Tool, inputs: JsonObject) -> Result<JsonObject> {
    Span::builder(ToolExecutionSpan::new(tool.clone())).in_span(|span| {
        span.add_event(ToolExecutionRequest::new(tool.clone(), inputs, "call-1"))?;
        let outputs = JsonObject::from_serialize(&json!({ "weather": "sunny" }))?;
        let response = ToolExecutionResponse::new(tool.clone(), outputs.clone(), "call-1");
        span.add_event(response)?;
        Ok(outputs)
    })
}

fn say(model: &LlmConfig, weather: &JsonObject) -> Result<&'static str> {
    Span::builder(LlmGenerationSpan::new(model.clone())).in_span(|span| {
        let prompt = format!("Say it nicely: {}", weather.as_str());
        let prompt = vec![Message::new("user", prompt)];
        span.add_event(LlmGenerationRequest::new(model.clone(), prompt, "ask-1"))?;
        let answer = "The sun shines.";
        let response = LlmGenerationResponse::new(model.clone(), "ask-1")
            .with_content(answer)
            .with_input_tokens(12)
            .with_output_tokens(5);
        span.add_event(response)?;
        Ok(answer)
    })
}
