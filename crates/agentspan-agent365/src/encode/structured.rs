//! Cuts a span so that as much as possible of it stays readable.

use std::cmp::Reverse;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::ascii::{ascii_cost, text_cost};
use super::cut_json::cut_json;
use super::cuts::{Cuts, Note, value_cost};
use super::json_outline::is_data_url;
use super::level::{Column, Level};

/// Shorter values are not worth cutting.
const MIN_CUT: usize = 64;

/// The bytes that a list may gain when it becomes empty: `null` in place of its brackets, and some
/// room for commas.
const SLACK: usize = 16;

/// More than the brackets, names and the time of an event or a link take.
const ITEM: usize = 160;

/// Where a value stands.
#[derive(Clone, Copy)]
enum Place {
    Attribute(usize),
    OfEvent(usize, usize),
    OfLink(usize, usize),
}

/// How often the room that was left over is divided anew.
const ROUNDS: usize = 3;

/// Cuts `span`, which takes `length` bytes in ASCII, until it takes at most `limit`.
///
/// First the largest values are trimmed to a common length: texts on a boundary of characters with a note of
/// how much is missing, JSON documents so that they stay JSON, arrays at their end. If
/// that is not enough, events and links are left out from the last one on, name and message are cut,
/// and then attributes are left out, the largest first.
pub(super) fn cut_structured(span: &mut SpanData, mut length: usize, limit: usize) -> Cuts {
    let limit = limit.saturating_sub(SLACK);
    let mut cuts = Cuts::default();
    cut_values(span, &mut length, limit, &mut cuts);
    if length > limit {
        drop_items(span, &mut length, limit, &mut cuts);
    }
    if length > limit {
        cut_name_and_message(span, &mut length, limit, &mut cuts);
    }
    if length > limit {
        drop_attributes(&mut span.attributes, &mut length, limit, &mut cuts);
    }
    cuts
}

/// A value that is long enough to be cut.
struct Long {
    place: Place,
    cost: usize,
    /// It is of no use in parts.
    is_blob: bool,
    /// The value after the cut, and its bytes.
    cut: Option<(Value, usize)>,
    /// It takes less than its share: the rest is for others.
    is_done: bool,
}

impl Long {
    fn takes(&self) -> usize {
        self.cut.as_ref().map_or(self.cost, |(_, cost)| *cost)
    }
}

fn cut_values(span: &mut SpanData, length: &mut usize, limit: usize, cuts: &mut Cuts) {
    let mut long = long_values(span);
    long.sort_by_key(|value| Reverse(value.cost));
    let others = length.saturating_sub(long.iter().map(|value| value.cost).sum());
    for round in 1..=ROUNDS {
        let done: usize = long.iter().filter(|v| v.is_done).map(Long::takes).sum();
        let room = limit.saturating_sub(others + done);
        let open = long.iter().filter(|value| !value.is_done);
        let wanted: usize = open.clone().map(|value| value.cost).sum();
        let columns = open.map(|value| Column {
            height: value.cost,
            stump: value.is_blob.then_some(MIN_CUT),
        });
        let level = Level::find(columns, wanted.saturating_sub(room), MIN_CUT);
        let level = level.unwrap_or(Level::LOWEST);
        let share = level.height.max(MIN_CUT);
        let mut spare = 0;
        for value in long.iter_mut().filter(|value| !value.is_done) {
            let budget = match value.is_blob {
                true if value.cost >= level.felled => MIN_CUT,
                true => continue,
                false if value.cost > share => share,
                false => continue,
            };
            let Some(attribute) = value.place.of(span) else {
                continue;
            };
            let shortened = shortened(&attribute.value, budget);
            let cost = value_cost(&shortened);
            // Numbers and objects without texts cannot be cut anywhere.
            value.is_done = value.is_blob || cost + MIN_CUT < budget;
            spare += if value.is_done {
                budget.saturating_sub(cost)
            } else {
                0
            };
            value.cut = Some((shortened, cost));
        }
        if spare == 0 || round == ROUNDS {
            break;
        }
        // Values that were cut to the last level may keep more.
        for value in long.iter_mut().filter(|value| !value.is_done) {
            value.cut = None;
        }
    }
    for value in long {
        let Some((shortened, cost)) = value.cut else {
            continue;
        };
        if let Some(attribute) = value.place.of_mut(span) {
            if shortened != attribute.value {
                cuts.of_value(&attribute.key);
                attribute.value = shortened;
                *length = length.saturating_sub(value.cost) + cost;
            }
        }
    }
}

fn long_values(span: &SpanData) -> Vec<Long> {
    let mut long: Vec<Long> = Vec::new();
    let mut add = |place, attribute: &KeyValue| {
        let cost = value_cost(&attribute.value);
        if cost > MIN_CUT {
            long.push(Long {
                place,
                cost,
                is_blob: matches!(&attribute.value, Value::String(text) if is_data_url(text.as_str())),
                cut: None,
                is_done: false,
            });
        }
    };
    for (at, attribute) in span.attributes.iter().enumerate() {
        add(Place::Attribute(at), attribute);
    }
    for (of, event) in span.events.events.iter().enumerate() {
        for (at, attribute) in event.attributes.iter().enumerate() {
            add(Place::OfEvent(of, at), attribute);
        }
    }
    for (of, link) in span.links.links.iter().enumerate() {
        for (at, attribute) in link.attributes.iter().enumerate() {
            add(Place::OfLink(of, at), attribute);
        }
    }
    long
}

impl Place {
    fn of(self, span: &SpanData) -> Option<&KeyValue> {
        match self {
            Self::Attribute(at) => span.attributes.get(at),
            Self::OfEvent(of, at) => span.events.events.get(of)?.attributes.get(at),
            Self::OfLink(of, at) => span.links.links.get(of)?.attributes.get(at),
        }
    }

