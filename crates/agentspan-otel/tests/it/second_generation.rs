//! What scopes and baggage of the second generation do that the recorded cases do not show.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use agentspan_model::agent365::{
    GuardrailDecision, GuardrailDetails, GuardrailFinding, GuardrailTarget, Profile, Response,
    RiskSeverity, ToolCallDetails,
};
use agentspan_otel::{
    ApplyGuardrailScope, BaggageBuilder, BaggageSpanProcessor, ExecuteToolScope, OutputScope,
    Propagation, ScopeTracer,
};
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Tracer, TracerProvider};

use crate::recorder::{Recorder, agent, assert_child, keys, tenant, values};

fn second(recorder: &Recorder) -> ScopeTracer {
    ScopeTracer::with_profile(&recorder.provider, Profile::V2)
}

#[test]
fn kind_times_and_links_of_a_span_can_be_chosen_with_either_profile() {
    for profile in Profile::ALL {
        let recorder = Recorder::new();
        let tracer = ScopeTracer::with_profile(&recorder.provider, profile);
        let linked = recorder.tool("linked").span_context();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        let end = start + Duration::from_nanos(1);
        ExecuteToolScope::builder(&ToolCallDetails::new("a"))
            .with_tracer(&tracer)
            .with_span_kind(SpanKind::Server)
            .with_start_time(start)
            .with_end_time(end)
            .with_links(&[Link::new(linked.clone(), Vec::new(), 0)])
            .start()
            .end();
        let span = recorder.named("execute_tool a");
        assert_eq!(span.span_kind, SpanKind::Server);
        assert_eq!((span.start_time, span.end_time), (start, end));
        assert_eq!(span.links.links[0].span_context, linked);
    }
}

#[test]
fn the_last_end_time_counts_until_the_end() {
    let recorder = Recorder::new();
    let end = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let scope = ExecuteToolScope::builder(&ToolCallDetails::new("a"))
        .with_tracer(&recorder.tracer)
        .with_start_time(end(1))
        .with_end_time(end(2))
        .start();
    scope.set_end_time(end(3));
    scope.end();
    scope.set_end_time(end(4));
    assert_eq!(recorder.span().end_time, end(3));
}

#[test]
fn a_receiver_of_the_headers_of_a_scope_goes_on_with_its_trace() {
    let recorder = Recorder::new();
    let scope = recorder.tool("caller");
    let mut headers = HashMap::new();
    scope.inject_headers(&mut headers);
    let parent = Propagation::new().extract(&Context::new(), &headers);
    ExecuteToolScope::builder(&ToolCallDetails::new("callee"))
        .with_tracer(&recorder.tracer)
        .with_parent(&parent)
        .start()
        .end();
    scope.end();
    let callee = recorder.named("execute_tool callee");
    assert_child(&callee, &recorder.named("execute_tool caller"));
    assert!(callee.parent_span_is_remote);
    assert_ne!(SpanContext::NONE.span_id(), callee.parent_span_id);
    assert_eq!(
        SpanId::INVALID,
        recorder.named("execute_tool caller").parent_span_id
    );
}

fn guardrail(tracer: &ScopeTracer) {
    let details = GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Allow);
    ApplyGuardrailScope::builder(&details)
        .with_agent(&agent())
        .with_tenant(&tenant())
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_decision(&GuardrailDecision::Deny, "a reason");
            scope.record_decision(&GuardrailDecision::Warn, None);
            scope.record_content_output("redacted");
            let finding = GuardrailFinding::new("pii", RiskSeverity::High).with_risk_score(0.5);
            scope.record_finding(&finding);
        });
}

#[test]
fn a_guardrail_has_findings_and_decisions_with_the_second_profile_only() {
    let recorder = Recorder::new();
    guardrail(&second(&recorder));
    let span = recorder.span();
    assert_eq!(
        values(&span, "microsoft.security.decision.type"),
        ["warn".into()]
    );
    assert_eq!(
        values(&span, "microsoft.security.decision.reason"),
        ["a reason".into()]
    );
    assert_eq!(
        values(&span, "microsoft.security.content.output.value"),
        ["redacted".into()]
    );
    assert_eq!(span.events.events[0].name, "microsoft.security.finding");
    assert_eq!(span.events.events[0].attributes.len(), 3);

    let recorder = Recorder::new();
    guardrail(&recorder.tracer);
    let span = recorder.span();
    assert_eq!(span.name, "apply_guardrail llm_input");
    assert_eq!(
        keys(&span),
        [
            "gen_ai.system",
            "gen_ai.operation.name",
            "gen_ai.agent.id",
            "tenant.id"
        ]
    );
    assert!(span.events.events.is_empty());
}

