//! Whatever spans and events hold: they come back from their dumps, and nothing sensitive gets out.

use std::sync::Arc;

use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, Disclosure,
    Event, EventDetails, ExceptionRaised, Flow, FlowExecutionEnd, FlowExecutionSpan,
    FlowExecutionStart, HumanInTheLoopRequest, HumanInTheLoopResponse, Id, Json, JsonObject,
    LlmConfig, LlmGenerationChunkReceived, LlmGenerationConfig, LlmGenerationRequest,
    LlmGenerationResponse, LlmGenerationSpan, MASK, ManagerWorkers, ManagerWorkersExecutionEnd,
    ManagerWorkersExecutionSpan, ManagerWorkersExecutionStart, Message, Node, NodeExecutionEnd,
    NodeExecutionSpan, NodeExecutionStart, Recording, Span, SpanDetails, StateSnapshotEmitted,
    Swarm, SwarmExecutionEnd, SwarmExecutionSpan, SwarmExecutionStart, Timestamp, Tool, ToolCall,
    ToolConfirmationRequest, ToolConfirmationResponse, ToolExecutionRequest, ToolExecutionResponse,
    ToolExecutionSpan, ToolExecutionStreamingChunkReceived,
};
use proptest::prelude::*;

/// In every value that must not get out, and in no other.
const SECRET: &str = "5ECRET";

fn component<T: TryFrom<Component>>(class: &str) -> T {
    let component = Component::builder(class, "a name")
        .with_id(format!("id of {class}"))
        .with_text("model_id", "m")
        .with_text("api_key", SECRET)
        .with_json(
            "sensitive_headers",
            Json::from(serde_json::json!({ "x": SECRET })),
        )
        .build();
    T::try_from(component).unwrap_or_else(|_| unreachable!("{class} fits"))
}

fn tool() -> Tool {
    component("RemoteTool")
}

fn llm() -> LlmConfig {
    component("OpenAiConfig")
}

/// Any JSON in which each text holds the secret.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        text().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(text(), inner, 0..5).prop_map(serde_json::Value::from_iter),
        ]
    })
}

/// Any text with the secret in it.
fn text() -> impl Strategy<Value = String> {
    (".{0,8}", ".{0,8}").prop_map(|(before, after)| format!("{before}{SECRET}{after}"))
}

fn object() -> impl Strategy<Value = JsonObject> {
    prop::collection::btree_map(text(), json(), 0..4)
        .prop_map(|map| JsonObject::from_serialize(&map).unwrap())
}

fn tool_calls() -> impl Strategy<Value = Vec<ToolCall>> {
    let call = (text(), text(), text()).prop_map(|(id, name, args)| ToolCall::new(id, name, args));
    prop::collection::vec(call, 0..3)
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let message = (".{0,8}", text(), any::<bool>()).prop_map(|(role, content, has_id)| {
        let message = Message::new(role, content);
        if has_id {
            message.with_id("m").with_sender(SECRET)
        } else {
            message
        }
    });
    prop::collection::vec(message, 0..3)
}

/// Details that consist of a component and an object.
fn executions() -> impl Strategy<Value = EventDetails> {
    let agent = || component::<Agent>("Agent");
    let flow = || component::<Flow>("Flow");
    let node = || component::<Node>("LlmNode");
    let group = || component::<ManagerWorkers>("ManagerWorkers");
    let swarm = || component::<Swarm>("Swarm");
    (0..10, object()).prop_map(move |(kind, object)| match kind {
        0 => AgentExecutionStart::new(agent(), object).into(),
        1 => AgentExecutionEnd::new(agent(), object).into(),
        2 => FlowExecutionStart::new(flow(), object).into(),
        3 => FlowExecutionEnd::new(flow(), object, "next").into(),
        4 => NodeExecutionStart::new(node(), object).into(),
        5 => NodeExecutionEnd::new(node(), object, "next").into(),
        6 => ManagerWorkersExecutionStart::new(group(), object).into(),
        7 => ManagerWorkersExecutionEnd::new(group(), object).into(),
        8 => SwarmExecutionStart::new(swarm(), object).into(),
        _ => SwarmExecutionEnd::new(swarm(), object).into(),
    })
}

fn others() -> impl Strategy<Value = EventDetails> {
    (0..10, object(), text(), text()).prop_map(|(kind, object, one, two)| match kind {
        0 => ToolExecutionRequest::new(tool(), object, "r").into(),
        1 => ToolExecutionResponse::new(tool(), object, "r").into(),
        2 => ToolExecutionStreamingChunkReceived::new(tool(), "r", one).into(),
        3 => ToolConfirmationRequest::new(tool(), "r").into(),
        4 => ToolConfirmationResponse::rejected(tool(), "r").into(),
        5 => HumanInTheLoopRequest::new("r", object).into(),
        6 => HumanInTheLoopResponse::new("r", object).into(),
        7 => ExceptionRaised::new("E", one).with_stacktrace(two).into(),
        8 => StateSnapshotEmitted::of_extra_state("c", object).into(),
        _ => StateSnapshotEmitted::new("c", object.clone())
            .with_extra_state(object)
            .into(),
    })
}

