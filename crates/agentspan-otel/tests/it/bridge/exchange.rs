//! Roots, agents and flows show what went in first and came out last, so that lists of traces show it.

use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, JsonObject,
    LlmConfig, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message,
    SpanDetails,
};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::Span;
use opentelemetry_sdk::trace::SpanData;

use super::watched::{Watched, text};

fn watched(capture: ContentCapture) -> Watched {
    let renderings = [Rendering::GenAi, Rendering::OpenInference];
    Watched::with_mappings(
        capture,
        renderings.map(|rendering| Mapping::new(rendering).with_capture(capture)),
    )
}

fn agent(name: &str) -> Agent {
    Agent::try_from(Component::builder("Agent", name).build()).unwrap()
}

fn model() -> LlmConfig {
    let model = Component::builder("OpenAiConfig", "main").with_text("model_id", "gpt-4o");
    LlmConfig::try_from(model.build()).unwrap()
}

fn object(json: &serde_json::Value) -> JsonObject {
    JsonObject::from_serialize(json).unwrap()
}

/// Two agents, one within the other, of which neither says what it was given; each asks the model.
fn converse(watched: &Watched) {
    let trace = watched.trace();
    let outer = Span::builder(AgentExecutionSpan::new(agent("outer")));
    let outer = outer.start().unwrap();
    outer
        .add_event(AgentExecutionStart::new(agent("outer"), JsonObject::new()))
        .unwrap();
    let ask = |question: &str, answer: Option<&str>| {
        let span = Span::builder(LlmGenerationSpan::new(model()))
            .start()
            .unwrap();
        let prompt = vec![
            Message::new("system", "Be brief."),
            Message::new("user", question),
        ];
        span.add_event(LlmGenerationRequest::new(model(), prompt, "r"))
            .unwrap();
        if let Some(answer) = answer {
            let mut response = LlmGenerationResponse::new(model(), "r");
            response.content = agentspan_model::agentspec::Sensitive::new(Some(answer.to_owned()));
            span.add_event(response).unwrap();
        }
        span.end().unwrap();
    };
    ask("Will it rain?", Some("Yes."));
    let inner = Span::builder(AgentExecutionSpan::new(agent("inner")))
        .start()
        .unwrap();
    ask("Where?", Some("In Oslo."));
    ask("When?", None);
    inner.end().unwrap();
    outer
        .add_event(AgentExecutionEnd::new(agent("outer"), JsonObject::new()))
        .unwrap();
    outer.end().unwrap();
    trace.end().unwrap();
}

fn named(spans: &[SpanData], name: &str) -> SpanData {
    let found = spans.iter().find(|span| span.name.contains(name));
    found.unwrap_or_else(|| panic!("no span {name}")).clone()
}

#[test]
fn the_first_input_and_the_last_output_reach_agents_and_the_root() {
    let watched = watched(ContentCapture::SpanAndEvent);
    converse(&watched);
    let [gen_ai, open_inference] = watched.rendered.as_slice() else {
        panic!("two renderings");
    };
    let spans = open_inference.spans();
    for (name, input, output) in [
        ("Trace", "Will it rain?", "In Oslo."),
        ("outer", "Will it rain?", "In Oslo."),
        ("inner", "Where?", "In Oslo."),
    ] {
        let span = named(&spans, name);
        assert_eq!(text(&span, "input.value").as_deref(), Some(input), "{name}");
        assert_eq!(
            text(&span, "input.mime_type").as_deref(),
            Some("text/plain")
        );
        assert_eq!(
            text(&span, "output.value").as_deref(),
            Some(output),
            "{name}"
        );
    }
    for name in ["Trace", "outer"] {
        let span = named(&gen_ai.spans(), name);
        let input = text(&span, "gen_ai.input.messages").unwrap();
        assert!(input.contains("Will it rain?"), "{input}");
        let output = text(&span, "gen_ai.output.messages").unwrap();
        assert!(output.contains("In Oslo."), "{output}");
    }
}

#[test]
fn what_a_span_says_itself_stands_for_itself() {
    let watched = watched(ContentCapture::SpanAndEvent);
    let trace = watched.trace();
    let outer = Span::builder(AgentExecutionSpan::new(agent("outer")))
        .start()
        .unwrap();
    let given = object(&serde_json::json!({"city": "Oslo"}));
    outer
        .add_event(AgentExecutionStart::new(agent("outer"), given))
        .unwrap();
    let plain = Span::builder(SpanDetails::Plain).start().unwrap();
    let asked = LlmGenerationRequest::new(model(), vec![Message::new("user", "hi")], "r");
    plain.add_event(asked).unwrap();
    plain.end().unwrap();
    outer.end().unwrap();
    trace.end().unwrap();
    let live = watched.live.spans();
    let span = named(&live, "outer");
    assert_eq!(text(&span, "agentspec.first_input"), None);
    let spans = watched.rendered[1].spans();
    let input = |name| text(&named(&spans, name), "input.value");
    assert_eq!(input("outer").as_deref(), Some(r#"{"city":"Oslo"}"#));
    assert_eq!(input("Trace").as_deref(), Some(r#"{"city":"Oslo"}"#));
}

#[test]
fn without_contents_nothing_is_passed_on() {
    let watched = watched(ContentCapture::NoContent);
    converse(&watched);
    let mut all = watched.live.spans();
    all.extend(
        watched
            .rendered
            .iter()
            .flat_map(|rendered| rendered.spans()),
    );
    let all = format!("{all:?}");
    assert!(!all.contains("rain") && !all.contains("Oslo"));
}
