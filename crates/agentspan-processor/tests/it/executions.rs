//! Executions of components in one expression: which span and events they make, whatever the code inside does.

use std::pin::Pin;
use std::task::{Context, Poll};

use agentspan_model::agentspec::{
    Agent, Disclosure, Event, Flow, LlmConfig, ManagerWorkers, Message, Node, Property, Swarm, Tool,
};
use agentspan_processor::execution::{
    AgentExecution, FlowExecution, LlmGeneration, ManagerWorkersExecution, NodeExecution,
    SwarmExecution, ToolExecution,
};
use agentspan_processor::span_processor::Hook;
use agentspan_processor::{ErrorPolicy, HookError, InMemory, Trace, TraceError, current_span};
use futures_executor::{block_on, block_on_stream};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, json};

/// What a run shows to a processor that sees clear text.
fn seen(run: impl FnOnce()) -> InMemory {
    let seen = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = Trace::builder()
        .with_processor(seen.clone())
        .start()
        .unwrap();
    run();
    trace.end().unwrap();
    seen
}

/// The events of a span as JSON, without ids and times.
fn events(seen: &InMemory, span: &str) -> Vec<Value> {
    let span = seen.span(span).unwrap();
    let dump = |event: &Event| {
        let mut event: Value = serde_json::to_value(event.dump(Disclosure::Clear)).unwrap();
        let members = event.as_object_mut().unwrap();
        let kept = [
            "type",
            "inputs",
            "outputs",
            "branch_selected",
            "request_id",
            "content",
            "input_tokens",
            "output_tokens",
            "exception_type",
        ];
        members.retain(|name, _| kept.contains(&name.as_str()));
        event
    };
    span.span.events.iter().map(|event| dump(event)).collect()
}

fn tool() -> Tool {
    Tool::new("forecast")
}

#[test]
fn each_kind_of_component_has_its_span_and_its_events() {
    macro_rules! check {
        ($execution:ident, $component:expr, $span:literal, $start:literal, $end:literal) => {{
            let component = $component;
            let execution = || $execution::of(&component).with_inputs(&json!({ "city": "Bern" }));
            for asynchronous in [false, true] {
                let seen = seen(|| {
                    let outputs = json!({ "weather": "sunny" });
                    let returned = if asynchronous {
                        block_on(execution().run(|_| async { Ok::<_, TraceError>(outputs) }))
                    } else {
                        execution().in_span(|_| Ok::<_, TraceError>(outputs))
                    };
                    assert_eq!(returned.unwrap()["weather"], "sunny");
                });
                let span = seen.span(component.name()).unwrap();
                assert_eq!(span.span.type_name(), $span);
                let events = events(&seen, component.name());
                assert_eq!(events.len(), 2);
                assert_eq!(events[0]["type"], $start);
                assert_eq!(events[0]["inputs"], json!({ "city": "Bern" }));
                assert_eq!(events[1]["type"], $end);
                assert_eq!(events[1]["outputs"], json!({ "weather": "sunny" }));
            }
        }};
    }
    let agent = || Agent::new("agent");
    check!(
        AgentExecution,
        agent(),
        "AgentExecutionSpan",
        "AgentExecutionStart",
        "AgentExecutionEnd"
    );
    check!(
        FlowExecution,
        Flow::new("flow"),
        "FlowExecutionSpan",
        "FlowExecutionStart",
        "FlowExecutionEnd"
    );
    let node = Node::tool_node("node", tool());
    check!(
        NodeExecution,
        node,
        "NodeExecutionSpan",
        "NodeExecutionStart",
        "NodeExecutionEnd"
    );
    check!(
        ToolExecution,
        tool(),
        "ToolExecutionSpan",
        "ToolExecutionRequest",
        "ToolExecutionResponse"
    );
    let swarm = Swarm::new("swarm", agent());
    check!(
        SwarmExecution,
        swarm,
        "SwarmExecutionSpan",
        "SwarmExecutionStart",
        "SwarmExecutionEnd"
    );
    let managed = ManagerWorkers::new("managed", agent());
    check!(
        ManagerWorkersExecution,
        managed,
        "ManagerWorkersExecutionSpan",
        "ManagerWorkersExecutionStart",
        "ManagerWorkersExecutionEnd"
    );
}

#[test]
fn request_and_response_of_a_tool_have_one_id_and_branches_are_recorded() {
    let seen = seen(|| {
        ToolExecution::of(&tool())
            .in_span(|_| Ok::<_, TraceError>(()))
            .unwrap();
        let given = ToolExecution::of(&Tool::new("given")).with_request_id("call-7");
        given.in_span(|_| Ok::<_, TraceError>(())).unwrap();
        let node = Node::tool_node("node", tool());
        let node = NodeExecution::of(&node).with_branch("retry");
        node.in_span(|_| Ok::<_, TraceError>(())).unwrap();
        FlowExecution::of(&Flow::new("flow"))
            .in_span(|_| Ok::<_, TraceError>(()))
            .unwrap();
    });
    let ids = |span| -> Vec<Value> {
        let events = events(&seen, span);
        events
            .iter()
            .map(|event| event["request_id"].clone())
            .collect()
    };
    let random = ids("forecast");
    assert!(random[0] == random[1] && random[0].is_string());
    assert_eq!(ids("given"), ["call-7", "call-7"]);
    assert_eq!(events(&seen, "node")[1]["branch_selected"], "retry");
    assert_eq!(events(&seen, "flow")[1]["branch_selected"], "next");
}

