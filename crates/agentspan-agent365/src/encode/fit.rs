//! Brings a span under the limit of its profile.
//!
//! As in `microsoft-agents-a365-observability-core` 2.0.0, the length of a span is that of its JSON
//! with all characters beyond ASCII escaped, though it is sent without these escapes.

use std::borrow::Cow;
use std::cmp::Reverse;

use agentspan_model::agent365::contract::Wire;
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::ascii::{LONGEST_ESCAPE, ascii_length};
use super::cuts::is_note;
use super::sdk_span::push_value;
use super::span::push_span;
use super::standard;
use super::structured::cut_structured;
use super::truncation::Truncation;
use super::unique_keys::UniqueKeys;

/// The value of an attribute whose own value was cut.
const MARKER: &str = "TRUNCATED";

/// The marker with its quotes.
const MARKER_BYTES: usize = MARKER.len() + 2;

/// The maximum length of the note about a span's cuts.
const MAX_NOTE: usize = 2_048;

/// More than the names and numbers of a span, an event, a link or an attribute take.
const FRAME: usize = 512;
const ITEM_FRAME: usize = 192;
const ATTRIBUTE_FRAME: usize = 48;

/// Cuts spans that are too long. Reuses its memory.
#[derive(Debug)]
pub(super) struct Fit {
    limit: usize,
    pub(super) truncation: Truncation,
    scratch: Vec<u8>,
}

impl Fit {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            truncation: Truncation::default(),
            scratch: Vec::new(),
        }
    }

    /// `span` itself if it is short enough, else a copy that was cut.
    pub(super) fn apply<'a>(
        &mut self,
        span: &'a SpanData,
        wire: Wire,
        unique_keys: &mut UniqueKeys,
    ) -> Cow<'a, SpanData> {
        if longest_form(span, wire) <= self.limit {
            return Cow::Borrowed(span);
        }
        let length = self.measure(|out| match wire {
            Wire::Flat => push_span(out, span, unique_keys),
            Wire::Standard => standard::push_span(out, span, unique_keys),
        });
        if length <= self.limit {
            return Cow::Borrowed(span);
        }
        let span = match wire {
            Wire::Flat => Cow::Borrowed(span),
            // Where arrays are texts, values take the same on both wires.
            Wire::Standard => Cow::Owned(without_arrays(span)),
        };
        match self.truncation {
            Truncation::Marker => match self.largest(&span, length, unique_keys).as_slice() {
                [] => span,
                largest => Cow::Owned(with_markers(&span, largest)),
            },
            Truncation::Structured => {
                let span = with_unique_keys(&span, unique_keys);
                Cow::Owned(cut_with_note(&span, length, self.limit, wire))
            }
        }
    }

    /// The places, in order, of the largest attributes, as many as have to be replaced by a marker for the span
    /// to fit. Those that are shorter than the marker are not among them: they would become longer.
    fn largest(
        &mut self,
        span: &SpanData,
        mut length: usize,
        unique_keys: &mut UniqueKeys,
    ) -> Vec<usize> {
        let mut written = Vec::new();
        unique_keys.for_each(&span.attributes, |index| written.push(index));
        let mut sizes: Vec<(usize, usize)> = Vec::with_capacity(written.len());
        for index in written {
            if let Some(attribute) = span.attributes.get(index) {
                let size = self.measure(|out| push_value(out, &attribute.value));
                if size >= MARKER_BYTES {
                    sizes.push((index, size));
                }
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
        replaced
    }

    /// The length in ASCII of what `write` writes.
    fn measure(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.scratch.clear();
        write(&mut self.scratch);
        ascii_length(&self.scratch)
    }
}

/// A copy of `span`, which takes `length` bytes, cut to `limit`, that says what was cut.
fn cut_with_note(span: &SpanData, length: usize, limit: usize, wire: Wire) -> SpanData {
    // The note takes room, for which more is cut, which the note may have to name in turn: cuts
    // without room in the note are only counted.
    let (_, room) = cut_structured(&mut span.clone(), length, limit).note(MAX_NOTE.min(limit / 4));
    let mut span = span.clone();
    let room_on_wire = match wire {
        Wire::Flat => room,
        // The note has two attributes at most, and its list of names is a text whose quotes are escaped.
        Wire::Standard => 2 * (room + ATTRIBUTE_FRAME),
    };
    let cuts = cut_structured(&mut span, length, limit.saturating_sub(room_on_wire));
    let (note, _) = cuts.note(room);
    span.attributes.extend(note);
    span
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

/// A copy of `span` without what is not written of its attributes, so that each counts as what it
/// takes.
fn with_unique_keys(span: &SpanData, unique_keys: &mut UniqueKeys) -> SpanData {
    let mut span = span.clone();
    let mut keep_written = |attributes: &mut Vec<KeyValue>| {
        let mut kept = Vec::with_capacity(attributes.len());
        unique_keys.for_each(attributes, |index| {
            kept.extend(attributes.get(index).cloned());
        });
        *attributes = kept;
    };
    keep_written(&mut span.attributes);
    // Only we say what was cut.
    span.attributes.retain(|attribute| !is_note(&attribute.key));
    for event in &mut span.events.events {
        keep_written(&mut event.attributes);
    }
    for link in &mut span.links.links {
        keep_written(&mut link.attributes);
    }
    span
}

/// A copy of `span` whose arrays are the texts that the standard wire has for them.
fn without_arrays(span: &SpanData) -> SpanData {
    let mut span = span.clone();
    let of_events = span
        .events
        .events
        .iter_mut()
        .map(|event| &mut event.attributes);
    let of_links = span.links.links.iter_mut().map(|link| &mut link.attributes);
    let lists = of_events.chain(of_links).chain([&mut span.attributes]);
    for attribute in lists.flatten() {
        if let Some(text) = standard::array_text(&attribute.value) {
            attribute.value = text.into();
        }
    }
    span
}

/// No form of `span` is longer. Most spans are so short that nothing has to be measured.
fn longest_form(span: &SpanData, wire: Wire) -> usize {
    // A text within the text of an array may be escaped twice: `\\\\u0000`.
    let longest_escape = match wire {
        Wire::Flat => LONGEST_ESCAPE,
        Wire::Standard => LONGEST_ESCAPE + 1,
    };
    let message = match &span.status {
        Status::Error { description } => description.len(),
        _ => 0,
    };
    let mut bytes = FRAME + longest_escape * (span.name.len() + message);
    bytes += attributes_form(&span.attributes, longest_escape);
    for event in span.events.iter() {
        bytes += ITEM_FRAME + longest_escape * event.name.len();
        bytes += attributes_form(&event.attributes, longest_escape);
    }
    for link in span.links.iter() {
        bytes += ITEM_FRAME + attributes_form(&link.attributes, longest_escape);
    }
    bytes
}

fn attributes_form(attributes: &[KeyValue], longest_escape: usize) -> usize {
    attributes
        .iter()
        .map(|attribute| {
            let text = attribute.key.as_str().len() + text_length(&attribute.value);
            ATTRIBUTE_FRAME + longest_escape * text
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

#[cfg(test)]
mod tests;
