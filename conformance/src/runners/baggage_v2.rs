//! `baggage_v2.json`: baggage of requests in 2.0.0, and what the span processor copies of it.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, RequestBaggage, ScopeTracer};
use opentelemetry::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use super::baggage_v0_1::{Call, Typed, current_baggage, keys_left_out, plain_span, remove};
use super::recorded_spans::{self, RecordedSpans};
use super::scopes_v0_1::{Stop, refusal};
use super::scopes_v2::{ExecuteToolArgs, InvokeAgentArgs, agent_type, say_rust, says_python};
use crate::typed_value::TypedPairs;
use crate::{Case, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct BaggageV2;

impl Runner for BaggageV2 {
    fn file_stem(&self) -> &'static str {
        "baggage_v2"
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
                name: "span_says_its_language",
                applies: |case| refused(case).is_none() && says_python(&case.expected),
                instead: |_, expected| say_rust(expected),
            },
            Predicate {
                name: "baggage_entry_does_not_fit",
                applies: |case| refused(case).is_none() && !left_out(case).is_empty(),
                instead: |case, expected| {
                    for key in left_out(case) {
                        remove(expected.member_mut("baggage"), &key);
                        if key != keys::MICROSOFT_TENANT_ID && key != keys::GEN_AI_AGENT_ID {
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
#[serde(deny_unknown_fields)]
struct Layer {
    calls: Vec<Call>,
}

/// A plain span, or the scope of which only these are known. The recorded scopes were not given the
/// tenant, which in 2.0.0 is a detail of the agent.
#[derive(Deserialize)]
struct SpanInput {
    name: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    attributes: TypedPairs,
    scope: Option<String>,
    agent_details: Option<Value>,
    #[serde(rename = "tenant_id")]
    _tenant_id: Option<String>,
    session_id: Option<String>,
    tool_name: Option<String>,
}

impl Layer {
    fn build(&self) -> Result<RequestBaggage, Stop> {
        let builder = BaggageBuilder::for_profile(Profile::V2);
        Ok(self.calls.iter().try_fold(builder, call)?.build())
    }
}

fn call(builder: BaggageBuilder, call: &Call) -> Result<BaggageBuilder, Stop> {
    let argument = |at: usize| call.args.get(at).cloned().unwrap_or_default();
    let text = |at| serde_json::from_value::<Option<String>>(argument(at));
    macro_rules! setters {
        ($($op:literal => $setter:ident,)*) => {
            match call.op.as_str() {
                $($op => builder.$setter(text(0)?),)*
                op => return Err(Stop::Failed(format!("the runner does not know {op:?}").into())),
            }
        };
    }
    Ok(match call.op.as_str() {
        "set_pairs" => {
            let pairs: Option<TypedPairs> = serde_json::from_value(argument(1))?;
            let pairs = pairs.into_iter().flatten();
            builder.set_pairs(pairs.map(|(key, value)| (key, Typed(value))))
        }
        "agent_type" => match argument(0) {
            Value::Null => builder,
            given => builder.agent_type(agent_type(given)?),
        },
        "user_client_ip" => builder.user_client_ip(text(0)?.as_deref()),
        "invoke_agent_server" => {
            let port: Option<u16> = serde_json::from_value(argument(1))?;
            builder.invoke_agent_server(text(0)?, port)
        }
        _ => setters!(
            "operation_source" => operation_source,
            "tenant_id" => tenant_id,
            "agent_id" => agent_id,
            "agentic_user_id" => agent_auid,
            "agentic_user_email" => agent_user_email,
            "agent_blueprint_id" => agent_blueprint_id,
            "user_id" => user_id,
            "agent_name" => agent_name,
            "agent_description" => agent_description,
            "agent_version" => agent_version,
            "user_name" => user_name,
            "user_email" => user_email,
            "conversation_id" => conversation_id,
            "conversation_item_link" => conversation_item_link,
            "session_id" => session_id,
            "session_description" => session_description,
            "channel_name" => channel_name,
            "channel_links" => channel_link,
        ),
    })
}

fn refused(case: &Case) -> Option<String> {
    match run(&case.input().ok()?) {
        Err(Stop::Refused(what)) => Some(what),
        _ => None,
    }
}

fn run(input: &Input) -> Result<Json, Stop> {
    let processor = BaggageSpanProcessor::new().with_profile(Profile::V2);
    let recorded = RecordedSpans::record(|builder| builder.with_span_processor(processor));
    let mut builder_pairs = Vec::new();
    let mut context = Context::new();
    for layer in &input.layers {
        let baggage = layer.build()?;
        let pairs = baggage.pairs().map(|(k, v)| json!([k, v]));
        builder_pairs.push(pairs.collect::<Vec<_>>());
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

fn start_and_end(input: &SpanInput, recorded: &RecordedSpans) -> Result<(), Stop> {
    let tracer = ScopeTracer::with_profile(&recorded.provider, Profile::V2);
    let agent = &input.agent_details;
    match input.scope.as_deref() {
        Some("invoke_agent") => {
            let request = json!({ "session_id": input.session_id });
            let args = json!({"request": request, "agent_details": agent});
            InvokeAgentArgs::read(args)?.start(&tracer).end();
        }
        Some("execute_tool") => {
            let details = json!({ "tool_name": input.tool_name });
            let args = json!({"request": {}, "details": details, "agent_details": agent});
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

/// The keys that do not fit into OpenTelemetry's baggage.
fn left_out(case: &Case) -> Vec<String> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let layers = input.layers.iter().rev();
    keys_left_out(layers.filter_map(|layer| layer.build().ok()))
}
