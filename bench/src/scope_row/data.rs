//! What the program that is traced has in its hands.

use agentspan_model::agent365::{
    AgentDetails, CallerDetails, Endpoint, ExecutionType, Identity, InferenceCallDetails,
    InferenceOperationType, InvokeAgentDetails, Request, TenantDetails, ToolCallDetails,
};
use agentspan_testkit::turn;

use crate::error::BenchError;

/// What a turn is about. The program owns it; spans copy it.
#[derive(Debug)]
pub(crate) struct TurnData {
    pub(crate) invocation: InvokeAgentDetails,
    pub(crate) request: Request,
    pub(crate) caller: CallerDetails,
    /// The agent as the calls inside of its invocation name it, by its id only.
    pub(crate) agent: AgentDetails,
    pub(crate) tenant: TenantDetails,
    pub(crate) model_call: InferenceCallDetails,
    pub(crate) model_request: Request,
    /// What the model is asked.
    pub(crate) prompt: String,
    pub(crate) model_answer: String,
    pub(crate) tool_call: ToolCallDetails,
    pub(crate) events: EventNames,
}

/// Which events calls add to the current span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventNames {
    pub(crate) model: &'static [&'static str],
    pub(crate) tool: &'static [&'static str],
}

impl EventNames {
    /// Those of the test kit's turn.
    pub(crate) const TURN: Self = Self {
        model: &["gen_ai.request", "gen_ai.response"],
        tool: &["tool.request", "tool.response"],
    };

    /// None, for what is switched off: adding events is not the work of scopes.
    pub(crate) const NONE: Self = Self {
        model: &[],
        tool: &[],
    };
}

impl TurnData {
    pub(crate) fn new(events: EventNames) -> Result<Self, BenchError> {
        let identity = Identity::parse(turn::TENANT, &turn::agent_id(0))
            .map_err(|error| BenchError::set_up("the turn")(error.into()))?;
        let agent = AgentDetails::new(identity.agent);
        let invoked = agent
            .clone()
            .with_name("Weather Bot")
            .with_description(turn::description())
            .with_conversation_id("0000000c-0000-4000-8000-000000000001");
        Ok(Self {
            invocation: InvokeAgentDetails::new(invoked)
                .with_endpoint(Endpoint::new("agents.example.com"))
                .with_session_id("00000005-0000-4000-8000-000000000001"),
            request: Request::new("Will it rain?", ExecutionType::HumanToAgent),
            caller: CallerDetails::new()
                .with_id("000000ca-0000-4000-8000-000000000042")
                .with_name("Ada"),
            agent,
            tenant: TenantDetails::new(identity.tenant),
            model_call: InferenceCallDetails::new(
                InferenceOperationType::Chat,
                "gpt-4o-2024-11-20",
                "openai",
            )
            .with_input_tokens(100)
            .with_output_tokens(42),
            model_request: Request::new(turn::messages("user"), ExecutionType::HumanToAgent),
            prompt: turn::messages("user"),
            model_answer: turn::messages("assistant"),
            tool_call: ToolCallDetails::new("forecast").with_arguments(turn::arguments()),
            events,
        })
    }
}
