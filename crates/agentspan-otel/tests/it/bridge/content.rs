//! Who sees what people, models and tools said.

use std::sync::Arc;

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::SpanDetails;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{OtelBridge, Rendered, from_otel};
use agentspan_processor::{Span, Trace};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, Span as _, Tracer};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};

use super::story;
use super::watched::{Kept, Watched, text};

const CANARY: &str = "canary-4711";
const RENDERINGS: [Rendering; 5] = [
    Rendering::GenAi,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
    Rendering::OpenInference,
    Rendering::AgentSpec,
];

fn run(capture: ContentCapture, mappings: impl IntoIterator<Item = Mapping>) -> Watched {
    let watched = Watched::with_mappings(capture, mappings);
    let trace = watched.trace();
    story::run(CANARY);
    trace.end().unwrap();
    watched
}

/// How often the canary is anywhere in the spans.
fn canaries(kept: &Kept) -> usize {
    let spans = kept.spans();
    assert_eq!(spans.len(), 4);
    format!("{spans:?}").matches(CANARY).count()
}

#[test]
fn nobody_sees_content_by_default() {
    let watched = run(ContentCapture::NoContent, RENDERINGS.map(Mapping::new));
    for kept in watched.rendered.iter().chain([&watched.live]) {
        assert_eq!(canaries(kept), 0);
    }
}

#[test]
fn a_destination_does_not_see_what_another_one_asks_for() {
    let masked = RENDERINGS.map(Mapping::new);
    let clear = RENDERINGS.map(|r| Mapping::new(r).with_capture(ContentCapture::SpanAndEvent));
    let watched = run(
        ContentCapture::SpanAndEvent,
        masked.into_iter().chain(clear),
    );
    let (masked, clear) = watched.rendered.split_at(RENDERINGS.len());
    for (kept, rendering) in masked.iter().zip(RENDERINGS) {
        assert_eq!(canaries(kept), 0, "{rendering:?}");
    }
    for (kept, rendering) in clear.iter().zip(RENDERINGS) {
        assert!(canaries(kept) >= 5, "{rendering:?}");
    }
}

#[test]
fn nobody_sees_what_the_bridge_did_not_capture() {
    let clear = RENDERINGS.map(|r| Mapping::new(r).with_capture(ContentCapture::SpanAndEvent));
    for kept in run(ContentCapture::NoContent, clear).rendered {
        assert_eq!(canaries(&kept), 0);
    }
}

fn spans_of(mapping: Mapping) -> [SpanData; 3] {
    let kept = run(ContentCapture::SpanAndEvent, [mapping])
        .rendered
        .remove(0);
    let of_type = |type_name: &str| {
        let mut spans = kept.spans().into_iter();
        let found = spans.find(|s| text(s, "agentspec.span.type").as_deref() == Some(type_name));
        found.unwrap()
    };
    [
        "AgentExecutionSpan",
        "LlmGenerationSpan",
        "ToolExecutionSpan",
    ]
    .map(of_type)
}

#[test]
fn spans_are_in_the_words_of_their_destination() {
    let clear = |r| Mapping::new(r).with_capture(ContentCapture::SpanOnly);
    let [agent, llm, tool] = spans_of(clear(Rendering::GenAi));
    assert_eq!(agent.name, "invoke_agent Weather Agent");
    let scope = &agent.instrumentation_scope;
    assert_eq!(
        (scope.name(), scope.schema_url()),
        ("agentspan", Some("https://opentelemetry.io/schemas/1.41.0"))
    );
    assert_eq!(llm.name, "chat gpt-4o");
    assert_eq!(tool.name, "execute_tool get_weather");
    assert_eq!(text(&agent, "gen_ai.agent.id").unwrap(), "agent-component");
    assert_eq!(text(&llm, "gen_ai.usage.input_tokens").unwrap(), "12");
    let [agent, llm, tool] = spans_of(clear(Rendering::OpenInference));
    assert_eq!(text(&agent, "openinference.span.kind").unwrap(), "AGENT");
    let key = "llm.input_messages.0.message.content";
    assert_eq!(text(&llm, key).unwrap(), CANARY);
    let parent = text(&tool, "graph.node.parent_id").unwrap();
    assert_eq!(parent, text(&agent, "graph.node.id").unwrap());
    let [_, llm, _] = spans_of(clear(Rendering::Agent365(Profile::V0_1)));
    assert_eq!(llm.name, "Chat gpt-4o");
    assert_eq!(text(&llm, "gen_ai.usage.input_tokens").unwrap(), "12");
}

#[test]
fn events_that_were_cut_go_on_without_their_content() {
    let kept = Kept::default();
    let masked = Mapping::new(Rendering::GenAi);
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_max_attributes_per_event(4)
        .with_simple_exporter(Rendered::new(kept.clone(), masked))
        .build();
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    story::run(CANARY);
    trace.end().unwrap();
    assert_eq!(canaries(&kept), 0);
}

#[test]
fn a_span_that_cannot_be_rebuilt_goes_on_without_its_content() {
    let mapping = Mapping::new(Rendering::GenAi);
    let watched = Watched::with_mappings(ContentCapture::NoContent, [mapping]);
    let tracer = watched.foreign();
    let attributes = [
        KeyValue::new("agentspec.span.type", "ToolExecutionSpan"),
        KeyValue::new("agentspec.unknown", CANARY),
        KeyValue::new("llm.input_messages.0.message.content", CANARY),
        KeyValue::new("app.step", "two"),
    ];
    let other = tracer.start("other").span_context().clone();
    let linked = vec![KeyValue::new("gen_ai.input.messages", CANARY)];
    let builder = tracer.span_builder("cut").with_attributes(attributes);
    let builder = builder.with_links(vec![Link::new(other, linked, 0)]);
    builder.start(&tracer);
    let cut = watched.rendered[0].named("cut");
    assert_eq!(cut.links.links.len(), 1);
    assert!(!format!("{cut:?}").contains(CANARY), "{cut:?}");
    assert_eq!(text(&cut, "app.step").as_deref(), Some("two"));
}

#[test]
fn a_root_that_nobody_named_is_called_like_its_trace_and_stays_what_it_was() {
    let mappings = [Rendering::GenAi, Rendering::OpenInference].map(Mapping::new);
    let watched = Watched::with_mappings(ContentCapture::NoContent, mappings);
    let named = Span::builder(SpanDetails::Root).with_name("named");
    for (root, shown) in [(None, "turn"), (Some(named), "named")] {
        let trace = Trace::builder()
            .with_name("turn")
            .with_processor(Arc::clone(&watched.bridge));
        let trace = match root {
            Some(root) => trace.with_root_span(root),
            None => trace,
        };
        trace.start().unwrap().end().unwrap();
        for kept in &watched.rendered {
            kept.named(shown);
        }
    }
    let own = watched.live.named("RootSpan");
    let again = from_otel(&watched.rendered[0].named("turn"))
        .unwrap()
        .unwrap();
    assert_eq!(again.span, from_otel(&own).unwrap().unwrap().span);
}
