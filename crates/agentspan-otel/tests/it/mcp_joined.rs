//! A message that calls a tool is a part of the span that executes the tool.

use agentspan_model::agent365::{Profile, ToolCallDetails};
use agentspan_model::agentspec::ToolExecutionSpan;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_model::mcp::McpRequest;
use agentspan_otel::{ExecuteToolScope, McpScope, ScopeTracer};
use agentspan_processor::Span;
use futures_executor::block_on;
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, json};

use crate::bridge::story::tool;
use crate::bridge::watched::{Watched, check_nested, text};
use crate::recorder::Recorder;

fn weather() -> McpRequest {
    McpRequest::tool("get-weather").with_request_id(7)
}

/// Runs `work` inside of a scope that executes `get-weather`.
fn in_tool(
    recorder: &Recorder,
    work: impl FnOnce(&ScopeTracer, &ExecuteToolScope),
) -> Vec<SpanData> {
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    ExecuteToolScope::builder(&ToolCallDetails::new("get-weather"))
        .with_tracer(&tracer)
        .start()
        .in_scope_infallible(|scope| work(&tracer, scope));
    recorder.spans()
}

#[track_caller]
fn names(spans: &[SpanData]) -> Vec<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

#[test]
fn a_call_inside_of_its_tools_scope_is_no_span_of_its_own() {
    let recorder = Recorder::new();
    let call = ToolCallDetails::new("get-weather").with_arguments(r#"{"city":"Oslo"}"#);
    let request = McpRequest::tool_call(call).with_request_id(7);
    let mut meta = Map::new();
    let spans = in_tool(&recorder, |tracer, tool| {
        let message = McpScope::client(&request).with_tracer(tracer).start();
        message.inject_meta(&mut meta);
        assert_eq!(message.span_context(), tool.span_context());
        message.record_tool_result(&json!({"temperature": 3}));
        message.end();
        drop(message);
        assert!(tool.is_recording(), "the tool goes on");
    });
    assert_eq!(names(&spans), ["execute_tool get-weather"]);
    let [span] = &spans[..] else { unreachable!() };
    assert_eq!(span.span_kind, SpanKind::Internal);
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("jsonrpc.request.id", "7"),
        ("gen_ai.tool.call.arguments", r#"{"city":"Oslo"}"#),
        ("gen_ai.tool.call.result", r#"{"temperature": 3}"#),
    ] {
        assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
        let found = span.attributes.iter().filter(|it| it.key.as_str() == key);
        assert_eq!(found.count(), 1, "{key}");
    }
    let id = span.span_context.span_id().to_string();
    assert!(meta["traceparent"].as_str().unwrap().contains(&id));
}

#[test]
fn what_the_tools_scope_says_of_the_call_stays() {
    let recorder = Recorder::new();
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    let call = ToolCallDetails::new("get-weather").with_arguments("the tool's");
    let of_message = ToolCallDetails::new("get-weather").with_arguments("the message's");
    let request = McpRequest::tool_call(of_message);
    ExecuteToolScope::builder(&call)
        .with_tracer(&tracer)
        .start()
        .in_scope_infallible(|_| {
            McpScope::client(&request)
                .with_tracer(&tracer)
                .start()
                .end()
        });
    let arguments = text(&recorder.span(), "gen_ai.tool.call.arguments");
    assert_eq!(arguments.as_deref(), Some("the tool's"));
}

#[test]
fn the_failure_of_a_message_is_that_of_the_tool() {
    let recorder = Recorder::new();
    let spans = in_tool(&recorder, |tracer, _| {
        let message = McpScope::client(&weather()).with_tracer(tracer).start();
        message.record_rpc_error(-32603, "it broke");
    });
    assert_eq!(names(&spans), ["execute_tool get-weather"]);
    assert_eq!(spans[0].status, Status::error("it broke"));
    assert_eq!(text(&spans[0], "error.type").as_deref(), Some("-32603"));
}

#[test]
fn a_future_of_a_message_runs_in_the_span_of_its_tool() {
    let recorder = Recorder::new();
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    let of_message = tracer.clone();
    let call = ToolCallDetails::new("get-weather");
    let tool = ExecuteToolScope::builder(&call)
        .with_tracer(&tracer)
        .start();
    block_on(tool.run_infallible(|_| async move {
        let message = McpScope::client(&weather())
            .with_tracer(&of_message)
            .start();
        message
            .run_infallible(|message| async move { message.record_tool_error() })
            .await;
    }));
    let span = recorder.span();
    assert_eq!(span.name, "execute_tool get-weather");
    assert_eq!(text(&span, "error.type").as_deref(), Some("tool_error"));
}

/// Messages that the tool's span is not about, or not about any more.
#[test]
fn other_messages_have_spans_of_their_own() {
    type Message = fn(&ScopeTracer);
    let cases: [(&str, Message); 5] = [
        ("another tool", |tracer| {
            let other = McpRequest::tool("get-tides");
            McpScope::client(&other).with_tracer(tracer).start().end();
        }),
        ("no call", |tracer| {
            let list = McpRequest::new("tools/list");
            McpScope::client(&list).with_tracer(tracer).start().end();
        }),
        ("the other side", |tracer| {
            McpScope::server(&weather())
                .with_tracer(tracer)
                .start()
                .end();
        }),
        ("asked for", |tracer| {
            let request = weather();
            let message = McpScope::client(&request).with_tracer(tracer);
            message.with_own_span().start().end();
        }),
        ("below another span", |tracer| {
            let call = ToolCallDetails::new("prepare");
            ExecuteToolScope::builder(&call)
                .with_tracer(tracer)
                .start()
                .in_scope_infallible(|_| {
                    McpScope::client(&weather())
                        .with_tracer(tracer)
                        .start()
                        .end();
                });
        }),
    ];
    for (case, message) in cases {
        let recorder = Recorder::new();
        let spans = in_tool(&recorder, |tracer, _| message(tracer));
        let of_messages = |span: &&SpanData| text(span, "mcp.method.name").is_some();
        let found: Vec<_> = spans.iter().filter(of_messages).collect();
        assert_eq!(found.len(), 1, "{case}: {:?}", names(&spans));
        assert_ne!(found[0].name, "execute_tool get-weather", "{case}");
        let tool = recorder.named("execute_tool get-weather");
        assert_eq!(
            found[0].span_context.trace_id(),
            tool.span_context.trace_id()
        );
    }
}

#[test]
fn another_try_is_a_span_of_its_own() {
    let recorder = Recorder::new();
    let spans = in_tool(&recorder, |tracer, _| {
        for id in [1, 2] {
            let request = McpRequest::tool("get-weather").with_request_id(id);
            McpScope::client(&request).with_tracer(tracer).start().end();
        }
    });
    let expected = ["tools/call get-weather", "execute_tool get-weather"];
    assert_eq!(names(&spans), expected);
    assert_eq!(text(&spans[0], "jsonrpc.request.id").as_deref(), Some("2"));
    assert_eq!(text(&spans[1], "jsonrpc.request.id").as_deref(), Some("1"));
    check_nested(&spans[0], &spans[1]);
}

#[test]
fn a_message_after_the_end_of_its_tool_has_a_span() {
    let recorder = Recorder::new();
    let spans = in_tool(&recorder, |tracer, tool| {
        tool.end();
        McpScope::client(&weather())
            .with_tracer(tracer)
            .start()
            .end();
    });
    let expected = ["execute_tool get-weather", "tools/call get-weather"];
    assert_eq!(names(&spans), expected);
}

#[test]
fn a_call_inside_of_an_agent_spec_tool_is_a_part_of_its_span() {
    let genai = Mapping::new(Rendering::GenAi);
    let watched = Watched::with_mappings(ContentCapture::NoContent, [genai]);
    let tracer = ScopeTracer::with_profile(&watched.provider, Profile::V2);
    let trace = watched.trace();
    let span = Span::builder(ToolExecutionSpan::new(tool()))
        .start()
        .unwrap();
    let request = McpRequest::tool(tool().name()).with_request_id(7);
    let message = McpScope::client(&request).with_tracer(&tracer).start();
    message.record_rpc_error(-32000, "no weather");
    message.end();
    span.end().unwrap();
    trace.end().unwrap();
    drop(watched.provider.tracer("t"));
    let spans = watched.rendered[0].spans();
    let of_tool: Vec<_> = spans
        .iter()
        .filter(|span| text(span, "gen_ai.operation.name").as_deref() == Some("execute_tool"))
        .collect();
    assert_eq!(of_tool.len(), 1, "{:?}", names(&spans));
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("jsonrpc.request.id", "7"),
        ("rpc.response.status_code", "-32000"),
        ("error.type", "-32000"),
    ] {
        assert_eq!(text(of_tool[0], key).as_deref(), Some(value), "{key}");
    }
}
