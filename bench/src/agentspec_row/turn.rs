//! The turn in Agent Spec, and what the program that is traced has in its hands.

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, Component, EventDetails, JsonObject, LlmConfig,
    LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message, SpanDetails, Tool,
    ToolExecutionRequest, ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::Span;
use agentspan_testkit::turn;
use serde::Serialize;

use crate::error::BenchError;

const MODEL_REQUEST: &str = "0000000f-0000-4000-8000-000000000001";
const COMPLETION: &str = "000000c0-0000-4000-8000-000000000001";
const TOOL_REQUEST: &str = "0000000f-0000-4000-8000-000000000002";

/// Whether the program makes spans and events that nobody hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Events {
    Always,
    /// It lets us ask for them.
    IfObserved,
}

/// What a turn says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    /// What the definitions of agent, model and tool say, and the contents.
    OfDefinitions,
    /// Tenant, conversation, session and caller besides, as metadata of the agent's span, and the tenant and
    /// the agent's id with each call: what the turn of OpenTelemetry's attributes says.
    OfRequest,
}

/// The facts of a request that are no part of a definition.
#[derive(Debug, Serialize)]
struct Request {
    tenant: &'static str,
    agent: String,
    conversation: &'static str,
    session: &'static str,
    caller: &'static str,
    caller_name: &'static str,
    execution_type: &'static str,
    server: &'static str,
}

/// The facts of a request that each call repeats.
#[derive(Debug, Serialize)]
struct Whose {
    tenant: &'static str,
    agent: String,
}

/// What a turn is about. The program owns it; events copy what is not a definition.
#[derive(Debug)]
pub(crate) struct Turn {
    request: Option<(Request, Whose)>,
    agent: Agent,
    model: LlmConfig,
    tool: Tool,
    prompt: String,
    answer: String,
    arguments: JsonObject,
    result: JsonObject,
}

impl Turn {
    pub(crate) fn new(facts: Facts) -> Result<Self, BenchError> {
        let whose = Whose {
            tenant: turn::TENANT,
            agent: turn::agent_id(0),
        };
        let request = Request {
            tenant: turn::TENANT,
            agent: turn::agent_id(0),
            conversation: "0000000c-0000-4000-8000-000000000001",
            session: "00000005-0000-4000-8000-000000000001",
            caller: "000000ca-0000-4000-8000-000000000042",
            caller_name: "Ada",
            execution_type: "HumanToAgent",
            server: "agents.example.com",
        };
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
            request: (facts == Facts::OfRequest).then_some((request, whose)),
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
    pub(crate) fn run(&self, parent: &Span, events: Events) {
        let _entered = parent.enter();
        self.run_here(events);
    }

    /// Makes the turn under the current span.
    pub(crate) fn run_here(&self, events: Events) {
        let metadata = self.request.as_ref().map(|(request, _)| request);
        let details = || AgentExecutionSpan::new(self.agent.clone());
        within(events, details, metadata, |_| {
            self.model_call(events);
            self.tool_call(events);
            self.model_call(events);
        });
    }

    fn model_call(&self, events: Events) {
        let metadata = self.request.as_ref().map(|(_, whose)| whose);
        let details = || LlmGenerationSpan::new(self.model.clone());
        within(events, details, metadata, |span| {
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
        let metadata = self.request.as_ref().map(|(_, whose)| whose);
        let details = || ToolExecutionSpan::new(self.tool.clone());
        within(events, details, metadata, |span| {
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
fn within<D: Into<SpanDetails>>(
    events: Events,
    details: impl FnOnce() -> D,
    metadata: Option<&impl Serialize>,
    work: impl FnOnce(&Span),
) {
    let builder = || {
        let builder = Span::builder(details());
        match metadata.map(JsonObject::from_serialize) {
            Some(Ok(metadata)) => builder.with_metadata(metadata),
            _ => builder,
        }
    };
    let span = match events {
        Events::Always => builder().start(),
        Events::IfObserved => Span::when_observed(builder).start(),
    };
    if let Ok(span) = span {
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
