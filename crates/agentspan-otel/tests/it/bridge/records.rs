//! A record says the same as the attributes that the bridge writes, and no less.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::agentspec::{Disclosure, EventDetails, Recording, SpanDetails};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{ExportQueue, OtelBridge, Rendered};
use agentspan_processor::replay::Replay;
use agentspan_processor::{Span, SpanProcessor as AgentSpecProcessor, Trace};
use opentelemetry::trace::{Span as _, SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor, TracerProviderBuilder,
};

use super::story::tool;
use super::watched::{Kept, text};

const WHILE: Duration = Duration::from_secs(30);
const RECORDINGS: [&str; 3] = [
    include_str!("../../recordings/repeated_id.jsonl"),
    include_str!("../../recordings/never_ended.jsonl"),
    include_str!("../../../../../conformance/vectors/agentspec_real_run.jsonl"),
];

/// Says something of its own on every span, an identity and an event included.
#[derive(Debug)]
struct Meddles;

impl SpanProcessor for Meddles {
    fn on_start(&self, span: &mut SdkSpan, _: &Context) {
        span.set_attribute(KeyValue::new("http.method", "GET"));
        span.set_attribute(KeyValue::new("gen_ai.agent.id", "from-baggage"));
        span.set_attribute(KeyValue::new("gen_ai.request.model", "another"));
        let attributes = vec![KeyValue::new("k", "v")];
        span.add_event_with_timestamp("foreign", SystemTime::UNIX_EPOCH, attributes);
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn provider() -> TracerProviderBuilder {
    OtelBridge::prepare(SdkTracerProvider::builder()).with_span_processor(Meddles)
}

/// What an exporter gets that renders attributes.
fn by_attributes(
    mapping: Mapping,
    capture: ContentCapture,
    run: impl FnOnce(Arc<dyn AgentSpecProcessor>),
) -> Vec<SpanData> {
    let kept = Kept::default();
    let rendered = Rendered::new(kept.clone(), mapping);
    let provider = provider().with_simple_exporter(rendered).build();
    run(Arc::new(OtelBridge::new(&provider).with_capture(capture)));
    kept.spans()
}

/// What an exporter gets behind a queue.
fn by_records(
    mapping: Mapping,
    bridge: impl FnOnce(OtelBridge) -> OtelBridge,
    run: impl FnOnce(Arc<dyn AgentSpecProcessor>),
) -> Vec<SpanData> {
    let kept = Kept::default();
    let queue = ExportQueue::builder("kept", kept.clone())
        .with_mapping(mapping)
        .with_disclosure(Disclosure::Clear)
        .build()
        .unwrap();
    let provider = provider().with_span_processor(queue.clone()).build();
    run(Arc::new(bridge(OtelBridge::new(&provider))));
    queue.shutdown(WHILE).unwrap();
    assert_eq!(queue.stats().dropped(), 0);
    kept.spans()
}

fn replay(recording: &str) -> impl Fn(Arc<dyn AgentSpecProcessor>) {
    move |processor| {
        let mut replay = Replay::new(processor);
        for hook in Recording::new(recording.as_bytes()) {
            replay.play(hook.unwrap()).unwrap();
        }
        let _ = replay.finish();
    }
}

fn mappings() -> Vec<Mapping> {
    let identity = Identity::parse("tenant-1", "agent-1").unwrap();
    let renderings = [
        Rendering::GenAi,
        Rendering::OpenInference,
        Rendering::Agent365(Profile::V0_1),
        Rendering::Agent365(Profile::V2),
    ];
    let captures = [
        ContentCapture::NoContent,
        ContentCapture::SpanOnly,
        ContentCapture::SpanAndEvent,
    ];
    let each = renderings.into_iter().flat_map(|rendering| {
        captures.map(|capture| Mapping::new(rendering).with_capture(capture))
    });
    each.map(|mapping| mapping.with_identity(identity.clone()))
        .collect()
}

/// One line per span; where they differ, the first difference is easy to see.
fn shown(spans: &[SpanData]) -> Vec<String> {
    spans.iter().map(|span| format!("{span:?}")).collect()
}

#[test]
fn a_record_is_rendered_as_its_attributes_are() {
    for recording in RECORDINGS {
        for capture in [ContentCapture::NoContent, ContentCapture::SpanAndEvent] {
            for mapping in mappings() {
                let expected = shown(&by_attributes(mapping.clone(), capture, replay(recording)));
                assert!(!expected.is_empty());
                let only = |bridge: OtelBridge| bridge.with_capture(capture).with_records_only();
                let both = |bridge: OtelBridge| bridge.with_capture(capture).with_records();
                for found in [
                    by_records(mapping.clone(), only, replay(recording)),
                    by_records(mapping.clone(), both, replay(recording)),
                ] {
                    for (expected, found) in expected.iter().zip(shown(&found)) {
                        assert_eq!(*expected, found, "{mapping:?} of {capture:?}");
                    }
                    assert_eq!(found.len(), expected.len());
                }
            }
        }
    }
}

#[test]
fn a_queue_without_a_mapping_gets_the_attributes_of_agent_spec() {
    let recording = RECORDINGS[2];
    let by_bridge = |bridge: fn(OtelBridge) -> OtelBridge| {
        let kept = Kept::default();
        let queue = ExportQueue::builder("kept", kept.clone())
            .with_disclosure(Disclosure::Clear)
            .build()
            .unwrap();
        let provider = provider().with_span_processor(queue.clone()).build();
        replay(recording)(Arc::new(bridge(OtelBridge::new(&provider))));
        queue.shutdown(WHILE).unwrap();
        let mut spans = kept.spans();
        for span in &mut spans {
            // Whether others or Agent Spec come first is not said anywhere.
            span.attributes.sort_by(|a, b| a.key.cmp(&b.key));
            // The last one of a key counts.
            span.attributes
                .dedup_by(|next, first| next.key == first.key);
        }
        shown(&spans)
    };
    let written = by_bridge(|bridge| bridge);
    assert_eq!(by_bridge(OtelBridge::with_records_only), written);
}

#[test]
fn late_events_and_links_are_the_same_with_records() {
    use agentspan_model::agentspec::{ToolConfirmationRequest, ToolConfirmationResponse};
    let run = |processor: Arc<dyn AgentSpecProcessor>| {
        let trace = Trace::builder().with_processor(processor);
        let trace = trace.start().unwrap();
        let asks = Span::builder(SpanDetails::Plain).with_name("asks");
        let asks = asks.start_detached().unwrap();
        let request = ToolConfirmationRequest::new(tool(), "c-1");
        asks.add_event(request).unwrap();
        Span::end(&asks).unwrap();
        asks.add_event(EventDetails::Plain).unwrap();
        let answers = Span::builder(SpanDetails::Plain).with_name("answers");
        let answers = answers.start().unwrap();
        let response = ToolConfirmationResponse::rejected(tool(), "c-1");
        answers.add_event(response).unwrap();
        answers.end().unwrap();
        trace.end().unwrap();
    };
    let spans = by_records(
        Mapping::new(Rendering::AgentSpec),
        OtelBridge::with_records_only,
        run,
    );
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let links = &named("answers").links;
    assert_eq!(links[0].span_context, named("asks").span_context);
    let events = &named("RootSpan").events;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1].name, "Event");
    let keys = events[1].attributes.iter().map(|a| a.key.as_str());
    assert!(
        keys.collect::<Vec<_>>()
            .contains(&"agentspec.event.span_id")
    );
}

#[test]
fn others_cannot_end_a_span_before_its_record_is_complete() {
    let run = |processor: Arc<dyn AgentSpecProcessor>| {
        let trace = Trace::builder().with_processor(processor);
        let trace = trace.start().unwrap();
        Context::current().span().end();
        assert!(Context::current().span().is_recording());
        trace.end().unwrap();
    };
    let mapping = Mapping::new(Rendering::AgentSpec);
    let spans = by_records(mapping, OtelBridge::with_records_only, run);
    assert_eq!(spans.len(), 1);
    assert!(text(&spans[0], "agentspec.span.id").is_some());
    assert_ne!(spans[0].span_context, SpanContext::NONE);
}
