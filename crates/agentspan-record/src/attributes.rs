//! Attributes of a mapping as OpenTelemetry has them, and back.

use std::fmt;

use agentspan_model::attribute::{AttributeValue, Key, KeyVisitor};
use opentelemetry::{KeyValue, Value};

use crate::attribute_value::to_value;

/// Collects what a mapping shows. `Debug` shows the keys and no values.
#[expect(
    clippy::exhaustive_structs,
    reason = "it is the list, and nothing more"
)]
pub struct Attributes(
    /// The list, in the order in which the mapping shows them.
    pub Vec<KeyValue>,
);

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attributes").field(&Keys(&self.0)).finish()
    }
}

/// Shows the keys of attributes, and no values.
pub(crate) struct Keys<'a>(pub(crate) &'a [KeyValue]);

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.iter().map(|attribute| attribute.key.as_str());
        f.debug_list().entries(keys).finish()
    }
}

/// Enough for most spans and events of Agent Spec, so that the list need not grow on its way.
const USUAL: usize = 8;

impl Default for Attributes {
    fn default() -> Self {
        Self::with_room(USUAL)
    }
}

impl Attributes {
    /// A list with room for so many.
    pub(crate) fn with_room(attributes: usize) -> Self {
        Self(Vec::with_capacity(attributes))
    }
}

impl KeyVisitor for Attributes {
    fn visit_key(&mut self, key: Key, value: AttributeValue<'_>) {
        let Some(value) = to_value(key, value) else {
            return;
        };
        let attribute = match key {
            Key::Static(key) => KeyValue::new(key, value),
            key => KeyValue::new(String::from(key), value),
        };
        self.0.push(attribute);
    }
}

/// `None` for lists: no attribute of Agent Spec is one.
pub(crate) fn from_value(value: &Value) -> Option<AttributeValue<'_>> {
    Some(match value {
        Value::String(text) => AttributeValue::Str(text.as_str()),
        Value::I64(number) => AttributeValue::I64(*number),
        Value::F64(number) => AttributeValue::F64(*number),
        Value::Bool(truth) => AttributeValue::Bool(*truth),
        _ => return None,
    })
}
