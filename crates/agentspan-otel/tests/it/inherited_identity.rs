//! Spans inside a scope, of anybody, belong to the tenant and the agent of the scope unless they say so
//! themselves.

use agentspan_model::agent365::{
    AgentDetails, AgentId, InvokeAgentDetails, Profile, TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_model::agentspec::{SpanDetails, Tool, ToolExecutionSpan};
use agentspan_otel::{
    BaggageBuilder, BaggageSpanProcessor, ExecuteToolScope, InvokeAgentScope, OtelBridge,
    Propagation, ScopeTracer,
};
use agentspan_processor::{Span as AgentSpan, Trace};
use opentelemetry::trace::{
    FutureExt as _, SpanBuilder, TraceContextExt as _, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use crate::recorder::{Recorder, values};

const KEYS: [&str; 2] = ["tenant.id", "gen_ai.agent.id"];

/// Tenant and agent of a span, a blank for each that it does not have.
fn identity(span: &SpanData) -> [String; 2] {
    KEYS.map(|key| {
        let values = values(span, key);
        assert!(values.len() < 2, "{key}: {values:?}");
        values.first().map(ToString::to_string).unwrap_or_default()
    })
}

#[track_caller]
fn check(recorder: &Recorder, name: &str, expected: [&str; 2]) {
    assert_eq!(identity(&recorder.named(name)), expected, "{name}");
}

fn foreign(recorder: &Recorder, name: &'static str, attributes: &[(&'static str, &'static str)]) {
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, *value));
    let span = SpanBuilder::from_name(name).with_attributes(attributes);
    span.start(&recorder.provider.tracer("http"));
}

fn scope(recorder: &Recorder, tenant: &str, agent: &str) -> InvokeAgentScope {
    let details = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse(agent).unwrap()));
    let tenant = TenantDetails::new(TenantId::parse(tenant).unwrap());
    InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_tracer(&recorder.tracer)
        .start()
}

#[test]
fn a_span_of_somebody_else_belongs_to_the_scope_that_it_is_in() {
    let recorder = Recorder::new();
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        foreign(&recorder, "inside", &[]);
        let tracer = recorder.provider.tracer("http");
        tracer.in_span("outer", |_| foreign(&recorder, "deeper", &[]));
    });
    foreign(&recorder, "after", &[]);
    for name in ["inside", "outer", "deeper"] {
        check(&recorder, name, ["t", "a"]);
    }
    check(&recorder, "after", ["", ""]);
}

#[tokio::test]
async fn a_task_that_takes_the_context_along_belongs_to_the_scope() {
    let recorder = Recorder::new();
    let tracer = recorder.provider.tracer("http");
    let task = scope(&recorder, "t", "a").run_infallible(|_| async {
        let work = async move {
            tokio::task::yield_now().await;
            tracer.start("in a task");
        };
        #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
        let spawned = tokio::spawn(work.with_context(Context::current()));
        spawned.await
    });
    task.await.unwrap();
    check(&recorder, "in a task", ["t", "a"]);
}

#[test]
fn what_a_span_says_of_itself_stays() {
    let recorder = Recorder::new();
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        foreign(
            &recorder,
            "both",
            &[("tenant.id", "u"), ("gen_ai.agent.id", "b")],
        );
        foreign(&recorder, "agent", &[("gen_ai.agent.id", "b")]);
        foreign(&recorder, "tenant", &[("tenant.id", "u")]);
        foreign(&recorder, "same tenant", &[("tenant.id", "t")]);
        foreign(
            &recorder,
            "platform",
            &[("microsoft.a365.agent.platform.id", "p")],
        );
    });
    check(&recorder, "both", ["u", "b"]);
    // The tenant's agents are the tenant's; another tenant's agent is nobody.
    check(&recorder, "agent", ["t", "b"]);
    check(&recorder, "tenant", ["u", ""]);
    check(&recorder, "same tenant", ["t", "a"]);
    // The platform's id stands in for that of the agent.
    check(&recorder, "platform", ["t", ""]);
}

