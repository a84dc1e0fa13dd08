//! Starting, recording and ending.

use agentspan_model::agent365::ToolCallDetails;
use agentspan_otel::scopes::DefaultTracerAlreadySet;
use agentspan_otel::{BaggageBuilder, ExecuteToolScope, ScopeTracer, set_default_tracer};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Sampler;

use crate::recorder::{Recorder, agent, keys, tenant, values};

#[test]
fn a_scope_ends_when_its_last_handle_is_dropped() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    let handle = scope.clone();
    drop(scope);
    assert!(recorder.spans().is_empty());
    handle.record_response("late");
    drop(handle);
    let span = recorder.span();
    assert_eq!(values(&span, "gen_ai.event.content"), ["late".into()]);
    assert_eq!(span.span_kind, SpanKind::Internal);
    assert_eq!(span.instrumentation_scope.name(), "Agent365Sdk");
    assert_eq!(span.instrumentation_scope.version(), Some(""));
}

#[test]
fn ending_twice_and_recording_after_the_end_do_nothing() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    assert!(scope.is_recording());
    scope.end();
    assert!(!scope.is_recording());
    scope.end();
    scope.record_response("late");
    scope.record_error_as("E", "late");
    drop(scope);
    let span = recorder.span();
    assert_eq!(values(&span, "gen_ai.event.content"), []);
    assert_eq!(span.status, Status::Unset);
    assert!(span.events.events.is_empty());
}

#[test]
fn a_scope_ends_although_others_hold_its_context() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    let held = scope.context();
    drop(scope);
    assert_eq!(recorder.spans().len(), 1);
    assert!(!held.span().is_recording());
}

#[test]
fn a_key_that_is_set_again_moves_to_the_end_however_it_is_set() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    {
        let _active = scope.enter();
        scope.record_attributes([("x", "1"), ("y", "1"), (" ", "blank")]);
        scope.record_attributes([("z", "1"), ("y", "2")]);
        // Code that knows nothing of scopes sets them on the current span.
        let current = Context::current();
        current.span().set_attribute(KeyValue::new("x", 2));
        let system = KeyValue::new("gen_ai.system", "other");
        current.span().set_attribute(system);
    }
    drop(scope);
    let span = recorder.span();
    assert_eq!(
        keys(&span),
        [
            "gen_ai.operation.name",
            "gen_ai.agent.id",
            "tenant.id",
            "gen_ai.tool.name",
            "z",
            "y",
            "x",
            "gen_ai.system",
        ]
    );
    assert_eq!(values(&span, "x"), [2.into()]);
    assert_eq!(values(&span, "y"), ["2".into()]);
}

#[test]
fn f10_a_free_attribute_changes_neither_identity_nor_what_the_scope_says() {
    let recorder = Recorder::new();
    let _request = BaggageBuilder::new()
        .with_conversation_id("of baggage")
        .build()
        .enter();
    let scope = recorder.tool("a");
    scope.record_response("of scope");
    scope.record_attributes([
        ("tenant.id", "other"),
        ("gen_ai.agent.id", "other"),
        ("gen_ai.system", "other"),
        ("gen_ai.tool.name", "other"),
        ("gen_ai.event.content", "other"),
        ("gen_ai.conversation.id", "other"),
        // What nobody has said is free.
        ("gen_ai.tool.type", "mine"),
        ("error.type", "mine"),
    ]);
    let before = scope.context();
    before.span().set_attribute(KeyValue::new("mine", "direct"));
    scope.record_attributes([("mine", "other")]);
    scope.record_error_as("of::Scope", "message");
    scope.record_attributes([("error.type", "other")]);
    drop(scope);
    let span = recorder.span();
    for (key, value) in [
        ("tenant.id", "tenant-1"),
        ("gen_ai.agent.id", "agent-1"),
        ("gen_ai.system", "az.ai.agent365"),
        ("gen_ai.tool.name", "a"),
        ("gen_ai.event.content", "of scope"),
        ("gen_ai.conversation.id", "of baggage"),
        ("gen_ai.tool.type", "mine"),
        ("mine", "direct"),
        ("error.type", "Scope"),
    ] {
        assert_eq!(values(&span, key), [value.into()], "{key}");
    }
}

