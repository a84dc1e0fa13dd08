//! Scopes of our crates, started and used as the vectors and the peers' scenarios write it.
//!
//! A scope is named by its kind, its arguments are those of the reference's `start` function, and what
//! is recorded in it is a method of the reference with its arguments.

mod iso_time;
mod messages;
mod python_error;
mod tool_payload;
mod v0_1;
mod v2;
mod v3;

use std::collections::HashMap;
use std::fmt::Display;

use agentspan_model::agent365::{GuardrailDecision, GuardrailFinding, Profile};
use agentspan_model::keys;
use agentspan_otel::scopes::is_enabled;
use agentspan_otel::{
    ApplyGuardrailScope, ExecuteToolScope, InferenceScope, InvokeAgentScope, OutputScope, Scope,
    ScopeTracer, TurnContext,
};
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use serde::Deserialize;
use serde_json::Value;

use self::iso_time::IsoTime;
use self::messages::{InputMessagesInput, OutputMessagesInput, ResponseInput};
use self::tool_payload::ToolPayload;
use crate::Failure;
use crate::typed_value::{TypedPairs, TypedValue};

pub(crate) use self::iso_time::unix_nanos;
pub use self::python_error::PythonError;
pub(crate) use self::v0_1::attribute;
pub(crate) use self::v2::agent_type;

/// The kinds of scopes, as the vectors name them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the vectors have no other kinds")]
pub enum ScopeKind {
    /// An agent is invoked.
    InvokeAgent,
    /// A tool runs.
    ExecuteTool,
    /// A model is asked.
    Inference,
    /// An agent gives its answer; only version 2 has it.
    Output,
    /// A guardian judges; only version 2 has it.
    #[serde(alias = "guardrail")]
    ApplyGuardrail,
}

/// A scope of any kind that was started.
#[derive(Clone, Debug)]
pub struct LiveScope {
    profile: Profile,
    scope: AnyScope,
}

#[derive(Clone, Debug)]
enum AnyScope {
    InvokeAgent(InvokeAgentScope),
    ExecuteTool(ExecuteToolScope),
    Inference(InferenceScope),
    Output(OutputScope),
    ApplyGuardrail(ApplyGuardrailScope),
}

macro_rules! each {
    ($any:expr, $scope:ident => $body:expr) => {
        match $any {
            AnyScope::InvokeAgent($scope) => $body,
            AnyScope::ExecuteTool($scope) => $body,
            AnyScope::Inference($scope) => $body,
            AnyScope::Output($scope) => $body,
            AnyScope::ApplyGuardrail($scope) => $body,
        }
    };
}

/// Why our crates did not do what an input asks for.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "there are no other ways to stop")]
pub enum Stop {
    /// The input is of a type, or an id of a form, that our crates do not take.
    #[error("our crates refuse it: {0}")]
    Refused(String),
    /// They refuse it as the reference does.
    #[error("{class}: {message}")]
    Raised {
        /// The reference's class of the error.
        class: &'static str,
        /// Its text.
        message: &'static str,
    },
    /// The input is not what the vectors describe.
    #[error(transparent)]
    Failed(Failure),
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // What nobody has ever heard of, or only we ask for or read, is our own fault; a wrong type is the
        // input's.
        let of_ours = ["unknown", "missing field", "no id"];
        if of_ours.iter().any(|start| text.starts_with(start)) {
            Self::Failed(Failure::Input(error))
        } else {
            Self::Refused(text)
        }
    }
}

impl LiveScope {
    /// Starts a scope in the generation of the tracer, with the arguments of its `start` function.
    ///
    /// # Errors
    ///
    /// [`Stop`] if our crates have no form for an argument, or do not know it.
    pub fn start(kind: ScopeKind, args: &Value, tracer: &ScopeTracer) -> Result<Self, Stop> {
        let (profile, mut args) = (tracer.profile(), args.clone());
        if profile == Profile::V3 {
            v3::leave_out_missing_reasons(&mut args);
        }
        let scope = match (profile, kind) {
            (Profile::V0_1, ScopeKind::InvokeAgent) => {
                AnyScope::InvokeAgent(v0_1::InvokeAgentArgs::read(args)?.start(tracer))
            }
            (Profile::V0_1, ScopeKind::ExecuteTool) => {
                AnyScope::ExecuteTool(v0_1::ExecuteToolArgs::read(args)?.start(tracer))
            }
            (Profile::V0_1, ScopeKind::Inference) => {
                AnyScope::Inference(v0_1::InferenceArgs::read(args)?.start(tracer))
            }
            (Profile::V0_1, ScopeKind::Output | ScopeKind::ApplyGuardrail) => {
                return Err(unknown("a scope of version 2"));
            }
            (_, ScopeKind::InvokeAgent) => {
                AnyScope::InvokeAgent(v2::InvokeAgentArgs::read(args)?.start(tracer)?)
            }
            (_, ScopeKind::ExecuteTool) => {
                AnyScope::ExecuteTool(v2::ExecuteToolArgs::read(args)?.start(tracer)?)
            }
            (_, ScopeKind::Inference) => {
                AnyScope::Inference(v2::InferenceArgs::read(args)?.start(tracer)?)
            }
            (_, ScopeKind::Output) => AnyScope::Output(v2::OutputArgs::read(args)?.start(tracer)),
            (_, ScopeKind::ApplyGuardrail) => {
                AnyScope::ApplyGuardrail(v2::ApplyGuardrailArgs::read(args)?.start(tracer))
            }
        };
        // The spans of the reference start at once, which shows in the order of their ids.
        each!(&scope, scope => drop(scope.span_context()));
        Ok(Self { profile, scope })
    }

