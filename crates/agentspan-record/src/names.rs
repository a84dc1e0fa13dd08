//! Which names of spans and events may be texts that somebody wrote while the program ran.

use std::borrow::Cow;

use agentspan_model::keys;
use opentelemetry::trace::Event;
use opentelemetry::{KeyValue, Value};

use crate::hiding::is_harmless;

/// A name of a span is of few words. The conventions build it from an operation and its object, and those
/// have names of their own.
const SPAN_NAME_BYTES: usize = 128;

/// A name of an event is an identifier. None in a convention is half as long.
const EVENT_NAME_BYTES: usize = 64;

/// Whether a span's name is too long for a name, or has several lines.
pub(crate) fn is_long(name: &str) -> bool {
    name.len() > SPAN_NAME_BYTES || has_control(name)
}

/// Whether a text has several lines, or other control characters.
pub(crate) fn has_control(text: &str) -> bool {
    // Most texts have no byte that one could begin with. All are looked at, in steps of many.
    let may_begin = |byte: u8| byte.is_ascii_control() | (byte == 0xc2) | (byte == 0xe2);
    let is_suspect = text.bytes().fold(false, |any, byte| any | may_begin(byte));
    is_suspect && text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Whether an event's name is, or may be, the message of a log.
///
/// `tracing-opentelemetry` makes an event of each log record, and its message the name; it adds the level and
/// the target. So do others without these, whose messages have spaces.
pub(crate) fn is_message(event: &Event) -> bool {
    if is_defined(event) {
        return false;
    }
    let has = |key: &str| event.attributes.iter().any(|a| a.key.as_str() == key);
    !is_identifier(&event.name) || (has(keys::LEVEL) && has(keys::TARGET))
}

fn is_identifier(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
    name.len() <= EVENT_NAME_BYTES && name.bytes().all(is_part)
}

/// Whether a convention defines an event of this name, or it is the type of the Agent Spec event.
pub(crate) fn is_defined(event: &Event) -> bool {
    let is_its_type = |attribute: &KeyValue| {
        attribute.key.as_str() == keys::AGENTSPEC_EVENT_TYPE
            && text(attribute) == Some(&*event.name)
            && is_identifier(&event.name)
    };
    keys::is_known_event(&event.name) || event.attributes.iter().any(is_its_type)
}

/// Whether a span's name says nothing that its harmless attributes do not say: it is the value of one of them,
/// or of two with a space between, as `chat gpt-4o` and `GET /users/{id}` are.
pub(crate) fn consists_of_harmless(name: &str, attributes: &[KeyValue]) -> bool {
    let is_value = |part: &str| {
        let mut attributes = attributes.iter();
        attributes.any(|a| text(a) == Some(part) && is_harmless(a))
    };
    let mut spaces = name.match_indices(' ');
    let is_two_values = |(at, _)| {
        let (first, second) = name.split_at(at);
        is_value(first) && is_value(second.trim_start_matches(' '))
    };
    !is_long(name) && (is_value(name) || spaces.any(is_two_values))
}

fn text(attribute: &KeyValue) -> Option<&str> {
    match &attribute.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

/// The name of a span that may not have its own.
pub(crate) fn operation(attributes: &[KeyValue]) -> Option<Cow<'static, str>> {
    let value = |key: &str| {
        let mut attributes = attributes.iter();
        let found = attributes.find(|a| a.key.as_str() == key && is_harmless(a))?;
        text(found).map(|text| text.to_owned().into())
    };
    value(keys::GEN_AI_OPERATION_NAME)
        .or_else(|| value(keys::OPENINFERENCE_SPAN_KIND))
        .or_else(|| value(keys::AGENTSPEC_SPAN_TYPE))
}