#[test]
fn what_current_code_does_to_the_span_is_kept() {
    let recorder = Recorder::new();
    recorder.tool("a").in_scope_infallible(|_| {
        let context = Context::current();
        let span = context.span();
        span.update_name("renamed");
        span.add_event("seen", Vec::new());
        span.set_status(Status::Ok);
        span.set_status(Status::error("too late"));
    });
    let span = recorder.span();
    assert_eq!(span.name, "renamed");
    assert_eq!(span.events.events[0].name, "seen");
    assert_eq!(span.status, Status::Ok);
}

#[test]
fn ending_the_current_span_by_hand_ends_the_scope_with_its_attributes() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    scope.context().span().end();
    let span = recorder.span();
    assert_eq!(values(&span, "gen_ai.tool.name"), ["a".into()]);
    drop(scope);
    assert_eq!(recorder.spans().len(), 1);
}

#[test]
fn a_span_that_a_sampler_dropped_records_nothing_and_its_children_follow() {
    let recorder = Recorder::with(|builder| {
        builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
    });
    let scope = recorder.invoke_agent();
    assert!(!scope.is_recording());
    assert!(scope.span_context().is_valid());
    {
        let _active = scope.enter();
        let current = Context::current().span().span_context().clone();
        assert_eq!(current, scope.span_context());
        let child = recorder.tool("child");
        assert_eq!(child.span_context().trace_id(), current.trace_id());
        assert!(!child.is_recording());
    }
    scope.record_response("x");
    scope.record_error_as("E", "x");
    scope.end();
    assert!(recorder.spans().is_empty());
}

#[test]
fn after_the_provider_is_shut_down_scopes_do_nothing() {
    let recorder = Recorder::new();
    let before = recorder.tool("before");
    recorder.provider.shutdown().unwrap();
    let after = recorder.tool("after");
    assert!(!after.is_recording());
    assert!(!after.span_context().is_valid());
    let _active = after.enter();
    drop(before);
    assert!(recorder.spans().is_empty());
}

#[test]
fn a_processor_may_look_at_the_current_span_while_a_scope_ends() {
    let recorder = Recorder::with(|builder| builder.with_span_processor(LooksAtCurrentSpan));
    let scope = recorder.tool("a");
    let _active = scope.enter();
    scope.end();
    assert_eq!(recorder.spans().len(), 1);
}

#[derive(Debug)]
struct LooksAtCurrentSpan;

impl opentelemetry_sdk::trace::SpanProcessor for LooksAtCurrentSpan {
    fn on_start(&self, _span: &mut opentelemetry_sdk::trace::Span, _context: &Context) {}

    fn on_end(&self, _span: opentelemetry_sdk::trace::SpanData) {
        // Would wait for the lock of the ending span forever.
        assert!(!Context::current().span().is_recording());
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(
        &self,
        _timeout: std::time::Duration,
    ) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}

#[test]
fn the_default_tracer_is_set_once_and_used_where_none_is_given() {
    let recorder = Recorder::new();
    set_default_tracer(recorder.tracer.clone()).unwrap();
    let second = set_default_tracer(ScopeTracer::new(&Recorder::new().provider));
    let error: DefaultTracerAlreadySet = second.unwrap_err();
    assert_eq!(error.to_string(), "a default tracer is already set");
    let call = ToolCallDetails::new("by default");
    ExecuteToolScope::start(&call, &agent(), &tenant()).end();
    assert_eq!(recorder.span().name, "execute_tool by default");
}

#[test]
fn debug_shows_ids_and_no_content() {
    let recorder = Recorder::new();
    let scope = recorder.tool("a");
    scope.record_response("canary");
    let text = format!("{scope:?} {:?}", scope.enter());
    assert!(text.contains(&scope.span_context().span_id().to_string()));
    assert!(!text.contains("canary"), "{text}");
}
