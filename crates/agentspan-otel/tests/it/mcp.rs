//! Spans of messages of the Model Context Protocol.

use std::io;

use agentspan_model::agent365::Endpoint;
use agentspan_model::agent365::{
    AgentDetails, AgentId, InvokeAgentDetails, Profile, TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{Mapping, Rendering};
use agentspan_model::mcp::{McpRequest, McpTransport};
use agentspan_otel::{ExecuteToolScope, InvokeAgentScope, Masked, McpScope, Rendered, ScopeTracer};
use futures_executor::block_on;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData, SpanExporter as _};
use serde_json::{Map, Value, json};

use crate::recorder::Recorder;

fn text(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|it| it.key.as_str() == key);
    let value = found.next().map(|it| it.value.to_string());
    assert!(found.next().is_none(), "{key}");
    value
}

#[track_caller]
fn check(span: &SpanData, expected: &[(&str, Option<&str>)]) {
    for (key, value) in expected {
        assert_eq!(text(span, key).as_deref(), *value, "{key}");
    }
}

/// A call of a tool, as its client and its server see it.
pub(crate) fn weather() -> McpRequest {
    let call = ToolCallDetails::new("get-weather").with_arguments(r#"{"city":"Oslo"}"#);
    McpRequest::tool_call(call)
        .with_request_id(7)
        .with_session_id("s-1")
        .with_protocol_version("2025-11-25")
        .with_transport(McpTransport::Http)
        .with_server(Endpoint::new("mcp.example").with_port(8080))
}

#[test]
fn a_call_of_a_tool_is_a_client_span_and_an_execute_tool_span() {
    let recorder = Recorder::new();
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    let scope = McpScope::client(&weather()).with_tracer(&tracer).start();
    scope.record_tool_result(&json!({"temperature": 3}));
    scope.end();
    let span = recorder.span();
    assert_eq!(span.name, "tools/call get-weather");
    assert_eq!(span.span_kind, SpanKind::Client);
    check(
        &span,
        &[
            ("mcp.method.name", Some("tools/call")),
            ("gen_ai.operation.name", Some("execute_tool")),
            ("gen_ai.tool.name", Some("get-weather")),
            ("gen_ai.tool.call.arguments", Some(r#"{"city":"Oslo"}"#)),
            ("gen_ai.tool.call.result", Some(r#"{"temperature": 3}"#)),
            ("jsonrpc.request.id", Some("7")),
            ("mcp.session.id", Some("s-1")),
            ("mcp.protocol.version", Some("2025-11-25")),
            ("network.transport", Some("tcp")),
            ("server.address", Some("mcp.example")),
            ("server.port", Some("8080")),
        ],
    );
}

#[test]
fn messages_that_call_no_tool_are_no_operation() {
    let cases = [
        (McpRequest::new("initialize"), "initialize", None, None),
        (
            McpRequest::prompt("analyze"),
            "prompts/get analyze",
            Some("analyze"),
            None,
        ),
        (
            McpRequest::resource("file:///a"),
            "resources/read",
            None,
            Some("file:///a"),
        ),
    ];
    for (request, name, prompt, uri) in cases {
        let recorder = Recorder::new();
        McpScope::client(&request)
            .with_tracer(&recorder.tracer)
            .start()
            .end();
        let span = recorder.span();
        assert_eq!(span.name, name);
        check(
            &span,
            &[
                ("gen_ai.operation.name", None),
                ("gen_ai.prompt.name", prompt),
                ("mcp.resource.uri", uri),
                ("mcp.method.name", Some(request.method())),
            ],
        );
    }
}

#[test]
fn a_server_span_is_below_the_client_and_linked_to_the_connection() {
    let recorder = Recorder::new();
    let tracer = &recorder.tracer;
    let client = McpScope::client(&weather()).with_tracer(tracer).start();
    let mut meta = Map::new();
    client.inject_meta(&mut meta);
    let of_client = client.span_context();
    let http = InvokeAgentScope::builder(&InvokeAgentDetails::new(agent("server")))
        .with_tracer(tracer)
        .start();
    let of_http = http.span_context();
    http.in_scope_infallible(|_| {
        McpScope::server(&weather())
            .with_tracer(tracer)
            .with_meta(&meta)
            .start()
            .end();
    });
    let span = recorder.named("tools/call get-weather");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id, of_client.span_id());
    assert_eq!(span.span_context.trace_id(), of_client.trace_id());
    assert!(span.parent_span_is_remote);
    let links: Vec<_> = span
        .links
        .iter()
        .map(|link| link.span_context.clone())
        .collect();
    assert_eq!(links, [of_http]);
}

#[test]
fn a_server_span_without_a_trace_in_the_message_is_below_the_connection() {
    for meta in [
        json!({}),
        json!({"traceparent": "garbage"}),
        json!({"traceparent": 7}),
    ] {
        let recorder = Recorder::new();
        let tracer = &recorder.tracer;
        let http = InvokeAgentScope::builder(&InvokeAgentDetails::new(agent("server")))
            .with_tracer(tracer)
            .start();
        let of_http = http.span_context().span_id();
        let Value::Object(meta) = meta else { panic!() };
        http.in_scope_infallible(|_| {
            McpScope::server(&weather())
                .with_tracer(tracer)
                .with_meta(&meta)
                .start()
                .end();
        });
        let span = recorder.named("tools/call get-weather");
        assert_eq!(span.parent_span_id, of_http);
        assert_eq!(span.links.iter().count(), 0);
    }
}

#[test]
fn failures_are_named_as_the_conventions_have_it() {
    let recorder = Recorder::new();
    let start = || {
        McpScope::client(&weather())
            .with_tracer(&recorder.tracer)
            .start()
    };
    let scope = start();
    scope.record_tool_error();
    scope.end();
    let scope = start();
    scope.record_rpc_error(-32602, "no such city");
    scope.end();
    let broken = start().in_scope(|_| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)));
    broken.unwrap_err();
    let spans = recorder.spans();
    check(
        &spans[0],
        &[
            ("error.type", Some("tool_error")),
            ("rpc.response.status_code", None),
        ],
    );
    assert_eq!(spans[0].status, Status::error("the tool failed"));
    check(
        &spans[1],
        &[
            ("error.type", Some("-32602")),
            ("rpc.response.status_code", Some("-32602")),
        ],
    );
    assert_eq!(spans[1].status, Status::error("no such city"));
    assert!(matches!(spans[2].status, Status::Error { .. }));
}

#[test]
fn a_tool_scope_takes_the_message_instead_of_a_second_span() {
    let recorder = Recorder::new();
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    let call = ToolCallDetails::new("get-weather");
    let scope = ExecuteToolScope::builder(&call)
        .with_tracer(&tracer)
        .start();
    scope.record_mcp_request(&weather());
    let mut meta = Map::new();
    scope.inject_meta(&mut meta);
    let ids = scope.span_context();
    let parent = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
    assert_eq!(meta["traceparent"], json!(parent));
    scope.end();
    let span = recorder.span();
    assert_eq!(span.name, "execute_tool get-weather");
    check(
        &span,
        &[
            ("mcp.method.name", Some("tools/call")),
            ("jsonrpc.request.id", Some("7")),
            ("server.address", Some("mcp.example")),
        ],
    );
    assert_ne!(span.span_context.span_id(), SpanId::INVALID);
}

#[test]
fn a_message_belongs_to_the_scope_around_it_or_to_whom_it_is_said_to() {
    let recorder = Recorder::new();
    let tracer = &recorder.tracer;
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let list = McpRequest::new("tools/list");
    InvokeAgentScope::builder(&InvokeAgentDetails::new(agent("agent-1")))
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|_| McpScope::client(&list).with_tracer(tracer).start().end());
    let whose = [
        ("tenant.id", Some("tenant-1")),
        ("gen_ai.agent.id", Some("agent-1")),
    ];
    check(&recorder.named("tools/list"), &whose);
    let recorder = Recorder::new();
    let agent = agent("agent-1");
    McpScope::client(&list)
        .with_tracer(&recorder.tracer)
        .with_agent(&agent)
        .with_tenant(&tenant)
        .start()
        .end();
    check(&recorder.span(), &whose);
}

fn agent(id: &str) -> AgentDetails {
    AgentDetails::new(AgentId::parse(id).unwrap())
}

/// What a destination gets of a call and of a resource, in these words.
fn rendered(rendering: Rendering, disclosure: Disclosure) -> Vec<SpanData> {
    let recorder = Recorder::new();
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V0_1);
    let scope = McpScope::client(&weather()).with_tracer(&tracer).start();
    scope.record_tool_result(&json!({"temperature": "cold"}));
    scope.end();
    let resource = McpRequest::resource("file:///secret");
    McpScope::client(&resource)
        .with_tracer(&tracer)
        .start()
        .end();
    let exporter = InMemorySpanExporter::default();
    let masked = Masked::new(exporter.clone(), disclosure);
    let rendered = Rendered::new(masked, Mapping::new(rendering));
    block_on(rendered.export(recorder.spans())).unwrap();
    exporter.get_finished_spans().unwrap()
}

