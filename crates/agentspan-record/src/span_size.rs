//! How much memory a finished span holds, roughly.

use std::borrow::Cow;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// No key of a convention is longer. A longer one was made while the program ran, and holds memory
/// of its own.
const LONGEST_KEY: usize = 64;

/// How many keys of a list are taken for constants. Whether a key is one cannot be seen.
const CONSTANT_KEYS: usize = 32;

/// The estimated memory of `span` in bytes.
///
/// Lists count with their capacity, texts with their length, and each allocation with what an
/// allocator adds. Keys of attributes are taken for constants, but for those that are longer than 64
/// bytes, and all beyond the first 32 of a list: nobody writes so many constants.
#[must_use]
pub fn estimated_bytes(span: &SpanData) -> u64 {
    let mut bytes =
        size_of::<SpanData>() + name_bytes(&span.name) + attributes_bytes(&span.attributes);
    if let Status::Error { description } = &span.status {
        bytes += name_bytes(description);
    }
    bytes += list_bytes(&span.events.events) + list_bytes(&span.links.links);
    for event in &span.events.events {
        bytes += name_bytes(&event.name) + attributes_bytes(&event.attributes);
    }
    for link in &span.links.links {
        bytes += attributes_bytes(&link.attributes);
    }
    // Each span has a copy of its own.
    bytes += span
        .instrumentation_scope
        .attributes()
        .map(|attribute| attribute_bytes(0, attribute))
        .sum::<usize>();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The bytes that allocators take for so many bytes: they round them up, and keep a word for
/// themselves.
const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..24 => 32,
        _ => bytes.saturating_add(23) & !15,
    }
}

fn list_bytes<T>(list: &Vec<T>) -> usize {
    places_bytes::<T>(list.capacity())
}

/// The bytes of a list with so many places, without those that its items hold.
pub(crate) const fn places_bytes<T>(places: usize) -> usize {
    allocated(places.saturating_mul(size_of::<T>()))
}

#[expect(clippy::ptr_arg, reason = "a text that is borrowed holds nothing")]
pub(crate) fn name_bytes(name: &Cow<'static, str>) -> usize {
    match name {
        Cow::Borrowed(_) => 0,
        Cow::Owned(name) => allocated(name.capacity()),
    }
}

/// The bytes of a list of attributes.
pub(crate) fn attributes_bytes(attributes: &Vec<KeyValue>) -> usize {
    let slots = list_bytes(attributes);
    let of_each = |(at, attribute)| attribute_bytes(at, attribute) - size_of::<KeyValue>();
    slots + attributes.iter().enumerate().map(of_each).sum::<usize>()
}

/// The bytes of the attribute at this place of a list, the place included.
pub(crate) fn attribute_bytes(at: usize, attribute: &KeyValue) -> usize {
    let key = attribute.key.as_str().len();
    let is_constant = at < CONSTANT_KEYS && key <= LONGEST_KEY;
    let key = if is_constant { 0 } else { allocated(key) };
    size_of::<KeyValue>() + key + allocated(value_bytes(&attribute.value)) + parts(&attribute.value)
}

/// The bytes that allocators add to the texts of a list.
fn parts(value: &Value) -> usize {
    match value {
        Value::Array(Array::String(items)) => items
            .iter()
            .map(|item| allocated(item.as_str().len()) - item.as_str().len())
            .sum(),
        _ => 0,
    }
}

/// How long a value is.
pub(crate) fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(items)) => items.len(),
        Value::Array(Array::I64(items)) => size_of::<i64>() * items.len(),
        Value::Array(Array::F64(items)) => size_of::<f64>() * items.len(),
        Value::Array(Array::String(items)) => items
            .iter()
            .map(|item| size_of_val(item) + item.as_str().len())
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
