//! Links, late events, samplers, spans of others.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use agentspan_model::agentspec::{SpanDetails, ToolConfirmationRequest, ToolConfirmationResponse};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{OtelBridge, from_otel};
use agentspan_processor::span::SpanBuilder;
use agentspan_processor::{Span, Trace};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan, SpanData, SpanProcessor,
};

use super::story::tool;
use super::watched::{Kept, Watched};

fn plain(name: &'static str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name)
}

#[test]
fn a_response_in_another_span_is_linked_to_its_request() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace = watched.trace();
    let asks = plain("asks").start().unwrap();
    asks.add_event(ToolConfirmationRequest::new(tool(), "c-1"))
        .unwrap();
    asks.add_event(ToolConfirmationRequest::new(tool(), "c-2"))
        .unwrap();
    asks.add_event(ToolConfirmationResponse::confirmed(tool(), "c-2"))
        .unwrap();
    asks.end().unwrap();
    let answers = plain("answers").start().unwrap();
    answers
        .add_event(ToolConfirmationResponse::rejected(tool(), "c-1"))
        .unwrap();
    answers.end().unwrap();
    trace.end().unwrap();
    let (asks, answers) = (watched.live.named("asks"), watched.live.named("answers"));
    assert_eq!(asks.links.len(), 0);
    assert_eq!(answers.links.len(), 1);
    assert_eq!(answers.links[0].span_context, asks.span_context);
}

#[test]
fn an_event_after_the_end_of_its_span_is_shown_by_the_next_one_around_it_or_counted() {
    let mappings = [Mapping::new(Rendering::GenAi)];
    let watched = Watched::with_mappings(ContentCapture::NoContent, mappings);
    let trace = watched.trace();
    let span = plain("work").start_detached().unwrap();
    Span::end(&span).unwrap();
    let late = || span.add_event(agentspan_model::agentspec::EventDetails::Plain);
    late().unwrap();
    trace.end().unwrap();
    assert_eq!(watched.bridge.late_events(), 0);
    late().unwrap();
    assert_eq!(watched.bridge.late_events(), 1);
    for (spans, root) in [(&watched.live, "RootSpan"), (&watched.rendered[0], "Trace")] {
        assert_eq!(spans.named("work").events.len(), 0);
        let root = spans.named(root);
        assert_eq!(root.events.len(), 1);
        let attributes = &root.events.events[0].attributes;
        let of = attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == "agentspec.event.span_id");
        assert_eq!(of.unwrap().value.as_str(), span.id().as_str());
    }
}

#[test]
fn events_that_a_span_was_built_with_are_on_it() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace = watched.trace();
    let first = plain("first").start().unwrap();
    let event = first.new_event(agentspan_model::agentspec::EventDetails::Plain);
    first.end().unwrap();
    plain("work")
        .with_event(event.clone())
        .start()
        .unwrap()
        .end()
        .unwrap();
    trace.end().unwrap();
    let rebuilt = from_otel(&watched.live.named("work")).unwrap().unwrap();
    assert_eq!(*rebuilt.span.events[0], event);
}

#[test]
fn a_span_that_is_not_sampled_leads_to_none_that_is() {
    let kept = Kept::default();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .with_simple_exporter(kept.clone())
        .build();
    let bridge = OtelBridge::new(&provider);
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    plain("work").start().unwrap().end().unwrap();
    trace.end().unwrap();
    assert_eq!(kept.spans().len(), 0);
}

#[test]
fn a_provider_that_was_not_prepared_has_spans_all_the_same() {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    let bridge = OtelBridge::new(&provider);
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    plain("work").start().unwrap().end().unwrap();
    trace.end().unwrap();
    let (work, root) = (kept.named("work"), kept.named("RootSpan"));
    super::watched::check_nested(&work, &root);
    let rebuilt = from_otel(&work).unwrap().unwrap();
    assert_eq!(
        rebuilt.parent_id,
        from_otel(&root).unwrap().map(|r| r.span.id)
    );
}

#[test]
fn an_id_that_nobody_took_is_not_left_for_another_span() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace_id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let trace = Trace::builder()
        .with_id(trace_id)
        .with_processor(watched.processor())
        .start()
        .unwrap();
    trace.end().unwrap();
    watched.foreign().start("foreign");
    let (root, foreign) = (
        watched.live.named("RootSpan"),
        watched.live.named("foreign"),
    );
    assert_ne!(
        foreign.span_context.trace_id(),
        root.span_context.trace_id()
    );
    assert_ne!(foreign.span_context.span_id(), root.span_context.span_id());
}

/// Starts a root span of its own whenever a root span of Agent Spec starts.
#[derive(Clone, Debug, Default)]
struct StartsSpans(Arc<OnceLock<SdkTracer>>);

impl SpanProcessor for StartsSpans {
    fn on_start(&self, span: &mut SdkSpan, _: &Context) {
        let data = span.exported_data();
        if data.is_some_and(|data| data.name == "RootSpan") {
            let tracer = self.0.get().unwrap();
            tracer.start_with_context("started by a processor", &Context::new());
        }
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
fn a_span_that_a_processor_starts_does_not_take_the_id_of_a_trace() {
    let (kept, starts) = (Kept::default(), StartsSpans::default());
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(starts.clone())
        .with_simple_exporter(kept.clone())
        .build();
    starts.0.set(provider.tracer("foreign")).unwrap();
    let remote = SpanContext::new(
        TraceId::from(1_u128),
        SpanId::from(2_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let request = Context::new().with_remote_span_context(remote).attach();
    let trace_id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let trace = Trace::builder()
        .with_id(trace_id)
        .with_processor(OtelBridge::new(&provider));
    trace.start().unwrap().end().unwrap();
    drop(request);
    let unwanted = TraceId::from(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8_u128);
    let other = kept.named("started by a processor");
    assert_ne!(other.span_context.trace_id(), unwanted);
}

#[test]
fn spans_of_others_pass_through_a_rendering_as_they_are() {
    let watched = Watched::with_mappings(
        ContentCapture::NoContent,
        [Mapping::new(Rendering::OpenInference)],
    );
    let tracer = watched.foreign();
    tracer
        .span_builder("GET /")
        .with_kind(SpanKind::Server)
        .with_attributes([opentelemetry::KeyValue::new("input.value", "theirs")])
        .start(&tracer);
    assert_eq!(watched.live.spans(), watched.rendered[0].spans());
}
