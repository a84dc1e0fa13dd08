//! Spans that are not of Agent Spec: of scopes, and of a framework that writes attributes of its own.

use std::error::Error;

use agentspan_model::agent365::{
    AgentDetails, AgentId, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails,
    TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SdkTracerProvider;

/// An agent that asks a model and runs a tool, which fails.
pub(crate) fn scopes(tracer: &ScopeTracer) -> Result<(), Box<dyn Error>> {
    let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    let agent = AgentDetails::new(AgentId::parse("agent-1")?).with_name("Clerk");
    let details = InvokeAgentDetails::new(agent.clone());
    let invocation = InvokeAgentScope::builder(&details).with_tenant(&tenant);
    invocation
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_input_messages("Will it rain?");
            ask(&agent, &tenant, tracer);
            run_tool(&agent, &tenant, tracer);
            scope.record_response("No umbrella.");
        });
    Ok(())
}

fn ask(agent: &AgentDetails, tenant: &TenantDetails, tracer: &ScopeTracer) {
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai")
        .with_input_tokens(11)
        .with_output_tokens(7)
        .with_finish_reasons(["stop"]);
    let inference = InferenceScope::builder(&call)
        .with_agent(agent)
        .with_tenant(tenant);
    inference
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_input_messages("Will it rain?");
            scope.record_output_messages("No.");
        });
}

fn run_tool(agent: &AgentDetails, tenant: &TenantDetails, tracer: &ScopeTracer) {
    let call = ToolCallDetails::new("look_up").with_arguments(r#"{"city":"Zürich"}"#);
    let tool = ExecuteToolScope::builder(&call)
        .with_agent(agent)
        .with_tenant(tenant);
    let found = tool
        .with_tracer(tracer)
        .start()
        .in_scope(|_| Err::<(), _>(std::io::Error::other("the archive is full")));
    // The scope has recorded the error.
    drop(found);
}

/// A call of a model as a framework writes it, with all kinds of values, an event and a failure.
pub(crate) fn framework(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("rig");
    let mut span = tracer
        .span_builder("chat")
        .with_kind(SpanKind::Client)
        .start(&tracer);
    let list = Array::String(vec![StringValue::from("stop"), StringValue::from("length")]);
    for attribute in [
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-4o-mini"),
        KeyValue::new("gen_ai.request.temperature", 0.5),
        KeyValue::new("gen_ai.usage.input_tokens", "48"),
        KeyValue::new("gen_ai.response.finish_reasons", Value::Array(list)),
        KeyValue::new(
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"Umbrella?"}]}]"#,
        ),
        KeyValue::new("app.is_test", true),
        KeyValue::new("app.step", 3),
    ] {
        span.set_attribute(attribute);
    }
    span.add_event("retried", vec![KeyValue::new("app.attempt", 2)]);
    span.set_status(Status::error("the model is busy"));
    span.end();
}
