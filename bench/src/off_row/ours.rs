//! Ours: scopes that are switched off, and a trace without processors.

use std::hint::black_box;

use agentspan_model::agent365::{
    AgentDetails, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, ToolCallDetails,
};
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use agentspan_processor::Trace;
use agentspan_processor::trace::OpenTrace;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::agentspec_row::turn::{Events, Facts, Turn};
use crate::error::BenchError;
use crate::off_row::{AGENT_SPEC, SCOPES, TURNS};
use crate::row::Contender;
use crate::scope_row::data::{EventNames, TurnData};
use crate::scope_row::discard::Discard;

/// Makes turns of scopes, which are switched off.
pub(super) struct Scopes {
    tracer: ScopeTracer,
    data: TurnData,
}

impl Scopes {
    pub(super) fn new() -> Result<Self, BenchError> {
        let provider = SdkTracerProvider::builder().with_span_processor(Discard);
        Ok(Self {
            tracer: ScopeTracer::new(&provider.build()),
            data: TurnData::new(EventNames::TURN)?,
        })
    }

    fn turn(&self) {
        let data = black_box(&self.data);
        let known = &data.invocation.details;
        let scope = InvokeAgentScope::when_enabled(|| {
            let details = AgentDetails::new(known.agent_id.clone())
                .with_name(known.agent_name.clone().unwrap_or_default())
                .with_description(known.agent_description.clone().unwrap_or_default());
            InvokeAgentScope::builder(&InvokeAgentDetails::new(details))
                .with_tenant(&data.tenant)
                .with_request(&data.request)
                .with_caller(&data.caller)
                .with_tracer(&self.tracer)
                .start()
        });
        scope.in_scope_infallible(|_| {
            self.model_call();
            self.tool_call();
            self.model_call();
        });
    }

    fn model_call(&self) {
        let data = black_box(&self.data);
        let known = &data.model_call;
        let scope = InferenceScope::when_enabled(|| {
            let kind = InferenceOperationType::Chat;
            let details =
                InferenceCallDetails::new(kind, known.model.as_str(), known.provider_name.as_str());
            InferenceScope::builder(&details)
                .with_agent(&data.agent)
                .with_tenant(&data.tenant)
                .with_request(&data.model_request)
                .with_tracer(&self.tracer)
                .start()
        });
        scope.in_scope_infallible(|scope| scope.record_output_messages(&[&data.model_answer]));
    }

    fn tool_call(&self) {
        let data = black_box(&self.data);
        let known = &data.tool_call;
        let scope = ExecuteToolScope::when_enabled(|| {
            let details = ToolCallDetails::new(known.tool_name.as_str())
                .with_arguments(known.arguments.clone().unwrap_or_default());
            ExecuteToolScope::builder(&details)
                .with_agent(&data.agent)
                .with_tenant(&data.tenant)
                .with_tracer(&self.tracer)
                .start()
        });
        scope.in_scope_infallible(|_| ());
    }
}

impl Contender for Scopes {
    fn name(&self) -> &'static str {
        SCOPES
    }

    fn prepare(&mut self) {
        agentspan_otel::scopes::set_enabled(false);
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn();
        }
    }
}

/// Makes turns in a trace that nobody observes.
pub(super) struct AgentSpec {
    trace: OpenTrace,
    turn: Turn,
}

impl AgentSpec {
    pub(super) fn new() -> Result<Self, BenchError> {
        let trace = Trace::builder().start_detached();
        Ok(Self {
            trace: trace.map_err(|error| BenchError::set_up(AGENT_SPEC)(error.into()))?,
            turn: Turn::new(Facts::OfDefinitions)?,
        })
    }
}

impl Contender for AgentSpec {
    fn name(&self) -> &'static str {
        AGENT_SPEC
    }

    fn run(&mut self) {
        let _entered = self.trace.root().enter();
        for _ in 0..TURNS {
            self.turn.run_here(Events::IfObserved);
        }
    }
}
