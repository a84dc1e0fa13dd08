//! `hosting_v3.json`: what the helpers of a host make of an activity, and the tokens of its turns.

mod deviation;
mod token_cache;

use agentspan_model::agent365::Profile;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::turn_context::{OutputLog, TurnActivity};
use agentspan_otel::{ScopeTracer, TurnContext};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::token_cache::Step;
use super::recorded_spans::{self, RecordedSpans};
use super::scopes::refusal;
use crate::live_scope::{LiveScope, PythonError, ScopeKind, Stop};
use crate::{Allowance, Case, Outcome, Predicate, Runner, Tolerances};

pub(super) struct Hosting;

const PROFILE: Profile = Profile::V3;
const PARENT: &str = "A365ParentTraceparent";

impl Runner for Hosting {
    fn file_stem(&self) -> &'static str {
        "hosting_v3"
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(&case.input()?) {
            Ok(outcome) => Ok(outcome.into()),
            Err(Stop::Refused(why)) => Ok(refusal(&why)),
            Err(stop @ Stop::Raised { .. }) => Err(stop.to_string().into()),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    /// OpenTelemetry's baggage has no order in Rust.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["baggage_inside", "baggage_after"],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        deviation::ALL
    }

    fn allowances(&self) -> Vec<Allowance> {
        deviation::allowances()
    }
}

#[derive(Clone, Deserialize)]
#[serde(tag = "function", rename_all = "snake_case")]
enum Input {
    PopulateBaggage {
        activity: Value,
    },
    PopulateInvokeAgentScope {
        activity: Value,
        agent_details: Value,
    },
    BaggageMiddleware {
        activity: Value,
    },
    OutputLogging {
        activity: Value,
        outgoing: Vec<TurnActivity>,
        #[serde(default)]
        turn_state: Map<String, Value>,
        #[serde(default)]
        turn_state_during: Map<String, Value>,
        send_raises: Option<PythonError>,
    },
    TokenCache {
        steps: Vec<Step>,
    },
}

impl Input {
    fn activity_mut(&mut self) -> Option<&mut Value> {
        match self {
            Self::PopulateBaggage { activity }
            | Self::PopulateInvokeAgentScope { activity, .. }
            | Self::BaggageMiddleware { activity }
            | Self::OutputLogging { activity, .. } => Some(activity),
            Self::TokenCache { .. } => None,
        }
    }
}

fn run(input: &Input) -> Result<Value, Stop> {
    let mut input = input.clone();
    let turn = match input.activity_mut() {
        None => TurnContext::default(),
        Some(activity) => match serde_json::from_value(activity.take()) {
            Ok(activity) => TurnContext::new(activity),
            Err(_) => return Ok(json!({"activity_rejected": "ValidationError"})),
        },
    };
    match input {
        Input::PopulateBaggage { .. } => {
            let builder = agentspan_otel::BaggageBuilder::for_profile(PROFILE);
            let baggage = builder.with_turn_context(&turn).build();
            Ok(json!({"pairs": baggage.pairs().collect::<Vec<_>>()}))
        }
        Input::PopulateInvokeAgentScope { agent_details, .. } => populate(&turn, &agent_details),
        Input::BaggageMiddleware { .. } => Ok(middleware(&turn.to_baggage_for(PROFILE))),
        Input::OutputLogging {
            outgoing,
            mut turn_state,
            turn_state_during,
            send_raises,
            ..
        } => {
            turn_state.extend(turn_state_during);
            let parent = turn_state.get(PARENT).and_then(Value::as_str);
            Ok(log_output(&turn, parent, &outgoing, send_raises.as_ref()))
        }
        Input::TokenCache { steps } => token_cache::run(&steps),
    }
}

fn populate(turn: &TurnContext, agent: &Value) -> Result<Value, Stop> {
    let recorded = RecordedSpans::record(|builder| builder);
    let tracer = ScopeTracer::with_profile(&recorded.provider, PROFILE);
    let arguments = json!({"agent_details": agent});
    let scope = LiveScope::start(ScopeKind::InvokeAgent, &arguments, &tracer)?;
    scope.record_turn_context(turn);
    scope.end();
    Ok(json!({"spans": spans(&recorded)}))
}

fn middleware(baggage: &RequestBaggage) -> Value {
    let current = || {
        let context = Context::current();
        let pairs = context.baggage().iter();
        let pairs = pairs.map(|(key, (value, _))| [key.to_string(), value.to_string()]);
        pairs.collect::<Vec<_>>()
    };
    let inside = baggage.in_baggage(current);
    json!({"baggage_inside": inside, "baggage_after": current()})
}

fn log_output(
    turn: &TurnContext,
    parent: Option<&str>,
    outgoing: &[TurnActivity],
    failure: Option<&PythonError>,
) -> Value {
    let recorded = RecordedSpans::record(|builder| builder);
    let log = OutputLog::of(turn).map(|log| {
        log.with_parent_header(parent.map(str::to_owned))
            .with_tracer(ScopeTracer::with_profile(&recorded.provider, PROFILE))
    });
    let scope = log.as_ref().and_then(|log| log.start(outgoing));
    // What is sent fails, or does not.
    if let Some(scope) = scope {
        if let Some(error) = failure {
            scope.record_error_as(&error.path(), &error.message());
        }
        scope.end();
    }
    json!({
        "handlers": u8::from(log.is_some()),
        "sent": 1,
        "raised": failure.map(|error| json!({"type": error.class, "message": error.message()})),
        "spans": spans(&recorded),
    })
}

fn spans(recorded: &RecordedSpans) -> Vec<Value> {
    let spans = recorded.finished();
    spans.iter().map(recorded_spans::span).collect()
}
