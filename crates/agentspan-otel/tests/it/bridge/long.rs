//! Long conversations and long streams arrive whole.

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{
    LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan,
    Message,
};
use agentspan_model::keys;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{ExportQueue, OtelBridge, SpanLimits, from_otel};
use agentspan_processor::{Span, Trace};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use super::story::model;
use super::watched::Watched;
use crate::recorder::Keep;

#[test]
fn a_conversation_of_200_messages_and_a_stream_of_1000_parts_arrive_whole() {
    let renderings = [
        Rendering::GenAi,
        Rendering::Agent365(Profile::V0_1),
        Rendering::Agent365(Profile::V2),
        Rendering::OpenInference,
    ];
    let capture = ContentCapture::SpanAndEvent;
    let mappings = renderings.map(|r| Mapping::new(r).with_capture(capture));
    let watched = Watched::with_mappings(capture, mappings);
    let trace = watched.trace();
    let span = Span::builder(LlmGenerationSpan::new(model()))
        .start()
        .unwrap();
    let messages = (0..200).map(|n| Message::new("user", format!("message-{n}-end")));
    let request = LlmGenerationRequest::new(model(), messages.collect(), "r-1");
    span.add_event(request).unwrap();
    for n in 0..1000 {
        let part = LlmGenerationChunkReceived::new(model(), "r-1").with_content(n.to_string());
        span.add_event(part).unwrap();
    }
    span.end().unwrap();
    trace.end().unwrap();
    for (kept, rendering) in watched.rendered.iter().zip(renderings) {
        let spans = kept.spans();
        let span = spans.iter().find(|span| span.name != "RootSpan").unwrap();
        let attributes = format!("{:?}", span.attributes);
        for n in 0..200 {
            let text = format!("message-{n}-end");
            assert!(attributes.contains(&text), "{rendering:?} lacks {text}");
        }
        assert_eq!(span.dropped_attributes_count, 0);
        assert_eq!((span.events.len(), span.events.dropped_count), (1001, 0));
        if let Rendering::GenAi | Rendering::OpenInference = rendering {
            let rebuilt = from_otel(span).unwrap().unwrap();
            assert_eq!(rebuilt.span.events.len(), 1001);
        }
    }
}

#[test]
fn a_span_that_is_open_for_long_keeps_as_many_events_as_span_limits_pass_on() {
    const MORE: u32 = 100;
    let keep = Keep::default();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let provider = provider.with_span_processor(keep.clone()).build();
    let mut span = provider.tracer("t").start("open");
    for _ in 0..16_384 + MORE {
        span.add_event("warning", Vec::new());
    }
    span.end();
    let [mut span] = <[_; 1]>::try_from(keep.spans()).unwrap();
    assert_eq!(
        (span.events.len(), span.events.dropped_count),
        (16_384, MORE)
    );
    let (cuts, _) = SpanLimits::default().cut(&mut span);
    assert!(cuts.is_none(), "{cuts:?}");
}

#[test]
fn a_record_tells_how_a_span_with_very_many_events_ended() {
    let mapping = Mapping::new(Rendering::GenAi).with_capture(ContentCapture::SpanOnly);
    let exporter = InMemorySpanExporter::default();
    let queue = ExportQueue::builder("kept", exporter.clone());
    let queue = queue.with_mapping(mapping).build().unwrap();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let provider = provider.with_span_processor(queue).build();
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanOnly);
    let trace = Trace::builder()
        .with_processor(bridge.with_records_only())
        .start()
        .unwrap();
    let span = Span::builder(LlmGenerationSpan::new(model()))
        .start()
        .unwrap();
    for _ in 0..16_500 {
        let part = LlmGenerationChunkReceived::new(model(), "r-1").with_content("part");
        span.add_event(part).unwrap();
    }
    let response = LlmGenerationResponse::new(model(), "r-1").with_content("the last word");
    span.add_event(response).unwrap();
    span.end().unwrap();
    trace.end().unwrap();
    provider.force_flush().unwrap();
    let spans = exporter.get_finished_spans().unwrap();
    let span = spans.iter().find(|span| span.name != "RootSpan").unwrap();
    // Limits of bytes leave out more of them.
    let dropped = usize::try_from(span.events.dropped_count).unwrap();
    assert_eq!(span.events.len() + dropped, 16_501);
    assert!(dropped >= 117, "{dropped}");
    // Its last event is read: the record has them all.
    let mut attributes = span.attributes.iter();
    let output =
        attributes.find(|attribute| attribute.key.as_str() == keys::GEN_AI_OUTPUT_MESSAGES);
    assert!(output.is_some(), "{:?}", span.attributes);
}
