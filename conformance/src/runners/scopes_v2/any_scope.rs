//! A scope of any kind, and what is done with it while it is open.

use std::collections::HashMap;

use agentspan_model::agent365::{GuardrailDecision, GuardrailFinding};
use agentspan_otel::{
    ApplyGuardrailScope, ExecuteToolScope, InferenceScope, InvokeAgentScope, OutputScope,
    ScopeTracer,
};
use serde_json::Value;

use super::details::{
    ApplyGuardrailArgs, ExecuteToolArgs, InferenceArgs, InvokeAgentArgs, OutputArgs,
};
use super::iso_time::IsoTime;
use super::messages::{InputMessagesInput, OutputMessagesInput, ResponseInput};
use super::{Action, ScopeInput, ScopeKind};
use crate::runners::scopes_v0_1::{ErrorInput, Stop, attribute, keep_last_values, set_switch};
use crate::typed_value::TypedPairs;

pub(super) enum AnyScope {
    InvokeAgent(InvokeAgentScope),
    ExecuteTool(ExecuteToolScope),
    Inference(InferenceScope),
    Output(OutputScope),
    ApplyGuardrail(ApplyGuardrailScope),
}

macro_rules! each {
    ($self:ident, $scope:ident => $body:expr) => {
        match $self {
            AnyScope::InvokeAgent($scope) => $body,
            AnyScope::ExecuteTool($scope) => $body,
            AnyScope::Inference($scope) => $body,
            AnyScope::Output($scope) => $body,
            AnyScope::ApplyGuardrail($scope) => $body,
        }
    };
}

impl AnyScope {
    pub(super) fn start(input: &ScopeInput, tracer: &ScopeTracer) -> Result<Self, Stop> {
        let args = input.args.clone();
        Ok(match input.scope {
            ScopeKind::InvokeAgent => Self::InvokeAgent(InvokeAgentArgs::read(args)?.start(tracer)),
            ScopeKind::ExecuteTool => Self::ExecuteTool(ExecuteToolArgs::read(args)?.start(tracer)),
            ScopeKind::Inference => Self::Inference(InferenceArgs::read(args)?.start(tracer)?),
            ScopeKind::Output => Self::Output(OutputArgs::read(args)?.start(tracer)),
            ScopeKind::ApplyGuardrail => {
                Self::ApplyGuardrail(ApplyGuardrailArgs::read(args)?.start(tracer))
            }
        })
    }

    pub(super) fn in_block<T>(&self, work: impl FnOnce() -> T) -> T {
        each!(self, scope => {
            let _active = scope.enter();
            work()
        })
    }

    pub(super) fn end(&self) {
        each!(self, scope => scope.end());
    }

    pub(super) fn record_error(&self, error: &ErrorInput) {
        each!(self, scope => scope.record_error_as(&error.path(), &error.message()));
    }

    pub(super) fn inject_headers(&self, headers: &mut HashMap<String, String>) {
        each!(self, scope => scope.inject_headers(headers));
    }

    pub(super) fn act(&self, action: &Action) -> Result<(), Stop> {
        if let Some(env) = &action.set_env {
            set_switch(env);
            return Ok(());
        }
        let argument = || action.args.first().cloned().unwrap_or_default();
        match (self, action.op.as_deref().unwrap_or_default()) {
            (_, "record_error") => self.record_error(&serde_json::from_value(argument())?),
            (_, "record_cancellation") => each!(self, scope => scope.record_cancellation()),
            (_, "record_attributes") => {
                let mut pairs: TypedPairs = serde_json::from_value(argument())?;
                if action.passed_as.as_deref() == Some("dict") {
                    keep_last_values(&mut pairs);
                }
                let pairs = pairs.into_iter().map(attribute);
                let pairs = pairs
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(Stop::Refused)?;
                each!(self, scope => scope.record_attributes(pairs));
            }
            (_, "set_end_time") => {
                let IsoTime(time) = serde_json::from_value(argument())?;
                each!(self, scope => scope.set_end_time(time));
            }
            (Self::InvokeAgent(scope), op) => act_on_invocation(scope, op, argument())?,
            (Self::Inference(scope), op) => act_on_inference(scope, op, argument())?,
            (Self::ExecuteTool(scope), "record_response") => match argument() {
                Value::Object(result) => scope.record_response_object(&result),
                text => scope.record_response(&serde_json::from_value::<String>(text)?),
            },
            (Self::Output(scope), "record_output_messages") => {
                let ResponseInput(response) = serde_json::from_value(argument())?;
                scope.record_output_messages(&response);
            }
            (Self::Output(scope), "record_response") => base_response(scope, argument())?,
            (Self::ApplyGuardrail(scope), "record_response") => base_response(scope, argument())?,
            (Self::ApplyGuardrail(scope), op) => act_on_guardrail(scope, op, action)?,
            (_, op) => return Err(unknown(op)),
        }
        Ok(())
    }
}

