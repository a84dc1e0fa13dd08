//! One full instance of every type of span and event, as JSON.

use serde_json::{Value, json};

fn property(title: &str) -> Value {
    json!({"title": title, "type": "string"})
}

fn component(component_type: &str, rest: Value) -> Value {
    let mut component = json!({
        "id": format!("{component_type}-id"),
        "name": format!("{component_type} name"),
        "description": format!("{component_type} description"),
        "metadata": {},
        "component_type": component_type,
    });
    let members = rest.as_object().unwrap().clone();
    component.as_object_mut().unwrap().extend(members);
    component
}

fn model() -> Value {
    let rest = json!({
        "model_id": "gpt-4o",
        "provider": null,
        "api_provider": null,
        "default_generation_parameters": {"max_tokens": 100, "temperature": 0.25, "top_p": 0.5, "seed": 4},
    });
    component("OpenAiConfig", rest)
}

fn tool() -> Value {
    let rest = json!({"inputs": [property("city")], "outputs": [property("weather")]});
    component("ServerTool", rest)
}

fn executed(member: &str) -> Value {
    match member {
        "agent" => component(
            "Agent",
            json!({"llm_config": model(), "system_prompt": "Be kind.", "tools": [tool()]}),
        ),
        "flow" => component("Flow", json!({"nodes": []})),
        "node" => component("LlmNode", json!({"prompt_template": "Hello"})),
        "managerworkers" => component("ManagerWorkers", json!({"workers": []})),
        "swarm" => component("Swarm", json!({"relationships": []})),
        "tool" => tool(),
        "llm_config" => model(),
        other => unreachable!("no component {other}"),
    }
}

fn with(common: Value, rest: Value) -> Value {
    let mut whole = common;
    let members = rest.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(members);
    whole
}

fn span(type_name: &str, rest: Value) -> Value {
    let common = json!({
        "id": "11111111-2222-4333-8444-555555555555",
        "name": "my span",
        "description": "about it",
        "start_time": 1_765_000_000_000_000_001_i64,
        "end_time": 1_765_000_000_000_000_999_i64,
        "events": [],
        "metadata": {"color": "red"},
        "type": type_name,
    });
    with(common, rest)
}

fn event(type_name: &str, rest: Value) -> Value {
    let common = json!({
        "id": "99999999-2222-4333-8444-555555555555",
        "name": "my event",
        "description": "about the event",
        "timestamp": 1_765_000_000_000_000_500_i64,
        "metadata": {"shape": "round"},
        "type": type_name,
    });
    with(common, rest)
}

/// The members that hold the component of a span, by type of span.
const COMPONENTS: [(&str, &str); 7] = [
    ("AgentExecutionSpan", "agent"),
    ("FlowExecutionSpan", "flow"),
    ("NodeExecutionSpan", "node"),
    ("ManagerWorkersExecutionSpan", "managerworkers"),
    ("SwarmExecutionSpan", "swarm"),
    ("LlmGenerationSpan", "llm_config"),
    ("ToolExecutionSpan", "tool"),
];

/// A span of every type.
pub(crate) fn spans() -> Vec<Value> {
    let mut spans = vec![span("Span", json!({})), span("RootSpan", json!({}))];
    for (type_name, member) in COMPONENTS {
        spans.push(span(type_name, json!({member: executed(member)})));
    }
    spans
}

/// A span of this type.
pub(crate) fn span_of(type_name: &str) -> Value {
    let found = spans().into_iter().find(|span| span["type"] == type_name);
    found.unwrap()
}

fn executions() -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for (span_type, member) in COMPONENTS {
        let Some(what) = span_type.strip_suffix("Span") else {
            continue;
        };
        if !what.ends_with("Execution") || what == "ToolExecution" {
            continue;
        }
        let component = executed(member);
        let start = json!({member: component, "inputs": {"question": "why?"}});
        events.push((span_type, event(&format!("{what}Start"), start)));
        let mut end = json!({member: executed(member), "outputs": {"answer": "because"}});
        if member == "flow" || member == "node" {
            end["branch_selected"] = json!("next");
        }
        events.push((span_type, event(&format!("{what}End"), end)));
    }
    events
}

fn of_tools() -> Vec<(&'static str, Value)> {
    [
        ("ToolExecutionRequest", json!({"inputs": {"city": "Oslo"}})),
        (
            "ToolExecutionResponse",
            json!({"outputs": {"weather": "rain"}}),
        ),
        (
            "ToolConfirmationRequest",
            json!({"tool_execution_request_id": "call-2"}),
        ),
        (
            "ToolConfirmationResponse",
            json!({"execution_confirmed": true, "tool_execution_request_id": "call-2"}),
        ),
        (
            "ToolExecutionStreamingChunkReceived",
            json!({"content": "dri"}),
        ),
    ]
    .map(|(type_name, rest)| {
        let common = json!({"tool": tool(), "request_id": "call-1"});
        ("ToolExecutionSpan", event(type_name, with(common, rest)))
    })
    .into()
}

fn of_models() -> Vec<(&'static str, Value)> {
    let calls = json!([{"call_id": "call-1", "tool_name": "get_weather", "arguments": "{\"city\":\"Oslo\"}"}]);
    [
        (
            "LlmGenerationRequest",
            json!({
                "prompt": [{"id": "m-1", "content": "How is the weather?", "sender": "Ann", "role": "user"}],
                "tools": [tool()],
                "llm_generation_config": {"max_tokens": 10, "temperature": 0.75, "top_p": 0.125, "seed": 7},
            }),
        ),
        (
            "LlmGenerationChunkReceived",
            json!({"content": "I lo", "tool_calls": calls, "completion_id": "c-1", "output_tokens": 2}),
        ),
        (
            "LlmGenerationResponse",
            json!({
                "content": "I look.", "tool_calls": calls, "completion_id": "c-1",
                "input_tokens": 12, "output_tokens": 5,
            }),
        ),
    ]
    .map(|(type_name, rest)| {
        let common = json!({"llm_config": model(), "request_id": "request-1"});
        ("LlmGenerationSpan", event(type_name, with(common, rest)))
    })
    .into()
}

/// An event of every type, with the type of a span that it belongs to.
pub(crate) fn events() -> Vec<(&'static str, Value)> {
    let mut events = vec![("RootSpan", event("Event", json!({})))];
    events.extend(executions());
    events.extend(of_models());
    events.extend(of_tools());
    let exception = json!({
        "exception_type": "ValueError",
        "exception_message": "no such city",
        "exception_stacktrace": "at line 1",
    });
    events.push(("ToolExecutionSpan", event("ExceptionRaised", exception)));
    for type_name in ["HumanInTheLoopRequest", "HumanInTheLoopResponse"] {
        let rest = json!({"request_id": "ask-1", "content": {"text": "may I?"}});
        events.push(("AgentExecutionSpan", event(type_name, rest)));
    }
    let snapshot = json!({
        "conversation_id": "conversation-1",
        "state_snapshot": {"turn": 1},
        "extra_state": {"cart": []},
    });
    events.push((
        "AgentExecutionSpan",
        event("StateSnapshotEmitted", snapshot),
    ));
    events
}
