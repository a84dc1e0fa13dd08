//! `scopes_v0_1.json`: scopes, one opened inside the other, and the spans that they make.

mod details;
mod error;

use std::collections::BTreeMap;

use agentspan_discovery::{Environment, Switches};
use agentspan_otel::{
    ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer, set_enabled,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::details::Messages;
use super::recorded_spans::{self, RecordedSpans};
use crate::typed_value::TypedPairs;
use crate::{Case, Failure, Json, Outcome, Predicate, Runner};

pub(super) use self::details::{
    AgentTypeInput, ExecuteToolArgs, InferenceArgs, InvokeAgentArgs, OperationInput, attribute,
};
pub(super) use self::error::ErrorInput;

pub(super) struct ScopesV01;

impl Runner for ScopesV01 {
    fn file_stem(&self) -> &'static str {
        "scopes_v0_1"
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(case.input()?) {
            Err(Stop::Refused(what)) => Ok(refusal(&what)),
            Err(Stop::Failed(failure)) => Err(failure),
            Ok(outcome) => Ok(outcome),
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[
            Predicate {
                name: "input_has_no_rust_form",
                applies: |case| refused(case).is_some(),
                instead: |case, expected| {
                    if let Some(what) = refused(case) {
                        *expected = refusal(&what);
                    }
                },
            },
            Predicate {
                name: "switched_off_before_the_end",
                applies: |case| {
                    refused(case).is_none()
                        && case.input().is_ok_and(|input| ends_while_off(&input))
                },
                instead: |case, expected| {
                    let spans = case.input().ok().and_then(spans_if_on_again_at_the_end);
                    if let (Some(slot), Some(spans)) = (expected.member_mut("spans"), spans) {
                        *slot = spans;
                    }
                },
            },
        ]
    }
}

pub(super) type Env = BTreeMap<String, Option<String>>;

#[derive(Clone, Deserialize)]
struct Input {
    env: Env,
    scopes: Vec<ScopeInput>,
}

#[derive(Clone, Deserialize)]
struct ScopeInput {
    scope: ScopeKind,
    args: Value,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    close: Close,
    raise: Option<ErrorInput>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScopeKind {
    InvokeAgent,
    ExecuteTool,
    Inference,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Close {
    /// At the end of a `with` block.
    #[default]
    Block,
    Dispose,
    DisposeTwice,
}

#[derive(Clone, Deserialize)]
struct Action {
    set_env: Option<Env>,
    op: Option<String>,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(rename = "as")]
    passed_as: Option<String>,
}

/// Why a case was not run to its end.
pub(super) enum Stop {
    /// The input is of a type, or an id of a form, that our crates do not take.
    Refused(String),
    Failed(Failure),
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // What the runner has never heard of is its own fault; a wrong type is the input's.
        if text.starts_with("unknown") {
            Self::Failed(Failure::Input(error))
        } else {
            Self::Refused(text)
        }
    }
}

pub(super) fn refusal(what: &str) -> Json {
    json!({ "refused": what }).into()
}

fn refused(case: &Case) -> Option<String> {
    match run(case.input().ok()?) {
        Err(Stop::Refused(what)) => Some(what),
        _ => None,
    }
}

fn run(input: Input) -> Result<Json, Stop> {
    let recorded = RecordedSpans::record(|builder| builder);
    let tracer = ScopeTracer::new(&recorded.provider);
    set_switch(&input.env);
    let raised = open(&input.scopes, &tracer);
    set_enabled(true);
    let spans: Vec<_> = recorded
        .finished()
        .iter()
        .map(recorded_spans::span)
        .collect();
    let raised = raised?.map(|error| json!({"type": error.class, "message": error.message()}));
    Ok(json!({"raised": raised, "spans": spans}).into())
}

pub(super) fn set_switch(env: &Env) {
    let set = env
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let environment: Environment = set.collect();
    set_enabled(Switches::read(&environment).observability_enabled());
}

/// Opens the first scope, does what it says, opens the others inside it, and closes it.
fn open(scopes: &[ScopeInput], tracer: &ScopeTracer) -> Result<Option<ErrorInput>, Stop> {
    let Some((input, inner)) = scopes.split_first() else {
        return Ok(None);
    };
    let scope = AnyScope::start(input, tracer)?;
    let work = || {
        for action in &input.actions {
            scope.act(action)?;
        }
        Ok::<_, Stop>(open(inner, tracer)?.or_else(|| input.raise.clone()))
    };
    match input.close {
        Close::Block => {
            let raised = scope.in_block(work)?;
            if let Some(error) = &raised {
                scope.record_error(error);
            }
            scope.end();
            Ok(raised)
        }
        Close::Dispose => {
            let raised = work()?;
            scope.end();
            Ok(raised)
        }
        Close::DisposeTwice => {
            let raised = work()?;
            scope.end();
            scope.end();
            Ok(raised)
        }
    }
}

enum AnyScope {
    InvokeAgent(InvokeAgentScope),
    ExecuteTool(ExecuteToolScope),
    Inference(InferenceScope),
}

macro_rules! each {
    ($self:ident, $scope:ident => $body:expr) => {
        match $self {
            AnyScope::InvokeAgent($scope) => $body,
            AnyScope::ExecuteTool($scope) => $body,
            AnyScope::Inference($scope) => $body,
        }
    };
}

impl AnyScope {
    fn start(input: &ScopeInput, tracer: &ScopeTracer) -> Result<Self, Stop> {
        let args = input.args.clone();
        Ok(match input.scope {
            ScopeKind::InvokeAgent => Self::InvokeAgent(InvokeAgentArgs::read(args)?.start(tracer)),
            ScopeKind::ExecuteTool => Self::ExecuteTool(ExecuteToolArgs::read(args)?.start(tracer)),
            ScopeKind::Inference => Self::Inference(InferenceArgs::read(args)?.start(tracer)),
        })
    }

    fn in_block<T>(&self, work: impl FnOnce() -> T) -> T {
        each!(self, scope => {
            let _active = scope.enter();
            work()
        })
    }

    fn end(&self) {
        each!(self, scope => scope.end());
    }

    fn record_error(&self, error: &ErrorInput) {
        each!(self, scope => scope.record_error_as(&error.path(), &error.message()));
    }

    fn act(&self, action: &Action) -> Result<(), Stop> {
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
            (_, "record_response") => {
                let text: String = serde_json::from_value(argument())?;
                each!(self, scope => scope.record_response(&text));
            }
            (Self::InvokeAgent(scope), "record_input_messages") => {
                scope.record_input_messages(&serde_json::from_value::<Messages>(argument())?);
            }
            (Self::InvokeAgent(scope), "record_output_messages") => {
                scope.record_output_messages(&serde_json::from_value::<Messages>(argument())?);
            }
            (Self::Inference(scope), op) => return act_on_inference(scope, op, argument()),
            (_, op) => {
                return Err(Stop::Failed(
                    format!("the runner does not know {op:?}").into(),
                ));
            }
        }
        Ok(())
    }
}

