//! `scopes_v2.json`: scopes of 2.0.0, one opened inside the other, and the spans that they make.

mod any_scope;
mod details;
mod deviation;
mod iso_time;
mod messages;
mod times;

use std::collections::HashMap;

use agentspan_model::agent365::Profile;
use agentspan_otel::{ScopeTracer, set_enabled};
use serde::Deserialize;
use serde_json::{Value, json};

use self::any_scope::AnyScope;
pub(super) use self::details::{ExecuteToolArgs, InvokeAgentArgs, agent_type};
pub(super) use self::deviation::{say_rust, says_python};
use super::recorded_spans::{self, RecordedSpans};
use super::scopes_v0_1::{Close, Env, ErrorInput, Stop, refusal, set_switch};
use crate::{Case, Outcome, Predicate, Runner};

pub(super) struct ScopesV2;

impl Runner for ScopesV2 {
    fn file_stem(&self) -> &'static str {
        "scopes_v2"
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(&case.input()?) {
            Err(Stop::Refused(what)) => Ok(refusal(&what)),
            Err(Stop::Failed(failure)) => Err(failure),
            Ok(mut outcome) => {
                times::show_as_expected(&mut outcome, &case.expected);
                Ok(outcome.into())
            }
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        deviation::PREDICATES
    }
}

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
    #[serde(default)]
    inject_headers: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum ScopeKind {
    InvokeAgent,
    ExecuteTool,
    Inference,
    Output,
    ApplyGuardrail,
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

/// What the scopes did, with the times of all spans.
fn run(input: &Input) -> Result<Value, Stop> {
    let recorded = RecordedSpans::record(|builder| builder);
    let tracer = ScopeTracer::with_profile(&recorded.provider, Profile::V2);
    set_switch(&input.env);
    let mut injected = Vec::new();
    let started = times::now();
    let raised = open(&input.scopes, &tracer, &mut injected);
    let ended = times::now();
    set_enabled(true);
    let spans: Vec<_> = recorded
        .finished()
        .iter()
        .map(|span| {
            let mut shown = recorded_spans::span(span);
            times::add(&mut shown, span, started..=ended);
            shown
        })
        .collect();
    let raised = raised?.map(|error| json!({"type": error.class, "message": error.message()}));
    let mut outcome = json!({"raised": raised, "spans": spans});
    if input.scopes.iter().any(|scope| scope.inject_headers) {
        outcome["injected_headers"] = injected.into();
    }
    Ok(outcome)
}

/// Opens the first scope, does what it says, opens the others inside it, and closes it.
fn open(
    scopes: &[ScopeInput],
    tracer: &ScopeTracer,
    injected: &mut Vec<Value>,
) -> Result<Option<ErrorInput>, Stop> {
    let Some((input, inner)) = scopes.split_first() else {
        return Ok(None);
    };
    let scope = AnyScope::start(input, tracer)?;
    let mut work = || {
        for action in &input.actions {
            scope.act(action)?;
        }
        if input.inject_headers {
            let mut headers = HashMap::new();
            scope.inject_headers(&mut headers);
            let traceparent = headers.get("traceparent").cloned();
            injected.push(json!({"headers": headers, "traceparent": traceparent}));
        }
        Ok::<_, Stop>(open(inner, tracer, injected)?.or_else(|| input.raise.clone()))
    };
    let raised = match input.close {
        Close::Block => {
            let raised = scope.in_block(work)?;
            if let Some(error) = &raised {
                scope.record_error(error);
            }
            raised
        }
        Close::Dispose | Close::DisposeTwice => work()?,
    };
    scope.end();
    if matches!(input.close, Close::DisposeTwice) {
        scope.end();
    }
    Ok(raised)
}
