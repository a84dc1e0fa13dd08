//! Scopes whose attributes go past the SDK's span, to a processor that is alone in its provider.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agent365::ToolCallDetails;
use agentspan_model::agentspec::SpanDetails;
use agentspan_model::keys;
use agentspan_otel::{
    BaggageBuilder, BaggageSpanProcessor, ExecuteToolScope, OtelBridge, ScopeTracer,
};
use agentspan_processor::{Span as AgentSpecSpan, Trace};
use agentspan_record::FinishedSpan;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};

use crate::recorder::{Recorder, agent, tenant};

/// Receives spans as our destinations do.
#[derive(Clone, Debug, Default)]
struct Receive(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Receive {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let span = FinishedSpan::received(span);
        self.0.lock().unwrap().push(span.data);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// How many attributes a span may have.
const MOST: u32 = 9;

fn provider(beside: bool) -> (SdkTracerProvider, Receive) {
    let kept = Receive::default();
    let processor = BaggageSpanProcessor::in_front_of(kept.clone());
    let processor = match beside {
        true => processor.with_attributes_beside(MOST),
        false => processor,
    };
    let provider = SdkTracerProvider::builder()
        .with_max_attributes_per_span(MOST)
        .with_span_processor(processor);
    (provider.build(), kept)
}

fn start(tracer: &ScopeTracer) -> ExecuteToolScope {
    ExecuteToolScope::builder(&ToolCallDetails::new("clock"))
        .with_agent(&agent())
        .with_tenant(&tenant())
        .with_tracer(tracer)
        .start()
}

/// Scopes in each other with a span of other code between, baggage, attributes set twice, too many,
/// and an error.
fn work(provider: &SdkTracerProvider) {
    let tracer = ScopeTracer::new(provider);
    let baggage = BaggageBuilder::new().with_correlation_id("c").build();
    let _request = baggage.enter();
    start(&tracer).in_scope_infallible(|outer| {
        let mut plain = provider.tracer("t").start("plain");
        plain.set_attribute(KeyValue::new("own", true));
        let context = Context::current_with_span(plain);
        let _current = context.attach();
        outer.record_response("12:00");
        start(&tracer).in_scope_infallible(|inner| {
            inner.record_response("first");
            inner.record_attributes([("app.one", 1), ("app.two", 2), ("app.one", 3)]);
            inner.record_response("second");
            inner.record_error_as("Late", "too late");
            inner.record_attributes((0..20).map(|n| (format!("app.{n}"), n)));
        });
    });
    // It starts where it ends.
    start(&tracer).end();
}

/// Agent Spec spans in baggage that changes around them, in a scope, and with attributes of others.
fn agent_spec_work(provider: &SdkTracerProvider) {
    let bridge = OtelBridge::new(provider).with_records_only();
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    let invoke = || AgentSpecSpan::builder(SpanDetails::Plain).with_name("invoke_agent a");
    invoke().start().unwrap().end().unwrap();
    let baggage = BaggageBuilder::new().with_tenant_id("t").with_agent_id("a");
    let baggage = baggage.with_caller_id("c").build();
    for _ in 0..2 {
        let _request = baggage.enter();
        invoke().start().unwrap().end().unwrap();
        let outer = AgentSpecSpan::builder(SpanDetails::Plain).start().unwrap();
        Context::map_current(|context| {
            let span = context.span();
            span.set_attribute(KeyValue::new("own", true));
            span.set_attribute(KeyValue::new("gen_ai.agent.id", "mine"));
        });
        let other = BaggageBuilder::new()
            .with_agent_id("b")
            .with_correlation_id("d");
        let _inner = other.build().enter();
        invoke().start().unwrap().end().unwrap();
        drop(outer);
    }
    // The request's, and then one that other code has changed.
    let _request = baggage.enter();
    let changed = [KeyValue::new("correlation.id", "e")];
    let changed = Context::current().with_baggage(changed).attach();
    invoke().start().unwrap().end().unwrap();
    drop(changed);
    start(&ScopeTracer::new(provider)).in_scope_infallible(|_| {
        invoke().start().unwrap().end().unwrap();
    });
    trace.end().unwrap();
}

/// Each span with all that is told of it.
fn facts_of(beside: bool, work: impl Fn(&SdkTracerProvider)) -> Vec<Facts> {
    let (provider, kept) = provider(beside);
    work(&provider);
    let spans = kept.0.lock().unwrap();
    let facts = |span: &SpanData| {
        let kind = span.span_kind.clone();
        let status = span.status.clone();
        let events: Vec<_> = span.events.iter().map(|it| it.name.clone()).collect();
        let (attributes, dropped) = (span.attributes.clone(), span.dropped_attributes_count);
        (span.name.clone(), kind, attributes, dropped, status, events)
    };
    spans.iter().map(facts).collect()
}

type Facts = (
    Cow<'static, str>,
    SpanKind,
    Vec<KeyValue>,
    u32,
    Status,
    Vec<Cow<'static, str>>,
);

#[test]
fn an_agent_spec_span_has_the_baggage_that_the_span_of_the_sdk_would_have_held() {
    let [held, beside] = [false, true].map(|beside| facts_of(beside, agent_spec_work));
    let texts = |facts: &[Facts]| {
        let text = |attribute: &KeyValue| format!("{}={}", attribute.key, attribute.value);
        let spans = facts.iter();
        let texts = |facts: &Facts| facts.2.iter().map(text).collect::<Vec<_>>().join(" ");
        spans.map(texts).collect::<Vec<_>>()
    };
    let plain = "agentspec.span.type=Span";
    let of_request = format!("{plain} tenant.id=t gen_ai.agent.id=a gen_ai.caller.id=c");
    let both = "correlation.id=d gen_ai.agent.id=b gen_ai.caller.id=c";
    // Who takes part stays as this process said.
    let of_others = "correlation.id=e gen_ai.agent.id=a gen_ai.caller.id=c";
    let changed = format!("{plain} tenant.id=t {of_others}");
    let expected = [
        plain.to_owned(),
        of_request.clone(),
        format!("{plain} tenant.id=t {both}"),
        format!("{plain} tenant.id=t own=true gen_ai.agent.id=mine"),
    ];
    let texts_beside = texts(&beside);
    assert_eq!(texts_beside[..4], expected);
    assert_eq!(texts_beside[4..7], expected[1..]);
    assert_eq!(texts_beside[7], changed);
    // What other code sets again moves to the end, where the SDK's span has it twice.
    let mut held = texts(&held);
    for at in [3, 6] {
        held[at] = held[at].replacen(" gen_ai.agent.id=a", "", 1);
    }
    assert_eq!(texts_beside, held);
}

#[test]
fn what_arrives_is_what_the_span_of_the_sdk_would_have_held() {
    let [held, beside] = [false, true].map(|beside| facts_of(beside, work));
    assert_eq!(held, beside);
    assert_eq!(beside.len(), 4);
    let (_, _, attributes, dropped, status, _) = &beside[0];
    assert_eq!(attributes.len(), MOST as usize);
    assert!(*dropped > 10, "{dropped}");
    assert_eq!(*status, Status::error("too late"));
}

/// More attributes than a span may have, of the program and of other code, before the scope records
/// its response and its error.
fn crowded_work(provider: &SdkTracerProvider) {
    start(&ScopeTracer::new(provider)).in_scope_infallible(|scope| {
        scope.record_attributes((0..50).map(|n| (format!("app.{n}"), n)));
        Context::map_current(|context| {
            let other = |n| KeyValue::new(format!("other.{n}"), n);
            (0..50).for_each(|n| context.span().set_attribute(other(n)));
        });
        scope.record_response("12:00");
        scope.record_error_as("Late", "too late");
    });
}

#[test]
fn attributes_of_the_program_never_push_out_what_a_scope_records() {
    for beside in [false, true] {
        let facts = facts_of(beside, crowded_work);
        let (_, _, attributes, dropped, _, _) = &facts[0];
        let has = |key: &str| attributes.iter().any(|it| it.key.as_str() == key);
        for key in [
            keys::TENANT_ID,
            keys::GEN_AI_AGENT_ID,
            keys::GEN_AI_OPERATION_NAME,
            keys::GEN_AI_EVENT_CONTENT,
            keys::ERROR_TYPE,
        ] {
            assert!(has(key), "{key} is missing, beside: {beside}");
        }
        assert_eq!(attributes.len(), MOST as usize);
        assert!(*dropped > 90, "{dropped}");
    }
}

/// Starts and ends a scope of another provider when a span starts.
#[derive(Debug)]
struct Nested(ScopeTracer);

impl SpanProcessor for Nested {
    fn on_start(&self, _: &mut Span, _: &Context) {
        start(&self.0).end();
    }

    fn on_end(&self, _: SpanData) {
        start(&self.0).end();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn processors_of_another_provider_see_the_whole_span() {
    let (alone, kept) = provider(true);
    let nested = ScopeTracer::new(&alone);
    let recorder = Recorder::with(|builder| builder.with_span_processor(Nested(nested)));
    recorder.tool("clock").end();
    let names = |span: &SpanData| {
        let keys = span.attributes.iter();
        keys.map(|it| it.key.to_string()).collect::<Vec<_>>()
    };
    let expected = names(&recorder.span());
    assert!(expected.len() > 3, "{expected:?}");
    let spans = kept.0.lock().unwrap();
    let spans: Vec<_> = spans.iter().map(names).collect();
    assert_eq!(spans, [expected.clone(), expected]);
}

/// Starts a plain span of another provider when a scope of a host starts.
#[derive(Debug)]
struct Plain(SdkTracerProvider);

impl SpanProcessor for Plain {
    fn on_start(&self, _: &mut Span, _: &Context) {
        drop(self.0.tracer("t").start("plain"));
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_span_that_starts_meanwhile_says_nothing_of_the_scope() {
    let (alone, kept) = provider(true);
    let recorder = Recorder::with(|builder| builder.with_span_processor(Plain(alone)));
    recorder.tool("clock").end();
    assert!(recorder.span().attributes.len() > 3);
    let spans = kept.0.lock().unwrap();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].attributes, []);
}
