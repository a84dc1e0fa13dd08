//! Spans of every source with a canary in every place that holds contents.

use agentspan_model::agent365::{
    AgentDetails, AgentId, Channel, ExecutionType, GuardrailDecision, GuardrailDetails,
    GuardrailFinding, GuardrailTarget, InferenceCallDetails, InferenceOperationType,
    InvokeAgentDetails, Request, Response, RiskSeverity, SourceMetadata, TenantDetails, TenantId,
    ToolCallDetails,
};
use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, Event,
    ExceptionRaised, HumanInTheLoopRequest, Id, JsonObject, LlmConfig, LlmGenerationChunkReceived,
    LlmGenerationConfig, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message,
    Property, StateSnapshotEmitted, Timestamp, Tool, ToolCall, ToolExecutionRequest,
    ToolExecutionResponse, ToolExecutionSpan, ToolExecutionStreamingChunkReceived,
};
use agentspan_otel::{
    ApplyGuardrailScope, ExecuteToolScope, InferenceScope, InvokeAgentScope, OutputScope,
    ScopeTracer,
};
use agentspan_processor::Span;
use opentelemetry::trace::{Link, Span as _, SpanContext, Status, Tracer};
use opentelemetry::{Context, KeyValue};
use serde_json::{Value, json};

pub(crate) const CANARY: &str = "canary-4711";

fn text() -> String {
    format!("What {CANARY} said")
}

/// Every scope, with contents in all of its details.
pub(crate) fn scopes(tracer: &ScopeTracer) {
    let text = text();
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap())
        .with_name("Clerk")
        .with_description(text.clone());
    let source = SourceMetadata::new()
        .with_name("msteams")
        .with_description(text.clone());
    let request = Request::new(text.clone(), ExecutionType::HumanToAgent)
        .with_source_metadata(source)
        .with_channel(Channel::new().with_name("msteams").with_link(text.clone()))
        .with_payload(text.clone());
    let details = InvokeAgentDetails::new(agent.clone());
    let failed = InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_request(&request)
        .with_tracer(tracer)
        .start()
        .in_scope(|scope| {
            scope.record_input_messages(&text);
            scope.record_output_messages(&text);
            Err::<(), _>(std::io::Error::other(text.clone()))
        });
    assert!(failed.is_err());
    let call = ToolCallDetails::new("get_weather")
        .with_arguments(text.clone())
        .with_description(text.clone());
    ExecuteToolScope::builder(&call)
        .with_agent(&agent)
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| scope.record_response(&text));
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai")
        .with_thought_process(text.clone());
    InferenceScope::builder(&call)
        .with_agent(&agent)
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_input_messages(&text);
            scope.record_output_messages(&text);
            scope.record_thought_process(&text);
        });
    OutputScope::builder(&Response::from(text.as_str()))
        .with_agent(&agent)
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
        .end();
    let details = GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Allow);
    ApplyGuardrailScope::builder(&details)
        .with_agent(&agent)
        .with_tenant(&tenant)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_decision(&GuardrailDecision::Deny, text.as_str());
            scope.record_content_output(&text);
            let finding = GuardrailFinding::new("pii", RiskSeverity::High);
            scope.record_finding(&finding.with_risk_metadata([text.clone()]));
        });
}

fn object() -> JsonObject {
    JsonObject::from_serialize(&json!({"note": text()})).unwrap()
}

fn model() -> LlmConfig {
    let parameters = json!({"temperature": 0.5, "stop": text()});
    let model = Component::builder("OpenAiConfig", "main model")
        .with_id("llm-1")
        .with_text("model_id", "gpt-4o")
        .with_text("url", text())
        .with_json(
            "default_generation_parameters",
            agentspan_model::agentspec::Json::from(parameters),
        );
    LlmConfig::try_from(model.build()).unwrap()
}

fn tool() -> Tool {
    let tool = Component::builder("ServerTool", "get_weather")
        .with_id("tool-1")
        .with_description(text())
        .with_metadata(object())
        .with_inputs([Property::new(text(), "string")]);
    Tool::try_from(tool.build()).unwrap()
}

