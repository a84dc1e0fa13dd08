//! Spans in the words of a destination, made where they leave.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, Event as AgentSpecEvent, Span as AgentSpecSpan};
use agentspan_model::keys;
use agentspan_model::mapping::{Mapping, RebuiltSpan, Rendering, SCHEMA_URL, SpanInTrace};
use agentspan_queue::contain;
use opentelemetry::trace::{Event, Status};
use opentelemetry::{Context, InstrumentationScope, Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

use super::attributes::Attributes;
use super::from_otel::from_otel;
use super::kind;
use super::normalised::Normalised;
use crate::masked::Hiding;

/// A span exporter or span processor of the SDK that gets spans in the words of a [`Mapping`].
///
/// An exporter gets all spans of agents so: those of Agent Spec, those of scopes, and those of other frameworks in any
/// convention that [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. All
/// other spans pass as they are.
/// A processor, which may run where spans end, gets only Agent Spec spans so.
///
/// Wrap each destination in its own: one may get everything in the words of OpenInference, another one
/// masked spans in those of Agent 365. The spans that others see stay as they are, and limits of the SDK
/// do not apply to what is written here. Attributes that other instrumentation or baggage has set are
/// kept; where both say something, the mapping wins, except for the identity of Agent 365.
///
/// Rendering takes time on the thread that exports. Wrap the exporter of a batch processor, rather than
/// a processor, where spans end on a thread that is in a hurry.
///
/// A span whose attributes were cut by somebody, so that the Agent Spec span cannot be rebuilt, is passed on
/// as it is, without content if the mapping shows none.
#[derive(Clone, Debug)]
pub struct Rendered<T> {
    inner: T,
    mapping: Mapping,
}

impl<T> Rendered<T> {
    /// Renders for `inner`.
    pub fn new(inner: T, mapping: Mapping) -> Self {
        Self { inner, mapping }
    }

    /// The exporter or processor that gets the spans.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<E: SpanExporter> SpanExporter for Rendered<E> {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let spans = batch.into_iter().map(|span| {
            let mut span = render(&self.mapping, span);
            Normalised::new(&self.mapping).apply(&mut span);
            span
        });
        self.inner.export(spans.collect())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<P: SpanProcessor> SpanProcessor for Rendered<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        // A panic costs the program nothing, and is counted.
        let _ = contain::call(|| self.inner.on_start(span, cx));
    }

    fn on_end(&self, span: SpanData) {
        let _ = contain::call(|| self.inner.on_end(render(&self.mapping, span)));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// A span in the words of a mapping.
fn render(mapping: &Mapping, mut span: SpanData) -> SpanData {
    match from_otel(&span) {
        Ok(None) => span,
        Ok(Some(rebuilt)) => {
            render_rebuilt(mapping, &mut span, &rebuilt);
            span
        }
        Err(error) => {
            contain::log(|| {
                tracing::warn!(
                    target: "agentspan::otel::bridge",
                    error = %error,
                    cause = %error.source,
                    "an agent spec span cannot be rendered"
                );
            });
            without_content(mapping, span)
        }
    }
}

fn render_rebuilt(mapping: &Mapping, span: &mut SpanData, rebuilt: &RebuiltSpan) {
    let record = &rebuilt.span;
    let mut in_trace = SpanInTrace::new(record)
        .with_parent_id(rebuilt.parent_id.as_ref())
        .with_parent_component_id(rebuilt.parent_component_id.as_deref())
        .with_exchange(
            rebuilt.first_input.as_deref(),
            rebuilt.last_output.as_deref(),
        );
    if let Some(trace) = &rebuilt.trace {
        in_trace = in_trace.with_trace(&trace.id, trace.name.as_deref());
    }
    // A name that somebody has changed since is wanted so.
    if span.name == Mapping::new(Rendering::AgentSpec).span_name(record) {
        span.name = mapping.span_name_in_trace(&in_trace).into_owned().into();
    }
    span.span_kind = kind(mapping.span_kind(record));
    if mapping.rendering() == Rendering::GenAi {
        span.instrumentation_scope = with_schema(&span.instrumentation_scope);
    }
    if let Some(failure) = mapping.failure(record) {
        span.status = Status::error(failure.status_description().to_owned());
    }
    let mut attributes = Attributes::default();
    mapping.visit_span(&in_trace, &mut attributes);
    span.attributes = merged(attributes.0, std::mem::take(&mut span.attributes), mapping);
    let mut events = record.events.iter();
    for event in &mut span.events.events {
        if event
            .attributes
            .iter()
            .any(|a| a.key.as_str() == keys::AGENTSPEC_EVENT_ID)
        {
            if let Some(rebuilt) = events.next() {
                render_event(mapping, event, rebuilt, record);
            }
        }
    }
}

/// The scope with the version of the conventions, unless it names one.
pub(super) fn with_schema(scope: &InstrumentationScope) -> InstrumentationScope {
    if scope.schema_url().is_some() {
        return scope.clone();
    }
    let builder = InstrumentationScope::builder(scope.name().to_owned())
        .with_schema_url(SCHEMA_URL)
        .with_attributes(scope.attributes().cloned());
    match scope.version() {
        Some(version) => builder.with_version(version.to_owned()).build(),
        None => builder.build(),
    }
}

fn render_event(
    mapping: &Mapping,
    event: &mut Event,
    rebuilt: &AgentSpecEvent,
    span: &AgentSpecSpan,
) {
    let mut attributes = Attributes::default();
    mapping.visit_event(rebuilt, span, &mut attributes);
    let others = std::mem::take(&mut event.attributes);
    event.attributes = merged(attributes.0, others, mapping);
}

/// What the mapping says, and what others have said besides.
fn merged(mut mapped: Vec<KeyValue>, live: Vec<KeyValue>, mapping: &Mapping) -> Vec<KeyValue> {
    let has_identity = matches!(mapping.rendering(), Rendering::Agent365(_));
    let is_identity = |key: &str| {
        has_identity
            && [
                keys::GEN_AI_AGENT_ID,
                keys::TENANT_ID,
                keys::MICROSOFT_TENANT_ID,
            ]
            .contains(&key)
    };
    // Where each key is, so that very many attributes cost no more for each.
    let places = mapped.iter().enumerate();
    let mut places: HashMap<Key, usize> = places.map(|(at, a)| (a.key.clone(), at)).collect();
    for other in live {
        let key = other.key.as_str();
        let is_of_bridge =
            [keys::AGENTSPEC_UNFINISHED, keys::AGENTSPEC_EVENT_SPAN_ID].contains(&key);
        if key.starts_with(keys::AGENTSPEC_PREFIX) && !is_of_bridge {
            continue;
        }
        match places.entry(other.key.clone()) {
            Entry::Vacant(place) => {
                place.insert(mapped.len());
                mapped.push(other);
            }
            Entry::Occupied(place) if is_identity(key) => {
                if let Some(both) = mapped.get_mut(*place.get()) {
                    both.value = other.value;
                }
            }
            Entry::Occupied(_) => {}
        }
    }
    mapped
}

fn without_content(mapping: &Mapping, mut span: SpanData) -> SpanData {
    if mapping.capture().disclosure() == Disclosure::Clear {
        return span;
    }
    Hiding::Contents.apply(&mut span);
    span
}
