//! Agent Spec spans in the words of a mapping.

use std::collections::HashMap;
use std::time::SystemTime;

use agentspan_model::agentspec::{Disclosure, Event as AgentSpecEvent, Span as AgentSpecSpan};
use agentspan_model::keys;
use agentspan_model::mapping::{
    Mapping, PlacedSpan, Rendering, SCHEMA_URL, SpanKind as MappedKind,
};
use agentspan_queue::contain;
use opentelemetry::trace::{Event, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::Attributes;
use crate::from_otel::from_otel;
use crate::hiding::Hiding;

/// Renders a span whose Agent Spec span is in its attributes. All others stay as they are.
///
/// A span whose attributes were cut by somebody, so that the Agent Spec span cannot be rebuilt,
/// stays as it is, without content if the mapping shows none. Gives whether the span may be another one.
pub(crate) fn render_attributes(mapping: &Mapping, span: &mut SpanData) -> bool {
    match from_otel(span) {
        Ok(None) => return false,
        Ok(Some(rebuilt)) => render_record(mapping, span, &rebuilt),
        Err(error) => {
            contain::log(|| {
                tracing::warn!(
                    target: "agentspan::record::render",
                    error = %error,
                    cause = %error.source,
                    "an agent spec span cannot be rendered"
                );
            });
            if mapping.capture().disclosure() == Disclosure::Masked {
                Hiding::Contents.apply(span);
            }
        }
    }
    true
}

/// How many attributes a mapping has for most spans and events, so that the lists need not grow on
/// their way.
const USUAL_OF_SPAN: usize = 16;
const USUAL_OF_EVENT: usize = 4;

/// Renders a span that stands for `placed`.
///
/// Attributes that other instrumentation or baggage has set are kept; where both say something, the
/// mapping wins, except for the identity of Agent 365.
pub(crate) fn render_record(mapping: &Mapping, span: &mut SpanData, placed: &PlacedSpan) {
    let record = &placed.span;
    let in_trace = placed.in_trace();
    // A name that somebody gave it since is wanted so.
    let own = Mapping::new(Rendering::AgentSpec);
    if span.name.is_empty() || own.is_span_name(record, &span.name) {
        span.name = mapping.span_name_in_trace(&in_trace).into_owned().into();
    }
    span.span_kind = span_kind(mapping.span_kind(record));
    if mapping.rendering() == Rendering::GenAi {
        span.instrumentation_scope = with_schema(&span.instrumentation_scope);
    }
    if let Some(failure) = mapping.failure(record) {
        span.status = Status::error(failure.status_description().to_owned());
    }
    let mut attributes = Attributes::with_room(USUAL_OF_SPAN + span.attributes.len());
    mapping.visit_span(&in_trace, &mut attributes);
    span.attributes = merged(attributes.0, std::mem::take(&mut span.attributes), mapping);
    let of_agent_spec = span.events.events.iter_mut().filter(|it| is_agent_spec(it));
    for (event, recorded) in of_agent_spec.zip(&record.events) {
        render_event(mapping, event, recorded, record);
    }
}

/// The scope with the version of the conventions, unless it names one.
pub(crate) fn with_schema(scope: &InstrumentationScope) -> InstrumentationScope {
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

/// The kind of span that a mapping names.
#[must_use]
pub fn span_kind(kind: MappedKind) -> SpanKind {
    match kind {
        MappedKind::Client => SpanKind::Client,
        _ => SpanKind::Internal,
    }
}

/// Whether an event is one of Agent Spec: its attributes say so, or it only keeps the place of one.
fn is_agent_spec(event: &Event) -> bool {
    let mut attributes = event.attributes.iter();
    event.name == keys::AGENTSPEC_EVENT
        || attributes.any(|attribute| attribute.key.as_str() == keys::AGENTSPEC_EVENT_ID)
}

fn render_event(
    mapping: &Mapping,
    event: &mut Event,
    recorded: &AgentSpecEvent,
    span: &AgentSpecSpan,
) {
    if event.name == keys::AGENTSPEC_EVENT {
        event.name = mapping.event_name(recorded).to_owned().into();
        event.timestamp = SystemTime::from(recorded.timestamp);
    }
    let mut attributes = Attributes::with_room(USUAL_OF_EVENT);
    mapping.visit_event(recorded, span, &mut attributes);
    let others = std::mem::take(&mut event.attributes);
    event.attributes = merged(attributes.0, others, mapping);
}

/// For so many attributes no table is built.
const FEW: usize = 16;

/// The attributes of the mapping, and those that others have added.
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
    // Where each key is, so that very many attributes cost no more for each. For a few it costs
    // more than to look: a prompt has some attributes for each of its messages.
    let is_few = live.len() <= FEW;
    let mut places = HashMap::new();
    if !is_few {
        let mapped = mapped.iter().enumerate();
        places.extend(mapped.map(|(at, attribute)| (attribute.key.clone(), at)));
    }
    for other in live {
        let key = other.key.as_str();
        let is_of_bridge =
            [keys::AGENTSPEC_UNFINISHED, keys::AGENTSPEC_EVENT_SPAN_ID].contains(&key);
        if key.starts_with(keys::AGENTSPEC_PREFIX) && !is_of_bridge {
            continue;
        }
        let place = if is_few {
            mapped.iter().position(|known| known.key == other.key)
        } else {
            places.get(&other.key).copied()
        };
        match place {
            None => {
                if !is_few {
                    places.insert(other.key.clone(), mapped.len());
                }
                mapped.push(other);
            }
            Some(place) if is_identity(key) => {
                if let Some(both) = mapped.get_mut(place) {
                    both.value = other.value;
                }
            }
            Some(_) => {}
        }
    }
    mapped
}
