//! `baggage_v0_1.json`, `baggage_v2.json` and `baggage_v3.json`: baggage of requests, and what the span processor copies
//! of it.

mod left_out;
mod other_request;

use std::marker::PhantomData;

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, ScopeTracer};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Tracer, TracerProvider};
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
use crate::typed_value::{TypedPairs, TypedValue, after_calls};
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
            Err(Stop::Raised { class, message }) => Ok(raised(class, message)),
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
            Rules::V2 => V2,
            Rules::V3 => V3,
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

const V3: &[Predicate] = &[
    input_has_no_rust_form::<generation::V3>(),
    Predicate {
        name: "span_says_its_language",
        applies: |case| fits::<generation::V3>(case) && says_python(&case.expected),
        instead: |_, expected| say_rust(expected),
    },
    Predicate {
        name: "custom_keys_are_in_baggage",
        applies: |case| {
            let is_foreign = !keys_of_others(case).is_empty();
            fits::<generation::V3>(case) && !is_foreign && lists_custom_keys(&case.expected)
        },
        instead: |_, expected| hide_custom_keys(expected),
    },
    Predicate {
        name: "others_name_custom_keys",
        applies: |case| {
            let keys = keys_of_others(case);
            let mut expected = case.expected.clone();
            fits::<generation::V3>(case) && hide_attributes(&mut expected, &keys)
        },
        instead: |case, expected| {
            hide_attributes(expected, &keys_of_others(case));
        },
    },
    Predicate {
        name: "static_identity_meets_baggage",
        applies: |case| fits::<generation::V3>(case) && !said_over_static(case).is_empty(),
        instead: |case, expected| say_over_static(expected, &said_over_static(case)),
    },
    Predicate {
        name: "static_identity_meets_another_tenant",
        applies: |case| {
            let mut expected = case.expected.clone();
            fits::<generation::V3>(case) && keep_halves_apart(case, &mut expected)
        },
        instead: |case, expected| {
            keep_halves_apart(case, expected);
        },
    },
    baggage_entry_does_not_fit::<generation::V3>(),
    baggage_of_another_request_is_around::<generation::V3>(),
];

/// What the reference lists custom keys under, in baggage.
const CUSTOM_KEYS: &str = "_internal.custom_keys";

fn lists_custom_keys(expected: &Json) -> bool {
    let baggage = expected.member("baggage").and_then(Json::as_array);
    let mut keys = baggage.into_iter().flatten().filter_map(Json::as_array);
    keys.any(|pair| pair.first().and_then(Json::as_str) == Some(CUSTOM_KEYS))
}

fn hide_custom_keys(expected: &mut Json) {
    for list in ["baggage", "baggage_after"] {
        if let Some(pairs) = expected.member_mut(list).and_then(Json::as_array_mut) {
            pairs.retain(|pair| {
                let key = pair.as_array().and_then(|pair| pair.first());
                key.and_then(Json::as_str) != Some(CUSTOM_KEYS)
            });
        }
    }
}

/// The keys that baggage from elsewhere names as custom.
fn keys_of_others(case: &Case) -> Vec<String> {
    let input = case.input::<Input>();
    let layers = input.map(|input| input.layers).unwrap_or_default();
    let raw = layers.into_iter().filter_map(|layer| match layer {
        Layer::Raw(pairs) => Some(pairs),
        Layer::Calls(_) | Layer::SetRequestContext(_) => None,
    });
    raw.flatten()
        .filter_map(|(key, value)| match value {
            TypedValue::String(text) if key == CUSTOM_KEYS => Some(text),
            _ => None,
        })
        .flat_map(|text| {
            let keys = text.split(',').map(|key| key.trim().to_owned());
            keys.collect::<Vec<_>>()
        })
        .collect()
}

/// Takes attributes off all spans. Whether there were any.
fn hide_attributes(expected: &mut Json, keys: &[String]) -> bool {
    let mut found = false;
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for span in spans.into_iter().flatten() {
        let attributes = span.member_mut("attributes").and_then(Json::as_array_mut);
        if let Some(attributes) = attributes {
            let before = attributes.len();
            attributes.retain(|pair| {
                let key = pair.as_array().and_then(|pair| pair.first());
                let key = key.and_then(Json::as_str);
                !keys.iter().any(|hidden| Some(hidden.as_str()) == key)
            });
            found |= attributes.len() != before;
        }
    }
    found
}

