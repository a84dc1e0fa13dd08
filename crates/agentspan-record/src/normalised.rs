//! Spans of scopes and of other frameworks in the words of a mapping.

use std::borrow::Cow;
use std::collections::HashSet;

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_model::mapping::normal::{
    NormalSpan, SourceEvent, SourceSpan, SourceValue, is_tracing_noise,
};
use agentspan_model::mapping::{Mapping, Rendering, SpanKind as ModelKind, TracingNoise};
use opentelemetry::trace::{Event, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::Attributes;
use crate::render::with_schema;

/// Writes a span of a scope or of another framework in the words of a mapping. Gives whether it changed.
///
/// A span of no known convention stays as it is, and so do Agent Spec spans, which are rendered otherwise.
/// Attributes that no convention knows are kept.
pub(crate) fn normalise(mapping: &Mapping, span: &mut SpanData) -> bool {
    let is_agent_spec = |attribute: &KeyValue| attribute.key.as_str() == keys::AGENTSPEC_SPAN_ID;
    let rendering = mapping.rendering();
    if rendering == Rendering::AgentSpec || span.attributes.iter().any(is_agent_spec) {
        return false;
    }
    if is_in_words_of(rendering, span) {
        return false;
    }
    let Some(normal) = NormalSpan::read(&source_span(span)) else {
        return false;
    };
    rewrite(mapping, &normal, span);
    true
}

fn rewrite(mapping: &Mapping, normal: &NormalSpan, span: &mut SpanData) {
    let rendering = mapping.rendering();
    // The conventions for MCP name calls of tools after the method, which only Agent 365 does not know.
    let keeps_method = !matches!(rendering, Rendering::Agent365(_));
    let is_named = |attribute: &KeyValue| match attribute.key.as_str() {
        keys::CUSTOM_SPAN_NAME => true,
        keys::MCP_METHOD_NAME => keeps_method,
        _ => false,
    };
    if !span.attributes.iter().any(is_named) {
        if let Cow::Owned(name) = normal.span_name(&span.name, rendering) {
            span.name = name.into();
        }
    }
    if normal.span_kind(rendering) == Some(ModelKind::Client) {
        span.span_kind = SpanKind::Client;
    }
    if rendering == Rendering::GenAi {
        span.instrumentation_scope = with_schema(&span.instrumentation_scope);
    }
    if let (Some(error), Status::Unset) = (&normal.error, &span.status) {
        let message = error.message.as_ref().and_then(|message| message.reveal());
        span.status = Status::error(message.cloned().unwrap_or_default());
    }
    let drops_noise = mapping.tracing_noise() == TracingNoise::Dropped;
    if drops_noise {
        span.events.events.retain(|event| !is_log_record(event));
    }
    let mut rendered = Attributes::default();
    normal.visit(rendering, &mut rendered);
    let mut attributes = rendered.0;
    let said: HashSet<_> = attributes.iter().map(|a| a.key.clone()).collect();
    let others = std::mem::take(&mut span.attributes).into_iter();
    attributes.extend(others.filter(|other| {
        let key = other.key.as_str();
        let is_replaced = said.contains(&other.key) || normal.has_read(key);
        let is_dropped = drops_noise && is_tracing_noise(key);
        !is_replaced && !is_dropped
    }));
    span.attributes = attributes;
}

/// Whether a scope made the span in the generation of Agent 365 that is asked for.
fn is_in_words_of(rendering: Rendering, span: &SpanData) -> bool {
    let Rendering::Agent365(profile) = rendering else {
        return false;
    };
    let mut attributes = span.attributes.iter();
    let system = attributes.find(|attribute| attribute.key.as_str() == keys::GEN_AI_SYSTEM);
    let system = system.map(|attribute| attribute.value.as_str());
    Profile::is_instrumentation_scope(span.instrumentation_scope.name())
        && system.as_deref() == profile.system()
}

/// Whether `tracing-opentelemetry` made the event of a log record.
fn is_log_record(event: &Event) -> bool {
    let has = |key: &str| event.attributes.iter().any(|a| a.key.as_str() == key);
    has(keys::LEVEL) && has(keys::TARGET)
}

/// A span of the SDK, as the model reads it.
#[must_use]
pub fn source_span(span: &SpanData) -> SourceSpan<'_> {
    let mut source = empty_source(span);
    for attribute in &span.attributes {
        source.attribute(attribute.key.as_str(), source_value(&attribute.value));
    }
    for event in &span.events.events {
        source.event(source_event(event));
    }
    source
}

/// As [`source_span`], of what an `Outline` reads: neither lists nor events other than exceptions.
#[must_use]
pub fn outlined(span: &SpanData) -> SourceSpan<'_> {
    let mut source = empty_source(span);
    for attribute in &span.attributes {
        let value = match &attribute.value {
            Value::Array(_) => SourceValue::Other,
            plain => source_value(plain),
        };
        source.attribute(attribute.key.as_str(), value);
    }
    let events = span.events.events.iter();
    for event in events.filter(|event| event.name == keys::EXCEPTION_EVENT) {
        source.event(source_event(event));
    }
    source
}

fn empty_source(span: &SpanData) -> SourceSpan<'_> {
    let mut source = SourceSpan::new(&span.name).with_room_for(span.attributes.len());
    if span.span_kind == SpanKind::Client {
        source = source.with_kind(ModelKind::Client);
    }
    match &span.status {
        Status::Error { description } => source.with_error(description),
        Status::Ok => source.with_ok(),
        Status::Unset => source,
    }
}

fn source_event(event: &Event) -> SourceEvent<'_> {
    let mut source = SourceEvent::new(&event.name);
    for attribute in &event.attributes {
        source.attribute(attribute.key.as_str(), source_value(&attribute.value));
    }
    source
}

/// A value of the SDK, as the model reads it.
#[must_use]
pub fn source_value(value: &Value) -> SourceValue<'_> {
    match value {
        Value::String(text) => SourceValue::Text(text.as_str()),
        Value::I64(number) => SourceValue::I64(*number),
        Value::F64(number) => SourceValue::F64(*number),
        Value::Bool(truth) => SourceValue::Bool(*truth),
        Value::Array(Array::String(texts)) => {
            SourceValue::Texts(texts.iter().map(|text| text.as_str()).collect())
        }
        _ => SourceValue::Other,
    }
}
