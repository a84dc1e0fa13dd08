//! The layer beside others, and what works with `tracing-opentelemetry` works with it.

use std::sync::{Arc, Mutex};

use agentspan_otel::Propagation;
use agentspan_tracing::{RelatedSpans, TracingSettings};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};
use tracing::{Metadata, Subscriber, debug_span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::recorder::Recorder;

#[test]
fn the_extension_trait_of_tracing_opentelemetry_finds_the_layer() {
    let recorder = Recorder::new();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let caller =
        Propagation::new().extract_headers(&Context::new(), [("traceparent", parent.to_owned())]);
    recorder.run(|| {
        let span = info_span!("POST /chat");
        span.set_parent(caller).unwrap();
        span.set_attribute("answer", 42);
        span.in_scope(|| info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| ()));
        let context = span.context();
        let span_id = context.span().span_context().span_id();
        drop((context, span));
        assert_eq!(recorder.named("POST /chat").span_context.span_id(), span_id);
    });
    let span = recorder.named("POST /chat");
    let trace = TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(span.span_context.trace_id(), trace);
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!(crate::recorder::value(&span, "answer"), Some(42.into()));
    recorder.check_child("chat", "POST /chat");
}

/// Remembers the names of the spans that it hears of.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl Names {
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: Subscriber> Layer<S> for Names {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _id: &tracing::span::Id,
        _context: LayerContext<'_, S>,
    ) {
        self.0.lock().unwrap().push(attributes.metadata().name());
    }

    fn on_event(&self, event: &tracing::Event<'_>, _context: LayerContext<'_, S>) {
        self.0.lock().unwrap().push(event.metadata().target());
    }
}

fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    agentspan_tracing::layer(provider, TracingSettings::new())
}

fn work() {
    info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {
        debug_span!("detail").in_scope(|| tracing::info!(target: "info", "one"));
        tracing::trace!(target: "trace", "two");
    });
}

#[test]
fn other_layers_hear_what_they_would_hear_without_it_and_the_other_way_round() {
    let exporter = InMemorySpanExporter::default();
    let processor = SimpleSpanProcessor::new(exporter.clone());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(RelatedSpans::in_front_of(processor))
        .build();
    let exported = || {
        let spans = exporter.get_finished_spans().unwrap().into_iter();
        let names: Vec<_> = spans.map(|span| span.name.into_owned()).collect();
        exporter.reset();
        names
    };
    let all = vec!["chat", "detail", "info", "trace"];
    let names = Names::default();
    let registry = tracing_subscriber::registry;

    let subscriber = registry().with(layer(&provider)).with(names.clone());
    tracing::subscriber::with_default(subscriber, work);
    assert_eq!(
        (names.take(), exported()),
        (all.clone(), vec!["chat".into()])
    );

    let subscriber = registry().with(names.clone()).with(layer(&provider));
    tracing::subscriber::with_default(subscriber, work);
    assert_eq!(
        (names.take(), exported()),
        (all.clone(), vec!["chat".into()])
    );

    let off = names.clone().with_filter(LevelFilter::OFF);
    let subscriber = registry().with(off).with(layer(&provider));
    tracing::subscriber::with_default(subscriber, work);
    assert_eq!(
        (names.take(), exported()),
        (Vec::new(), vec!["chat".into()])
    );

    let info = names.clone().with_filter(LevelFilter::INFO);
    let subscriber = registry().with(layer(&provider)).with(info);
    tracing::subscriber::with_default(subscriber, work);
    let expected = (vec!["chat", "info"], vec!["chat".into()]);
    assert_eq!((names.take(), exported()), expected);

    let none = |span: &Metadata<'_>| span.name() != "chat";
    let none = tracing_subscriber::filter::filter_fn(none);
    let subscriber = registry()
        .with(layer(&provider).with_filter(none))
        .with(names.clone());
    tracing::subscriber::with_default(subscriber, work);
    assert_eq!((names.take(), exported()), (all, Vec::new()));
}
