//! Spans from other instrumentation.

use std::fmt;

use serde_json::{Map, Value};

use crate::mapping::SpanKind;
use crate::masked::{Masked, debug_masked};

/// The value of an attribute from other code. `Debug` shows only the lengths of texts.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum SourceValue<'a> {
    /// Text.
    Text(&'a str),
    /// An integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    Texts(Vec<&'a str>),
    /// Any other list. No convention uses it.
    Other,
}

impl<'a> SourceValue<'a> {
    /// A plain JSON value, as in the flat wire format of Agent 365.
    #[must_use]
    pub fn of_json(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::I64(whole),
                None => number.as_f64().map_or(Self::Other, Self::F64),
            },
            Value::Array(items) => Self::of_texts(items.iter().map(Value::as_str)),
            Value::Null | Value::Object(_) => Self::Other,
        }
    }

    /// An `AnyValue` of OTLP's JSON, such as `{"intValue": "4"}`.
    #[must_use]
    pub fn of_any_value(value: &'a Map<String, Value>) -> Self {
        let Some((kind, value)) = value.iter().next() else {
            return Self::Other;
        };
        match kind.as_str() {
            "intValue" => {
                let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
                number.map_or(Self::Other, Self::I64)
            }
            "arrayValue" => {
                let items = value.get("values").and_then(Value::as_array);
                let items = items.into_iter().flatten();
                Self::of_texts(items.map(|item| item.get("stringValue")?.as_str()))
            }
            "stringValue" | "boolValue" | "doubleValue" => Self::of_json(value),
            _ => Self::Other,
        }
    }

    fn of_texts(items: impl Iterator<Item = Option<&'a str>>) -> Self {
        let texts: Option<Vec<_>> = items.collect();
        texts.map_or(Self::Other, Self::Texts)
    }
}

impl fmt::Debug for SourceValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::I64(number) => write!(f, "I64({number})"),
            Self::F64(number) => write!(f, "F64({number:?})"),
            Self::Bool(truth) => write!(f, "Bool({truth})"),
            Self::Texts(texts) => write!(f, "Texts({} texts)", texts.len()),
            Self::Other => f.write_str("Other"),
        }
    }
}

/// An event of a span from other code. `Debug` masks its name, because some libraries write prompts
/// there.
#[derive(Clone, PartialEq)]
pub struct SourceEvent<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(&'a str, SourceValue<'a>)>,
}

impl fmt::Debug for SourceEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceEvent")
            .field("name", &Masked)
            .field("attributes", &self.attributes)
            .finish()
    }
}

impl<'a> SourceEvent<'a> {
    /// An event without attributes.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
        }
    }

    /// Adds an attribute.
    pub fn attribute(&mut self, key: &'a str, value: SourceValue<'a>) {
        self.attributes.push((key, value));
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let mut attributes = self.attributes.iter().rev();
        attributes.find_map(|(found, value)| match value {
            SourceValue::Text(text) if *found == key => Some(*text),
            _ => None,
        })
    }
}

/// A span from other code, borrowed.
#[derive(Clone, PartialEq)]
pub struct SourceSpan<'a> {
    pub(super) name: &'a str,
    pub(super) kind: SpanKind,
    pub(super) error: Option<&'a str>,
    pub(super) is_ok: bool,
    pub(super) attributes: Vec<(&'a str, SourceValue<'a>)>,
    pub(super) events: Vec<SourceEvent<'a>>,
}

debug_masked!(SourceSpan<'_> shows { name, kind, is_ok, attributes, events } hides { error });

impl<'a> SourceSpan<'a> {
    /// A span without attributes, events and errors.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            kind: SpanKind::Internal,
            error: None,
            is_ok: false,
            attributes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Sets the kind. The default is internal.
    #[must_use]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the status to an error, with a description, which may be empty.
    #[must_use]
    pub fn with_error(mut self, description: &'a str) -> Self {
        self.error = Some(description);
        self
    }

    /// Sets the status to `Ok`: the operation succeeded, even if an event records an error.
    #[must_use]
    pub fn with_ok(mut self) -> Self {
        self.is_ok = true;
        self
    }

    /// Reserves room for this many attributes.
    #[must_use]
    pub fn with_room_for(mut self, attributes: usize) -> Self {
        self.attributes.reserve(attributes);
        self
    }

    /// Adds an attribute. If a key occurs twice, the last value counts.
    #[inline]
    pub fn attribute(&mut self, key: &'a str, value: SourceValue<'a>) {
        self.attributes.push((key, value));
    }

    /// Adds an event.
    pub fn event(&mut self, event: SourceEvent<'a>) {
        self.events.push(event);
    }
}
