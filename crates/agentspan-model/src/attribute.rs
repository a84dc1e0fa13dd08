//! Attributes as a mapping shows them: a key and a borrowed value, one at a time.
//!
//! What a piece of telemetry means in a vocabulary is a pure function that calls a visitor. A span
//! builder, a JSON encoder and a table of documentation can all use the same function, and nobody
//! builds a list to throw it away.

/// The value of an attribute, borrowed from the details that it describes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// Text that the details hold.
    Str(&'a str),
    /// Text that is the same for every span: a name of an operation or of an enum's member.
    Static(&'static str),
    /// A number.
    I64(i64),
    /// A number that the vocabulary writes as decimal text, as Agent 365 0.1.0 does for token counts.
    DecimalText(i64),
    /// A list that the vocabulary writes as the text of a JSON array, see
    /// [`json_array_text`](crate::agent365::json_array_text).
    JsonArrayText(&'a [String]),
}

/// Receives the attributes of a mapping in order, each key at most once.
///
/// Closures `FnMut(&'static str, AttributeValue<'_>)` are visitors.
pub trait AttributeVisitor {
    /// Takes one attribute. `value` is borrowed for this call only.
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>);
}

impl<F> AttributeVisitor for F
where
    F: FnMut(&'static str, AttributeValue<'_>),
{
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>) {
        self(key, value);
    }
}