fn generations() -> impl Strategy<Value = EventDetails> {
    let parts = (tool_calls(), messages(), text(), any::<f64>(), any::<i64>());
    (0..3, parts).prop_map(
        |(kind, (calls, messages, text, number, tokens))| match kind {
            0 => {
                let config = LlmGenerationConfig::new().with_max_tokens(tokens);
                let number = if number.is_finite() { number } else { 0.5 };
                LlmGenerationRequest::new(llm(), messages, "r")
                    .with_tools([tool()])
                    .with_llm_generation_config(config.with_temperature(number))
                    .into()
            }
            1 => LlmGenerationChunkReceived::new(llm(), "r")
                .with_tool_calls(calls)
                .into(),
            _ => LlmGenerationResponse::new(llm(), "r")
                .with_content(text)
                .with_tool_calls(calls)
                .with_output_tokens(tokens)
                .into(),
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let details = prop_oneof![
        Just(EventDetails::Plain),
        executions(),
        others(),
        generations()
    ];
    (any::<u64>(), any::<i64>(), ".{0,6}", details).prop_map(|(id, time, name, details)| {
        let metadata = JsonObject::from_serialize(&serde_json::json!({"b": [1.5], "a": null}));
        Event::new(
            Id::from(id.to_string()),
            Timestamp::from_unix_nanos(time),
            details,
        )
        .with_name(name)
        .with_metadata(metadata.unwrap())
    })
}

fn span() -> impl Strategy<Value = Span> {
    let details = (0..9).prop_map(|kind| match kind {
        0 => SpanDetails::Plain,
        1 => SpanDetails::Root,
        2 => AgentExecutionSpan::new(component("Agent")).into(),
        3 => FlowExecutionSpan::new(component("Flow")).into(),
        4 => NodeExecutionSpan::new(component("ToolNode")).into(),
        5 => LlmGenerationSpan::new(llm()).into(),
        6 => ManagerWorkersExecutionSpan::new(component("ManagerWorkers")).into(),
        7 => SwarmExecutionSpan::new(component("Swarm")).into(),
        _ => ToolExecutionSpan::new(tool()).into(),
    });
    let events = prop::collection::vec(event(), 0..6);
    (".{0,50}", details, events).prop_map(|(id, details, events)| {
        let mut span = Span::new(Id::from(id), details);
        span.events = events.into_iter().map(Arc::new).collect();
        span
    })
}

proptest! {
    #[test]
    fn spans_come_back_from_both_dumps(span in span()) {
        let clear = serde_json::to_string(&span.dump(Disclosure::Clear)).unwrap();
        prop_assert_eq!(&Span::from_json(&clear).unwrap(), &span);

        let masked = serde_json::to_string(&span).unwrap();
        let read = Span::from_json(&masked).unwrap();
        prop_assert_eq!(serde_json::to_string(&read.dump(Disclosure::Clear)).unwrap(), masked);
    }

    #[test]
    fn nothing_sensitive_gets_out(span in span()) {
        let masked = serde_json::to_string(&span.dump(Disclosure::Masked)).unwrap();
        prop_assert!(!masked.contains(SECRET));
        prop_assert!(!serde_json::to_string(&span).unwrap().contains(SECRET));
        let debug = format!("{span:?} {:?}", span.dump(Disclosure::Clear));
        prop_assert!(!debug.contains(SECRET));
        for event in &span.events {
            let (masked, debug) = (serde_json::to_string(&**event).unwrap(), format!("{event:#?}"));
            prop_assert!(!masked.contains(SECRET) && !debug.contains(SECRET));
        }
    }

    #[test]
    fn errors_do_not_quote(event in event(), at in any::<prop::sample::Index>(), by in "[\\[{}0\"x]") {
        let mut text = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
        let places: Vec<_> = text.char_indices().map(|(place, _)| place).collect();
        let at = places[at.index(places.len())];
        text.insert_str(at, &by);
        if let Err(error) = Event::from_json(&text) {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(SECRET));
        }
    }
}

#[test]
fn a_clear_dump_shows_sensitive_values_and_no_secrets_of_components() {
    let event = Event::new(
        Id::from("e"),
        Timestamp::from_unix_nanos(1),
        LlmGenerationResponse::new(llm(), "r").with_content("an answer"),
    );
    let clear = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
    assert!(clear.contains(r#""content":"an answer""#));
    assert!(!clear.contains(SECRET) && !clear.contains(MASK));
}

#[test]
fn what_reads_and_builds_does_not_show_what_it_holds() {
    let builder = Component::builder("OpenAiConfig", "n").with_text("api_key", SECRET);
    assert!(!format!("{builder:?}").contains(SECRET));

    let line = format!(
        r#"{{"hook":"on_start","span":{{"id":"s","llm_config":{{"id":"l","name":"l","api_key":"{SECRET}","component_type":"OpenAiConfig"}},"type":"LlmGenerationSpan"}}}}"#
    );
    let mut recording = Recording::new(line.as_bytes());
    let hook = recording.next().unwrap().unwrap();
    assert!(!format!("{recording:?} {hook:?}").contains(SECRET));
}