#[test]
fn values_that_are_no_objects_get_the_names_that_the_component_declares() {
    let declared = tool()
        .with_input(Property::new("city", "string"))
        .with_output(Property::new("weather", "string"));
    let several = Tool::new("several")
        .with_input(Property::new("city", "string"))
        .with_input(Property::new("day", "string"));
    let seen = seen(|| {
        let execution = ToolExecution::of(&declared).with_inputs("Bern");
        execution.in_span(|_| Ok::<_, TraceError>("sunny")).unwrap();
        let execution = ToolExecution::of(&several).with_inputs(&["Bern", "today"]);
        execution.in_span(|_| Ok::<_, TraceError>(7)).unwrap();
        let nothing = Tool::new("nothing");
        ToolExecution::of(&nothing)
            .with_inputs(&())
            .in_span(|_| Ok::<_, TraceError>(()))
            .unwrap();
    });
    let values = |span| {
        let events = events(&seen, span);
        (events[0]["inputs"].clone(), events[1]["outputs"].clone())
    };
    assert_eq!(
        values("forecast"),
        (json!({ "city": "Bern" }), json!({ "weather": "sunny" }))
    );
    assert_eq!(
        values("several"),
        (
            json!({ "input": ["Bern", "today"] }),
            json!({ "output": 7 })
        )
    );
    assert_eq!(values("nothing"), (json!({}), json!({})));
}

/// Fails or panics when it is serialised.
#[derive(Debug, PartialEq)]
struct Stubborn {
    panics: bool,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        assert!(!self.panics, "it panics when it is serialised");
        Err(S::Error::custom("it cannot be serialised"))
    }
}

#[test]
fn a_value_that_does_not_serialise_is_left_out_and_the_program_still_gets_it() {
    for panics in [false, true] {
        let seen = seen(|| {
            let execution = ToolExecution::of(&tool()).with_inputs(&Stubborn { panics });
            let outputs = execution.in_span(|_| Ok::<_, TraceError>(Stubborn { panics }));
            assert_eq!(outputs.unwrap(), Stubborn { panics });
        });
        let events = events(&seen, "forecast");
        assert_eq!(events.len(), 2);
        assert_eq!(
            (&events[0]["inputs"], &events[1]["outputs"]),
            (&json!({}), &json!({}))
        );
    }
}

#[test]
fn nothing_is_serialised_that_nobody_observes() {
    let execution = ToolExecution::of(&tool()).with_inputs(&Stubborn { panics: true });
    let panics_before = agentspan_queue::contain::panics();
    block_on(execution.run(|_| async { Ok::<_, TraceError>(Stubborn { panics: true }) })).unwrap();
    assert_eq!(agentspan_queue::contain::panics(), panics_before);
}

#[test]
fn a_failed_execution_has_an_exception_in_place_of_its_end() {
    let fails = || std::io::Error::other("no network");
    let seen = seen(|| {
        let execution = ToolExecution::of(&tool());
        let failed: Result<(), Box<dyn std::error::Error>> =
            execution.in_span(|_| Err(Box::from(fails())));
        failed.unwrap_err();
        let model = LlmConfig::openai("gpt-4o");
        let failed: Result<(), Box<dyn std::error::Error>> =
            block_on(LlmGeneration::of(&model).run(|_| async { Err(Box::from(fails())) }));
        failed.unwrap_err();
    });
    for (span, first) in [
        ("forecast", "ToolExecutionRequest"),
        ("gpt-4o", "LlmGenerationRequest"),
    ] {
        let events = events(&seen, span);
        assert_eq!(
            (events.len(), &events[0]["type"], &events[1]["type"]),
            (2, &json!(first), &json!("ExceptionRaised"))
        );
    }
}

