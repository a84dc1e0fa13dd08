//! `scopes_v0_1.json`, `scopes_v2.json` and `scopes_v3.json`: scopes, one opened inside the other, and the spans that they
//! make.

mod deviation;
mod times;

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use agentspan_discovery::{Environment, Switches};
use agentspan_model::agent365::Profile;
use agentspan_otel::ScopeTracer;
use agentspan_otel::scopes::set_enabled;
use serde::Deserialize;
use serde_json::{Value, json};

use super::generation::{Generation, Rules};
use super::recorded_spans::{self, RecordedSpans};
use crate::live_scope::{LiveScope, PythonError, ScopeKind, Stop};
use crate::{Allowance, Case, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) use self::deviation::SPAN_SAYS_ITS_LANGUAGE;

pub(super) struct Scopes<G>(PhantomData<G>);

impl<G> Scopes<G> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<G: Generation> Runner for Scopes<G> {
    fn file_stem(&self) -> &'static str {
        G::FILES.scopes
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(&case.input()?, G::PROFILE) {
            Err(stop @ Stop::Raised { .. }) => Err(stop.to_string().into()),
            Err(Stop::Refused(what)) => Ok(refusal(&what)),
            Err(Stop::Failed(failure)) => Err(failure),
            Ok(mut outcome) => {
                times::show_as_expected(&mut outcome, &case.expected);
                Ok(outcome.into())
            }
        }
    }

    /// Headers have no order.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["injected_headers.*.headers"],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        match G::RULES {
            Rules::V01 => &[],
            Rules::V2 | Rules::V3 => Self::REWRITES,
        }
    }

    fn allowances(&self) -> Vec<Allowance> {
        match G::RULES {
            Rules::V01 => [Self::OF_ALL, Self::BEFORE_V3].concat(),
            Rules::V2 => [Self::OF_ALL, Self::BEFORE_V3, Self::SINCE_V2, Self::OF_V2].concat(),
            Rules::V3 => [Self::OF_ALL, Self::SINCE_V2, Self::OF_V3].concat(),
        }
    }
}

type Env = BTreeMap<String, Option<String>>;

#[derive(Clone, Deserialize)]
struct Input {
    env: Env,
    scopes: Vec<ScopeInput>,
    /// Whether the program asks for Agent 365, in version 3.
    #[serde(default)]
    enabled_by_distro: bool,
}

#[derive(Clone, Deserialize)]
struct ScopeInput {
    scope: ScopeKind,
    args: Value,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    close: Close,
    /// Another way to say that it is disposed twice.
    #[serde(default)]
    dispose_twice: bool,
    raise: Option<PythonError>,
    #[serde(default)]
    inject_headers: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Close {
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

pub(super) fn refusal(why: &str) -> Json {
    json!({ "refused": why }).into()
}

/// What the scopes did, with the times of all spans.
fn run(input: &Input, profile: Profile) -> Result<Value, Stop> {
    let recorded = RecordedSpans::record(|builder| builder);
    let tracer = ScopeTracer::with_profile(&recorded.provider, profile);
    let switch = Switch {
        profile,
        is_asked_for: input.enabled_by_distro,
    };
    switch.set(&input.env);
    let mut injected = Vec::new();
    let started = times::now();
    let raised = open(&input.scopes, &tracer, switch, &mut injected);
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
    switch: Switch,
    injected: &mut Vec<Value>,
) -> Result<Option<PythonError>, Stop> {
    let Some((input, inner)) = scopes.split_first() else {
        return Ok(None);
    };
    let scope = LiveScope::start(input.scope, &input.args, tracer)?;
    let mut work = || {
        for action in &input.actions {
            act(&scope, action, switch)?;
        }
        if input.inject_headers {
            let mut headers = HashMap::new();
            scope.inject_headers(&mut headers);
            let traceparent = headers.get("traceparent").cloned();
            injected.push(json!({"headers": headers, "traceparent": traceparent}));
        }
        Ok::<_, Stop>(open(inner, tracer, switch, injected)?.or_else(|| input.raise.clone()))
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
    if input.dispose_twice || matches!(input.close, Close::DisposeTwice) {
        scope.end();
    }
    Ok(raised)
}

fn act(scope: &LiveScope, action: &Action, switch: Switch) -> Result<(), Stop> {
    if let Some(env) = &action.set_env {
        switch.set(env);
        return Ok(());
    }
    let method = action.op.as_deref().unwrap_or_default();
    let is_dict = action.passed_as.as_deref() == Some("dict");
    scope.call(method, &action.args, is_dict)
}

/// How environments switch scopes on and off.
#[derive(Clone, Copy)]
struct Switch {
    profile: Profile,
    is_asked_for: bool,
}

impl Switch {
    fn set(self, env: &Env) {
        let set = env
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let environment: Environment = set.collect();
        let switches = Switches::read(&environment);
        set_enabled(switches.scopes_enabled(self.profile, self.is_asked_for));
    }
}
