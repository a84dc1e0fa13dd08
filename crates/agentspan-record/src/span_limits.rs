//! How large a span may be that is handed over, so that none takes more memory than a queue can
//! promise.

mod cut_json;

use std::borrow::Cow;
use std::ops::AddAssign;

use agentspan_model::keys::{self, Sensitivity};
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use self::cut_json::cut_json;
use crate::span_size::{
    attribute_bytes, attributes_bytes, estimated_bytes, name_bytes, places_bytes, value_bytes,
};

/// No value is cut to less so that a whole span fits. No id of a tenant or an agent is so long.
const SHORTEST: usize = 1_024;

/// The attributes that say what was cut. They take no room, so that a span is not cut once more
/// because of them.
const NOTES: [&str; 2] = [
    keys::AGENTSPAN_TRUNCATED_KEYS,
    keys::AGENTSPAN_TRUNCATED_COUNT,
];

/// The attributes that say where a span goes. They stay, however many others there are, and are not
/// cut to less than [`SHORTEST`]: the beginning of an id could be the id of another tenant.
const ROUTING: [&str; 6] = [
    keys::TENANT_ID,
    keys::MICROSOFT_TENANT_ID,
    keys::GEN_AI_AGENT_ID,
    keys::GEN_AI_OPERATION_NAME,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
    keys::GEN_AI_CONVERSATION_ID,
];

/// The bytes that allocators may keep of the parts left out: they round the memory of three lists
/// up.
const ROUNDED: u64 = 3 * 16;

/// How many of the keys of cut values a span names.
const MAX_NAMED: usize = 32;

/// The maximum size of a queued span. Larger spans are cut, with a note, and never refused.
///
/// The defaults are far above the limits of services: Agent 365 2.0.0 cuts spans at 250 KiB and
/// requests at 900,000 bytes. They only keep one span from using the memory of all others.
///
/// A cut text keeps its beginning and ends with `...[cut from 300000 bytes]`, if the limit has room
/// for that. A list or an object in JSON, such as the messages of a prompt, stays valid JSON: it keeps
/// whole values, or the beginning of the text in which it is cut. `agentspan.truncated.keys` and
/// `agentspan.truncated.count` on the span name the cut values. Removed attributes, events and links
/// are added to the dropped counts that OpenTelemetry has for each span.
///
/// ```
/// use agentspan_record::SpanLimits;
///
/// let limits = SpanLimits::default().with_content_bytes(64 * 1024);
/// assert_ne!(limits, SpanLimits::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLimits {
    content_bytes: usize,
    value_bytes: usize,
    attributes: usize,
    events: usize,
    links: usize,
    span_bytes: usize,
}

/// The parts of spans that were cut or left out because they exceeded the [`SpanLimits`], or the
/// limits of their provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanCuts {
    /// Spans that were cut, each counted once.
    pub spans: u64,
    /// Values that were cut: attributes, names, messages.
    pub values: u64,
    /// Attributes that were left out, including those of events and links.
    pub attributes: u64,
    /// Events that were left out.
    pub events: u64,
    /// Links that were left out.
    pub links: u64,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            content_bytes: 1024 * 1024,
            value_bytes: 512 * 1024,
            attributes: 1_024,
            events: 16_384,
            links: 1_024,
            span_bytes: 4 * 1024 * 1024,
        }
    }
}

impl SpanLimits {
    /// Sets the maximum size of a value with contents, or that may have contents: prompts, answers,
    /// arguments, results. The default is 1 MiB.
    #[must_use]
    pub fn with_content_bytes(mut self, bytes: usize) -> Self {
        self.content_bytes = bytes;
        self
    }

    /// Sets the maximum size of any other value, a name or a message. The default is 512 KiB. The ids
    /// of the tenant and the agent are always kept whole up to 1 KiB.
    #[must_use]
    pub fn with_value_bytes(mut self, bytes: usize) -> Self {
        self.value_bytes = bytes;
        self
    }

    /// Sets the maximum number of attributes of a span, and of each event and link. The attributes
    /// with the tenant and the agent are always kept. The default is 1,024.
    #[must_use]
    pub fn with_attributes(mut self, attributes: usize) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the maximum number of events of a span. The first ones are kept. The default is 16,384.
    #[must_use]
    pub fn with_events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Sets the maximum number of links of a span. The default is 1,024.
    #[must_use]
    pub fn with_links(mut self, links: usize) -> Self {
        self.links = links;
        self
    }

    /// Sets the maximum memory of a span, by estimate. The longest values are trimmed to a common
    /// length, at least 1 KiB; then events, links and attributes are left out, the last ones first. The
    /// default is 4 MiB.
    #[must_use]
    pub fn with_span_bytes(mut self, bytes: usize) -> Self {
        self.span_bytes = bytes;
        self
    }

