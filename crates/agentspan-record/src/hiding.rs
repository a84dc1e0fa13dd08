//! The parts of a span that are hidden.

use agentspan_model::agentspec::{Disclosure, MASK};
use agentspan_model::keys::Sensitivity;
use agentspan_model::mapping::named_only;
use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::names;

/// No number, id, name or member of an enumeration is longer.
const HARMLESS_BYTES: usize = 256;

/// The parts of a span that are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "nothing, by a list of what is hidden, or by a list of what is shown"
)]
pub enum Hiding {
    /// Nothing.
    Nothing,
    /// The values that [`Sensitivity`] knows or suspects to be contents.
    Contents,
    /// All but what [`Sensitivity`] knows to be harmless.
    AllButHarmless,
}

impl From<Disclosure> for Hiding {
    fn from(disclosure: Disclosure) -> Self {
        match disclosure {
            Disclosure::Masked => Self::Contents,
            Disclosure::Clear => Self::Nothing,
        }
    }
}

impl Hiding {
    /// Hides it.
    pub fn apply(self, span: &mut SpanData) {
        if self == Self::Nothing {
            return;
        }
        // Names first: they are judged by attributes.
        self.hide_names(span);
        let mut dropped = self.hide_attributes(&mut span.attributes);
        span.dropped_attributes_count = span.dropped_attributes_count.saturating_add(dropped);
        for event in &mut span.events.events {
            dropped = self.hide_attributes(&mut event.attributes);
            event.dropped_attributes_count = event.dropped_attributes_count.saturating_add(dropped);
        }
        for link in &mut span.links.links {
            dropped = self.hide_attributes(&mut link.attributes);
            link.dropped_attributes_count = link.dropped_attributes_count.saturating_add(dropped);
            self.hide_state(&mut link.span_context);
        }
        self.hide_state(&mut span.span_context);
        if let Some(scope) = self.scope(&span.instrumentation_scope) {
            span.instrumentation_scope = scope;
        }
        // An error's description is the text that `error.message` holds too.
        if let Status::Error { description } = &mut span.status {
            if !description.is_empty() {
                *description = MASK.into();
            }
        }
    }

    fn hide_names(self, span: &mut SpanData) {
        let is_free_text = match self {
            Self::Nothing => return,
            Self::Contents => names::is_long(&span.name),
            Self::AllButHarmless => !names::consists_of_harmless(&span.name, &span.attributes),
        };
        if is_free_text {
            span.name = names::operation(&span.attributes).unwrap_or_else(|| MASK.into());
        }
        for event in &mut span.events.events {
            let is_free_text = match self {
                Self::Nothing => false,
                Self::Contents => names::is_message(event),
                Self::AllButHarmless => !names::is_defined(event),
            };
            if is_free_text {
                event.name = MASK.into();
            }
        }
    }

    /// Hides what is to be hidden of each attribute, and tells how many were removed.
    fn hide_attributes(self, attributes: &mut Vec<KeyValue>) -> u32 {
        let all = attributes.len();
        if self == Self::AllButHarmless {
            attributes.retain(|attribute| {
                Sensitivity::of(attribute.key.as_str()) == Sensitivity::Harmless
            });
        }
        for attribute in attributes.iter_mut() {
            self.hide_value(attribute);
        }
        u32::try_from(all.saturating_sub(attributes.len())).unwrap_or(u32::MAX)
    }

    fn hide_value(self, attribute: &mut KeyValue) {
        if !self.stays(attribute) {
            let named = match &attribute.value {
                Value::String(text) => named_only(attribute.key.as_str(), text.as_str()),
                _ => None,
            };
            attribute.value = named.map_or_else(|| MASK.into(), Value::from);
        }
    }

    /// Other vendors put what they like into it.
    fn hide_state(self, context: &mut SpanContext) {
        if self == Self::AllButHarmless && *context.trace_state() != TraceState::NONE {
            *context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                context.trace_flags(),
                context.is_remote(),
                TraceState::NONE,
            );
        }
    }

    /// The scope, if its attributes change.
    fn scope(self, scope: &InstrumentationScope) -> Option<InstrumentationScope> {
        if scope.attributes().all(|attribute| self.stays(attribute)) {
            return None;
        }
        let mut attributes: Vec<_> = scope.attributes().cloned().collect();
        self.hide_attributes(&mut attributes);
        let mut builder =
            InstrumentationScope::builder(scope.name().to_owned()).with_attributes(attributes);
        if let Some(version) = scope.version() {
            builder = builder.with_version(version.to_owned());
        }
        if let Some(url) = scope.schema_url() {
            builder = builder.with_schema_url(url.to_owned());
        }
        Some(builder.build())
    }

    /// The resource, if its attributes change.
    #[must_use]
    pub fn apply_to_resource(self, resource: &Resource) -> Option<Resource> {
        let attributes = resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let mut attributes: Vec<_> = attributes.collect();
        if attributes.iter().all(|attribute| self.stays(attribute)) {
            return None;
        }
        self.hide_attributes(&mut attributes);
        let builder = Resource::builder_empty();
        Some(match resource.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()).build(),
            None => builder.with_attributes(attributes).build(),
        })
    }

    /// Whether nothing of an attribute is hidden.
    fn stays(self, attribute: &KeyValue) -> bool {
        match self {
            Self::Nothing => true,
            Self::Contents => !holds_content(attribute),
            Self::AllButHarmless => is_harmless(attribute),
        }
    }
}

/// Whether an attribute is known or suspected to hold what people, models or tools said.
fn holds_content(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    match Sensitivity::of(key) {
        Sensitivity::Content => true,
        // A text that is too long for the name of a span is none under another key, either.
        Sensitivity::Harmless | Sensitivity::Context if key.ends_with(".name") => {
            matches!(&attribute.value, Value::String(text) if names::is_long(text.as_str()))
        }
        Sensitivity::Suspect => !matches!(
            attribute.value,
            Value::Bool(_) | Value::I64(_) | Value::F64(_)
        ),
        _ => false,
    }
}

/// Whether an attribute is known to give nothing away.
pub(crate) fn is_harmless(attribute: &KeyValue) -> bool {
    Sensitivity::of(attribute.key.as_str()) == Sensitivity::Harmless && is_short(&attribute.value)
}

/// Whether a value can be a number, an id, a name or a member of an enumeration.
fn is_short(value: &Value) -> bool {
    let is_short = |text: &str| text.len() <= HARMLESS_BYTES && !names::has_control(text);
    match value {
        Value::Bool(_) | Value::I64(_) | Value::F64(_) => true,
        Value::String(text) => is_short(text.as_str()),
        Value::Array(Array::Bool(_) | Array::I64(_) | Array::F64(_)) => true,
        Value::Array(Array::String(texts)) => {
            let bytes = texts.iter().map(|text| text.as_str().len());
            bytes.sum::<usize>() <= HARMLESS_BYTES
                && texts.iter().all(|text| is_short(text.as_str()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