#[test]
fn a_generation_records_pieces_tokens_and_the_whole_text() {
    let model = LlmConfig::openai("gpt-4o");
    let seen = seen(|| {
        let generation = LlmGeneration::of(&model)
            .with_name("streamed")
            .with_prompt([Message::new("user", "Will it rain?")]);
        let run = generation.run(|generation| async move {
            assert!(current_span().unwrap().is_same(&generation));
            generation.add_text("It ")?;
            generation.add_text("rains.")?;
            generation.set_tokens(12, 5);
            Ok::<_, TraceError>(())
        });
        block_on(run).unwrap();
        let whole = LlmGeneration::of(&model)
            .with_name("whole")
            .with_request_id("ask-1");
        let run = whole.in_span(|generation| {
            generation.set_text("It rains.");
            Ok::<_, TraceError>(())
        });
        run.unwrap();
    });
    let streamed = events(&seen, "streamed");
    let types: Vec<_> = streamed
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let chunk = "LlmGenerationChunkReceived";
    assert_eq!(
        types,
        [
            "LlmGenerationRequest",
            chunk,
            chunk,
            "LlmGenerationResponse"
        ]
    );
    assert_eq!(streamed[3]["content"], "It rains.");
    assert_eq!(
        (&streamed[3]["input_tokens"], &streamed[3]["output_tokens"]),
        (&json!(12), &json!(5))
    );
    assert!(
        streamed
            .iter()
            .all(|event| event["request_id"] == streamed[0]["request_id"])
    );
    let whole = events(&seen, "whole");
    assert_eq!(whole.len(), 2);
    assert_eq!(
        (&whole[1]["content"], &whole[1]["request_id"]),
        (&json!("It rains."), &json!("ask-1"))
    );
}

/// A stream of these pieces, which notes the span that is current when it is polled and dropped.
struct Pieces {
    pieces: std::array::IntoIter<&'static str, 2>,
    span: agentspan_model::agentspec::Id,
}

impl futures_core::Stream for Pieces {
    type Item = &'static str;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<&'static str>> {
        assert_eq!(*current_span().unwrap().id(), self.span);
        Poll::Ready(self.pieces.next())
    }
}

#[test]
fn a_stream_that_outlives_the_call_ends_its_generation_when_it_ends_or_is_dropped() {
    let model = LlmConfig::openai("gpt-4o");
    let start = |name: &'static str| {
        let generation = LlmGeneration::of(&model).with_name(name).start().unwrap();
        assert!(!generation.has_ended());
        let pieces = Pieces {
            pieces: ["It ", "rains."].into_iter(),
            span: generation.id().clone(),
        };
        generation.record_stream(pieces, |generation, piece| generation.add_text(piece))
    };
    let seen = seen(|| {
        let read: String = block_on_stream(start("read")).collect();
        assert_eq!(read, "It rains.");
        let mut dropped = block_on_stream(start("dropped"));
        assert_eq!(dropped.next(), Some("It "));
        drop(dropped);
        LlmGeneration::of(&model)
            .with_name("ended")
            .start()
            .unwrap()
            .end()
            .unwrap();
        let failed = LlmGeneration::of(&model)
            .with_name("failed")
            .start()
            .unwrap();
        failed.fail(&"overloaded").unwrap();
    });
    let last = |span| events(&seen, span).pop().unwrap();
    assert_eq!(last("read")["content"], "It rains.");
    assert_eq!(last("dropped")["type"], "ExceptionRaised");
    assert_eq!(events(&seen, "dropped").len(), 3);
    assert_eq!(last("ended")["type"], "LlmGenerationResponse");
    assert_eq!(last("failed")["type"], "ExceptionRaised");
    assert!(seen.open_spans().is_empty());
}

#[test]
fn a_generation_that_nobody_observes_keeps_nothing() {
    let model = LlmConfig::openai("gpt-4o");
    let run = LlmGeneration::of(&model).in_span(|generation| {
        generation.add_text("It rains.")?;
        assert_eq!(generation.event_count(), 0);
        Ok::<_, TraceError>(())
    });
    run.unwrap();
    let stream = LlmGeneration::of(&model).start().unwrap();
    stream.end().unwrap();
}

#[test]
fn futures_and_streams_of_executions_are_send() {
    fn check_send<T: Send>(_: T) {}
    let model = LlmConfig::openai("gpt-4o");
    check_send(ToolExecution::of(&tool()).run(|_| async { Ok::<_, TraceError>(()) }));
    check_send(LlmGeneration::of(&model).run(|_| async { Ok::<_, TraceError>(()) }));
    check_send(LlmGeneration::of(&model).start().unwrap());
}

#[test]
fn a_generation_whose_first_hook_fails_was_not_cancelled() {
    let failing = crate::recorder::Recorder::behaving(|hook, _| match hook {
        Hook::OnEvent => Err(HookError::message("the disk is full")),
        _ => Ok(()),
    });
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = Trace::builder()
        .with_error_policy(ErrorPolicy::Propagate)
        .with_processor(memory.clone())
        .with_processor(failing);
    let trace = trace.start().unwrap();
    let generation = LlmGeneration::of(&LlmConfig::openai("gpt-4o"))
        .with_name("g")
        .start();
    let Err(TraceError::Hook { .. }) = generation else {
        panic!("{generation:?}");
    };
    trace.end().unwrap();
    let events = events(&memory, "g");
    let text = serde_json::to_string(&events).unwrap();
    assert!(
        text.contains("ExceptionRaised") && !text.contains("Cancelled"),
        "{text}"
    );
}
