//! The turn in Agent Spec, and what the program that is traced has in its hands.

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, Component, EventDetails, JsonObject, LlmConfig,
    LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message, SpanDetails, Tool,
    ToolExecutionRequest, ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::Span;
use agentspan_testkit::turn;

use crate::error::BenchError;

const MODEL_REQUEST: &str = "0000000f-0000-4000-8000-000000000001";
const COMPLETION: &str = "000000c0-0000-4000-8000-000000000001";
const TOOL_REQUEST: &str = "0000000f-0000-4000-8000-000000000002";

/// Whether the program makes events that nobody hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Events {
    Always,
    /// It lets the span ask for them.
    IfObserved,
}

/// What a turn is about. The program owns it; events copy what is not a definition.
#[derive(Debug)]
pub(super) struct Turn {
    agent: Agent,
    model: LlmConfig,
    tool: Tool,
    prompt: String,
    answer: String,
    arguments: JsonObject,
    result: JsonObject,
}

impl Turn {
    pub(super) fn new() -> Result<Self, BenchError> {
        let model = Component::builder("OpenAiConfig", "main").with_text("model_id", "gpt-4o");
        let model = LlmConfig::try_from(model.build()).map_err(failed)?;
        let tool = Component::builder("ServerTool", "forecast").build();
        let tool = Tool::try_from(tool).map_err(failed)?;
        let agent = Component::builder("Agent", "Weather Bot")
            .with_description(turn::description())
            .with_component("llm_config", model.clone())
            .with_components("tools", [tool.clone()])
            .build();
        Ok(Self {
            agent: Agent::try_from(agent).map_err(failed)?,
            model,
            tool,
            prompt: turn::messages("user"),
            answer: turn::messages("assistant"),
            arguments: JsonObject::parse(&turn::arguments()).map_err(failed)?,
            result: JsonObject::parse(&turn::arguments()).map_err(failed)?,
        })
    }

    /// Makes the turn under `parent`.
    pub(super) fn run(&self, parent: &Span, events: Events) {
        let _entered = parent.enter();
        within(AgentExecutionSpan::new(self.agent.clone()), |_| {
            self.model_call(events);
            self.tool_call(events);
            self.model_call(events);
        });
    }

    fn model_call(&self, events: Events) {
        within(LlmGenerationSpan::new(self.model.clone()), |span| {
            add(span, events, || {
                let prompt = vec![Message::new("user", self.prompt.as_str())];
                LlmGenerationRequest::new(self.model.clone(), prompt, MODEL_REQUEST)
            });
            add(span, events, || {
                LlmGenerationResponse::new(self.model.clone(), MODEL_REQUEST)
                    .with_content(self.answer.as_str())
                    .with_completion_id(COMPLETION)
                    .with_input_tokens(100)
                    .with_output_tokens(42)
            });
        });
    }

    fn tool_call(&self, events: Events) {
        within(ToolExecutionSpan::new(self.tool.clone()), |span| {
            add(span, events, || {
                ToolExecutionRequest::new(self.tool.clone(), self.arguments.clone(), TOOL_REQUEST)
            });
            add(span, events, || {
                ToolExecutionResponse::new(self.tool.clone(), self.result.clone(), TOOL_REQUEST)
            });
        });
    }
}

/// Hooks of this program do not fail, and a benchmark has nobody to tell if they did.
fn within(details: impl Into<SpanDetails>, work: impl FnOnce(&Span)) {
    if let Ok(span) = Span::builder(details).start() {
        work(&span);
        drop(span);
    }
}

fn add<E: Into<EventDetails>>(span: &Span, events: Events, make: impl FnOnce() -> E) {
    drop(match events {
        Events::Always => span.add_event(make()),
        Events::IfObserved => span.add_event_with(make),
    });
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> BenchError {
    BenchError::set_up("the turn in Agent Spec")(error.into())
}