    /// Does something while the scope's span is the current one.
    pub fn in_block<T>(&self, work: impl FnOnce() -> T) -> T {
        each!(&self.scope, scope => {
            let _active = scope.enter();
            work()
        })
    }

    /// Runs synchronous code in the scope, records its error, and ends the scope.
    ///
    /// # Errors
    ///
    /// That of `work`.
    pub fn in_scope<T, E: Display + 'static>(
        self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        each!(self.scope, scope => scope.in_scope(|_| work()))
    }

    /// Runs asynchronous code in the scope, records its error, and ends the scope.
    ///
    /// # Errors
    ///
    /// That of `work`.
    ///
    /// # Cancel safety
    ///
    /// The scope records a cancellation.
    pub async fn run<T, E: Display + 'static>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        each!(self.scope, scope => scope.run(|_| work).await)
    }

    /// Ends the scope.
    pub fn end(&self) {
        each!(&self.scope, scope => scope.end());
    }

    /// Records an exception of Python.
    pub fn record_error(&self, error: &PythonError) {
        each!(&self.scope, scope => scope.record_error_as(&error.path(), &error.message()));
    }

    /// Records what a turn says, in the scope of an invocation.
    pub fn record_turn_context(&self, turn: &TurnContext) {
        if let AnyScope::InvokeAgent(scope) = &self.scope {
            scope.record_turn_context(turn);
        }
    }

    /// Writes the headers that carry the scope's span to another service.
    pub fn inject_headers(&self, headers: &mut HashMap<String, String>) {
        each!(&self.scope, scope => scope.inject_headers(headers));
    }

    /// Calls a method of the reference's scopes with its arguments. `is_dict` says that pairs of
    /// attributes were given to it as a dictionary.
    ///
    /// # Errors
    ///
    /// [`Stop`] if our crates have no form for an argument, or the scope no such method.
    pub fn call(&self, method: &str, args: &[Value], is_dict: bool) -> Result<(), Stop> {
        let argument = || args.first().cloned().unwrap_or_default();
        match (&self.scope, method) {
            (_, "record_error") => self.record_error(&serde_json::from_value(argument())?),
            (any, "record_cancellation") => each!(any, scope => scope.record_cancellation()),
            (any, "record_attributes") => {
                let mut pairs: TypedPairs = serde_json::from_value(argument())?;
                if is_dict {
                    keep_last_values(&mut pairs);
                }
                let pairs = pairs.into_iter().map(attribute);
                let pairs = pairs
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(Stop::Refused)?;
                each!(any, scope => scope.record_attributes(pairs));
            }
            (any, "set_end_time") => {
                let IsoTime(time) = serde_json::from_value(argument())?;
                each!(any, scope => scope.set_end_time(time));
            }
            (any, "set_attribute") => {
                let value: TypedValue = serde_json::from_value(argument_at(args, 1))?;
                let key: String = serde_json::from_value(argument())?;
                let pair = attribute((key, value)).map_err(Stop::Refused)?;
                if each!(any, scope => scope.span_context().is_valid()) {
                    each!(any, scope => scope.context().span().set_attribute(pair));
                }
            }
            (AnyScope::InvokeAgent(scope), _) => {
                self.call_invocation(scope, method, argument())?;
            }
            (AnyScope::Inference(scope), _) => self.call_inference(scope, method, argument())?,
            (AnyScope::ExecuteTool(scope), "record_response") => {
                self.record_tool_response(scope, argument())?;
            }
            (AnyScope::Output(scope), "record_output_messages") => {
                let ResponseInput(response) = self.messages(argument())?;
                scope.record_output_messages(&response);
            }
            (AnyScope::Output(scope), "record_response") => base_response(scope, argument())?,
            (AnyScope::ApplyGuardrail(scope), "record_response") => {
                base_response(scope, argument())?;
            }
            (AnyScope::ApplyGuardrail(scope), _) => self.call_guardrail(scope, method, args)?,
            _ => return Err(unknown(method)),
        }
        Ok(())
    }

    fn call_invocation(
        &self,
        scope: &InvokeAgentScope,
        method: &str,
        argument: Value,
    ) -> Result<(), Stop> {
        match method {
            "record_response" => {
                scope.record_response(&serde_json::from_value::<String>(argument)?);
            }
            "record_response_parameters" => {
                scope.record_response_parameters(&v3::response_parameters(argument)?);
            }
            "record_input_messages" => {
                let InputMessagesInput(messages) = self.messages(argument)?;
                scope.record_input_messages(&messages);
            }
            "record_output_messages" => {
                let OutputMessagesInput(messages) = self.messages(argument)?;
                scope.record_output_messages(&messages);
            }
            _ => return Err(unknown(method)),
        }
        Ok(())
    }

    fn record_tool_response(&self, scope: &ExecuteToolScope, argument: Value) -> Result<(), Stop> {
        match ToolPayload::read(argument)? {
            ToolPayload::Object(result) if self.profile != Profile::V0_1 => {
                scope.record_response_object(&result);
            }
            ToolPayload::Text(text) => scope.record_response(&text),
            ToolPayload::Result(result) => scope.record_typed_response(&result),
            // The reference takes it for a call that records nothing, which nobody writes in Rust.
            ToolPayload::None if self.profile == Profile::V3 => {}
            _ => return Err(Stop::Refused("this is no result of a tool".to_owned())),
        }
        Ok(())
    }

    fn call_inference(
        &self,
        scope: &InferenceScope,
        method: &str,
        argument: Value,
    ) -> Result<(), Stop> {
        let number = || serde_json::from_value::<i64>(argument.clone());
        match method {
            "record_input_tokens" => scope.record_input_tokens(number()?),
            "record_output_tokens" => scope.record_output_tokens(number()?),
            "record_cache_read_input_tokens" => scope.record_cache_read_input_tokens(number()?),
            "record_cache_write_input_tokens" => scope.record_cache_write_input_tokens(number()?),
            "record_finish_reasons" => {
                let reasons: Option<Vec<String>> = serde_json::from_value(argument)?;
                scope.record_finish_reasons(&reasons.unwrap_or_default());
            }
            "record_response_model" => {
                scope.record_response_model(&serde_json::from_value::<String>(argument)?);
            }
            "record_thought_process" => {
                scope.record_thought_process(&serde_json::from_value::<String>(argument)?);
            }
            "record_response" => {
                scope.record_response(&serde_json::from_value::<String>(argument)?);
            }
            "record_input_messages" => {
                let InputMessagesInput(messages) = self.messages(argument)?;
                scope.record_input_messages(&messages);
            }
            "record_output_messages" => {
                let OutputMessagesInput(messages) = self.messages(argument)?;
                scope.record_output_messages(&messages);
            }
            _ => return Err(unknown(method)),
        }
        Ok(())
    }

    fn call_guardrail(
        &self,
        scope: &ApplyGuardrailScope,
        method: &str,
        args: &[Value],
    ) -> Result<(), Stop> {
        let argument = |at: usize| argument_at(args, at);
        match method {
            "record_decision" => {
                let decision: String = serde_json::from_value(argument(0))?;
                let decision = GuardrailDecision::from(self.decision(decision));
                let reason: Option<String> = serde_json::from_value(argument(1))?;
                scope.record_decision(&decision, reason.as_deref());
            }
            "record_content_input" => {
                let InputMessagesInput(input) = self.messages(argument(0))?;
                scope.record_content_input(input);
            }
            "record_content_output" => {
                scope.record_content_output(&serde_json::from_value::<String>(argument(0))?);
            }
            "record_finding" => {
                let finding: GuardrailFinding = serde_json::from_value(argument(0))?;
                scope.record_finding(&finding);
            }
            _ => return Err(unknown(method)),
        }
        Ok(())
    }

    /// A decision, which 2.0.0 has as the name of an enum's member, and 1.5.0 as a text.
    fn decision(&self, name: String) -> String {
        match self.profile {
            Profile::V3 => name,
            _ => name.to_lowercase(),
        }
    }

    /// Messages; in the first generation a list of texts and nothing else.
    fn messages<M>(&self, mut argument: Value) -> Result<M, Stop>
    where
        M: for<'de> Deserialize<'de>,
    {
        if self.profile == Profile::V0_1 && !argument.is_array() {
            return Err(Stop::Refused("messages are a list of texts".to_owned()));
        }
        if self.profile == Profile::V3 {
            v3::leave_out_missing_reasons(&mut argument);
        }
        Ok(serde_json::from_value(argument)?)
    }
}

fn argument_at(args: &[Value], at: usize) -> Value {
    args.get(at).cloned().unwrap_or_default()
}

fn unknown(what: &str) -> Stop {
    Stop::Failed(format!("nobody knows {what:?}").into())
}

/// `record_response` of the base class, which sets the answer as it is. Our scopes have it where it
/// means something; anywhere else it is an attribute that is set on the span itself.
fn base_response<K>(scope: &Scope<K>, argument: Value) -> Result<(), Stop> {
    let text: String = serde_json::from_value(argument)?;
    if is_enabled() {
        let context = scope.context();
        let answer = KeyValue::new(keys::GEN_AI_OUTPUT_MESSAGES, text);
        context.span().set_attribute(answer);
    }
    Ok(())
}

/// What a dictionary makes of repeated keys: the first place and the last value.
pub(crate) fn keep_last_values(pairs: &mut TypedPairs) {
    let mut kept = TypedPairs::new();
    for (key, value) in pairs.drain(..) {
        match kept.iter_mut().find(|(other, _)| *other == key) {
            Some((_, old)) => *old = value,
            None => kept.push((key, value)),
        }
    }
    *pairs = kept;
}
