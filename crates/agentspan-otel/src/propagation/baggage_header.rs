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
    let (header, dropped) = header(context.baggage(), allowed);
    count_dropped_entries(dropped);
    header
}

/// The header, and how many entries do not fit.
fn header(baggage: &Baggage, allowed: &[Key]) -> (String, u64) {
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
    (header, dropped)
}

/// `context` with the entries of the headers that it does not have yet.
///
/// Of a key that is there twice the last one counts, as in OpenTelemetry's own propagators.
pub(super) fn read(context: Context, headers: &[&str]) -> Context {
    if headers.iter().all(|header| trim(header).is_empty()) {
        return context;
    }
    let (received, unread) = received(headers);
    let (baggage, unkept) = with_received(context.baggage(), received);
    count_dropped_of_header(unread + unkept);
    context.with_baggage(baggage)
}

/// The entries of the headers, and how many are none or too many.
fn received<'a>(headers: &[&'a str]) -> (Vec<Entry<'a>>, u64) {
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
    (received, dropped)
}

/// Baggage with the entries that it does not have yet, and how many of them do not fit.
fn with_received(own: &Baggage, received: Vec<Entry<'_>>) -> (Baggage, u64) {
    let mut dropped = 0;
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in own {
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
    (baggage, dropped)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baggage::dropped_baggage_entries;

    #[track_caller]
    fn check_received(headers: &[&str], read: usize, dropped: u64) {
        let (entries, count) = received(headers);
        assert_eq!((entries.len(), count), (read, dropped));
    }

    #[test]
    fn what_is_no_entry_is_counted_and_what_is_empty_is_not() {
        check_received(&["a=1, ,b=2,", "\t", "c=3"], 3, 0);
        check_received(&["a=1,no pair,b", "=", "c=3"], 2, 3);
    }

    #[test]
    fn a_comma_counts_among_8192_bytes_and_no_entry_after_them_is_read() {
        let value = |bytes: usize| "x".repeat(bytes);
        let (first, second) = (format!("a={}", value(4000)), format!("b={}", value(4187)));
        let both = format!("{first},{second}");
        assert_eq!(both.len(), 8192);
        check_received(&[&both], 2, 0);
        check_received(&[&first, &second], 2, 0);
        check_received(&[&format!("{both}x")], 1, 1);
        check_received(&[&format!("{first},{second}x"), "c=1"], 1, 2);
        check_received(&[&both, "c=1"], 2, 1);
    }

    #[test]
    fn the_65th_entry_is_not_read_although_its_key_was_there() {
        let many: Vec<String> = (1..=66).map(|n| format!("a={n}")).collect();
        let many = many.join(",");
        let (entries, dropped) = received(&[&many]);
        let values: Vec<_> = entries.iter().map(|entry| &*entry.value).collect();
        assert_eq!((values, dropped), (vec!["64"], 2));
    }

    fn baggage(entries: usize) -> Baggage {
        let mut baggage = Baggage::new();
        for n in 0..entries {
            baggage.insert(format!("own{n}"), "1");
        }
        baggage
    }

    #[test]
    fn entries_that_find_no_room_are_counted_and_those_that_are_known_are_not() {
        let (entries, _) = received(&["own1=2,a=1,b=1,c=1"]);
        let (all, dropped) = with_received(&baggage(62), entries);
        assert_eq!((all.len(), dropped), (64, 1));
        assert_eq!(all.get("own1").map(|value| value.as_str()), Some("1"));
    }

    #[test]
    fn entries_that_cannot_be_read_and_those_that_find_no_room_are_counted() {
        let context = Context::new().with_baggage(baggage(64));
        let before = dropped_baggage_entries();
        let context = read(context, &["no pair,a=1,b=1"]);
        assert_eq!(context.baggage().len(), 64);
        // Others drop entries at the same time.
        assert!(dropped_baggage_entries() - before >= 3);
    }

    #[test]
    fn entries_that_are_too_large_for_the_header_are_counted() {
        let mut own = Baggage::new();
        for (key, value) in [
            ("a", "\u{e4}".repeat(2_000)),
            ("b", "1".to_owned()),
            ("c", "%".repeat(3_000)),
        ] {
            own.insert(key, value);
        }
        let allowed = ["a", "b", "c", "absent"].map(Key::from_static_str);
        assert_eq!(header(&own, &allowed), ("b=1".to_owned(), 2));
    }
}
