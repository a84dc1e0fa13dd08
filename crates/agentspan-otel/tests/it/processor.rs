//! What the baggage processor copies to spans.

use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor};
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};

use crate::recorder::{Keep, Recorder, keys, values};

#[test]
fn what_a_span_or_an_earlier_processor_has_set_is_never_overwritten() {
    #[derive(Debug)]
    struct SetsTenant;
    impl SpanProcessor for SetsTenant {
        fn on_start(&self, span: &mut Span, _context: &Context) {
            span.set_attribute(KeyValue::new("tenant.id", "of processor"));
        }
        fn on_end(&self, _span: SpanData) {}
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
        fn shutdown_with_timeout(&self, _timeout: std::time::Duration) -> OTelSdkResult {
            Ok(())
        }
    }
    let recorder = Recorder::with(|builder| {
        builder
            .with_span_processor(SetsTenant)
            .with_span_processor(BaggageSpanProcessor::new())
    });
    let _request = BaggageBuilder::new()
        .with_tenant_id("of baggage")
        .with_agent_id("of baggage")
        .with_correlation_id("of baggage")
        .build()
        .enter();
    let attributes = vec![KeyValue::new("gen_ai.agent.id", "of span")];
    let builder = SpanBuilder::from_name("plain").with_attributes(attributes);
    recorder.provider.tracer("t").build(builder);
    let span = recorder.span();
    assert_eq!(values(&span, "tenant.id"), ["of processor".into()]);
    assert_eq!(values(&span, "gen_ai.agent.id"), ["of span".into()]);
    assert_eq!(values(&span, "correlation.id"), ["of baggage".into()]);
}

#[test]
fn a_scope_wins_over_baggage_at_its_start_and_its_free_attributes_do_not() {
    let recorder = Recorder::new();
    let _request = BaggageBuilder::new()
        .with_tenant_id("of baggage")
        .with_correlation_id("of baggage")
        .with_conversation_id("of baggage")
        .build()
        .enter();
    let scope = recorder.tool("a");
    scope.record_attributes([("correlation.id", "of scope")]);
    drop(scope);
    let span = recorder.span();
    assert_eq!(
        keys(&span),
        [
            "correlation.id",
            "gen_ai.conversation.id",
            "gen_ai.system",
            "gen_ai.operation.name",
            "gen_ai.agent.id",
            "tenant.id",
            "gen_ai.tool.name",
        ]
    );
    assert_eq!(values(&span, "tenant.id"), ["tenant-1".into()]);
    assert_eq!(values(&span, "correlation.id"), ["of baggage".into()]);
}

#[test]
fn a_plain_span_inside_a_scope_gets_its_own_copy() {
    let recorder = Recorder::new();
    let _request = BaggageBuilder::new()
        .with_correlation_id("c")
        .build()
        .enter();
    recorder.tool("a").in_scope_infallible(|_| {
        recorder.provider.tracer("t").start("plain");
    });
    assert_eq!(
        values(&recorder.named("plain"), "correlation.id"),
        ["c".into()]
    );
}

#[test]
fn two_baggage_processors_copy_once() {
    let recorder = Recorder::with(|builder| {
        builder
            .with_span_processor(BaggageSpanProcessor::new())
            .with_span_processor(BaggageSpanProcessor::new())
    });
    let _request = BaggageBuilder::new()
        .with_correlation_id("c")
        .build()
        .enter();
    recorder.provider.tracer("t").start("plain");
    recorder.tool("a").end();
    for span in recorder.spans() {
        assert_eq!(
            values(&span, "correlation.id"),
            ["c".into()],
            "{}",
            span.name
        );
    }
}

#[test]
fn the_next_processor_of_a_chain_sees_the_copies_and_gets_the_spans() {
    let keep = Keep::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BaggageSpanProcessor::in_front_of(keep.clone()))
        .build();
    let _request = BaggageBuilder::new()
        .with_correlation_id("c")
        .build()
        .enter();
    let mut span = provider.tracer("t").start("plain");
    let data = span.exported_data().unwrap();
    assert_eq!(values(&data, "correlation.id"), ["c".into()]);
    span.end();
    assert_eq!(values(&keep.spans()[0], "correlation.id"), ["c".into()]);
}