/// What baggage says where the processor has an identity of its own: key, and both values.
fn said_over_static(case: &Case) -> Vec<(String, String, String)> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let Some(own) = &input.processor else {
        return Vec::new();
    };
    let of_own = [
        (keys::MICROSOFT_TENANT_ID, &own.tenant_id),
        (keys::GEN_AI_AGENT_ID, &own.agent_id),
    ];
    let baggage = case.expected.member("baggage").and_then(Json::as_array);
    let pairs = baggage.into_iter().flatten().filter_map(Json::as_array);
    pairs
        .filter_map(|pair| {
            let key = pair.first()?.as_str()?;
            let (_, own) = of_own.iter().find(|(known, _)| *known == key)?;
            Some((
                key.to_owned(),
                (*own).clone(),
                pair.get(1)?.as_str()?.to_owned(),
            ))
        })
        .collect()
}

fn say_over_static(expected: &mut Json, said: &[(String, String, String)]) {
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for span in spans.into_iter().flatten() {
        let attributes = span.member_mut("attributes").and_then(Json::as_array_mut);
        for pair in attributes.into_iter().flatten() {
            let Some([key, value]) = pair.as_array_mut().map(Vec::as_mut_slice) else {
                continue;
            };
            let text = value.member_mut("string");
            let said = said.iter().find(|(name, own, _)| {
                key.as_str() == Some(name)
                    && text.as_ref().and_then(|text| text.as_str()) == Some(own)
            });
            if let (Some(text), Some((.., said))) = (text, said) {
                *text = Json::String(said.clone());
            }
        }
    }
}

/// Takes the processor's agent off spans that name another tenant themselves. Whether there were any.
fn keep_halves_apart(case: &Case, expected: &mut Json) -> bool {
    let own = case.input::<Input>().ok().and_then(|input| input.processor);
    let Some(own) = own else { return false };
    let mut found = false;
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for span in spans.into_iter().flatten() {
        let Some(attributes) = span.member_mut("attributes").and_then(Json::as_array_mut) else {
            continue;
        };
        let is = |pair: &Json, name: &str, text: &str| {
            let Some([key, value]) = pair.as_array() else {
                return false;
            };
            let value = value.member("string").and_then(Json::as_str);
            key.as_str() == Some(name) && value == Some(text)
        };
        let is_tenant = |pair: &Json| {
            let key = pair.as_array().and_then(|pair| pair.first());
            key.and_then(Json::as_str) == Some(keys::MICROSOFT_TENANT_ID)
        };
        let mut tenants = attributes.iter().filter(|pair| is_tenant(pair));
        if tenants.any(|pair| !is(pair, keys::MICROSOFT_TENANT_ID, &own.tenant_id)) {
            let before = attributes.len();
            attributes.retain(|pair| !is(pair, keys::GEN_AI_AGENT_ID, &own.agent_id));
            found |= attributes.len() != before;
        }
    }
    found
}

/// Nothing happened but an error.
fn raised(class: &str, message: &str) -> Json {
    json!({
        "builder_pairs": [],
        "custom_keys": [],
        "raised": {"type": class, "message": message},
        "baggage": null,
        "baggage_after": [],
        "spans": [],
    })
    .into()
}

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
    let raw = input.layers.iter().filter_map(|layer| match layer {
        Layer::Raw(pairs) => Some(pairs),
        Layer::Calls(_) | Layer::SetRequestContext(_) => None,
    });
    let mut raw = raw.flatten();
    if raw.any(|(_, value)| !is_text(value)) {
        return false;
    }
    let calls = input.layers.iter().flat_map(|layer| match layer {
        Layer::Calls(calls) => calls.as_slice(),
        Layer::SetRequestContext(_) | Layer::Raw(_) => &[],
    });
    let spans_fit = || input.spans.iter().all(|span| span.fits(G::PROFILE));
    calls.into_iter().all(BaggageCall::fits) && spans_fit()
}

#[derive(Deserialize)]
struct Input {
    layers: Vec<Layer>,
    spans: Vec<SpanInput>,
    /// Only version 3 has an identity for spans that have none.
    processor: Option<StaticIdentity>,
}

#[derive(Deserialize)]
struct StaticIdentity {
    tenant_id: String,
    agent_id: String,
}

/// Only version 0.1.0 has the second form, and only version 3 the third.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Calls(Vec<BaggageCall>),
    SetRequestContext(RequestContext),
    Raw(TypedPairs),
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
    /// The instrumentation scope.
    tracer: Option<String>,
    /// What it is called once it has started.
    rename: Option<String>,
    /// All the baggage that it starts with.
    parent_baggage: Option<TypedPairs>,
    /// Of a call to a model.
    operation: Option<String>,
}

