//! How long spans are by estimate, and how many fit into one request.
//!
//! Numbers and rules are those of `microsoft-agents-a365-observability-core` 2.0.0 and of its successor,
//! which estimate too much rather than too little.

use std::ops::Range;

use agentspan_model::agent365::Profile;
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::encode::UniqueKeys;
use crate::wire_profile::WireProfile;

/// For what every span has: ids, kind, times, status.
const SPAN: u64 = 2_000;
const ATTRIBUTE: u64 = 80;
const EVENT: u64 = 200;
const VALUE: u64 = 40;
const ARRAY: u64 = 60;
const ARRAY_ITEM: u64 = 50;

/// How many bytes `span` takes in a request, by the estimate of the reference of a profile.
///
/// Links and the status count nothing.
#[must_use]
pub fn estimated_span_bytes(profile: Profile, span: &SpanData) -> u64 {
    Estimate::of(profile).span(span)
}

/// How many bytes the value of an attribute takes, by the estimate of the reference of a profile.
#[must_use]
pub fn estimated_value_bytes(profile: Profile, value: &Value) -> u64 {
    Estimate::of(profile).value(value)
}

/// How a generation estimates lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    /// How many tenths of its length in UTF-8 the text of a value takes. What is beyond ten is for
    /// escapes.
    text_tenths: u64,
}

impl Estimate {
    /// The estimate of a profile; a profile without a wire estimates as the others do.
    pub(crate) fn of(profile: Profile) -> Self {
        let wire = WireProfile::of(profile);
        Self {
            text_tenths: wire.map_or(10, |wire| wire.text_tenths),
        }
    }

    pub(crate) fn span(self, span: &SpanData) -> u64 {
        let mut unique_keys = UniqueKeys::default();
        let mut bytes = SPAN + length(&span.name);
        bytes += self.attributes(&span.attributes, &mut unique_keys);
        for event in span.events.iter() {
            bytes += EVENT + length(&event.name);
            bytes += self.attributes(&event.attributes, &mut unique_keys);
        }
        bytes
    }

    fn value(self, value: &Value) -> u64 {
        match value {
            Value::String(text) => self.text(text.as_str()),
            Value::Array(Array::String(items)) => items
                .iter()
                .map(|item| self.text(item.as_str()))
                .fold(ARRAY, u64::saturating_add),
            Value::Array(Array::Bool(items)) => ARRAY + ARRAY_ITEM * items.len() as u64,
            Value::Array(Array::I64(items)) => ARRAY + ARRAY_ITEM * items.len() as u64,
            Value::Array(Array::F64(items)) => ARRAY + ARRAY_ITEM * items.len() as u64,
            Value::Bool(_) | Value::I64(_) | Value::F64(_) => VALUE,
            unknown => self.text(&unknown.as_str()),
        }
    }

    fn text(self, text: &str) -> u64 {
        VALUE + length(text).saturating_mul(self.text_tenths) / 10
    }

    fn attributes(self, attributes: &[KeyValue], unique_keys: &mut UniqueKeys) -> u64 {
        let mut bytes = 0;
        unique_keys.for_each(attributes, |index| {
            if let Some(attribute) = attributes.get(index) {
                bytes += ATTRIBUTE + length(attribute.key.as_str());
                bytes += self.value(&attribute.value);
            }
        });
        bytes
    }
}

/// Cuts a list of sizes into runs that are at most `limit` together, from the front. What is larger
/// alone is a run of its own. Nothing is left out, and no run is empty.
pub fn chunk_by_bytes(sizes: &[u64], limit: u64) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = sizes.get(begin..).filter(|rest| !rest.is_empty())?;
        let mut chunk = Chunk::new(limit);
        let end = begin + rest.iter().take_while(|size| chunk.takes(**size)).count();
        let chunk = begin..end;
        begin = end;
        Some(chunk)
    })
}

/// A run of sizes that are at most a limit together, or of one that is larger.
#[derive(Debug)]
pub(crate) struct Chunk {
    limit: u64,
    sum: Option<u64>,
}

impl Chunk {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, sum: None }
    }

    /// Takes this size as well, if there is room.
    pub(crate) fn takes(&mut self, size: u64) -> bool {
        let sum = match self.sum {
            None => size,
            Some(sum) => match sum.checked_add(size).filter(|sum| *sum <= self.limit) {
                Some(sum) => sum,
                None => return false,
            },
        };
        self.sum = Some(sum);
        true
    }
}

fn length(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first index of each chunk.
    fn check_begins(sizes: &[u64], limit: u64, expected: &[usize]) {
        let found: Vec<_> = chunk_by_bytes(sizes, limit)
            .map(|chunk| chunk.start)
            .collect();
        assert_eq!(found, expected, "{sizes:?}");
    }

    #[test]
    fn a_chunk_may_be_as_long_as_the_limit() {
        check_begins(&[], 10, &[]);
        check_begins(&[5, 5], 10, &[0]);
        check_begins(&[5, 6], 10, &[0, 1]);
        check_begins(&[20, 1, 1, 20, 1], 10, &[0, 1, 3, 4]);
        check_begins(&[0, 0, 0], 1, &[0]);
    }

    proptest! {
        #[test]
        fn chunks_keep_order_lose_nothing_and_fit(
            sizes in proptest::collection::vec(prop_oneof![0_u64..50, Just(u64::MAX)], 0..40),
            limit in 1_u64..200,
        ) {
            let mut next = 0;
            for chunk in chunk_by_bytes(&sizes, limit) {
                prop_assert_eq!(chunk.start, next);
                prop_assert!(chunk.end > chunk.start);
                next = chunk.end;
                let sum = sizes[chunk.clone()].iter().fold(0_u64, |sum, size| sum.saturating_add(*size));
                prop_assert!(sum <= limit || chunk.len() == 1);
                if let Some(following) = sizes.get(next) {
                    prop_assert!(sum.saturating_add(*following) > limit);
                }
            }
            prop_assert_eq!(next, sizes.len());
        }
    }
}
