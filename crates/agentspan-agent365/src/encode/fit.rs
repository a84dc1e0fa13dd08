//! Brings a span under the limit of its profile.
//!
//! As in `microsoft-agents-a365-observability-core` 2.0.0, the length of a span is that of its JSON
//! with all characters beyond ASCII escaped, though it is sent without these escapes.

use std::borrow::Cow;
use std::cmp::Reverse;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::sdk_span;
use super::span::push_span;
use super::unique_keys::UniqueKeys;
use super::value::{ValueWriter, Written};

/// What stands for the value of an attribute that was cut.
const MARKER: &str = "TRUNCATED";

/// The marker with its quotes.
const MARKER_BYTES: usize = MARKER.len() + 2;

/// As many bytes as one byte of a text can become: a control character is written `\u0000`.
const LONGEST_ESCAPE: usize = 6;

/// More than the names and numbers of a span, an event, a link or an attribute take.
const FRAME: usize = 512;
const ITEM_FRAME: usize = 192;
const ATTRIBUTE_FRAME: usize = 48;

/// Cuts spans that are too long. Reuses its memory.
#[derive(Debug)]
pub(super) struct Fit {
    limit: usize,
    scratch: Vec<u8>,
}

impl Fit {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            scratch: Vec::new(),
        }
    }

    /// `span` itself if it is short enough, else a copy in which the largest attributes are replaced
    /// by a marker, until it is or no attribute is left.
    pub(super) fn apply<'a>(
        &mut self,
        span: &'a SpanData,
        unique_keys: &mut UniqueKeys,
    ) -> Cow<'a, SpanData> {
        if longest_form(span) <= self.limit {
            return Cow::Borrowed(span);
        }
        let length = self.measure(|out| push_span(out, &span, unique_keys));
        if length <= self.limit || span.attributes.is_empty() {
            return Cow::Borrowed(span);
        }
        Cow::Owned(self.replace_largest(span, length, unique_keys))
    }

    fn replace_largest(
        &mut self,
        span: &SpanData,
        mut length: usize,
        unique_keys: &mut UniqueKeys,
    ) -> SpanData {
        let mut written = Vec::new();
        unique_keys.for_each(&span.attributes.as_slice(), |index| written.push(index));
        let mut sizes: Vec<(usize, usize)> = Vec::with_capacity(written.len());
        for index in written {
            if let Some(attribute) = span.attributes.get(index) {
                let size = self.measure(|out| {
                    let _: Written = sdk_span::write(&attribute.value, ValueWriter::new(out));
                });
                sizes.push((index, size));
            }
        }
        // Of equal ones the first.
        sizes.sort_by_key(|(_, size)| Reverse(*size));
        let mut replaced = Vec::new();
        for (index, size) in sizes {
            replaced.push(index);
            length = length - size + MARKER_BYTES;
            if length <= self.limit {
                break;
            }
        }
        replaced.sort_unstable();
        with_markers(span, &replaced)
    }

    /// The length in ASCII of what `write` writes.
    fn measure(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.scratch.clear();
        write(&mut self.scratch);
        ascii_length(&self.scratch)
    }
}

/// A copy of `span` without the values of the attributes at these places, which are in order.
fn with_markers(span: &SpanData, replaced: &[usize]) -> SpanData {
    let attributes = span.attributes.iter().enumerate();
    let attributes = attributes.map(|(index, attribute)| {
        if replaced.binary_search(&index).is_ok() {
            KeyValue::new(attribute.key.clone(), MARKER)
        } else {
            attribute.clone()
        }
    });
    SpanData {
        span_context: span.span_context.clone(),
        parent_span_id: span.parent_span_id,
        parent_span_is_remote: span.parent_span_is_remote,
        span_kind: span.span_kind.clone(),
        name: span.name.clone(),
        start_time: span.start_time,
        end_time: span.end_time,
        attributes: attributes.collect(),
        dropped_attributes_count: span.dropped_attributes_count,
        events: span.events.clone(),
        links: span.links.clone(),
        status: span.status.clone(),
        instrumentation_scope: span.instrumentation_scope.clone(),
    }
}

/// How long JSON becomes when all characters beyond printable ASCII are escaped: six bytes each, and
/// twelve for those beyond the basic plane. Python escapes the delete character, too.
fn ascii_length(json: &[u8]) -> usize {
    json.iter()
        .map(|byte| match byte {
            0x7f | 0xc0..=0xef => LONGEST_ESCAPE,
            0x80..=0xbf => 0,
            0xf0.. => 2 * LONGEST_ESCAPE,
            _ => 1,
        })
        .sum()
}

/// No form of `span` is longer. Most spans are so short that nothing has to be measured.
fn longest_form(span: &SpanData) -> usize {
    let message = match &span.status {
        Status::Error { description } => description.len(),
        _ => 0,
    };
    let mut bytes = FRAME + LONGEST_ESCAPE * (span.name.len() + message);
    bytes += attributes_form(&span.attributes);
    for event in span.events.iter() {
        bytes += ITEM_FRAME + LONGEST_ESCAPE * event.name.len();
        bytes += attributes_form(&event.attributes);
    }
    for link in span.links.iter() {
        bytes += ITEM_FRAME + attributes_form(&link.attributes);
    }
    bytes
}

fn attributes_form(attributes: &[KeyValue]) -> usize {
    attributes
        .iter()
        .map(|attribute| {
            let text = attribute.key.as_str().len() + text_length(&attribute.value);
            ATTRIBUTE_FRAME + LONGEST_ESCAPE * text
        })
        .sum()
}

/// The length of the texts in a value, or a sixth of what its numbers take.
fn text_length(value: &Value) -> usize {
    const NUMBER: usize = 5;
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Bool(_) | Value::I64(_) | Value::F64(_) => NUMBER,
        Value::Array(Array::Bool(items)) => NUMBER * items.len(),
        Value::Array(Array::I64(items)) => NUMBER * items.len(),
        Value::Array(Array::F64(items)) => NUMBER * items.len(),
        Value::Array(Array::String(items)) => {
            items.iter().map(|item| item.as_str().len() + 1).sum()
        }
        unknown => unknown.as_str().len(),
    }
}