#[test]
fn every_destination_gets_calls_in_its_own_words() {
    let v2 = Rendering::Agent365(Profile::V2);
    for (rendering, name, arguments) in [
        (
            Rendering::GenAi,
            "tools/call get-weather",
            "gen_ai.tool.call.arguments",
        ),
        (
            Rendering::OpenInference,
            "tools/call get-weather",
            "input.value",
        ),
        (v2, "execute_tool get-weather", "gen_ai.tool.call.arguments"),
    ] {
        let spans = rendered(rendering, Disclosure::Clear);
        assert_eq!(spans[0].name, name, "{rendering:?}");
        assert_eq!(spans[0].span_kind, SpanKind::Client);
        let expected = [
            ("mcp.method.name", Some("tools/call")),
            (arguments, Some(r#"{"city":"Oslo"}"#)),
        ];
        check(&spans[0], &expected);
        assert_eq!(spans[1].name, "resources/read");
        check(&spans[1], &[("mcp.resource.uri", Some("file:///secret"))]);
    }
}

#[test]
fn contents_of_messages_are_masked() {
    for rendering in [
        Rendering::GenAi,
        Rendering::OpenInference,
        Rendering::Agent365(Profile::V2),
    ] {
        let spans = format!("{:?}", rendered(rendering, Disclosure::Masked));
        for content in ["Oslo", "cold", "file:///secret"] {
            assert!(
                !spans.contains(content),
                "{rendering:?}: {content} in {spans}"
            );
        }
        assert!(spans.contains("tools/call"), "{spans}");
    }
}