#[test]
fn an_answer_is_written_as_the_generation_writes_messages() {
    for (profile, expected) in [
        (Profile::V0_1, r#"["b"]"#),
        (
            Profile::V2,
            r#"[{"role": "assistant", "parts": [{"content": "b", "type": "text"}], "finish_reason": "stop"}]"#,
        ),
    ] {
        let recorder = Recorder::new();
        let tracer = ScopeTracer::with_profile(&recorder.provider, profile);
        let scope = OutputScope::builder(&Response::from("a"))
            .with_agent(&agent())
            .with_tracer(&tracer)
            .start();
        scope.record_output_messages(&Response::from("b"));
        scope.end();
        let span = recorder.span();
        assert_eq!(span.name, "output_messages agent-1");
        assert_eq!(values(&span, "gen_ai.output.messages"), [expected.into()]);
    }
}

#[test]
fn a_setter_of_the_other_generation_sets_nothing() {
    let both = |profile| {
        BaggageBuilder::for_profile(profile)
            .with_user_id("user")
            .with_user_email("mail")
            .with_user_client_ip("::1")
            .with_invoke_agent_server("host", 80)
            .with_session_id("session")
            .with_correlation_id("correlation")
            .with_caller_upn("upn")
            .build()
    };
    let first = both(Profile::V0_1);
    assert_eq!(
        first.pairs().collect::<Vec<_>>(),
        [
            ("gen_ai.caller.id", "user"),
            ("correlation.id", "correlation"),
            ("gen_ai.caller.upn", "upn"),
        ]
    );
    let second = both(Profile::V2);
    assert_eq!(
        second.pairs().collect::<Vec<_>>(),
        [
            ("user.id", "user"),
            ("user.email", "mail"),
            ("client.address", "::1"),
            ("server.address", "host"),
            ("server.port", "80"),
            ("microsoft.session.id", "session"),
        ]
    );
}

/// The tenants of a span that starts with the baggage of a header, and in the request of this process.
fn tenants(processor: BaggageSpanProcessor, local: &BaggageBuilder) -> Vec<opentelemetry::Value> {
    let recorder = Recorder::with(|builder| builder.with_span_processor(processor));
    let claims = "microsoft.tenant.id=claimed,tenant.id=claimed,microsoft.session.id=s";
    let headers = HashMap::from([("baggage".to_owned(), claims.to_owned())]);
    let context = Propagation::new().extract(&Context::new(), &headers);
    let context = local.clone().build().to_context(&context);
    let tracer = recorder.provider.tracer("plain");
    drop(tracer.start_with_context("plain", &context));
    let span = recorder.span();
    // What a caller of another tenant says is of that tenant.
    let is_of_caller = local.clone().build().pairs().len() == 0;
    let session = is_of_caller.then(|| "s".into());
    assert_eq!(
        values(&span, "microsoft.session.id"),
        Vec::from_iter(session)
    );
    assert_eq!(values(&span, "tenant.id"), []);
    values(&span, "microsoft.tenant.id")
}

#[test]
fn a_header_does_not_say_whose_telemetry_a_span_of_the_second_generation_is() {
    let processor = || BaggageSpanProcessor::new().with_profile(Profile::V2);
    let builder = BaggageBuilder::for_profile(Profile::V2);
    assert_eq!(tenants(processor(), &builder), []);
    assert_eq!(
        tenants(processor().with_trusted_remote_identity(), &builder),
        ["claimed".into()]
    );
    let local = builder.with_tenant_id("ours");
    assert_eq!(tenants(processor(), &local), ["ours".into()]);
    // The tenant of another generation is none of this one.
    let other = BaggageBuilder::for_profile(Profile::V0_1).with_tenant_id("ours");
    assert_eq!(tenants(processor(), &other), []);
}
