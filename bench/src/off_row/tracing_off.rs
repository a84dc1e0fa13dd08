//! The peer: `tracing`, and no subscriber.

use std::hint::black_box;

use tracing::{info, info_span};

use crate::error::BenchError;
use crate::off_row::{TRACING, TURNS};
use crate::row::Contender;
use crate::scope_row::data::{EventNames, TurnData};

/// Makes turns that borrow what they say.
pub(super) struct Tracing(TurnData);

impl Tracing {
    pub(super) fn new() -> Result<Self, BenchError> {
        TurnData::new(EventNames::TURN).map(Self)
    }

    fn turn(&self) {
        let data = black_box(&self.0);
        let agent = &data.invocation.details;
        let _agent = info_span!(
            "invoke_agent",
            gen_ai.agent.id = agent.agent_id.as_str(),
            gen_ai.agent.name = agent.agent_name,
            gen_ai.agent.description = agent.agent_description,
            gen_ai.conversation.id = agent.conversation_id,
            session.id = data.invocation.session_id,
            tenant.id = data.tenant.tenant_id.as_str(),
            gen_ai.caller.id = data.caller.caller_id,
            gen_ai.caller.name = data.caller.caller_name,
        )
        .entered();
        model_call(data);
        tool_call(data);
        model_call(data);
    }
}

fn model_call(data: &TurnData) {
    let call = &data.model_call;
    let _call = info_span!(
        "chat",
        gen_ai.request.model = call.model,
        gen_ai.provider.name = call.provider_name,
        gen_ai.input.messages = data.prompt,
        gen_ai.output.messages = data.model_answer,
        gen_ai.usage.input_tokens = call.input_tokens,
        gen_ai.usage.output_tokens = call.output_tokens,
    )
    .entered();
    info!(gen_ai.request.model = call.model, "gen_ai.request");
    info!(gen_ai.request.model = call.model, "gen_ai.response");
}

fn tool_call(data: &TurnData) {
    let call = &data.tool_call;
    let _call = info_span!(
        "execute_tool",
        gen_ai.tool.name = call.tool_name,
        gen_ai.tool.arguments = call.arguments,
    )
    .entered();
    info!(gen_ai.tool.name = call.tool_name, "tool.request");
    info!(gen_ai.tool.name = call.tool_name, "tool.response");
}

impl Contender for Tracing {
    fn name(&self) -> &'static str {
        TRACING
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn();
        }
    }
}