impl Layer {
    fn build(&self, profile: Profile) -> Result<RequestBaggage, Stop> {
        match self {
            Self::Raw(_) => Err(Stop::Failed("raw baggage is made by nobody".into())),
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
    let mut processor = BaggageSpanProcessor::new().with_profile(profile);
    if let Some(own) = &input.processor {
        let identity = Identity::parse(own.tenant_id.as_str(), own.agent_id.as_str());
        let identity = identity.map_err(|error| Stop::Refused(error.to_string()))?;
        processor = processor.with_identity(&identity);
    }
    let recorded = RecordedSpans::record(|builder| builder.with_span_processor(processor));
    let mut builder_pairs = Vec::new();
    let mut custom_keys = Vec::new();
    let mut context = Context::new();
    for layer in &input.layers {
        if let Layer::Raw(pairs) = layer {
            if pairs.iter().any(|(_, value)| !is_text(value)) {
                return Err(Stop::Refused("baggage is text".into()));
            }
            context = context.with_baggage(raw(pairs));
            continue;
        }
        let baggage = layer.build(profile)?;
        if matches!(layer, Layer::Calls(_)) {
            let pairs = baggage.pairs().map(|(k, v)| json!([k, v]));
            builder_pairs.push(pairs.collect::<Vec<_>>());
            custom_keys.push(baggage.custom_keys().collect::<Vec<_>>().into());
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
    let mut outcome = json!({ "builder_pairs": builder_pairs });
    if profile == Profile::V3 {
        outcome["custom_keys"] = Value::Array(custom_keys);
    }
    outcome["raised"] = Value::Null;
    outcome["baggage"] = baggage.into();
    outcome["baggage_after"] = current_baggage().into();
    outcome["spans"] = spans.collect();
    Ok(outcome.into())
}

fn is_text(value: &TypedValue) -> bool {
    matches!(value, TypedValue::String(_))
}

/// Baggage that was set by other means.
fn raw(pairs: &TypedPairs) -> opentelemetry::baggage::Baggage {
    let pairs = pairs.iter().filter_map(|(key, value)| match value {
        TypedValue::String(text) => Some((key.clone(), text.clone())),
        _ => None,
    });
    pairs
        .map(|(key, text)| opentelemetry::KeyValue::new(key, text))
        .collect()
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
        let around = input.parent_baggage.as_ref();
        let around = around.map(|pairs| Context::new().with_baggage(raw(pairs)));
        let _around = around.map(Context::attach);
        return plain_span(input, recorded);
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
    let details = match kind {
        ScopeKind::InvokeAgent => {
            let request = json!({ "session_id": input.session_id });
            return json!({"request": request, "agent_details": agent});
        }
        ScopeKind::Output => {
            let response = json!({"messages": "hi"});
            return json!({"request": {}, "response": response, "agent_details": agent});
        }
        ScopeKind::ExecuteTool => json!({ "tool_name": input.tool_name }),
        ScopeKind::Inference => {
            json!({"operationName": input.operation, "model": "m", "providerName": "p"})
        }
        ScopeKind::ApplyGuardrail => json!({"target_type": "llm_input", "decision_type": "allow"}),
    };
    json!({"request": {}, "details": details, "agent_details": agent})
}

/// Starts and ends a span that is no scope's.
fn plain_span(input: &SpanInput, recorded: &RecordedSpans) -> Result<(), Stop> {
    let attributes = after_calls(&input.attributes).into_iter().map(attribute);
    let attributes = attributes
        .collect::<Result<Vec<_>, _>>()
        .map_err(Stop::Refused)?;
    let kind = match input.kind.as_deref() {
        Some("SERVER") => SpanKind::Server,
        Some("CLIENT") => SpanKind::Client,
        Some("PRODUCER") => SpanKind::Producer,
        Some("CONSUMER") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let builder = SpanBuilder::from_name(input.name.clone().unwrap_or_default())
        .with_kind(kind)
        .with_attributes(attributes);
    let tracer = input.tracer.clone().unwrap_or_else(|| "vectors".into());
    let mut span = recorded.provider.tracer(tracer).build(builder);
    if let Some(name) = &input.rename {
        span.update_name(name.clone());
    }
    Ok(())
}