fn act_on_inference(scope: &InferenceScope, op: &str, argument: Value) -> Result<(), Stop> {
    match op {
        "record_input_messages" => {
            scope.record_input_messages(&serde_json::from_value::<Messages>(argument)?);
        }
        "record_output_messages" => {
            scope.record_output_messages(&serde_json::from_value::<Messages>(argument)?);
        }
        "record_input_tokens" => scope.record_input_tokens(serde_json::from_value(argument)?),
        "record_output_tokens" => scope.record_output_tokens(serde_json::from_value(argument)?),
        "record_finish_reasons" => {
            scope.record_finish_reasons(&serde_json::from_value::<Messages>(argument)?);
        }
        "record_thought_process" => {
            scope.record_thought_process(&serde_json::from_value::<String>(argument)?);
        }
        _ => {
            return Err(Stop::Failed(
                format!("the runner does not know {op:?}").into(),
            ));
        }
    }
    Ok(())
}

/// What a dictionary makes of repeated keys: the first place and the last value.
pub(super) fn keep_last_values(pairs: &mut TypedPairs) {
    let mut kept = TypedPairs::new();
    for (key, value) in pairs.drain(..) {
        match kept.iter_mut().find(|(other, _)| *other == key) {
            Some((_, old)) => *old = value,
            None => kept.push((key, value)),
        }
    }
    *pairs = kept;
}

/// Whether scopes that started are off when they end. All end after the last action.
fn ends_while_off(input: &Input) -> bool {
    let set = |scope: &ScopeInput| {
        let actions = scope.actions.iter();
        actions.filter_map(|a| a.set_env.clone()).collect()
    };
    started_and_off(&input.env, input.scopes.iter().map(set))
}

/// Whether the last of the environments is off although a scope started in one that was on. `scopes`
/// are those that are set inside of each.
pub(super) fn started_and_off(env: &Env, scopes: impl Iterator<Item = Vec<Env>>) -> bool {
    let is_on = |env: &Env| {
        let set = env
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)));
        Switches::read(&set.collect()).observability_enabled()
    };
    let mut on = is_on(env);
    let mut started = false;
    for set in scopes {
        started |= on;
        on = set.last().map_or(on, is_on);
    }
    started && !on
}

/// The spans of the same case with scopes switched on again at the very end, where nothing more is
/// recorded. `shared/disabled_then_enabled` of the vectors is that case.
fn spans_if_on_again_at_the_end(mut input: Input) -> Option<Json> {
    for scope in &mut input.scopes {
        scope.raise = None;
    }
    input.scopes.last_mut()?.actions.push(Action {
        set_env: Some(switched_on()),
        op: None,
        args: Vec::new(),
        passed_as: None,
    });
    run(input).ok()?.member("spans").cloned()
}

/// An environment in which scopes are on.
pub(super) fn switched_on() -> Env {
    Env::from([("ENABLE_OBSERVABILITY".to_owned(), Some("true".to_owned()))])
}
