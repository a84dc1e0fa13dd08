//! `baggage_v0_1.json`: baggage of requests, and what the span processor copies of it.

use agentspan_model::keys;
use agentspan_otel::{
    BaggageBuilder, BaggageSpanProcessor, BaggageText, RequestBaggage, ScopeTracer,
};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer, TracerProvider};
use serde::Deserialize;
use serde_json::{Value, json};

use super::recorded_spans::{self, RecordedSpans};
use super::scopes_v0_1::{ExecuteToolArgs, InvokeAgentArgs, Stop, attribute};
use crate::typed_value::TypedPairs;
use crate::{Case, Json, Outcome, Predicate, Runner, Tolerances, TypedValue};

pub(super) struct BaggageV01;

impl Runner for BaggageV01 {
    fn file_stem(&self) -> &'static str {
        "baggage_v0_1"
    }

    fn run(&self, case: &Case) -> Outcome {
        match run(&case.input()?) {
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
                name: "baggage_entry_does_not_fit",
                applies: |case| refused(case).is_none() && !left_out(case).is_empty(),
                instead: |case, expected| {
                    for key in left_out(case) {
                        remove(expected.member_mut("baggage"), &key);
                        if key != keys::TENANT_ID && key != keys::GEN_AI_AGENT_ID {
                            remove(expected.member_mut("spans"), &key);
                        }
                    }
                },
            },
        ]
    }
}

#[derive(Deserialize)]
struct Input {
    layers: Vec<Layer>,
    spans: Vec<SpanInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Calls(Vec<Call>),
    SetRequestContext(RequestContext),
}

#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) op: String,
    pub(super) args: Vec<Value>,
}

#[derive(Deserialize)]
struct RequestContext {
    tenant_id: Option<String>,
    agent_id: Option<String>,
    correlation_id: Option<String>,
}

#[derive(Deserialize)]
struct SpanInput {
    name: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    attributes: TypedPairs,
    scope: Option<String>,
    agent_details: Option<Value>,
    tenant_id: Option<String>,
    session_id: Option<String>,
    tool_name: Option<String>,
}

impl Layer {
    fn build(&self) -> Result<RequestBaggage, Stop> {
        match self {
            Self::SetRequestContext(context) => Ok(BaggageBuilder::request_context(
                context.tenant_id.as_deref(),
                context.agent_id.as_deref(),
                context.correlation_id.as_deref(),
            )),
            Self::Calls(calls) => {
                let builder = calls.iter().try_fold(BaggageBuilder::new(), call)?;
                Ok(builder.build())
            }
        }
    }
}

fn call(builder: BaggageBuilder, call: &Call) -> Result<BaggageBuilder, Stop> {
    if call.op == "set_pairs" {
        let pairs = call.args.get(1).cloned().unwrap_or_default();
        let pairs: Option<TypedPairs> = serde_json::from_value(pairs)?;
        let pairs = pairs.into_iter().flatten();
        return Ok(builder.set_pairs(pairs.map(|(key, value)| (key, Typed(value)))));
    }
    let value: Option<String> =
        serde_json::from_value(call.args.first().cloned().unwrap_or_default())?;
    macro_rules! setters {
        ($($name:ident)*) => {
            match call.op.as_str() {
                $(stringify!($name) => builder.$name(value),)*
                op => return Err(Stop::Failed(format!("the runner does not know {op:?}").into())),
            }
        };
    }
    Ok(setters!(
        operation_source tenant_id agent_id agent_auid agent_upn agent_blueprint_id correlation_id
        caller_id hiring_manager_id agent_name agent_description caller_name caller_upn
        conversation_id conversation_item_link source_metadata_id source_metadata_name
        source_metadata_description
    ))
}

/// A typed value, given to the builder as the Rust value that it stands for.
pub(super) struct Typed(pub(super) TypedValue);

impl BaggageText for Typed {
    fn into_baggage_text(self) -> Option<String> {
        match self.0 {
            TypedValue::Null(_) => None,
            TypedValue::String(text) | TypedValue::Bigint(text) => text.into_baggage_text(),
            TypedValue::Bool(flag) => flag.into_baggage_text(),
            TypedValue::Int(number) => number.into_baggage_text(),
            TypedValue::Double(number) => number.0.into_baggage_text(),
            container => plain(&container).into_baggage_text(),
        }
    }
}

impl BaggageText for PlainJson {
    fn into_baggage_text(self) -> Option<String> {
        (&self.0).into_baggage_text()
    }
}

struct PlainJson(Value);

/// The JSON that a typed value stands for.
fn plain(value: &TypedValue) -> PlainJson {
    let list = |items: &[TypedValue]| Value::Array(items.iter().map(|i| plain(i).0).collect());
    PlainJson(match value {
        TypedValue::Null(_) => Value::Null,
        TypedValue::String(text) | TypedValue::Bigint(text) => json!(text),
        TypedValue::Bool(flag) => json!(flag),
        TypedValue::Int(number) => json!(number),
        TypedValue::Double(number) => json!(number.0),
        TypedValue::StringArray(items) => json!(items),
        TypedValue::BoolArray(items) => json!(items),
        TypedValue::IntArray(items) => json!(items),
        TypedValue::DoubleArray(items) => {
            Value::Array(items.iter().map(|item| json!(item.0)).collect())
        }
        TypedValue::Array(items) => list(items),
        TypedValue::Map(members) => {
            let members = members.iter();
            Value::Object(members.map(|(k, v)| (k.clone(), plain(v).0)).collect())
        }
    })
}