    /// Cuts `span`, and returns what was cut, or `None` if nothing was. Only the kept parts of cut
    /// texts are copied.
    pub fn apply(&self, span: &mut SpanData) -> Option<SpanCuts> {
        self.cut(span).0
    }

    /// As [`apply`](Self::apply), with the estimated memory of what is left.
    pub fn cut(&self, span: &mut SpanData) -> (Option<SpanCuts>, u64) {
        let bytes = estimated_bytes(span);
        if self.is_surely_kept(span, bytes) {
            return (None, bytes);
        }
        let mut cuts = Cuts::default();
        self.cut_numbers(span, &mut cuts);
        let longest = self.longest_value(span);
        self.cut_values(span, longest, &mut cuts);
        if self.over(span) > 0 {
            self.leave_out(span, &mut cuts);
        }
        (cuts.note(span), estimated_bytes(span))
    }

    /// Most spans are so small that nothing has to be looked at.
    fn is_surely_kept(&self, span: &SpanData, bytes: u64) -> bool {
        let least = self.value_bytes.min(self.content_bytes);
        let items = self.attributes.min(self.events).min(self.links);
        // Each item takes more memory than one byte, so that only few spans have to be counted.
        let message = match &span.status {
            Status::Error { description } => description.len(),
            _ => 0,
        };
        bytes <= least.min(self.span_bytes) as u64 && message <= least && {
            let events = span.events.iter().map(|event| event.attributes.len());
            let links = span.links.iter().map(|link| link.attributes.len());
            let lists = events.chain(links).chain([
                span.attributes.len(),
                span.events.len(),
                span.links.len(),
            ]);
            lists.into_iter().all(|length| length <= items)
        }
    }

    /// How much memory a span takes beyond the limit, without what says that it was cut.
    fn over(&self, span: &SpanData) -> u64 {
        bytes_without_notes(span).saturating_sub(self.span_bytes as u64)
    }

    /// Leaves out what is too many.
    fn cut_numbers(&self, span: &mut SpanData, cuts: &mut Cuts) {
        if span.events.events.len() > self.events {
            cuts.dropped.events += (span.events.events.len() - self.events) as u64;
            span.events.events.truncate(self.events);
            span.events.events.shrink_to_fit();
        }
        if span.links.links.len() > self.links {
            cuts.dropped.links += (span.links.links.len() - self.links) as u64;
            span.links.links.truncate(self.links);
            span.links.links.shrink_to_fit();
        }
        let dropped = first_attributes(&mut span.attributes, self.attributes);
        cuts.own_attributes += dropped;
        let mut others = 0;
        for event in &mut span.events.events {
            let dropped = first_attributes(&mut event.attributes, self.attributes);
            event.dropped_attributes_count = add(event.dropped_attributes_count, dropped);
            others += dropped;
        }
        for link in &mut span.links.links {
            let dropped = first_attributes(&mut link.attributes, self.attributes);
            link.dropped_attributes_count = add(link.dropped_attributes_count, dropped);
            others += dropped;
        }
        cuts.dropped.attributes += dropped + others;
    }

    /// How long values may be for the span to fit, whatever else limits them.
    fn longest_value(&self, span: &SpanData) -> usize {
        let values = || {
            let events = span.events.iter().flat_map(|event| &event.attributes);
            let links = span.links.iter().flat_map(|link| &link.attributes);
            let own = span.attributes.iter().filter(|one| !is_note(one));
            own.chain(events).chain(links)
        };
        let limited = |attribute: &KeyValue| {
            let bytes = value_bytes(&attribute.value);
            match bytes > self.value_bytes.min(self.content_bytes) {
                true => bytes.min(self.limit_of(attribute)),
                false => bytes,
            }
        };
        let all: u64 = values().map(|value| value_bytes(&value.value) as u64).sum();
        let frame = bytes_without_notes(span).saturating_sub(all);
        let mut longest = self.value_bytes.max(self.content_bytes);
        loop {
            let kept = values().map(|value| limited(value).min(longest) as u64);
            if frame.saturating_add(kept.sum()) <= self.span_bytes as u64 || longest <= SHORTEST {
                return longest;
            }
            longest = SHORTEST.max(longest / 2);
        }
    }

    fn limit_of(&self, attribute: &KeyValue) -> usize {
        match Sensitivity::of(attribute.key.as_str()) {
            Sensitivity::Content | Sensitivity::Suspect => self.content_bytes,
            _ => self.value_bytes,
        }
    }