    fn of_mut(self, span: &mut SpanData) -> Option<&mut KeyValue> {
        match self {
            Self::Attribute(at) => span.attributes.get_mut(at),
            Self::OfEvent(of, at) => span.events.events.get_mut(of)?.attributes.get_mut(at),
            Self::OfLink(of, at) => span.links.links.get_mut(of)?.attributes.get_mut(at),
        }
    }
}

/// `value` in at most `budget` bytes, if it can be cut.
fn shortened(value: &Value, budget: usize) -> Value {
    match value {
        Value::String(text) => cut_text(text.as_str(), budget).into(),
        Value::Array(Array::Bool(items)) => Value::Array(Array::Bool(first(items, budget))),
        Value::Array(Array::I64(items)) => Value::Array(Array::I64(first(items, budget))),
        Value::Array(Array::F64(items)) => Value::Array(Array::F64(first(items, budget))),
        Value::Array(Array::String(items)) => Value::Array(Array::String(cut_texts(items, budget))),
        other => other.clone(),
    }
}

/// Texts in at most `budget` bytes: the longest are trimmed to a common length, and then the last are left
/// out.
fn cut_texts(items: &[StringValue], budget: usize) -> Vec<StringValue> {
    /// The quotes of an item, and the comma.
    const FRAME: usize = 3;
    let cost = |item: &StringValue| text_cost(item.as_str()) + FRAME;
    let total: usize = items.iter().map(cost).sum::<usize>() + 2;
    let columns = items.iter().map(|item| Column {
        height: cost(item),
        stump: None,
    });
    let level = Level::find(columns, total.saturating_sub(budget), MIN_CUT + FRAME);
    let height = level.map_or(MIN_CUT + FRAME, |level| level.height);
    let mut left = budget.saturating_sub(2);
    let mut kept = Vec::new();
    for item in items {
        let item = match cost(item) > height {
            true => cut_text(item.as_str(), height - 1).into(),
            false => item.clone(),
        };
        let Some(rest) = left.checked_sub(cost(&item)) else {
            break;
        };
        left = rest;
        kept.push(item);
    }
    kept
}

/// `text` in at most `budget` bytes, quotes included.
fn cut_text(text: &str, budget: usize) -> String {
    if let Some(document) = cut_json(text, budget) {
        return document;
    }
    let note = Note(text.len()).to_string();
    if is_data_url(text) && text_cost(text) + 2 > budget {
        return note;
    }
    let mut left = budget.saturating_sub(2 + note.len());
    let end = text.char_indices().find_map(|(at, c)| {
        let cost = ascii_cost(c);
        if cost > left {
            return Some(at);
        }
        left -= cost;
        None
    });
    match end.and_then(|end| text.get(..end)) {
        Some(kept) => format!("{kept}{note}"),
        None => text.to_owned(),
    }
}

/// As many numbers as surely fit.
fn first<T: Clone>(items: &[T], budget: usize) -> Vec<T> {
    const LONGEST_NUMBER: usize = 26;
    let kept = (budget.saturating_sub(2) / LONGEST_NUMBER).min(items.len());
    items.iter().take(kept).cloned().collect()
}

fn drop_items(span: &mut SpanData, length: &mut usize, limit: usize, cuts: &mut Cuts) {
    while *length > limit {
        let Some(link) = span.links.links.pop() else {
            break;
        };
        span.links.dropped_count = span.links.dropped_count.saturating_add(1);
        cuts.of_something();
        *length = length.saturating_sub(attributes_cost(&link.attributes).max(ITEM / 4));
    }
    while *length > limit {
        let Some(event) = span.events.events.pop() else {
            break;
        };
        span.events.dropped_count = span.events.dropped_count.saturating_add(1);
        cuts.of_something();
        let cost = text_cost(&event.name) + attributes_cost(&event.attributes);
        *length = length.saturating_sub(cost);
    }
}

fn cut_name_and_message(span: &mut SpanData, length: &mut usize, limit: usize, cuts: &mut Cuts) {
    let budget = (limit / 8).max(MIN_CUT);
    let mut cut = |text: &str| {
        let before = text_cost(text) + 2;
        (before > budget).then(|| {
            let kept = cut_text(text, budget);
            *length = length.saturating_sub(before) + text_cost(&kept) + 2;
            cuts.of_something();
            kept
        })
    };
    if let Some(name) = cut(&span.name) {
        span.name = name.into();
    }
    if let Status::Error { description } = &span.status {
        if let Some(message) = cut(description) {
            span.status = Status::error(message);
        }
    }
}

fn drop_attributes(
    attributes: &mut Vec<KeyValue>,
    length: &mut usize,
    limit: usize,
    cuts: &mut Cuts,
) {
    let cost =
        |attribute: &KeyValue| text_cost(attribute.key.as_str()) + value_cost(&attribute.value);
    let mut largest: Vec<_> = attributes.iter().map(cost).enumerate().collect();
    largest.sort_by_key(|(_, cost)| Reverse(*cost));
    let mut dropped: Vec<usize> = Vec::new();
    for (at, cost) in largest {
        if *length <= limit {
            break;
        }
        dropped.push(at);
        if let Some(attribute) = attributes.get(at) {
            cuts.of_value(&attribute.key);
        }
        *length = length.saturating_sub(cost + 3);
    }
    dropped.sort_unstable();
    let mut at = 0;
    attributes.retain(|_| {
        at += 1;
        dropped.binary_search(&(at - 1)).is_err()
    });
}

fn attributes_cost(attributes: &[KeyValue]) -> usize {
    let costs = attributes
        .iter()
        .map(|attribute| text_cost(attribute.key.as_str()) + value_cost(&attribute.value));
    costs.sum()
}
