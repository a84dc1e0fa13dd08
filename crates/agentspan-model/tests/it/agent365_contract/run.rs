//! A run of an agent in which nothing is wrong, on both wires.

use serde_json::{Map, Value, json};

pub(super) const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
pub(super) const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";
pub(super) const BLUEPRINT: &str = "b0000000-0000-0000-0000-00000000000b";
pub(super) const PERSON: &str = "c0000000-0000-0000-0000-00000000000c";
pub(super) const AGENT_USER: &str = "d0000000-0000-0000-0000-00000000000d";

pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(super) const ROOT: &str = "00f067aa0ba90201";
pub(super) const CHAT: &str = "00f067aa0ba90202";
pub(super) const TOOL: &str = "00f067aa0ba90203";
pub(super) const OUTPUT: &str = "00f067aa0ba90204";

/// The root, a call to a model, a call to a tool and the answer, on the flat wire.
pub(super) fn spans() -> Vec<Value> {
    let root = span(
        ROOT,
        None,
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.input.messages": "[]", "gen_ai.output.messages": "[]",
            "server.address": "agent.example.com", "server.port": "443",
        }),
    );
    let chat = span(
        CHAT,
        Some(ROOT),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": "[]", "gen_ai.output.messages": "[]",
            "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
            "server.address": "api.example.com", "server.port": "443",
        }),
    );
    let tool = span(
        TOOL,
        Some(CHAT),
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather", "gen_ai.tool.type": "function", "gen_ai.tool.call.id": "call-1",
            "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "{\"on\": \"2026-11-28\"}",
            "server.address": "tool.example.com", "server.port": "443",
        }),
    );
    let output = span(
        OUTPUT,
        Some(ROOT),
        json!({"gen_ai.operation.name": "output_messages", "gen_ai.output.messages": "[]"}),
    );
    vec![root, chat, tool, output]
}

fn span(id: &str, parent: Option<&str>, own: Value) -> Value {
    let mut attributes = json!({
        "microsoft.tenant.id": TENANT,
        "gen_ai.agent.id": AGENT,
        "gen_ai.agent.name": "Weather Bot",
        "microsoft.a365.agent.blueprint.id": BLUEPRINT,
        "gen_ai.conversation.id": "conversation-1",
        "microsoft.channel.name": "msteams",
        "client.address": "192.0.2.7",
        "user.id": PERSON,
    });
    let Value::Object(own) = own else {
        return Value::Null;
    };
    attributes.as_object_mut().unwrap().extend(own);
    json!({
        "traceId": TRACE,
        "spanId": id,
        "parentSpanId": parent,
        "name": attributes["gen_ai.operation.name"],
        "kind": "CLIENT",
        "startTimeUnixNano": 1_765_000_000_000_000_000_u64,
        "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": attributes,
        "status": {"code": "UNSET", "message": ""},
    })
}

/// The span of a web server, which is not sent to Agent 365.
pub(super) fn web_span(id: &str, parent: Option<&str>) -> Value {
    let mut span = span(id, parent, json!({"http.request.method": "POST"}));
    span["name"] = json!("POST /chat");
    span
}

pub(super) fn body(spans: Vec<Value>) -> Value {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]})
}

/// The same span as standard OTLP/JSON, with values as they are.
pub(super) fn standard(span: &Value) -> Value {
    let mut span = span.clone();
    let Value::Object(attributes) = span["attributes"].take() else {
        return Value::Null;
    };
    let attributes = attributes.into_iter().map(|(key, value)| {
        let value = match value {
            Value::Number(number) => json!({"intValue": number.to_string()}),
            Value::Bool(truth) => json!({"boolValue": truth}),
            value => json!({"stringValue": value}),
        };
        json!({"key": key, "value": value})
    });
    span["attributes"] = attributes.collect();
    span["kind"] = json!(3);
    span["status"] = json!({"code": 0});
    for time in ["startTimeUnixNano", "endTimeUnixNano"] {
        span[time] = json!(span[time].to_string());
    }
    if span["parentSpanId"].is_null() {
        span.as_object_mut()
            .map(|span: &mut Map<_, _>| span.remove("parentSpanId"));
    }
    span
}