    fn cut_values(&self, span: &mut SpanData, longest: usize, cuts: &mut Cuts) {
        let name = self.value_bytes.min(longest);
        cuts.dropped.values += u64::from(cut_name(&mut span.name, name));
        if let Status::Error { description } = &mut span.status {
            cuts.dropped.values += u64::from(cut_name(description, name));
        }
        let events = span.events.events.iter_mut();
        let events = events.map(|event| (&mut event.name, &mut event.attributes));
        let mut lists: Vec<&mut Vec<KeyValue>> = vec![&mut span.attributes];
        for (event_name, attributes) in events {
            cuts.dropped.values += u64::from(cut_name(event_name, name));
            lists.push(attributes);
        }
        let links = span.links.links.iter_mut();
        lists.extend(links.map(|link| &mut link.attributes));
        let least = self.value_bytes.min(self.content_bytes).min(longest);
        for attribute in lists.into_iter().flatten() {
            if value_bytes(&attribute.value) <= least || is_note(attribute) {
                continue;
            }
            let mut limit = self.limit_of(attribute).min(longest);
            if is_routing(attribute) {
                limit = limit.max(SHORTEST);
            }
            if let Some(cut) = cut_value(&attribute.value, limit) {
                attribute.value = cut;
                cuts.of_value(attribute.key.as_str());
            }
        }
    }

    /// Leaves out what does not fit, the last ones first.
    fn leave_out(&self, span: &mut SpanData, cuts: &mut Cuts) {
        // The reserve of lists is memory, too.
        shrink(span);
        let mut over = match self.over(span) {
            0 => 0,
            over => over + ROUNDED,
        };
        while over > 0 {
            let Some(event) = span.events.events.pop() else {
                break;
            };
            let bytes =
                size_of_val(&event) + name_bytes(&event.name) + attributes_bytes(&event.attributes);
            over = over.saturating_sub(bytes as u64);
            cuts.dropped.events += 1;
        }
        while over > 0 {
            let Some(link) = span.links.links.pop() else {
                break;
            };
            let bytes = size_of_val(&link) + attributes_bytes(&link.attributes);
            over = over.saturating_sub(bytes as u64);
            cuts.dropped.links += 1;
        }
        let mut index = span.attributes.len();
        while over > 0 && index > 0 {
            index -= 1;
            let removed = span.attributes.get(index);
            let removed = removed.filter(|one| !is_routing(one) && !is_note(one));
            if let Some(removed) = removed {
                over = over.saturating_sub(attribute_bytes(index, removed) as u64);
                span.attributes.remove(index);
                cuts.own_attributes += 1;
                cuts.dropped.attributes += 1;
            }
        }
        shrink(span);
    }
}

/// As if the span had never been cut: its list of attributes has no places for notes, either.
fn bytes_without_notes(span: &SpanData) -> u64 {
    let attributes = span.attributes.iter().enumerate();
    let notes = attributes.filter(|(_, one)| is_note(one));
    let (mut places, mut bytes) = (0, 0);
    for (at, note) in notes {
        places += 1;
        bytes += attribute_bytes(at, note) - size_of::<KeyValue>();
    }
    let capacity = span.attributes.capacity();
    let slots = places_bytes::<KeyValue>(capacity) - places_bytes::<KeyValue>(capacity - places);
    estimated_bytes(span).saturating_sub((slots + bytes) as u64)
}

fn shrink(span: &mut SpanData) {
    span.attributes.shrink_to_fit();
    span.events.events.shrink_to_fit();
    span.links.links.shrink_to_fit();
}

impl SpanCuts {
    /// Whether nothing was cut.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for SpanCuts {
    fn add_assign(&mut self, other: Self) {
        self.spans += other.spans;
        self.values += other.values;
        self.attributes += other.attributes;
        self.events += other.events;
        self.links += other.links;
    }
}

/// The cuts in one span.
#[derive(Debug, Default)]
struct Cuts {
    dropped: SpanCuts,
    /// Of the attributes that were left out, those of the span itself.
    own_attributes: u64,
    keys: Vec<StringValue>,
}

impl Cuts {
    fn of_value(&mut self, key: &str) {
        self.dropped.values += 1;
        self.name(key.to_owned().into());
    }

    /// Lets the span say so.
    fn note(mut self, span: &mut SpanData) -> Option<SpanCuts> {
        let SpanCuts {
            values,
            attributes,
            events,
            links,
            ..
        } = self.dropped;
        let mut all = values + attributes + events + links;
        if all == 0 {
            return None;
        }
        self.dropped.spans = 1;
        self.take_notes(span, &mut all);
        span.dropped_attributes_count = add(span.dropped_attributes_count, self.own_attributes);
        span.events.dropped_count = add(span.events.dropped_count, events);
        span.links.dropped_count = add(span.links.dropped_count, links);
        let notes = 1 + usize::from(!self.keys.is_empty());
        span.attributes.reserve_exact(notes);
        if !self.keys.is_empty() {
            let keys = Value::Array(Array::String(self.keys));
            let keys = KeyValue::new(keys::AGENTSPAN_TRUNCATED_KEYS, keys);
            span.attributes.push(keys);
        }
        let count = i64::try_from(all).unwrap_or(i64::MAX);
        let count = KeyValue::new(keys::AGENTSPAN_TRUNCATED_COUNT, count);
        span.attributes.push(count);
        Some(self.dropped)
    }

