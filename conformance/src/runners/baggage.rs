//! `baggage_v0_1.json`, `baggage_v2.json` and `baggage_v3.json`: baggage of requests, and what the
//! span processor copies of it.

use std::marker::PhantomData;

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, ScopeTracer};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::generation::{Generation, Rules};
use super::recorded_spans::{self, RecordedSpans};
use super::scopes::{SPAN_SAYS_ITS_LANGUAGE, refusal};
use crate::live_baggage::BaggageCall;
use crate::live_scope::{LiveScope, ScopeKind, Stop, attribute};
use crate::typed_value::{TypedPairs, TypedValue, after_calls};
use crate::{Allowance, Case, Json, Outcome, Predicate, Runner, Tolerances};

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
            Err(stop @ Stop::Raised { .. }) => Err(stop.to_string().into()),
            Err(Stop::Refused(what)) => Ok(refusal(&what)),
            Err(Stop::Failed(failure)) => Err(failure),
            Ok(outcome) => Ok(outcome),
        }
    }

    /// OpenTelemetry's baggage has no order in Rust.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["baggage", "baggage_after"],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        match G::RULES {
            Rules::V01 => &[],
            Rules::V2 | Rules::V3 => &[SPAN_SAYS_ITS_LANGUAGE],
        }
    }

    fn allowances(&self) -> Vec<Allowance> {
        match G::RULES {
            Rules::V01 | Rules::V2 => Self::OF_ALL.to_vec(),
            Rules::V3 => [Self::OF_ALL, Self::OF_V3].concat(),
        }
    }
}

macro_rules! allowances {
    ($($name:literal $holds:ident $places:expr;)*) => {
        &[$(Allowance {
            name: $name,
            applies: |case| case.input().is_ok_and(|input: Input| $holds::<G>(&input)),
            places: $places,
        },)*]
    };
}

const BAGGAGE: &[&str] = &["baggage", "baggage_after"];
const ATTRIBUTES: &[&str] = &["spans.*.attributes"];
const BOTH: &[&str] = &["baggage", "spans.*.attributes"];

impl<G: Generation> Baggage<G> {
    const OF_ALL: &'static [Allowance] = allowances!(
        "input_has_no_rust_form" has_no_form &["**"];
        "baggage_entry_does_not_fit" does_not_fit BOTH;
        "baggage_of_another_request_is_around" has_two_requests BOTH;
    );

    const OF_V3: &'static [Allowance] = allowances!(
        "custom_keys_are_in_baggage" has_custom_keys BAGGAGE;
        "others_name_custom_keys" has_custom_keys_of_others ATTRIBUTES;
        "others_name_an_operation" has_operation_of_others ATTRIBUTES;
        "static_identity_meets_baggage" has_two_identities ATTRIBUTES;
        "static_identity_meets_another_tenant" has_half_of_identity ATTRIBUTES;
    );
}

/// What the reference lists custom keys under, in baggage.
const CUSTOM_KEYS: &str = "_internal.custom_keys";

/// Whether a value of the input is of a type, or an id of a form, that our types do not have.
fn has_no_form<G: Generation>(input: &Input) -> bool {
    matches!(run(input, G::PROFILE), Err(Stop::Refused(_)))
}

/// Whether there may be more than OpenTelemetry's baggage takes: 64 entries, 8192 bytes, tokens.
fn does_not_fit<G: Generation>(input: &Input) -> bool {
    let layers = input.layers.iter();
    let layers: Vec<_> = layers
        .filter_map(|layer| layer.build(G::PROFILE).ok())
        .collect();
    let pairs = layers.iter().flat_map(RequestBaggage::pairs);
    let pairs: Vec<_> = pairs.chain(texts_of_others(input)).collect();
    let is_token = |key: &str| {
        let is_of_one =
            |byte: u8| byte.is_ascii_graphic() && !b"(),/:;<=>?@[\\]{}\"".contains(&byte);
        !key.is_empty() && key.bytes().all(is_of_one)
    };
    let sizes = pairs.iter().map(|(key, value)| key.len() + value.len());
    pairs.len() > 64 || sizes.sum::<usize>() > 8192 || !pairs.iter().all(|(key, _)| is_token(key))
}

