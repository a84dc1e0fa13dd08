//! A span becomes attributes and a span again, and is the same.

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{Detail, Disclosure, Event, Id, Span, Timestamp};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::{
    ContentCapture, EventRebuilder, Mapping, PlacedSpan, Rendering, SpanInTrace, SpanRebuilder,
    is_agent365_operation,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::instances;

fn rebuilt(mapping: &Mapping, span: &Span) -> PlacedSpan {
    let (trace_id, parent_id) = (Id::from("trace"), Id::from("parent"));
    let in_trace = SpanInTrace::new(span)
        .with_trace(&trace_id, Some("my trace"))
        .with_parent_id(Some(&parent_id));
    let mut rebuilder = SpanRebuilder::new();
    mapping.visit_span(&in_trace, &mut |key: Key, value: AttributeValue<'_>| {
        rebuilder.attribute(&key.to_string(), value);
    });
    span.start_time
        .into_iter()
        .for_each(|time| rebuilder.start_time(time));
    span.end_time
        .into_iter()
        .for_each(|time| rebuilder.end_time(time));
    for event in &span.events {
        let mut of_event = EventRebuilder::new(event.timestamp);
        mapping.visit_event(event, span, &mut |key: Key, value: AttributeValue<'_>| {
            of_event.attribute(&key.to_string(), value);
        });
        rebuilder.event(of_event);
    }
    rebuilder.build().unwrap().unwrap()
}

const RENDERINGS: [Rendering; 2] = [Rendering::GenAi, Rendering::OpenInference];

#[track_caller]
fn check(span: &Span) {
    for rendering in RENDERINGS {
        let clear = Mapping::new(rendering).with_capture(ContentCapture::SpanAndEvent);
        let again = rebuilt(&clear, span);
        assert_eq!(&again.span, span);
        assert_eq!(again.parent_id, Some(Id::from("parent")));
        assert_eq!(again.trace.unwrap().name.as_deref(), Some("my trace"));
        let masked = rebuilt(&Mapping::new(rendering), span);
        let dump = span.dump(Disclosure::Masked).with_detail(Detail::Described);
        let shown = serde_json::to_string(&dump).unwrap();
        assert_eq!(masked.span, Span::from_json(&shown).unwrap());
    }
}

#[test]
fn the_type_of_a_span_tells_whether_agent_365_has_an_operation_for_it() {
    for profile in Profile::ALL {
        let mapping = Mapping::new(Rendering::Agent365(profile));
        for span in instances::spans() {
            let span = Span::from_json(&span.to_string()).unwrap();
            let has_operation = mapping.operation_name(&span).is_some();
            let name = span.type_name();
            assert_eq!(is_agent365_operation(name), has_operation, "{name}");
        }
    }
    assert!(!is_agent365_operation("a type of a newer version"));
}

#[test]
fn a_span_of_every_type_comes_back_with_an_event_of_every_type() {
    for span in instances::spans() {
        let mut span = Span::from_json(&span.to_string()).unwrap();
        for (_, event) in instances::events() {
            span = span.with_event(Event::from_json(&event.to_string()).unwrap());
        }
        check(&span);
    }
}

#[test]
fn what_the_model_does_not_know_comes_back() {
    let mut span = instances::span_of("ToolExecutionSpan");
    span["new_member"] = json!({"a": [1, null, "x"]});
    let mut event = instances::events().pop().unwrap().1;
    event["inputs"] = json!("text, and no object");
    let foreign = json!({
        "id": "f", "name": "F", "description": "", "timestamp": 5, "metadata": {},
        "content": null, "request_id": 7, "type": "FutureEvent",
    });
    span["events"] = json!([event, foreign]);
    check(&Span::from_json(&span.to_string()).unwrap());
    let other = json!({
        "id": "o", "name": "O", "description": "", "start_time": null, "end_time": null,
        "events": [], "metadata": {}, "tool": "hammer", "type": "FutureSpan",
    });
    check(&Span::from_json(&other.to_string()).unwrap());
}

