//! The text of the `baggage` header, <https://www.w3.org/TR/baggage/#header-content>.
//!
//! The SDK's `BaggagePropagator` writes a percent sign as it is, so that a value with one changes on
//! its way, and cuts a value at an equals sign when it reads.

use std::borrow::Cow;

use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::{Context, Key};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::baggage::{count_dropped_entries, count_dropped_of_header};

/// The limits of the header, and of the baggage of OpenTelemetry.
const BYTES: usize = 8192;
const ENTRIES: usize = 64;

/// The characters that are not a `baggage-octet`, and the percent sign itself.
const NOT_IN_VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%');

/// The header of what is `allowed` of the context's baggage; empty if that is nothing.
pub(super) fn write(context: &Context, allowed: &[Key]) -> String {
    let baggage = context.baggage();
    let mut header = String::new();
    let mut dropped = 0;
    for key in allowed {
        let Some((value, metadata)) = baggage.get_with_metadata(key) else {
            continue;
        };
        let before = header.len();
        if before > 0 {
            header.push(',');
        }
        header.push_str(key.as_str());
        header.push('=');
        header.extend(utf8_percent_encode(value.as_str(), NOT_IN_VALUE));
        // Properties can come from any code of the process.
        for property in metadata.as_str().split(';').filter_map(property) {
            header.push(';');
            header.push_str(&property);
        }
        if header.len() > BYTES {
            header.truncate(before);
            dropped += 1;
        }
    }
    count_dropped_entries(dropped);
    header
}

/// `context` with the entries of the headers that it does not have yet.
///
/// Of a key that is there twice the last one counts, as in OpenTelemetry's own propagators.
pub(super) fn read(context: Context, headers: &[&str]) -> Context {
    if headers.iter().all(|header| trim(header).is_empty()) {
        return context;
    }
    let mut dropped = 0;
    let (mut bytes, mut entries) = (0_usize, 0_usize);
    let mut received: Vec<Entry<'_>> = Vec::new();
    for member in headers.iter().flat_map(|header| header.split(',')) {
        bytes = bytes.saturating_add(member.len() + 1);
        entries += 1;
        let fits = bytes <= BYTES + 1 && entries <= ENTRIES;
        match Some(member).filter(|_| fits).and_then(entry) {
            Some(entry) => match received.iter_mut().find(|known| known.key == entry.key) {
                Some(known) => *known = entry,
                None => received.push(entry),
            },
            None => dropped += u64::from(!trim(member).is_empty()),
        }
    }
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in context.baggage() {
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
    }
    for entry in received {
        if baggage.get(entry.key).is_none() {
            let before = baggage.len();
            let (key, value) = (entry.key.to_owned(), entry.value.into_owned());
            baggage.insert_with_metadata(key, value, entry.properties);
            dropped += u64::from(baggage.len() == before);
        }
    }
    count_dropped_of_header(dropped);
    context.with_baggage(baggage)
}

struct Entry<'a> {
    key: &'a str,
    value: Cow<'a, str>,
    properties: BaggageMetadata,
}

/// One entry. `None` if it is none by the grammar.
fn entry(member: &str) -> Option<Entry<'_>> {
    let mut parts = member.split(';');
    let (key, value) = pair(parts.next()?)?;
    let value = value?;
    let mut properties = String::new();
    for part in parts {
        if !properties.is_empty() {
            properties.push(';');
        }
        properties.push_str(&property(part)?);
    }
    // Bytes that are no text become U+FFFD, as the standard asks.
    let value = percent_decode_str(value).decode_utf8_lossy();
    Some(Entry {
        key,
        value,
        properties: BaggageMetadata::from(properties),
    })
}

/// A property without white space around its parts. `None` if it is none by the grammar.
fn property(text: &str) -> Option<Cow<'_, str>> {
    Some(match pair(text)? {
        (key, None) => Cow::Borrowed(key),
        (key, Some(value)) => Cow::Owned(format!("{key}={value}")),
    })
}

/// A key, and the value if there is an equals sign.
fn pair(text: &str) -> Option<(&str, Option<&str>)> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(trim(value))),
        None => (text, None),
    };
    let key = trim(key);
    let is_key = !key.is_empty() && key.bytes().all(is_token_byte);
    let is_value = value.is_none_or(|value| value.bytes().all(is_octet));
    (is_key && is_value).then_some((key, value))
}

/// `OWS` of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3).
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// `tchar` of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `baggage-octet`.
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}