fn agent() -> Agent {
    let agent = Component::builder("Agent", "Clerk")
        .with_id("agent-component")
        .with_description(text())
        .with_text("system_prompt", text())
        .with_component("llm_config", model());
    Agent::try_from(agent.build()).unwrap()
}

/// A run of an agent in Agent Spec, with contents in all fields of spans, events and components.
pub(crate) fn agent_spec() {
    let run = Span::builder(AgentExecutionSpan::new(agent()))
        .with_description(text())
        .with_metadata(object())
        .start()
        .unwrap();
    let described = Event::new(
        Id::from("described"),
        Timestamp::from_unix_nanos(1_765_000_000_000_000_000),
        AgentExecutionStart::new(agent(), object()),
    );
    let mut described = described.with_metadata(object());
    described.description = text();
    run.add_complete_event(described).unwrap();
    let call = Span::builder(LlmGenerationSpan::new(model()))
        .start()
        .unwrap();
    let calls = vec![ToolCall::new("call-1", "get_weather", text())];
    let parameters = LlmGenerationConfig::new()
        .with_max_tokens(12)
        .with_parameter("stop", json!(text()));
    let prompt = vec![Message::new("user", text()).with_sender(text())];
    let request = LlmGenerationRequest::new(model(), prompt, "r-1")
        .with_tools([tool()])
        .with_llm_generation_config(parameters);
    call.add_event(request).unwrap();
    let chunk = LlmGenerationChunkReceived::new(model(), "r-1")
        .with_content(text())
        .with_tool_calls(calls.clone());
    call.add_event(chunk).unwrap();
    let response = LlmGenerationResponse::new(model(), "r-1")
        .with_content(text())
        .with_tool_calls(calls);
    call.add_event(response).unwrap();
    call.end().unwrap();
    let work = Span::builder(ToolExecutionSpan::new(tool()))
        .start()
        .unwrap();
    work.add_event(ToolExecutionRequest::new(tool(), object(), "call-1"))
        .unwrap();
    work.add_event(ToolExecutionStreamingChunkReceived::new(
        tool(),
        "call-1",
        text(),
    ))
    .unwrap();
    work.add_event(ToolExecutionResponse::new(tool(), object(), "call-1"))
        .unwrap();
    work.end().unwrap();
    run.add_event(HumanInTheLoopRequest::new("ask-1", object()))
        .unwrap();
    run.add_event(StateSnapshotEmitted::new("conversation-1", object()).with_extra_state(object()))
        .unwrap();
    run.add_event(ExceptionRaised::new("ValueError", text()).with_stacktrace(text()))
        .unwrap();
    run.add_event(AgentExecutionEnd::new(agent(), object()))
        .unwrap();
    run.end().unwrap();
}

/// A span of somebody else for each convention, with contents wherever the convention has them, and in names.
pub(crate) fn foreign(tracer: &impl Tracer<Span: opentelemetry::trace::Span>) {
    let conventions: Value = serde_json::from_str(include_str!(
        "../../../agentspan-model/tests/it/content_keys.json"
    ))
    .unwrap();
    for convention in conventions.as_array().unwrap() {
        let keys: Vec<&str> = convention["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap())
            .collect();
        let attributes = || -> Vec<KeyValue> {
            let keys = keys.iter();
            keys.map(|key| KeyValue::new((*key).to_owned(), text()))
                .collect()
        };
        let builder = tracer.span_builder("chat").with_attributes(attributes());
        let builder = builder.with_links(vec![Link::new(SpanContext::NONE, attributes(), 0)]);
        let mut span = builder.start_with_context(tracer, &Context::new());
        span.add_event("gen_ai.user.message", attributes());
        // As rig and `tracing-opentelemetry` have it.
        span.add_event(
            format!("Responses completion request: {{{}}}", text()),
            Vec::new(),
        );
        let of_tracing = ["level", "target"].map(|key| KeyValue::new(key, "x"));
        span.add_event(CANARY, of_tracing.into());
        span.set_status(Status::error(text()));
        span.end();
    }
    let long_name = text().repeat(8);
    tracer.span_builder(long_name).start(tracer).end();
}
