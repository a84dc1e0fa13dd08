//! Looks attributes up by key, whatever form their values have, and remembers which were read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lenient_json;
use super::source::{SourceEvent, SourceSpan, SourceValue};
use crate::keys::dialects;

/// The attributes of a span by key.
///
/// It is asked for many more keys than a span has, so that what matters is how soon it knows that
/// there is none.
pub(super) struct Reader<'s, 'a> {
    pub(super) span: &'s SourceSpan<'a>,
    /// A sum of each key, in the order of the attributes.
    sums: Vec<u32>,
    /// A bit for each sum.
    seen: u64,
    /// `None` if nobody asks afterwards what was read.
    read: Option<RefCell<BTreeSet<&'a str>>>,
}

impl<'s, 'a> Reader<'s, 'a> {
    /// `None` if no attribute is of a known vocabulary.
    pub(super) fn new(span: &'s SourceSpan<'a>) -> Option<Self> {
        let reader = Self::without_notes(span)?;
        Some(Self {
            read: Some(RefCell::default()),
            ..reader
        })
    }

    /// One that does not remember what was read.
    pub(super) fn without_notes(span: &'s SourceSpan<'a>) -> Option<Self> {
        let mut keys = span.attributes.iter().map(|(key, _)| *key);
        if !keys.any(dialects::is_of_agent_convention) {
            return None;
        }
        let keys = span.attributes.iter().map(|(key, _)| *key);
        let sums: Vec<_> = keys.map(sum).collect();
        let seen = sums.iter().fold(0, |seen, sum| seen | bit(*sum));
        Some(Self {
            span,
            sums,
            seen,
            read: None,
        })
    }

    /// The keys whose values the normal form holds.
    pub(super) fn into_read_keys(self) -> BTreeSet<String> {
        let read = self.read.map(RefCell::into_inner).unwrap_or_default();
        read.into_iter().map(str::to_owned).collect()
    }

    /// The last value of a key, with the key: those who record twice have corrected themselves.
    fn last(&self, key: &str) -> Option<(&'a str, &'s SourceValue<'a>)> {
        let sum = sum(key);
        if self.seen & bit(sum) == 0 {
            return None;
        }
        let all = self.sums.iter().zip(&self.span.attributes).rev();
        let mut alike = all.filter(|(found, _)| **found == sum);
        let (_, (key, value)) = alike.find(|(_, (found, _))| *found == key)?;
        Some((key, value))
    }

    fn value(&self, key: &str) -> Option<&'s SourceValue<'a>> {
        self.last(key).map(|(_, value)| value)
    }

    fn note(&self, key: &'a str) {
        if let Some(read) = &self.read {
            read.borrow_mut().insert(key);
        }
    }

    pub(super) fn events(
        &self,
    ) -> impl DoubleEndedIterator<Item = &'s SourceEvent<'a>> + use<'s, 'a> {
        self.span.events.iter()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.last(key).is_some()
    }

    /// The value of the first key that has one. All keys with a value count as read.
    pub(super) fn first<T>(
        &self,
        keys: &[&str],
        read: impl Fn(&'s SourceValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut first = None;
        for key in keys {
            let Some((key, value)) = self.last(key) else {
                continue;
            };
            if let Some(value) = read(value) {
                self.note(key);
                first.get_or_insert(value);
            }
        }
        first
    }

    /// Shows without counting as read: for what stays under its key as well.
    pub(super) fn peek(&self, key: &str) -> Option<&'a str> {
        self.value(key).and_then(|value| match value {
            SourceValue::Text(text) => Some(*text),
            _ => None,
        })
    }

    /// As [`peek`](Self::peek), of a number.
    pub(super) fn peek_whole(&self, key: &str) -> Option<i64> {
        self.value(key).and_then(|value| whole_of(value))
    }

