//! Attributes, which a mapping passes to a visitor one at a time: a key and a borrowed value.
//!
//! A mapping is a pure function that calls a visitor. A span builder, a JSON encoder and a
//! documentation table can all use the same function, without an intermediate list.

use std::fmt;

use serde_json::{Map, Value};

use crate::agent365::{InputMessages, OutputMessages};

/// The value of an attribute, borrowed from the details.
///
/// `Debug` shows only the lengths of texts, which may be contents.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// Text that the details hold.
    Str(&'a str),
    /// A constant text, such as the name of an operation.
    Static(&'static str),
    /// A number.
    I64(i64),
    /// A number that the vocabulary writes as decimal text, as Agent 365 0.1.0 does for token
    /// counts.
    DecimalText(i64),
    /// A list that the vocabulary writes as the text of a JSON array, see
    /// [`json_array_text`](crate::agent365::json_array_text).
    JsonArrayText(&'a [String]),
    /// As [`JsonArrayText`](Self::JsonArrayText), of texts that lie in different places.
    JsonArrayOfStrs(&'a [&'a str]),
    /// A boolean.
    Bool(bool),
    /// A floating-point number.
    F64(f64),
    /// A list of texts.
    StrList(&'a [&'a str]),
    /// The input of a model or an agent, written as the text of a JSON array of messages.
    InputMessages(&'a InputMessages),
    /// The output of a model or an agent, written as the text of a JSON array of messages.
    OutputMessages(&'a OutputMessages),
    /// An object that is written as JSON text, see
    /// [`json_object_text`](crate::agent365::json_object_text).
    JsonObjectText(&'a Map<String, Value>),
}

impl fmt::Debug for AttributeValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => write!(f, "Str({} bytes)", text.len()),
            Self::Static(text) => write!(f, "Static({text:?})"),
            Self::I64(number) => write!(f, "I64({number})"),
            Self::DecimalText(number) => write!(f, "DecimalText({number})"),
            Self::JsonArrayText(texts) => write!(f, "JsonArrayText({} texts)", texts.len()),
            Self::JsonArrayOfStrs(texts) => write!(f, "JsonArrayOfStrs({} texts)", texts.len()),
            Self::Bool(truth) => write!(f, "Bool({truth})"),
            Self::F64(number) => write!(f, "F64({number:?})"),
            Self::StrList(texts) => write!(f, "StrList({} texts)", texts.len()),
            Self::InputMessages(messages) => write!(f, "InputMessages({messages:?})"),
            Self::OutputMessages(messages) => write!(f, "OutputMessages({messages:?})"),
            Self::JsonObjectText(map) => write!(f, "JsonObjectText({} members)", map.len()),
        }
    }
}

/// Receives the attributes of a mapping in order, each key at most once.
///
/// Closures `FnMut(&'static str, AttributeValue<'_>)` are visitors.
pub trait AttributeVisitor {
    /// Called with one attribute. `value` is borrowed for this call only.
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

/// The key of an attribute: fixed, or composed of fixed parts and indices of lists.
///
/// `Display` writes the key. It is not allocated before you need it as text.
///
/// ```
/// use agentspan_model::attribute::Key;
///
/// let key = Key::Indexed { list: "llm.tools", index: 2, member: "tool.json_schema" };
/// assert_eq!(key.to_string(), "llm.tools.2.tool.json_schema");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// A fixed key.
    Static(&'static str),
    /// A member of an element of a list.
    Indexed {
        /// The prefix of the list.
        list: &'static str,
        /// The index in the list, from zero.
        index: usize,
        /// The member of the element.
        member: &'static str,
    },
    /// A member of an element of a list that is in an element of another list.
    Nested {
        /// The prefix of the outer list.
        list: &'static str,
        /// The index in the outer list, from zero.
        index: usize,
        /// The prefix of the inner list.
        inner: &'static str,
        /// The index in the inner list, from zero.
        inner_index: usize,
        /// The member of the inner element.
        member: &'static str,
    },
}

impl From<&'static str> for Key {
    fn from(key: &'static str) -> Self {
        Self::Static(key)
    }
}

/// The text that `Display` writes, without the cost of formatting: a prompt has as many keys as
/// messages.
impl From<Key> for String {
    fn from(key: Key) -> Self {
        /// The dots around the places, and the digits of most places.
        const PLACES: usize = 12;
        match key {
            Key::Static(key) => key.to_owned(),
            Key::Indexed {
                list,
                index,
                member,
            } => {
                let mut text = Self::with_capacity(list.len() + member.len() + PLACES);
                text.push_str(list);
                push_place(&mut text, index);
                text.push_str(member);
                text
            }
            nested @ Key::Nested { .. } => nested.to_string(),
        }
    }
}

/// Appends the place between its dots.
fn push_place(text: &mut String, place: usize) {
    text.push('.');
    if place >= 10 {
        let mut scale = 1;
        while place / scale >= 10 {
            scale *= 10;
        }
        while scale > 1 {
            push_digit(text, place / scale % 10);
            scale /= 10;
        }
    }
    push_digit(text, place % 10);
    text.push('.');
}

fn push_digit(text: &mut String, digit: usize) {
    text.extend(u8::try_from(digit).map(|digit| char::from(b'0' + digit)));
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(key) => f.pad(key),
            Self::Indexed {
                list,
                index,
                member,
            } => write!(f, "{list}.{index}.{member}"),
            Self::Nested {
                list,
                index,
                inner,
                inner_index,
                member,
            } => write!(f, "{list}.{index}.{inner}.{inner_index}.{member}"),
        }
    }
}

/// Receives the attributes of a mapping whose keys may have indices of lists, in order.
///
/// Closures `FnMut(Key, AttributeValue<'_>)` are visitors.
pub trait KeyVisitor {
    /// Called with one attribute. `value` is borrowed for this call only.
    fn visit_key(&mut self, key: Key, value: AttributeValue<'_>);
}

impl<F> KeyVisitor for F
where
    F: FnMut(Key, AttributeValue<'_>),
{
    fn visit_key(&mut self, key: Key, value: AttributeValue<'_>) {
        self(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_becomes_the_text_that_it_shows() {
        let places = (0..120).chain([999, 1_000, 1_001, 98_765, usize::MAX]);
        for index in places {
            let key = Key::Indexed {
                list: "llm.input_messages",
                index,
                member: "message.role",
            };
            assert_eq!(String::from(key), key.to_string());
            let nested = Key::Nested {
                list: "a",
                index,
                inner: "b",
                inner_index: index,
                member: "c",
            };
            assert_eq!(String::from(nested), nested.to_string());
        }
        assert_eq!(String::from(Key::Static("fixed")), "fixed");
    }
}
