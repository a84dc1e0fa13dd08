//! The text of the `baggage` header, <https://www.w3.org/TR/baggage/#header-content>.
//!
//! The SDK's `BaggagePropagator` writes a percent sign as it is, so that a value with one changes on
//! its way, and cuts a value at an equals sign when it reads.

use std::borrow::Cow;

use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::{Context, Key};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::baggage::count_dropped_entries;

/// The limits of the header, and of the baggage of OpenTelemetry.
const BYTES: usize = 8192;
const ENTRIES: usize = 64;

/// What is not a `baggage-octet`, and the percent sign itself.
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
        let metadata = metadata.as_str();
        if !metadata.is_empty() && metadata.bytes().all(is_property_byte) {
            header.push(';');
            header.push_str(metadata);
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
pub(super) fn read(context: Context, headers: &[&str]) -> Context {
    if headers.iter().all(|header| header.trim().is_empty()) {
        return context;
    }
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in context.baggage() {
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
    }
    let mut dropped = 0;
    let (mut bytes, mut entries) = (0_usize, 0_usize);
    for member in headers.iter().flat_map(|header| header.split(',')) {
        bytes = bytes.saturating_add(member.len() + 1);
        entries += 1;
        let fits = bytes <= BYTES + 1 && entries <= ENTRIES;
        let Some((key, value, metadata)) = Some(member).filter(|_| fits).and_then(entry) else {
            dropped += u64::from(!member.trim().is_empty());
            continue;
        };
        if baggage.get(key).is_none() {
            let before = baggage.len();
            baggage.insert_with_metadata(key.to_owned(), value.into_owned(), metadata);
            dropped += u64::from(baggage.len() == before);
        }
    }
    count_dropped_entries(dropped);
    context.with_baggage(baggage)
}

/// Key, value and properties of one entry. None if it is none.
fn entry(member: &str) -> Option<(&str, Cow<'_, str>, BaggageMetadata)> {
    let (pair, metadata) = member.split_once(';').unwrap_or((member, ""));
    let (key, value) = pair.split_once('=')?;
    // Bytes that are no text become U+FFFD, as the standard asks.
    let value = percent_decode_str(value.trim()).decode_utf8_lossy();
    Some((key.trim(), value, BaggageMetadata::from(metadata.trim())))
}

fn is_property_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'!' | b'#'..=b'+' | b'-'..=b'[' | b']'..=b'~')
}
