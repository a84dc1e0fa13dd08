//! `baggage_v0_1.json` and `baggage_v2.json`: baggage of requests, and what the span processor copies
//! of it.

mod left_out;
mod other_request;

use std::marker::PhantomData;

use agentspan_model::agent365::Profile;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, ScopeTracer};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer, TracerProvider};
use serde::Deserialize;
use serde_json::{Value, json};

use self::left_out::baggage_entry_does_not_fit;
use self::other_request::baggage_of_another_request_is_around;
use super::generation::{self, Generation, Rules};
use super::recorded_spans::{self, RecordedSpans};
use super::scopes::{REFUSAL_TEXT, refusal, say_rust, says_python};
use crate::export_input::has_rust_form;
use crate::live_baggage::BaggageCall;
use crate::live_scope::{LiveScope, ScopeKind, Stop, attribute};
use crate::rust_form::arguments_fit;
use crate::typed_value::{TypedPairs, after_calls};
use crate::{Case, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct Baggage<G>(PhantomData<G>);

impl<G> Baggage<G> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<G: Generation> Runner for Baggage<G> {
    fn file_stem(&self) -> &'static str {
        G::FILES.baggage
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(&case.input()?, G::PROFILE) {
            Err(Stop::Refused(what)) => Ok(refusal(&what)),
            Err(Stop::Failed(failure)) => Err(failure),
            Ok(outcome) => Ok(outcome),
        }
    }

    /// OpenTelemetry's baggage has no order in Rust.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["baggage", "baggage_after"],
            ignored: REFUSAL_TEXT,
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        match G::RULES {
            Rules::V01 => V0_1,
            Rules::V2 | Rules::V3 => V2,
        }
    }
}

const V0_1: &[Predicate] = &[
    input_has_no_rust_form::<generation::V01>(),
    baggage_entry_does_not_fit::<generation::V01>(),
    baggage_of_another_request_is_around::<generation::V01>(),
];

const V2: &[Predicate] = &[
    input_has_no_rust_form::<generation::V2>(),
    Predicate {
        name: "span_says_its_language",
        applies: |case| fits::<generation::V2>(case) && says_python(&case.expected),
        instead: |_, expected| say_rust(expected),
    },
    baggage_entry_does_not_fit::<generation::V2>(),
    baggage_of_another_request_is_around::<generation::V2>(),
];

const fn input_has_no_rust_form<G: Generation>() -> Predicate {
    Predicate {
        name: "input_has_no_rust_form",
        applies: |case| !fits::<G>(case),
        instead: |_, expected| *expected = refusal("for its form"),
    }
}

/// Whether everything in the input has a form in Rust.
fn fits<G: Generation>(case: &Case) -> bool {
    let Ok(input) = case.input::<Input>() else {
        return true;
    };
    let calls = input.layers.iter().flat_map(|layer| match layer {
        Layer::Calls(calls) => calls.as_slice(),
        Layer::SetRequestContext(_) => &[],
    });
    let spans_fit = || input.spans.iter().all(|span| span.fits(G::PROFILE));
    calls.into_iter().all(BaggageCall::fits) && spans_fit()
}

#[derive(Deserialize)]
struct Input {
    layers: Vec<Layer>,
    spans: Vec<SpanInput>,
}

/// Only version 0.1.0 has the second form.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Calls(Vec<BaggageCall>),
    SetRequestContext(RequestContext),
}

#[derive(Deserialize)]
struct RequestContext {
    tenant_id: Option<String>,
    agent_id: Option<String>,
    correlation_id: Option<String>,
}

/// A plain span, or the scope of which only these are known.
#[derive(Deserialize)]
struct SpanInput {
    name: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    attributes: TypedPairs,
    scope: Option<ScopeKind>,
    agent_details: Option<Value>,
    tenant_id: Option<String>,
    session_id: Option<String>,
    tool_name: Option<String>,
}

impl Layer {
    fn build(&self, profile: Profile) -> Result<RequestBaggage, Stop> {
        match self {
            Self::SetRequestContext(context) => Ok(BaggageBuilder::request_context(
                context.tenant_id.as_deref(),
                context.agent_id.as_deref(),
                context.correlation_id.as_deref(),
            )),
            Self::Calls(calls) => {
                let builder = BaggageBuilder::for_profile(profile);
                let builder = calls
                    .iter()
                    .try_fold(builder, |builder, call| call.apply(builder))?;
                Ok(builder.build())
            }
        }
    }
}

