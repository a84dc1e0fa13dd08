//! Long conversations and long streams arrive whole.

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{
    LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationSpan, Message,
};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::from_otel;
use agentspan_processor::Span;

use super::story::model;
use super::watched::Watched;

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
