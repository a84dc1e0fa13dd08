//! Captures agents that emit `tracing` spans with GenAI fields, such as those of rig, `genai` and
//! adk-rust.
//!
//! [`layer`] is a layer for `tracing-subscriber` on top of `tracing-opentelemetry`. It adds:
//!
//! - **A filter.** By default, it only exports GenAI spans and the spans around them. See
//!   [`TracingSettings`].
//! - **One tree.** A root that a framework opens with `parent: None` becomes a child of the active
//!   span: a scope, an Agent Spec span, or any other OpenTelemetry span. It has the identity and the baggage
//!   of that span.
//! - **No noise.** The layer leaves out source locations, threads and busy times of spans, and log records
//!   below `WARN`.
//!
//! ```
//! use agentspan_tracing::{RelatedSpans, TracingSettings};
//! use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let exporter = InMemorySpanExporter::default();
//! let processor = SimpleSpanProcessor::new(exporter.clone());
//! let provider = SdkTracerProvider::builder()
//!     .with_span_processor(RelatedSpans::in_front_of(processor))
//!     .build();
//! let subscriber = tracing_subscriber::registry()
//!     .with(agentspan_tracing::layer(&provider, TracingSettings::new()));
//!
//! tracing::subscriber::with_default(subscriber, || {
//!     tracing::info_span!("POST /chat").in_scope(|| {
//!         tracing::info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| ());
//!     });
//!     tracing::info_span!("GET /health").in_scope(|| ());
//! });
//! let names: Vec<_> = exporter.get_finished_spans()?.into_iter().map(|span| span.name).collect();
//! assert_eq!(names, ["chat", "POST /chat"]);
//! # Ok::<(), opentelemetry_sdk::error::OTelSdkError>(())
//! ```
//!
//! With the facade, you only need `telemetry.tracing_layer()`.
//!
//! # How it works
//!
//! The names of a span's fields decide at its creation whether it is a span of an agent. Whether
//! any other span has an agent's span below it is known only at its end. So every span that passes
//! the filter becomes an OpenTelemetry span, and nests as usual. When a span ends without an
//! agent's span below it, [`RelatedSpans`] withholds it. Scopes, Agent Spec spans and all other
//! OpenTelemetry spans count as spans of an agent here.

#![doc(html_root_url = "https://docs.rs/agentspan-tracing/latest")]

mod ancestor;
mod capture;
mod choice;
mod related;
mod settings;
mod tracer;
mod unrelated;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use self::capture::Capture;
use self::choice::{Nothing, SpanFilter};
pub use self::related::RelatedSpans;
pub use self::settings::TracingSettings;
use self::tracer::LayerTracer;

/// A layer that turns `tracing` spans into spans of `provider`.
///
/// Add [`RelatedSpans`] to the provider. Otherwise, spans that have nothing to do with agents are
/// exported, too. The traits of `tracing-opentelemetry`, for instance `OpenTelemetrySpanExt`, work
/// with this layer.
///
/// A subscriber can have only one layer of `tracing-opentelemetry`, which panics if it finds the
/// data of a second layer on a span. Instead of a second layer, add a second processor or exporter
/// to the provider.
///
/// A filter on the registry, such as `registry().with(EnvFilter::from_default_env())`, filters this
/// layer, too: without `RUST_LOG`, it lets only errors pass. Put the filter on the layer of your log.
///
/// Do not wrap the layer in `reload::Layer` of `tracing-subscriber`, which panics for layers with a
/// filter, such as this one. Instead, add a filter with `with_filter`, and reload the filter.
#[must_use = "a layer does nothing until it is part of a subscriber"]
pub fn layer<S>(
    provider: &SdkTracerProvider,
    settings: TracingSettings,
) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let tracer = LayerTracer::of(provider);
    let inner = |tracer| {
        OpenTelemetryLayer::new(tracer)
            .with_location(settings.has_noise())
            .with_threads(settings.has_noise())
            .with_tracked_inactivity(settings.has_noise())
            .with_target(settings.has_noise())
    };
    // `OpenTelemetrySpanExt` and its like find the layer of `tracing-opentelemetry` in the stack,
    // and a layer around another cannot show it without unsafe code. So a second one is there to be
    // found. It hears of no span; both keep what they know in the spans, where either finds it.
    let found_by_others = inner(tracer.clone()).with_filter(Nothing);
    let capture = Capture::new(inner(tracer), settings.choice());
    capture
        .with_filter(SpanFilter::new(settings))
        .and_then(found_by_others)
}
