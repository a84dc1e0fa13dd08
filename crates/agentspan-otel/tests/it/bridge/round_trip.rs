//! Any tree of spans comes back out of OpenTelemetry.

use std::sync::Arc;

use agentspan_model::agentspec::{
    AgentExecutionSpan, Detail, Disclosure, EventDetails, ExceptionRaised, HumanInTheLoopRequest,
    LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message, SpanDetails,
    ToolExecutionRequest, ToolExecutionSpan,
};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::from_otel;
use agentspan_processor::{InMemory, Span, Trace};
use proptest::prelude::*;

use super::story::{agent, model, object, tool};
use super::watched::{Kept, Watched};

/// A span with its children, events before them, and whether another instrumentation is in between.
#[derive(Clone, Debug)]
struct Node {
    kind: u8,
    text: String,
    events: Vec<u8>,
    foreign: bool,
    children: Vec<Self>,
}

fn any_node() -> impl Strategy<Value = Node> {
    let events = || prop::collection::vec(0..6_u8, 0..4);
    let leaf = (0..5_u8, any::<String>(), events(), any::<bool>()).prop_map(
        |(kind, text, events, foreign)| Node {
            kind,
            text,
            events,
            foreign,
            children: Vec::new(),
        },
    );
    leaf.prop_recursive(3, 12, 3, |inner| {
        let children = prop::collection::vec(inner.clone(), 0..3);
        (inner, children).prop_map(|(node, children)| Node { children, ..node })
    })
}

fn details(kind: u8) -> SpanDetails {
    match kind {
        0 => SpanDetails::Plain,
        1 => SpanDetails::Root,
        2 => AgentExecutionSpan::new(agent()).into(),
        3 => LlmGenerationSpan::new(model()).into(),
        _ => ToolExecutionSpan::new(tool()).into(),
    }
}

fn event(kind: u8, text: &str) -> EventDetails {
    match kind {
        0 => EventDetails::Plain,
        1 => ExceptionRaised::new(text, text).into(),
        2 => HumanInTheLoopRequest::new(text, object(text)).into(),
        3 => LlmGenerationRequest::new(model(), vec![Message::new("user", text)], text).into(),
        4 => LlmGenerationResponse::new(model(), text)
            .with_content(text)
            .into(),
        _ => ToolExecutionRequest::new(tool(), object(text), text).into(),
    }
}

fn run(node: &Node, watched: &Watched) {
    use opentelemetry::trace::Tracer;

    let span = Span::builder(details(node.kind))
        .with_name(node.text.clone())
        .with_description(node.text.clone())
        .with_metadata(object(&node.text))
        .start()
        .unwrap();
    for kind in &node.events {
        span.add_event(event(*kind, &node.text)).unwrap();
    }
    let children = || node.children.iter().for_each(|child| run(child, watched));
    if node.foreign {
        watched.foreign().in_span("foreign", |_| children());
    } else {
        children();
    }
    span.end().unwrap();
}

/// What is left of a span where contents are not captured.
pub(crate) fn described(
    span: &agentspan_model::agentspec::Span,
) -> agentspan_model::agentspec::Span {
    let dump = span.dump(Disclosure::Masked).with_detail(Detail::Described);
    let dump = serde_json::to_string(&dump).unwrap();
    agentspan_model::agentspec::Span::from_json(&dump).unwrap()
}

fn check(kept: &Kept, memory: &InMemory, disclosure: Disclosure) {
    let mut expected = memory.spans();
    for span in kept.spans() {
        let Some(rebuilt) = from_otel(&span).unwrap() else {
            assert_eq!(span.name, "foreign");
            continue;
        };
        let at = expected.iter().position(|e| e.span.id == rebuilt.span.id);
        let expected = expected.swap_remove(at.unwrap());
        let span = match disclosure {
            Disclosure::Clear => expected.span,
            Disclosure::Masked => described(&expected.span),
        };
        assert_eq!(rebuilt.span, span);
        assert_eq!(rebuilt.parent_id, expected.parent_id);
        assert_eq!(rebuilt.trace.unwrap().name.as_deref(), Some("any trace"));
    }
    assert_eq!(expected.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_tree_of_spans_comes_back(node in any_node()) {
        let clear = Mapping::new(Rendering::GenAi).with_capture(ContentCapture::SpanAndEvent);
        let masked = Mapping::new(Rendering::OpenInference);
        let watched = Watched::with_mappings(ContentCapture::SpanAndEvent, [clear, masked]);
        let memory = InMemory::new().with_disclosure(Disclosure::Clear);
        let trace = Trace::builder()
            .with_name("any trace")
            .with_processor(Arc::clone(&watched.bridge))
            .with_processor(memory.clone())
            .start()
            .unwrap();
        run(&node, &watched);
        trace.end().unwrap();
        check(&watched.live, &memory, Disclosure::Clear);
        check(&watched.rendered[0], &memory, Disclosure::Clear);
        check(&watched.rendered[1], &memory, Disclosure::Masked);
    }
}
