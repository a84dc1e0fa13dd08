//! A span as somebody's instrumentation wrote it.

use crate::mapping::SpanKind;

/// The value of an attribute that somebody else has set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SourceValue<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number.
    I64(i64),
    /// A number that need not be whole.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// A list of texts.
    Texts(Vec<&'a str>),
    /// Any other list: nothing that a convention has a use for.
    Other,
}

/// An event of a span that somebody else made.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceEvent<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(&'a str, SourceValue<'a>)>,
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

/// A span that somebody else made, borrowed.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpan<'a> {
    pub(super) name: &'a str,
    pub(super) kind: SpanKind,
    pub(super) error: Option<&'a str>,
    pub(super) attributes: Vec<(&'a str, SourceValue<'a>)>,
    pub(super) events: Vec<SourceEvent<'a>>,
}

impl<'a> SourceSpan<'a> {
    /// A span without attributes and events, which did not fail.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            kind: SpanKind::Internal,
            error: None,
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

    /// Sets that the status is an error, with this description, which may be empty.
    #[must_use]
    pub fn with_error(mut self, description: &'a str) -> Self {
        self.error = Some(description);
        self
    }

    /// Adds an attribute. Of several with one key, the last counts.
    pub fn attribute(&mut self, key: &'a str, value: SourceValue<'a>) {
        self.attributes.push((key, value));
    }

    /// Adds an event.
    pub fn event(&mut self, event: SourceEvent<'a>) {
        self.events.push(event);
    }
}