impl SpanInput {
    fn arguments(&self, kind: ScopeKind, profile: Profile) -> Value {
        match profile {
            Profile::V0_1 => arguments_v0_1(kind, self),
            _ => arguments_v2(kind, self),
        }
    }

    fn fits(&self, profile: Profile) -> bool {
        match self.scope {
            Some(kind) => arguments_fit(profile, kind, &self.arguments(kind, profile)),
            None => {
                let attributes = after_calls(&self.attributes);
                attributes.iter().all(|(_, value)| has_rust_form(value))
            }
        }
    }
}

fn run(input: &Input, profile: Profile) -> Result<Json, Stop> {
    let processor = BaggageSpanProcessor::new().with_profile(profile);
    let recorded = RecordedSpans::record(|builder| builder.with_span_processor(processor));
    let mut builder_pairs = Vec::new();
    let mut context = Context::new();
    for layer in &input.layers {
        let baggage = layer.build(profile)?;
        if matches!(layer, Layer::Calls(_)) {
            let pairs = baggage.pairs().map(|(k, v)| json!([k, v]));
            builder_pairs.push(pairs.collect::<Vec<_>>());
        }
        context = baggage.to_context(&context);
    }
    let baggage = {
        let _request = context.attach();
        for span in &input.spans {
            start_and_end(span, &recorded, profile)?;
        }
        current_baggage()
    };
    let spans = recorded.finished();
    let spans = spans.iter().map(|span| {
        json!({"name": span.name, "attributes": recorded_spans::attributes(&span.attributes)})
    });
    Ok(json!({
        "builder_pairs": builder_pairs,
        "raised": null,
        "baggage": baggage,
        "baggage_after": current_baggage(),
        "spans": spans.collect::<Vec<_>>(),
    })
    .into())
}

fn current_baggage() -> Vec<Value> {
    Context::map_current(|context| {
        let entries = context.baggage().iter();
        entries
            .map(|(key, (value, _))| json!([key.as_str(), value.as_str()]))
            .collect()
    })
}

fn start_and_end(
    input: &SpanInput,
    recorded: &RecordedSpans,
    profile: Profile,
) -> Result<(), Stop> {
    let Some(kind) = input.scope else {
        let name = input.name.as_deref().unwrap_or_default();
        return plain_span(name, input.kind.as_deref(), &input.attributes, recorded);
    };
    let tracer = ScopeTracer::with_profile(&recorded.provider, profile);
    LiveScope::start(kind, &input.arguments(kind, profile), &tracer)?.end();
    Ok(())
}

fn arguments_v0_1(kind: ScopeKind, input: &SpanInput) -> Value {
    let tenant = input.tenant_id.as_ref();
    let tenant = tenant.map(|id| json!({ "tenant_id": id }));
    let agent = &input.agent_details;
    if kind == ScopeKind::InvokeAgent {
        let details = json!({"details": agent, "session_id": input.session_id});
        json!({"invoke_agent_details": details, "tenant_details": tenant})
    } else {
        let details = json!({ "tool_name": input.tool_name });
        json!({"details": details, "agent_details": agent, "tenant_details": tenant})
    }
}

/// The recorded scopes were not given the tenant, which in 2.0.0 is a detail of the agent.
fn arguments_v2(kind: ScopeKind, input: &SpanInput) -> Value {
    let agent = &input.agent_details;
    if kind == ScopeKind::InvokeAgent {
        let request = json!({ "session_id": input.session_id });
        json!({"request": request, "agent_details": agent})
    } else {
        let details = json!({ "tool_name": input.tool_name });
        json!({"request": {}, "details": details, "agent_details": agent})
    }
}

/// Starts and ends a span that is no scope's.
fn plain_span(
    name: &str,
    kind: Option<&str>,
    attributes: &TypedPairs,
    recorded: &RecordedSpans,
) -> Result<(), Stop> {
    let attributes = after_calls(attributes).into_iter().map(attribute);
    let attributes = attributes
        .collect::<Result<Vec<_>, _>>()
        .map_err(Stop::Refused)?;
    let kind = match kind {
        Some("SERVER") => SpanKind::Server,
        Some("CLIENT") => SpanKind::Client,
        Some("PRODUCER") => SpanKind::Producer,
        Some("CONSUMER") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let builder = SpanBuilder::from_name(name.to_owned())
        .with_kind(kind)
        .with_attributes(attributes);
    recorded.provider.tracer("vectors").build(builder);
    Ok(())
}