#[test]
fn an_event_of_the_reference_that_lost_its_type_comes_back() {
    let mut span = instances::span_of("RootSpan");
    span["events"] =
        json!([{"id": "e", "name": "E", "description": "d", "timestamp": 5, "metadata": {}}]);
    check(&Span::from_json(&span.to_string()).unwrap());
}

#[test]
fn an_event_keeps_a_component_that_only_has_the_id_of_the_spans() {
    let mut span = instances::span_of("ToolExecutionSpan");
    let request = instances::events()
        .into_iter()
        .find(|(_, event)| event["type"] == "ToolExecutionRequest");
    let mut event = request.unwrap().1;
    event["tool"]["name"] = json!("another tool with the same id");
    span["events"] = json!([event]);
    check(&Span::from_json(&span.to_string()).unwrap());
}

#[test]
fn an_answer_without_text_and_numbers_comes_back() {
    let mut span = instances::span_of("LlmGenerationSpan");
    let mut events = Vec::new();
    for (_, mut event) in instances::events() {
        if event.get("completion_id").is_some() {
            for member in ["content", "completion_id", "input_tokens", "output_tokens"] {
                if event.get(member).is_some() {
                    event[member] = Value::Null;
                }
            }
            events.push(event);
        }
    }
    assert_eq!(events.len(), 2);
    span["events"] = Value::Array(events);
    check(&Span::from_json(&span.to_string()).unwrap());
}

#[test]
fn attributes_of_others_are_no_agent_spec_span() {
    let mut rebuilder = SpanRebuilder::new();
    rebuilder.attribute("gen_ai.operation.name", AttributeValue::Str("chat"));
    assert!(rebuilder.build().unwrap().is_none());
}

#[test]
fn a_span_that_lost_its_component_says_so() {
    let mut rebuilder = SpanRebuilder::new();
    rebuilder.attribute(
        "agentspec.span.type",
        AttributeValue::Str("ToolExecutionSpan"),
    );
    rebuilder.attribute("agentspec.span.id", AttributeValue::Str("s"));
    let error = rebuilder.build().unwrap_err();
    assert!(
        error.source.to_string().contains("tool"),
        "{}",
        error.source
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Value> {
    prop::collection::hash_map("[a-z]{1,6}", any_json(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// An instance with other texts, numbers and objects in it.
fn changed(mut value: Value, text: &str, number: i64, object: &Value) -> Value {
    let members = value.as_object_mut().unwrap();
    for (name, member) in members.iter_mut() {
        match (name.as_str(), &*member) {
            ("type" | "role" | "timestamp", _) => {}
            (_, Value::String(_)) => *member = json!(text),
            (_, Value::Number(_)) => *member = json!(number),
            ("metadata" | "inputs" | "outputs" | "state_snapshot" | "extra_state", _) => {
                *member = object.clone();
            }
            ("content", Value::Object(_)) => *member = object.clone(),
            _ => {}
        }
    }
    value
}

proptest! {
    #[test]
    fn any_content_comes_back(
        text in any::<String>(),
        number in any::<i64>(),
        object in any_object(),
        unknown in any_json(),
        start in any::<Option<i64>>(),
        span_index in 0..9_usize,
        event_indexes in prop::collection::vec(0..23_usize, 0..4),
    ) {
        // A mask stands for what is withheld.
        prop_assume!(text != "** MASKED **");
        let mut span = changed(instances::spans().remove(span_index), &text, 1, &object);
        span["unknown member"] = unknown.clone();
        span["start_time"] = json!(start);
        let mut span = Span::from_json(&span.to_string()).unwrap();
        for index in event_indexes {
            let mut event = changed(instances::events().remove(index).1, &text, number, &object);
            event["unknown member"] = unknown.clone();
            event["timestamp"] = json!(number);
            span = span.with_event(Event::from_json(&event.to_string()).unwrap());
        }
        span.start_time = start.map(Timestamp::from_unix_nanos);
        check(&span);
    }
}