#[test]
fn baggage_goes_before_the_scope_wherever_it_was_set() {
    let recorder = Recorder::new();
    let request = BaggageBuilder::new()
        .with_tenant_id("u")
        .with_agent_id("b")
        .build();
    request.in_baggage(|| {
        scope(&recorder, "t", "a").in_scope_infallible(|_| foreign(&recorder, "outside", &[]));
    });
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        request.in_baggage(|| foreign(&recorder, "inside", &[]));
        let tenant = BaggageBuilder::new().with_tenant_id("t").build();
        tenant.in_baggage(|| foreign(&recorder, "same tenant", &[]));
        let tenant = BaggageBuilder::new().with_tenant_id("u").build();
        tenant.in_baggage(|| foreign(&recorder, "other tenant", &[]));
    });
    check(&recorder, "outside", ["u", "b"]);
    check(&recorder, "inside", ["u", "b"]);
    check(&recorder, "same tenant", ["t", "a"]);
    check(&recorder, "other tenant", ["u", ""]);
}

#[test]
fn an_inner_scope_goes_before_an_outer_one_and_takes_from_it_what_it_lacks() {
    let recorder = Recorder::new();
    let tool = |name: &str| {
        ExecuteToolScope::builder(&ToolCallDetails::new(name))
            .with_tracer(&recorder.tracer)
            .start()
    };
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        tool("of the outer").in_scope_infallible(|_| foreign(&recorder, "in a tool", &[]));
        scope(&recorder, "u", "b").in_scope_infallible(|_| {
            foreign(&recorder, "in the inner", &[]);
            tool("of the inner").end();
        });
        let agent = AgentDetails::new(AgentId::parse("c").unwrap());
        let details = InvokeAgentDetails::new(agent.with_name("without a tenant"));
        InvokeAgentScope::builder(&details)
            .with_tracer(&recorder.tracer)
            .start()
            .in_scope_infallible(|_| foreign(&recorder, "in another agent", &[]));
        foreign(&recorder, "in the outer", &[]);
    });
    check(&recorder, "execute_tool of the outer", ["t", "a"]);
    check(&recorder, "in a tool", ["t", "a"]);
    check(&recorder, "in the inner", ["u", "b"]);
    check(&recorder, "execute_tool of the inner", ["u", "b"]);
    check(&recorder, "invoke_agent without a tenant", ["t", "c"]);
    check(&recorder, "in another agent", ["t", "c"]);
    check(&recorder, "in the outer", ["t", "a"]);
}

/// An agent with a name and a blueprint.
fn described(agent: &str) -> AgentDetails {
    AgentDetails::new(AgentId::parse(agent).unwrap())
        .with_name("Forecaster")
        .with_blueprint_id("blueprint")
}

fn described_scope(recorder: &Recorder) -> InvokeAgentScope {
    let tenant = TenantDetails::new(TenantId::parse("t").unwrap());
    InvokeAgentScope::builder(&InvokeAgentDetails::new(described("a")))
        .with_tenant(&tenant)
        .with_tracer(&recorder.tracer)
        .start()
}

fn start_tool(recorder: &Recorder, name: &str, agent: Option<&AgentDetails>) {
    ExecuteToolScope::builder(&ToolCallDetails::new(name))
        .with_agent(agent)
        .with_tracer(&recorder.tracer)
        .start()
        .end();
}

#[track_caller]
fn check_described(recorder: &Recorder, name: &str, expected: [&[&str]; 2]) {
    let span = recorder.named(name);
    let keys = ["gen_ai.agent.name", "gen_ai.agent.applicationid"];
    let said = keys.map(|key| values(&span, key));
    let said = said.map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(said, expected, "{name}");
}

#[test]
fn a_scope_that_names_no_agent_is_described_as_the_scope_around_it() {
    let recorder = Recorder::new();
    described_scope(&recorder).in_scope_infallible(|_| {
        start_tool(&recorder, "inherits", None);
        start_tool(
            &recorder,
            "other",
            Some(&AgentDetails::new(AgentId::parse("b").unwrap())),
        );
        start_tool(
            &recorder,
            "same",
            Some(&AgentDetails::new(AgentId::parse("a").unwrap())),
        );
        let other = BaggageBuilder::new()
            .with_tenant_id("u")
            .with_agent_id("a")
            .build();
        let _other = other.enter();
        start_tool(&recorder, "other tenant", None);
    });
    check_described(
        &recorder,
        "execute_tool inherits",
        [&["Forecaster"], &["blueprint"]],
    );
    for name in ["other", "same", "other tenant"] {
        check_described(&recorder, &format!("execute_tool {name}"), [&[], &[]]);
    }
}

