//! What a mapping shows, as a map.

use std::collections::BTreeMap;

use agentspan_model::agent365::json_array_text;
use agentspan_model::agentspec::{Event, Id, Span};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::{Mapping, SpanInTrace};

use crate::value_text::value_text;

/// Attributes by key. Panics at a key that is shown twice.
#[derive(Debug, Default)]
pub(crate) struct Shown(pub(crate) BTreeMap<String, String>);

impl Shown {
    pub(crate) fn of_span(mapping: &Mapping, span: &Span) -> Self {
        let (trace_id, parent_id) = (Id::from("trace"), Id::from("parent"));
        let in_trace = SpanInTrace::new(span)
            .with_trace(&trace_id, Some("my trace"))
            .with_parent_id(Some(&parent_id))
            .with_parent_component_id(Some("parent component"));
        let mut shown = Self::default();
        mapping.visit_span(&in_trace, &mut |key: Key, value: AttributeValue<'_>| {
            shown.take(key, value);
        });
        shown
    }

    pub(crate) fn of_event(mapping: &Mapping, event: &Event, span: &Span) -> Self {
        let mut shown = Self::default();
        mapping.visit_event(event, span, &mut |key: Key, value: AttributeValue<'_>| {
            shown.take(key, value);
        });
        shown
    }

    fn take(&mut self, key: Key, value: AttributeValue<'_>) {
        let text = match value {
            AttributeValue::Str(text) => text.to_owned(),
            AttributeValue::Static(text) => text.to_owned(),
            AttributeValue::JsonArrayOfStrs(texts) => json_array_text(texts),
            other => value_text(other),
        };
        let before = self.0.insert(key.to_string(), text);
        assert_eq!(before, None, "{key} is shown twice");
    }

    #[track_caller]
    pub(crate) fn check(&self, key: &str, value: &str) {
        assert_eq!(self.0.get(key).map(String::as_str), Some(value), "{key}");
    }

    /// The texts of all values.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.values().any(|value| value.contains(text))
    }
}