    /// Takes the span's notes of earlier cuts: since then attributes were added to it.
    fn take_notes(&mut self, span: &mut SpanData, all: &mut u64) {
        let later = std::mem::take(&mut self.keys);
        span.attributes.retain(|one| {
            match (one.key.as_str(), &one.value) {
                (keys::AGENTSPAN_TRUNCATED_COUNT, Value::I64(count)) => {
                    *all = all.saturating_add(u64::try_from(*count).unwrap_or(0));
                    self.dropped.spans = 0;
                }
                (keys::AGENTSPAN_TRUNCATED_KEYS, Value::Array(Array::String(known))) => {
                    known.iter().for_each(|key| self.name(key.clone()));
                }
                _ => {}
            }
            !is_note(one)
        });
        later.into_iter().for_each(|key| self.name(key));
    }

    fn name(&mut self, key: StringValue) {
        if self.keys.len() < MAX_NAMED && !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

fn add(count: u32, more: u64) -> u32 {
    count.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
}

fn is_note(attribute: &KeyValue) -> bool {
    NOTES.contains(&attribute.key.as_str())
}

fn is_routing(attribute: &KeyValue) -> bool {
    ROUTING.contains(&attribute.key.as_str())
}

/// Keeps so many of the attributes, and those that say where the span goes. Gives the number of the
/// others.
fn first_attributes(attributes: &mut Vec<KeyValue>, most: usize) -> u64 {
    let before = attributes.len();
    if before > most {
        let mut index = 0;
        attributes.retain(|attribute| {
            index += 1;
            index <= most || is_routing(attribute) || is_note(attribute)
        });
        attributes.shrink_to_fit();
    }
    (before - attributes.len()) as u64
}

/// Whether the text was cut.
fn cut_name(name: &mut Cow<'static, str>, limit: usize) -> bool {
    let cut = cut_text(name, limit);
    if let Some(cut) = cut {
        *name = cut.into();
        return true;
    }
    false
}

/// The beginning of a text that is longer than `limit`, and how long it was.
fn cut_text(text: &str, limit: usize) -> Option<String> {
    if text.len() <= limit {
        return None;
    }
    let mut note = note(text);
    if note.len() > limit {
        note.clear();
    }
    let mut end = limit - note.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text.get(..end).unwrap_or_default();
    let mut cut = String::with_capacity(kept.len() + note.len());
    cut.push_str(kept);
    cut.push_str(&note);
    Some(cut)
}

fn note(text: &str) -> String {
    format!("...[cut from {} bytes]", text.len())
}

/// The beginning of a text that is longer than `limit`. That of a text of JSON is JSON.
fn cut_content(text: &str, limit: usize) -> Option<String> {
    let is_long = text.len() > limit;
    let json = is_long.then(|| cut_json(text, limit, &note(text)));
    json.flatten().or_else(|| cut_text(text, limit))
}

/// The beginning of a value that is longer than `limit`.
fn cut_value(value: &Value, limit: usize) -> Option<Value> {
    if value_bytes(value) <= limit {
        return None;
    }
    Some(match value {
        Value::String(text) => Value::String(cut_content(text.as_str(), limit)?.into()),
        Value::Array(Array::Bool(items)) => Value::Array(Array::Bool(first(items, limit))),
        Value::Array(Array::I64(items)) => Value::Array(Array::I64(first(items, limit))),
        Value::Array(Array::F64(items)) => Value::Array(Array::F64(first(items, limit))),
        Value::Array(Array::String(items)) => {
            let mut left = limit;
            let mut kept = Vec::new();
            for item in items {
                let Some(room) = left.checked_sub(size_of_val(item)) else {
                    break;
                };
                match cut_text(item.as_str(), room) {
                    None => kept.push(item.clone()),
                    Some(cut) => {
                        kept.push(cut.into());
                        break;
                    }
                }
                left = room - item.as_str().len();
            }
            Value::Array(Array::String(kept))
        }
        _ => return None,
    })
}

/// As many items as take so many bytes.
fn first<T: Copy>(items: &[T], bytes: usize) -> Vec<T> {
    let most = bytes / size_of::<T>().max(1);
    items.iter().take(most).copied().collect()
}

#[cfg(test)]
mod tests;
