//! What scopes cost while they are off. A binary of its own: the switch and the allocator that
//! counts belong to the whole process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, SystemTime};

use agentspan_model::agent365::{
    AgentDetails, AgentId, GuardrailDetails, GuardrailFinding, InferenceCallDetails,
    InferenceOperationType, InvokeAgentDetails, Profile, Response, TenantDetails, TenantId,
    ToolCallDetails,
};
use agentspan_model::mcp::McpRequest;
use agentspan_otel::scopes::{is_enabled, set_disabled_by_default, set_enabled};
use agentspan_otel::{
    ApplyGuardrailScope, BaggageBuilder, ExecuteToolScope, InferenceScope, InvokeAgentScope,
    McpScope, OutputScope, ScopeFutureExt as _, ScopeTracer,
};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use serde_json::Map;

/// What only the second generation has.
fn guarded_answer(
    tracer: &ScopeTracer,
    agent: &AgentDetails,
    guardrail: &GuardrailDetails,
    finding: &GuardrailFinding,
    answer: &Response,
) {
    let scope = OutputScope::builder(answer)
        .with_agent(agent)
        .with_tracer(tracer)
        .with_end_time(SystemTime::UNIX_EPOCH)
        .start();
    let _active = scope.enter();
    scope.record_output_messages(answer);
    scope.set_end_time(SystemTime::UNIX_EPOCH);
    scope.inject_headers(&mut HashMap::new());
    let guardian = ApplyGuardrailScope::builder(guardrail)
        .with_agent(agent)
        .with_tracer(tracer)
        .with_span_kind(SpanKind::Client)
        .start();
    guardian.record_decision(&guardrail.decision_type, "reason");
    guardian.record_content_output("output");
    guardian.record_finding(finding);
}

/// A turn with everything that a scope can do.
fn turn(
    tracer: &ScopeTracer,
    invocation: &InvokeAgentDetails,
    call: &InferenceCallDetails,
    tool: &ToolCallDetails,
    tenant: &TenantDetails,
) {
    let scope = InvokeAgentScope::builder(invocation)
        .with_tenant(tenant)
        .with_tracer(tracer)
        .start();
    let _active = scope.enter();
    scope.record_input_messages(&["question"]);
    scope.record_response("answer");
    scope.record_attributes([("key", "value")]);
    scope.record_error(&io::ErrorKind::NotFound);
    scope.record_cancellation();
    let agent = &invocation.details;
    let inference = InferenceScope::builder(call)
        .with_agent(agent)
        .with_tracer(tracer)
        .start();
    inference.record_input_tokens(1);
    inference.record_finish_reasons(&["stop"]);
    let mut future = std::pin::pin!(inference.run(|_| ready(Err::<(), _>(io::ErrorKind::Other))));
    let mut task = TaskContext::from_waker(Waker::noop());
    assert!(Future::poll(future.as_mut(), &mut task).is_ready());
    let tool = ExecuteToolScope::builder(tool)
        .with_agent(agent)
        .with_tracer(tracer)
        .start();
    drop(ready(()).in_scope_infallible(tool.clone()));
    let _ = tool.in_scope(|tool| {
        tool.record_response("result");
        Err::<(), _>(io::ErrorKind::Other)
    });
}

/// A call whose details are put together for it.
fn per_call(tracer: &ScopeTracer, agent: &AgentDetails, tenant: &TenantDetails) {
    let scope = InferenceScope::when_enabled(|| {
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt", "openai")
            .with_input_tokens(12);
        let builder = InferenceScope::builder(&call).with_agent(agent);
        builder.with_tenant(tenant).with_tracer(tracer).start()
    });
    scope.in_scope_infallible(|scope| {
        scope.record_output_messages(&["answer"]);
        let tool = ExecuteToolScope::when_enabled(|| {
            let call = ToolCallDetails::new("clock").with_arguments("{}");
            let builder = ExecuteToolScope::builder(&call).with_agent(agent);
            builder.with_tracer(tracer).start()
        });
        tool.record_response("12:00");
    });
}

