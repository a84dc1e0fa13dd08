//! A run that the reference of Agent Spec recorded reaches Agent 365.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agentspan::model::agent365::{Identity, Profile};
use agentspan::model::agentspec::{Recording, SpanDetails};
use agentspan::model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan::otel::{OtelBridge, Rendered};
use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, token_from_fn};
use agentspan_processor::replay::Replay;
use agentspan_processor::{Span, SpanProcessor, Trace};
use agentspan_testkit::Service;
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};
use serde_json::Value;

const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
/// What somebody said in the recording.
const SAID: &str = "Rivers flow.";

/// Replays the recording, and gives the paths and the spans that arrived.
fn arrived(profile: Profile, shown: ContentCapture) -> (BTreeSet<String>, Vec<Value>) {
    let rendered = |provider: TracerProviderBuilder, delivery: &Delivery| {
        let mapping = Mapping::new(Rendering::Agent365(profile))
            .with_capture(shown)
            .with_identity(identity());
        provider.with_simple_exporter(Rendered::new(delivery.exporter(), mapping))
    };
    arrived_through(profile, |delivery| delivery, rendered)
}

fn identity() -> Identity {
    Identity::parse(TENANT, "agent-1").unwrap()
}

/// The same, with a provider that hands its spans to the delivery in this way.
fn arrived_through(
    profile: Profile,
    delivery: impl FnOnce(DeliveryBuilder) -> DeliveryBuilder,
    hand_over: impl FnOnce(TracerProviderBuilder, &Delivery) -> TracerProviderBuilder,
) -> (BTreeSet<String>, Vec<Value>) {
    let service = Service::start().unwrap();
    let token = AccessToken::new("secret").unwrap();
    let builder = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
        .with_profile(profile)
        .with_loopback_endpoint(service.url());
    let delivery = delivery(builder).build().unwrap();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let provider = hand_over(provider, &delivery).build();
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
    let mut replay = Replay::new(bridge);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../conformance/vectors/agentspec_real_run.jsonl");
    let recording = std::fs::read(path).unwrap();
    for hook in Recording::new(recording.as_slice()) {
        replay.play(hook.unwrap()).unwrap();
    }
    provider.shutdown().unwrap();
    let (mut paths, mut spans) = (BTreeSet::new(), Vec::new());
    for request in service.requests() {
        paths.insert(request.path().to_owned());
        spans.extend(spans_of(request.json().unwrap()));
    }
    (paths, spans)
}

/// The spans of a request, each with its instrumentation scope.
fn spans_of(body: Value) -> Vec<Value> {
    let resources = body["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    let spans = scopes.flat_map(|scope| {
        let spans = scope["spans"].as_array().unwrap().iter();
        spans.map(|span| {
            let mut span = span.clone();
            span["scope"] = scope["scope"].clone();
            span
        })
    });
    spans.collect()
}

fn words<'a>(spans: &'a [Value], key: &str) -> BTreeSet<&'a str> {
    let values = spans
        .iter()
        .filter_map(|span| span["attributes"][key].as_str());
    values.collect()
}

#[test]
fn a_recorded_run_arrives_under_its_identity_in_the_words_of_each_profile() {
    for (profile, tenant_key, chat, spans_sent) in [
        (Profile::V0_1, "tenant.id", "Chat", 37),
        // This generation sends no spans without an operation: nodes and root spans.
        (Profile::V2, "microsoft.tenant.id", "chat", 14),
    ] {
        let (paths, spans) = arrived(profile, ContentCapture::NoContent);
        assert_eq!(spans.len(), spans_sent, "{profile:?}");
        assert_eq!(paths.len(), 1);
        assert!(paths.iter().all(|path| path.contains("/agents/agent-1/")));
        assert_eq!(words(&spans, tenant_key), BTreeSet::from([TENANT]));
        assert_eq!(
            words(&spans, "gen_ai.agent.id"),
            BTreeSet::from(["agent-1"])
        );
        assert_eq!(
            words(&spans, "gen_ai.operation.name"),
            BTreeSet::from([chat, "execute_tool", "invoke_agent"])
        );
        let names: BTreeSet<_> = spans
            .iter()
            .filter_map(|span| span["name"].as_str())
            .collect();
        let model = format!("{chat} scripted-model");
        assert!(names.contains(model.as_str()), "{names:?}");
        assert!(names.contains("execute_tool get_weather"), "{names:?}");
    }
}

#[test]
fn what_was_said_arrives_on_request_only() {
    for profile in Profile::ALL {
        let says = |shown| {
            let (_, spans) = arrived(profile, shown);
            spans.iter().any(|span| span.to_string().contains(SAID))
        };
        assert!(!says(ContentCapture::NoContent), "{profile:?}");
        assert!(says(ContentCapture::SpanOnly), "{profile:?}");
    }
}