    /// A text that is not empty.
    pub(super) fn text(&self, keys: &[&str]) -> Option<&'a str> {
        self.first(keys, |value| match value {
            SourceValue::Text(text) if !text.is_empty() => Some(*text),
            _ => None,
        })
    }

    pub(super) fn owned(&self, keys: &[&str]) -> Option<String> {
        self.text(keys).map(str::to_owned)
    }

    /// A whole number, which may be written as text.
    pub(super) fn whole(&self, keys: &[&str]) -> Option<i64> {
        self.first(keys, whole_of)
    }

    pub(super) fn real(&self, keys: &[&str]) -> Option<f64> {
        self.first(keys, |value| match value {
            SourceValue::F64(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "parameters are small numbers")]
            SourceValue::I64(number) => Some(*number as f64),
            SourceValue::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        })
    }

    pub(super) fn truth(&self, keys: &[&str]) -> Option<bool> {
        self.first(keys, |value| match value {
            SourceValue::Bool(truth) => Some(*truth),
            // Python has a capital.
            SourceValue::Text("true" | "True") => Some(true),
            SourceValue::Text("false" | "False") => Some(false),
            _ => None,
        })
    }

    /// A list of texts: as such, as the text of a JSON array, or a single one, which may be JSON as well.
    pub(super) fn texts(&self, keys: &[&str]) -> Option<Vec<String>> {
        self.first(keys, |value| match value {
            SourceValue::Texts(texts) if !texts.is_empty() => {
                Some(texts.iter().map(|&text| text.to_owned()).collect())
            }
            SourceValue::Text(text) => texts_of(text),
            _ => None,
        })
    }

    /// Text that is JSON.
    pub(super) fn json(&self, keys: &[&str]) -> Option<Value> {
        self.first(keys, |value| match value {
            SourceValue::Text(text) => lenient_json::parse(text),
            _ => None,
        })
    }

    /// The members of a list of keys, `prefix.N.member`, in order; gaps close. `None` if there are none.
    pub(super) fn list(&self, prefix: &str) -> Option<Vec<Element<'s, 'a>>> {
        // An element gives the first of its values of a name, which is so the last that was set.
        let all = self.span.attributes.iter().rev();
        let placed = all.filter_map(|(key, value)| {
            let (index, member) = place(key, prefix)?;
            self.note(key);
            Some((index, member, value))
        });
        let elements = elements(placed);
        (!elements.is_empty()).then_some(elements)
    }
}

/// One element of a list of keys.
pub(super) struct Element<'s, 'a>(Vec<(&'a str, &'s SourceValue<'a>)>);

impl<'s, 'a> Element<'s, 'a> {
    pub(super) fn text(&self, member: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(found, _)| *found == member)?;
        match value {
            SourceValue::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// The elements of a list inside of this element.
    pub(super) fn list(&self, prefix: &str) -> Vec<Self> {
        elements(self.0.iter().filter_map(|(key, value)| {
            let (index, member) = place(key, prefix)?;
            Some((index, member, *value))
        }))
    }
}

/// The elements in the order of their indices.
fn elements<'s, 'a>(
    placed: impl Iterator<Item = (u64, &'a str, &'s SourceValue<'a>)>,
) -> Vec<Element<'s, 'a>> {
    let mut elements: BTreeMap<u64, Element<'s, 'a>> = BTreeMap::new();
    for (index, member, value) in placed {
        let element = elements.entry(index).or_insert_with(|| Element(Vec::new()));
        element.0.push((member, value));
    }
    elements.into_values().collect()
}

/// Tells most keys apart: how long they are, and what is at their end.
fn sum(key: &str) -> u32 {
    let bytes = key.as_bytes();
    let end = match bytes.last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => bytes
            .iter()
            .fold(0, |end, byte| (end << 8) | u64::from(*byte)),
    };
    let mixed = (end ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

fn bit(sum: u32) -> u64 {
    1 << (sum >> 26)
}

/// Splits `prefix.N.member`. The same indices are read on all platforms.
fn place<'k>(key: &'k str, prefix: &str) -> Option<(u64, &'k str)> {
    let rest = key.strip_prefix(prefix)?.strip_prefix('.')?;
    let (index, member) = rest.split_once('.')?;
    // One element has one index: `007` and `+7` are names of something else.
    let is_index = index == "0" || (!index.starts_with('0') && is_digits(index));
    is_index.then_some((index.parse().ok()?, member))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number, which may be written as text, and with a point.
pub(super) fn whole_of(value: &SourceValue<'_>) -> Option<i64> {
    match value {
        SourceValue::I64(number) => Some(*number),
        SourceValue::F64(number) => whole(*number),
        SourceValue::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and small"
    )]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

fn texts_of(text: &str) -> Option<Vec<String>> {
    match lenient_json::parse(text) {
        Some(Value::Array(values)) if values.is_empty() => None,
        Some(Value::Array(values)) => values
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        Some(Value::String(text)) => Some(vec![text]),
        _ if text.is_empty() => None,
        _ => Some(vec![text.to_owned()]),
    }
}