#[test]
fn the_agent_of_baggage_is_described_by_baggage_and_then_by_the_scope() {
    let recorder = Recorder::new();
    let baggage = BaggageBuilder::new().with_tenant_id("t").with_agent_id("a");
    let _request = baggage.with_agent_name("of baggage").build().enter();
    start_tool(&recorder, "outside", None);
    described_scope(&recorder).in_scope_infallible(|_| start_tool(&recorder, "inside", None));
    check_described(&recorder, "execute_tool outside", [&["of baggage"], &[]]);
    check_described(
        &recorder,
        "execute_tool inside",
        [&["of baggage"], &["blueprint"]],
    );
}

#[test]
fn a_scope_that_a_header_names_an_identity_for_does_not_take_it() {
    let recorder = Recorder::new();
    let header = [("baggage", "tenant.id=victim,gen_ai.agent.id=v")];
    let caller = Propagation::new().extract_headers(&Context::new(), header);
    let _caller = caller.attach();
    scope(&recorder, "t", "a").in_scope_infallible(|_| foreign(&recorder, "inside", &[]));
    check(&recorder, "inside", ["t", "a"]);
}

#[test]
fn the_identity_of_a_scope_is_no_baggage_and_does_not_leave() {
    let recorder = Recorder::new();
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        let all = Propagation::new().with_allowed_baggage(KEYS);
        let headers = all.to_headers(&Context::current());
        assert!(
            headers.iter().all(|(name, _)| name == "traceparent"),
            "{headers:?}"
        );
    });
}

#[test]
fn spans_of_agent_spec_belong_to_the_scope_that_they_are_in() {
    let recorder = Recorder::with(|builder| {
        OtelBridge::prepare(builder).with_span_processor(BaggageSpanProcessor::new())
    });
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        let trace = Trace::builder().with_processor(OtelBridge::new(&recorder.provider));
        let trace = trace.start().unwrap();
        let span = AgentSpan::builder(SpanDetails::Plain).with_name("span");
        span.start().unwrap().end().unwrap();
        trace.end().unwrap();
    });
    check(&recorder, "RootSpan", ["t", "a"]);
    check(&recorder, "span", ["t", "a"]);
}

#[test]
fn the_tenant_of_baggage_has_the_tools_of_agent_spec_in_a_scope_of_another_tenant() {
    let recorder = Recorder::with(|builder| {
        OtelBridge::prepare(builder).with_span_processor(BaggageSpanProcessor::new())
    });
    let baggage = |tenant: &str, agent: &str| {
        let baggage = BaggageBuilder::new().with_tenant_id(tenant);
        baggage.with_agent_id(agent).build()
    };
    let run = |name: &'static str| {
        let tool = AgentSpan::builder(ToolExecutionSpan::new(Tool::new(name)));
        tool.start().unwrap().end().unwrap();
    };
    let trace = Trace::builder().with_processor(OtelBridge::new(&recorder.provider));
    let trace = trace.start().unwrap();
    baggage("u", "b").in_baggage(|| {
        scope(&recorder, "t", "a").in_scope_infallible(|_| {
            run("in the scope");
            baggage("t", "a").in_baggage(|| run("in baggage of the scope's tenant"));
        });
    });
    scope(&recorder, "t", "a").in_scope_infallible(|_| {
        baggage("u", "b").in_baggage(|| run("in baggage in the scope"));
    });
    trace.end().unwrap();
    check(&recorder, "invoke_agent", ["t", "a"]);
    check(&recorder, "execute_tool in the scope", ["u", "b"]);
    check(
        &recorder,
        "execute_tool in baggage of the scope's tenant",
        ["t", "a"],
    );
    check(
        &recorder,
        "execute_tool in baggage in the scope",
        ["u", "b"],
    );
}

#[test]
fn the_second_generation_has_its_own_key_for_the_tenant() {
    let recorder = Recorder::with(|builder| {
        builder.with_span_processor(BaggageSpanProcessor::new().with_profile(Profile::V2))
    });
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V2);
    let details = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse("a").unwrap()));
    let tenant = TenantDetails::new(TenantId::parse("t").unwrap());
    InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_tracer(&tracer)
        .start()
        .in_scope_infallible(|_| foreign(&recorder, "inside", &[]));
    let span = recorder.named("inside");
    assert_eq!(values(&span, "microsoft.tenant.id"), ["t".into()]);
    assert_eq!(identity(&span), ["", "a"]);
    assert!(!Context::current().has_active_span());
}