fn unknown(op: &str) -> Stop {
    Stop::Failed(format!("the runner does not know {op:?}").into())
}

/// `record_response` of the base class, which sets the answer as it is. Our scopes have it where it
/// means something; anywhere else it is an attribute like any other.
fn base_response<K>(scope: &agentspan_otel::Scope<K>, argument: Value) -> Result<(), Stop> {
    let text: String = serde_json::from_value(argument)?;
    scope.record_attributes([(agentspan_model::keys::GEN_AI_OUTPUT_MESSAGES, text)]);
    Ok(())
}

fn act_on_invocation(scope: &InvokeAgentScope, op: &str, argument: Value) -> Result<(), Stop> {
    match op {
        "record_response" => {
            scope.record_response(&serde_json::from_value::<String>(argument)?);
        }
        "record_input_messages" => {
            let InputMessagesInput(messages) = serde_json::from_value(argument)?;
            scope.record_input_messages(&messages);
        }
        "record_output_messages" => {
            let OutputMessagesInput(messages) = serde_json::from_value(argument)?;
            scope.record_output_messages(&messages);
        }
        _ => return Err(unknown(op)),
    }
    Ok(())
}

fn act_on_inference(scope: &InferenceScope, op: &str, argument: Value) -> Result<(), Stop> {
    let number = || serde_json::from_value::<i64>(argument.clone());
    match op {
        "record_input_tokens" => scope.record_input_tokens(number()?),
        "record_output_tokens" => scope.record_output_tokens(number()?),
        "record_cache_read_input_tokens" => scope.record_cache_read_input_tokens(number()?),
        "record_cache_write_input_tokens" => scope.record_cache_write_input_tokens(number()?),
        "record_finish_reasons" => {
            let reasons: Option<Vec<String>> = serde_json::from_value(argument)?;
            scope.record_finish_reasons(&reasons.unwrap_or_default());
        }
        "record_thought_process" => {
            scope.record_thought_process(&serde_json::from_value::<String>(argument)?);
        }
        "record_response" => {
            scope.record_response(&serde_json::from_value::<String>(argument)?);
        }
        "record_input_messages" => {
            let InputMessagesInput(messages) = serde_json::from_value(argument)?;
            scope.record_input_messages(&messages);
        }
        "record_output_messages" => {
            let OutputMessagesInput(messages) = serde_json::from_value(argument)?;
            scope.record_output_messages(&messages);
        }
        _ => return Err(unknown(op)),
    }
    Ok(())
}

fn act_on_guardrail(scope: &ApplyGuardrailScope, op: &str, action: &Action) -> Result<(), Stop> {
    let argument = |at: usize| action.args.get(at).cloned().unwrap_or_default();
    match op {
        "record_decision" => {
            let decision: String = serde_json::from_value(argument(0))?;
            let decision = GuardrailDecision::from(decision.to_lowercase());
            let reason: Option<String> = serde_json::from_value(argument(1))?;
            scope.record_decision(&decision, reason.as_deref());
        }
        "record_content_output" => {
            scope.record_content_output(&serde_json::from_value::<String>(argument(0))?);
        }
        "record_finding" => {
            let finding: GuardrailFinding = serde_json::from_value(argument(0))?;
            scope.record_finding(&finding);
        }
        _ => return Err(unknown(op)),
    }
    Ok(())
}