fn refusal(what: &str) -> Json {
    json!({ "refused": what }).into()
}

fn refused(case: &Case) -> Option<String> {
    match run(&case.input().ok()?) {
        Err(Stop::Refused(what)) => Some(what),
        _ => None,
    }
}

fn run(input: &Input) -> Result<Json, Stop> {
    let recorded =
        RecordedSpans::record(|builder| builder.with_span_processor(BaggageSpanProcessor::new()));
    let mut builder_pairs = Vec::new();
    let mut context = Context::new();
    for layer in &input.layers {
        let baggage = layer.build()?;
        if matches!(layer, Layer::Calls(_)) {
            let pairs = baggage.pairs().map(|(k, v)| json!([k, v]));
            builder_pairs.push(pairs.collect::<Vec<_>>());
        }
        context = baggage.to_context(&context);
    }
    let baggage = {
        let _request = context.attach();
        for span in &input.spans {
            start_and_end(span, &recorded)?;
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

pub(super) fn current_baggage() -> Vec<Value> {
    Context::map_current(|context| {
        let entries = context.baggage().iter();
        entries
            .map(|(key, (value, _))| json!([key.as_str(), value.as_str()]))
            .collect()
    })
}

fn start_and_end(input: &SpanInput, recorded: &RecordedSpans) -> Result<(), Stop> {
    let tracer = ScopeTracer::new(&recorded.provider);
    let tenant = input
        .tenant_id
        .as_ref()
        .map(|id| json!({ "tenant_id": id }));
    match input.scope.as_deref() {
        Some("invoke_agent") => {
            let details = json!({"details": input.agent_details, "session_id": input.session_id});
            let args = json!({"invoke_agent_details": details, "tenant_details": tenant});
            InvokeAgentArgs::read(args)?.start(&tracer).end();
        }
        Some("execute_tool") => {
            let details = json!({ "tool_name": input.tool_name });
            let agent = &input.agent_details;
            let args =
                json!({"details": details, "agent_details": agent, "tenant_details": tenant});
            ExecuteToolArgs::read(args)?.start(&tracer).end();
        }
        Some(other) => {
            return Err(Stop::Failed(
                format!("the runner does not know scope {other:?}").into(),
            ));
        }
        None => {
            let name = input.name.as_deref().unwrap_or_default();
            plain_span(name, input.kind.as_deref(), &input.attributes, recorded)?;
        }
    }
    Ok(())
}

/// Starts and ends a span that is no scope's.
pub(super) fn plain_span(
    name: &str,
    kind: Option<&str>,
    attributes: &TypedPairs,
    recorded: &RecordedSpans,
) -> Result<(), Stop> {
    let attributes = attributes.iter().cloned().map(attribute);
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

/// The keys that do not fit of all pairs of all layers, the innermost first.
fn left_out(case: &Case) -> Vec<String> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let layers = input.layers.iter().rev();
    keys_left_out(layers.filter_map(|layer| layer.build().ok()))
}

/// All pairs, of which the first of each key counts.
fn all_pairs(layers: impl Iterator<Item = RequestBaggage>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for baggage in layers {
        for (key, value) in baggage.pairs() {
            if pairs.iter().all(|(known, _)| known != key) {
                pairs.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    pairs
}

/// The keys of entries that OpenTelemetry's baggage does not take: 64 entries, 8192 bytes, tokens.
pub(super) fn keys_left_out(layers: impl Iterator<Item = RequestBaggage>) -> Vec<String> {
    let (mut entries, mut bytes) = (0, 0);
    let mut left_out = Vec::new();
    for (key, value) in all_pairs(layers) {
        let is_token = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"(),/:;<=>?@[\\]{}\"".contains(&b));
        let size = key.len() + value.len();
        if is_token && entries < 64 && bytes + size <= 8192 {
            entries += 1;
            bytes += size;
        } else {
            left_out.push(key);
        }
    }
    left_out
}

/// Removes every pair with this key, however deep.
pub(super) fn remove(json: Option<&mut Json>, key: &str) {
    match json {
        Some(Json::Array(items)) => {
            items.retain(|item| !is_pair_of(item, key));
            items.iter_mut().for_each(|item| remove(Some(item), key));
        }
        Some(Json::Object(members)) => {
            members
                .iter_mut()
                .for_each(|(_, value)| remove(Some(value), key));
        }
        _ => {}
    }
}

fn is_pair_of(json: &Json, key: &str) -> bool {
    json.as_array()
        .is_some_and(|pair| pair.len() == 2 && pair[0].as_str() == Some(key))
}