/// What the layers say of the identity, in their order.
fn identities<G: Generation>(input: &Input) -> Vec<(String, String)> {
    let ids = [
        keys::TENANT_ID,
        keys::MICROSOFT_TENANT_ID,
        keys::GEN_AI_AGENT_ID,
    ];
    let layers = input.layers.iter();
    let layers = layers.filter_map(|layer| layer.build(G::PROFILE).ok());
    let mut said = Vec::new();
    for layer in layers {
        let pairs = layer.pairs().filter(|(key, _)| ids.contains(key));
        said.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    said
}

fn has_two_requests<G: Generation>(input: &Input) -> bool {
    let said = identities::<G>(input);
    let differs = |(key, value): &(String, String)| {
        said.iter()
            .any(|(other, text)| other == key && text != value)
    };
    said.iter().any(differs)
}

fn has_custom_keys<G: Generation>(input: &Input) -> bool {
    let layers = input.layers.iter();
    let mut layers = layers.filter_map(|layer| layer.build(G::PROFILE).ok());
    layers.any(|layer| layer.custom_keys().next().is_some())
}

/// The baggage that was set by other means than the builder.
fn texts_of_others(input: &Input) -> impl Iterator<Item = (&str, &str)> {
    let raw = input.layers.iter().filter_map(|layer| match layer {
        Layer::Raw(pairs) => Some(pairs),
        Layer::Calls(_) | Layer::SetRequestContext(_) => None,
    });
    let spans = input.spans.iter();
    let parents = spans.filter_map(|span| span.parent_baggage.as_ref());
    raw.chain(parents)
        .flatten()
        .filter_map(|(key, value)| match value {
            TypedValue::String(text) => Some((key.as_str(), text.as_str())),
            _ => None,
        })
}

fn has_custom_keys_of_others<G: Generation>(input: &Input) -> bool {
    texts_of_others(input).any(|(key, _)| key == CUSTOM_KEYS)
}

fn has_operation_of_others<G: Generation>(input: &Input) -> bool {
    texts_of_others(input).any(|(key, _)| key == keys::GEN_AI_OPERATION_NAME)
}

fn has_two_identities<G: Generation>(input: &Input) -> bool {
    input.processor.is_some() && !identities::<G>(input).is_empty()
}

fn has_half_of_identity<G: Generation>(input: &Input) -> bool {
    let attributes = input.spans.iter().flat_map(|span| &span.attributes);
    let mut keys = attributes.map(|(key, _)| key.as_str());
    input.processor.is_some() && keys.any(|key| key == keys::MICROSOFT_TENANT_ID)
}

/// Nothing happened but an error, and what was collected before it.
fn raised(builder_pairs: &[Vec<Value>], custom_keys: &[Value], error: (&str, &str)) -> Json {
    json!({
        "builder_pairs": builder_pairs,
        "custom_keys": custom_keys,
        "raised": {"type": error.0, "message": error.1},
        "baggage": null,
        "baggage_after": [],
        "spans": [],
    })
    .into()
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
            context = with_raw(&context, pairs);
            continue;
        }
        let baggage = match layer.build(profile) {
            Err(Stop::Raised { class, message }) => {
                return Ok(raised(&builder_pairs, &custom_keys, (class, message)));
            }
            built => built?,
        };
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

/// A context with baggage that was set by other means, beside what it has.
fn with_raw(context: &Context, pairs: &TypedPairs) -> Context {
    let pairs = pairs.iter().filter_map(|(key, value)| match value {
        TypedValue::String(text) => Some(KeyValue::new(key.clone(), text.clone())),
        _ => None,
    });
    let around = context.baggage().iter();
    let around = around.map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone()));
    context.with_baggage(around.chain(pairs))
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
        let around = around.map(|pairs| with_raw(&Context::new(), pairs));
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
            let response = json!("hi");
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