#[test]
fn no_span_of_a_run_arrives_below_one_that_does_not() {
    let (_, spans) = arrived_through(
        Profile::V2,
        |delivery| {
            delivery
                .with_rendering()
                .with_agent_spec_identity(identity())
        },
        |provider, delivery| provider.with_span_processor(delivery.span_processor()),
    );
    assert_eq!(spans.len(), 14);
    let ids: BTreeSet<_> = spans
        .iter()
        .map(|span| &span["spanId"])
        .map(Value::to_string)
        .collect();
    let parents = spans.iter().map(|span| &span["parentSpanId"]);
    let orphans: Vec<_> = parents
        .filter(|parent| !parent.is_null() && !ids.contains(&parent.to_string()))
        .collect();
    assert_eq!(orphans, Vec::<&Value>::new());
    let roots = spans.iter().filter(|span| span["parentSpanId"].is_null());
    let operations: BTreeSet<_> = roots
        .map(|root| {
            root["attributes"]["gen_ai.operation.name"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(operations, BTreeSet::from(["invoke_agent"]));
}

/// What arrives of the recording by way of the bridge of OpenTelemetry, and without it.
fn by_both_doors(profile: Profile, capture: ContentCapture) -> [Vec<Value>; 2] {
    [true, false].map(|has_bridge| {
        let service = Service::start().unwrap();
        let token = AccessToken::new("secret").unwrap();
        let delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
            .with_profile(profile)
            .with_agent_spec_identity(identity())
            .with_loopback_endpoint(service.url())
            .build()
            .unwrap();
        let provider = OtelBridge::prepare(SdkTracerProvider::builder())
            .with_resource(Resource::builder_empty().build())
            .with_span_processor(delivery.span_processor())
            .build();
        let processor: Arc<dyn SpanProcessor> = if has_bridge {
            let bridge = OtelBridge::new(&provider).with_capture(capture);
            Arc::new(bridge.with_records_only())
        } else {
            Arc::new(delivery.agent_spec_processor().with_capture(capture))
        };
        let mut replay = Replay::new(processor);
        for recording in [
            &include_bytes!("../../../../conformance/vectors/agentspec_real_run.jsonl")[..],
            &include_bytes!("../../../agentspan-otel/tests/recordings/repeated_id.jsonl")[..],
            &include_bytes!("../../../agentspan-otel/tests/recordings/never_ended.jsonl")[..],
        ] {
            for hook in Recording::new(recording) {
                replay.play(hook.unwrap()).unwrap();
            }
        }
        let _ = replay.finish();
        delivery.shutdown(Duration::from_secs(30)).unwrap();
        assert_eq!(delivery.stats().accepted, delivery.stats().exported);
        let requests = service.requests();
        let bodies = requests.iter().map(|request| request.json().unwrap());
        let mut spans: Vec<Value> = bodies.flat_map(spans_of).collect();
        // What is left open ends in any order.
        spans.sort_by_key(|span| format!("{} {}", span["traceId"], span["spanId"]));
        spans
    })
}

#[test]
fn d11_agent_spec_spans_arrive_alike_with_and_without_the_bridge() {
    for capture in [ContentCapture::NoContent, ContentCapture::SpanAndEvent] {
        let [bridged, direct] = by_both_doors(Profile::V0_1, capture);
        assert!(!bridged.is_empty());
        assert_eq!(direct, bridged);
        assert_eq!(
            direct.iter().any(|body| body.to_string().contains(SAID)),
            capture == ContentCapture::SpanAndEvent
        );
    }
}

/// Each span of a program that starts one without a parent within others, with its parent.
fn parents_by(has_bridge: bool, caller: &Context) -> Vec<(String, String)> {
    let service = Service::start().unwrap();
    let token = AccessToken::new("secret").unwrap();
    let delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
        .with_agent_spec_identity(identity())
        .with_loopback_endpoint(service.url())
        .build()
        .unwrap();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(delivery.span_processor())
        .build();
    let processor: Arc<dyn SpanProcessor> = if has_bridge {
        Arc::new(OtelBridge::new(&provider).with_records_only())
    } else {
        Arc::new(delivery.agent_spec_processor())
    };
    let plain = |name: &'static str| Span::builder(SpanDetails::Plain).with_name(name);
    let trace = {
        let _caller = caller.clone().attach();
        let trace = Trace::builder().with_processor(processor).start().unwrap();
        let outer = plain("outer").start().unwrap();
        let inner = plain("inner").start().unwrap();
        let beside = plain("beside").without_parent().start().unwrap();
        plain("below").start().unwrap().end().unwrap();
        plain("again")
            .without_parent()
            .start()
            .unwrap()
            .end()
            .unwrap();
        beside.end().unwrap();
        inner.end().unwrap();
        outer.end().unwrap();
        trace
    };
    trace.end().unwrap();
    delivery.shutdown(Duration::from_secs(30)).unwrap();
    let requests = service.requests();
    let bodies = requests.iter().map(|request| request.json().unwrap());
    let spans: Vec<Value> = bodies.flat_map(spans_of).collect();
    let traces: BTreeSet<_> = spans
        .iter()
        .map(|span| span["traceId"].to_string())
        .collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let parents = spans.iter().map(|span| {
        let parent = &span["parentSpanId"];
        let known = spans.iter().find(|other| other["spanId"] == *parent);
        let parent = known.map_or(parent, |known| &known["name"]);
        (text(&span["name"]), text(parent))
    });
    let mut parents: Vec<_> = parents.collect();
    parents.sort();
    parents
}

#[test]
fn a_span_without_a_parent_is_beside_the_root_with_and_without_the_bridge() {
    let caller = SpanContext::new(
        TraceId::from(7),
        SpanId::from(9),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let caller = Context::new().with_remote_span_context(caller);
    for (caller, above) in [(Context::new(), "none"), (caller, "0000000000000009")] {
        let expected = [
            ("Trace", above),
            ("again", above),
            ("below", "beside"),
            ("beside", above),
            ("inner", "outer"),
            ("outer", "Trace"),
        ];
        let expected = expected.map(|(span, parent)| (span.to_owned(), parent.to_owned()));
        for has_bridge in [false, true] {
            assert_eq!(
                parents_by(has_bridge, &caller),
                expected,
                "bridge: {has_bridge}"
            );
        }
    }
}
