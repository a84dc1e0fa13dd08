//! What scopes cost in allocations, which are counted by thread.

use agentspan_model::agent365::{
    AgentDetails, AgentId, CallerDetails, ExecutionType, InferenceCallDetails,
    InferenceOperationType, InvokeAgentDetails, Request, TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use allocation_counter::measure;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// The names of the four spans of a turn, and the values of attributes that are copied.
const TEXTS: u64 = 28;

/// Spans, contexts, lists.
const OTHERS: u64 = 34;

/// A turn as a program makes it, without events of its own.
fn turn(tracer: &ScopeTracer) -> impl Fn() + use<> {
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let invocation = InvokeAgentDetails::new(agent.clone().with_name("Weather Bot"));
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let caller = CallerDetails::new().with_id("caller-1").with_name("Ada");
    let request = Request::new("Will it rain?", ExecutionType::HumanToAgent);
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai")
        .with_input_tokens(100)
        .with_output_tokens(42);
    let tool = ToolCallDetails::new("forecast").with_arguments(r#"{"city": "Oslo"}"#);
    let answer = "It says \"rain\", and nothing else, for all of the day.\n".repeat(10);
    let tracer = tracer.clone();
    let model_call = move |tracer: &ScopeTracer, agent: &AgentDetails, tenant: &TenantDetails| {
        InferenceScope::builder(&call)
            .with_agent(agent)
            .with_tenant(tenant)
            .with_tracer(tracer)
            .start()
            .in_scope_infallible(|scope| scope.record_output_messages(&[&answer]));
    };
    move || {
        InvokeAgentScope::builder(&invocation)
            .with_tenant(&tenant)
            .with_request(&request)
            .with_caller(&caller)
            .with_tracer(&tracer)
            .start()
            .in_scope_infallible(|_| {
                model_call(&tracer, &agent, &tenant);
                ExecuteToolScope::builder(&tool)
                    .with_agent(&agent)
                    .with_tenant(&tenant)
                    .with_tracer(&tracer)
                    .start()
                    .in_scope_infallible(|scope| scope.record_response("rain"));
                model_call(&tracer, &agent, &tenant);
            });
    }
}

#[test]
fn a_turn_of_scopes_allocates_for_its_texts_and_little_besides() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = ScopeTracer::new(&provider);
    let turn = turn(&tracer);
    turn();
    let counted = measure(&turn).count_total;
    assert!(
        counted <= TEXTS + OTHERS,
        "{counted} allocations, of which {TEXTS} are texts"
    );
    assert!(counted >= TEXTS, "the counter is dead: {counted}");
}

fn record_others(scope: &ExecuteToolScope) {
    scope.record_attributes((0..100).map(|n| (format!("app.{n}"), n)));
}

#[test]
fn own_attributes_go_before_a_hundred_others_for_two_lists_more() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = ScopeTracer::new(&provider);
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let call = ToolCallDetails::new("forecast");
    let allocated = |record: fn(&ExecuteToolScope)| {
        let run = || {
            ExecuteToolScope::builder(&call)
                .with_agent(&agent)
                .with_tenant(&tenant)
                .with_tracer(&tracer)
                .start()
                .in_scope_infallible(record);
        };
        run();
        measure(run).count_total
    };
    let in_order = allocated(|scope| {
        scope.record_response("rain");
        record_others(scope);
    });
    let turned = allocated(|scope| {
        record_others(scope);
        scope.record_response("rain");
    });
    assert_eq!(turned, in_order + 2);
}