// One test, because the switch is one.
#[test]
fn scopes_that_are_off_do_not_allocate_and_do_not_enter() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = ScopeTracer::new(&provider);
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap()).with_name("Agent");
    let invocation = InvokeAgentDetails::new(agent);
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt", "openai");
    let tool = ToolCallDetails::new("clock");
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let guardrail = GuardrailDetails::new("llm_input", "allow");
    let finding = GuardrailFinding::new("pii", "high").with_risk_metadata(["a"]);
    let answer = Response::from("answer");
    let second = ScopeTracer::with_profile(&provider, Profile::V2);
    let run = || {
        turn(&tracer, &invocation, &call, &tool, &tenant);
        turn(&second, &invocation, &call, &tool, &tenant);
        guarded_answer(&second, &invocation.details, &guardrail, &finding, &answer);
    };

    assert!(is_enabled());
    let on = allocation_counter::measure(run);
    assert!(on.count_total > 30, "the counter is dead: {on:?}");
    let on = allocation_counter::measure(|| per_call(&tracer, &invocation.details, &tenant));
    assert!(on.count_total > 10, "nothing was started: {on:?}");

    let started_on = ExecuteToolScope::builder(&tool)
        .with_tracer(&tracer)
        .start();
    set_enabled(false);
    assert!(!is_enabled());
    let off = allocation_counter::measure(run);
    assert_eq!(off.count_total, 0, "{off:?}");
    let off = allocation_counter::measure(|| per_call(&tracer, &invocation.details, &tenant));
    assert_eq!(off.count_total, 0, "details of a call: {off:?}");
    // The first scope says so; `agentspan` tests the line.
    set_disabled_by_default();
    assert!(!is_enabled());
    run();
    let off = allocation_counter::measure(run);
    assert_eq!(off.count_total, 0, "by default: {off:?}");

    assert!(!started_on.is_recording());
    let scope = ExecuteToolScope::builder(&tool)
        .with_tracer(&tracer)
        .start();
    let _active = scope.enter();
    assert!(!scope.span_context().is_valid());
    assert!(!Context::current().has_active_span());
    // What runs in it is where it was told to be all the same.
    let given = Context::new().with_value("given");
    let work = scope
        .clone()
        .run_infallible(|_| async { Context::current().get::<&str>().copied() });
    let mut future = std::pin::pin!(work.with_context(given));
    let mut task = TaskContext::from_waker(Waker::noop());
    let polled = Future::poll(future.as_mut(), &mut task);
    assert_eq!(polled, Poll::Ready(Some("given")));
    what_runs_in_a_scope_is_where_its_builder_said(&tracer, &tool);
    // What is around it is passed on by whoever made it.
    let around = SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let _around = Context::new().with_remote_span_context(around).attach();
    let mut meta = Map::new();
    scope.inject_meta(&mut meta);
    assert!(meta.is_empty(), "{meta:?}");
    let mut headers = HashMap::new();
    scope.inject_headers(&mut headers);
    assert!(headers.is_empty(), "{headers:?}");
    set_enabled(true);
    assert!(started_on.is_recording());
    an_end_that_is_set_while_off_counts();
}

/// Polls once.
fn now<F: Future>(future: F) -> Poll<F::Output> {
    let mut task = TaskContext::from_waker(Waker::noop());
    std::pin::pin!(future).poll(&mut task)
}

/// Called by the one test above, because the switch is one.
fn what_runs_in_a_scope_is_where_its_builder_said(tracer: &ScopeTracer, tool: &ToolCallDetails) {
    let seen = || Context::current().get::<&str>().copied();
    let told = Context::new().with_value("told");
    let start = || {
        let builder = ExecuteToolScope::builder(tool).with_tracer(tracer);
        builder.with_parent(&told).start()
    };
    assert_eq!(start().in_scope_infallible(|_| seen()), Some("told"));
    let polled = now(start().run_infallible(|_| async move { seen() }));
    assert_eq!(polled, Poll::Ready(Some("told")));
    let baggage = BaggageBuilder::new().with_agent_id("a").build();
    let future = start().run_infallible(|_| async move {
        let has_baggage = !Context::current().baggage().is_empty();
        seen().filter(|_| has_baggage)
    });
    assert_eq!(
        now(future.with_baggage(&baggage)),
        Poll::Ready(Some("told"))
    );
    let given = Context::new().with_value("given");
    let future = start().run_infallible(|_| async move { seen() });
    assert_eq!(now(future.with_context(given)), Poll::Ready(Some("given")));
    assert_eq!(start().context().get::<&str>(), Some(&"told"));
    // The trace of a caller, which a message of the Model Context Protocol brings.
    let parent = "00-00000000000000000000000000000001-0000000000000002-01";
    let meta = Map::from_iter([("traceparent".to_owned(), parent.into())]);
    let request = McpRequest::tool("clock");
    let scope = McpScope::server(&request)
        .with_tracer(tracer)
        .with_meta(&meta)
        .start();
    let future = scope
        .clone()
        .run_infallible(|_| async { Context::current().span().span_context().trace_id() });
    assert_eq!(now(future), Poll::Ready(TraceId::from(1)));
    assert!(!scope.span_context().is_valid());
}

/// Keeps when the last span ended.
#[derive(Clone, Debug, Default)]
struct LastEnd(Arc<Mutex<Option<SystemTime>>>);

impl SpanProcessor for LastEnd {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        *self.0.lock().unwrap() = Some(span.end_time);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Called by the one test above, because the switch is one.
fn an_end_that_is_set_while_off_counts() {
    let last_end = LastEnd::default();
    let provider = SdkTracerProvider::builder().with_span_processor(last_end.clone());
    let provider = provider.build();
    let tracer = ScopeTracer::new(&provider);
    let tool = ToolCallDetails::new("clock");
    let scope = ExecuteToolScope::builder(&tool)
        .with_tracer(&tracer)
        .start();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
    set_enabled(false);
    scope.set_end_time(end);
    set_enabled(true);
    scope.end();
    assert_eq!(*last_end.0.lock().unwrap(), Some(end));
}
