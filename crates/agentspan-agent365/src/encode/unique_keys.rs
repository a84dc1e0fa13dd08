//! Which attributes of a list are written.
//!
//! The Rust SDK keeps every attribute that was set. In the reference (`opentelemetry-sdk` 1.45.2 for
//! Python) a key that is set again moves to the end, and an empty key is dropped. So of the attributes
//! with one key the last one is written, in its own place.

use opentelemetry::KeyValue;

/// As many attributes as a mask of 64 bits has. Nearly every list is shorter.
const SMALL: usize = 64;

/// Slots of the table that finds equal keys: a power of two, twice as many as there can be keys.
const SLOTS: usize = 2 * SMALL;

/// Finds the attributes to write. Reuses its memory.
#[derive(Debug, Default)]
pub(crate) struct UniqueKeys {
    written: Vec<usize>,
}

impl UniqueKeys {
    /// Calls `write` with the index of every attribute to be written, in order.
    pub(crate) fn for_each(&mut self, attributes: &[KeyValue], mut write: impl FnMut(usize)) {
        let len = attributes.len();
        if len <= SMALL {
            let superseded = superseded_of_few(attributes);
            for index in 0..len {
                if superseded >> index & 1 == 0 {
                    write(index);
                }
            }
        } else {
            self.select_of_many(attributes);
            for index in &self.written {
                write(*index);
            }
        }
    }

    /// Sorting keeps a long list, whose keys may have been chosen by somebody hostile, from costing
    /// quadratic time.
    fn select_of_many(&mut self, attributes: &[KeyValue]) {
        self.written.clear();
        self.written
            .extend((0..attributes.len()).filter(|index| !key_at(attributes, *index).is_empty()));
        // Equal keys side by side, the last one first, because `dedup_by` keeps the first of a run.
        self.written.sort_unstable_by(|one, other| {
            key_at(attributes, *one)
                .cmp(key_at(attributes, *other))
                .then(other.cmp(one))
        });
        self.written
            .dedup_by(|one, kept| key_at(attributes, *one) == key_at(attributes, *kept));
        self.written.sort_unstable();
    }
}

/// One bit for each of at most [`SMALL`] attributes, set when the attribute is not written.
fn superseded_of_few(attributes: &[KeyValue]) -> u64 {
    let mut superseded = 0_u64;
    let mut seen = Seen::default();
    for (index, attribute) in attributes.iter().enumerate() {
        let key = attribute.key.as_str();
        if key.is_empty() {
            superseded |= 1 << index;
        } else if let Some(earlier) = seen.insert(attributes, index, key) {
            superseded |= 1 << earlier;
        }
    }
    superseded
}

/// The keys of the first attributes of a list. There is room for the keys of [`SMALL`] attributes.
pub(super) struct Seen {
    /// Index of the latest attribute with the key of this slot, plus one; zero is a free slot.
    slots: [u8; SLOTS],
}

impl Default for Seen {
    fn default() -> Self {
        Self { slots: [0; SLOTS] }
    }
}

impl Seen {
    /// Whether the keys of so many attributes can be seen.
    pub(super) fn has_room(len: usize) -> bool {
        len <= SMALL
    }

    /// Takes the key at `index`. Returns where it was seen before.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        attributes: &[KeyValue],
        index: usize,
        key: &str,
    ) -> Option<usize> {
        let number = u8::try_from(index + 1).unwrap_or(0);
        let mut slot = slot_of(key);
        loop {
            let seen = &mut self.slots[slot % SLOTS];
            let Some(earlier) = usize::from(*seen).checked_sub(1) else {
                *seen = number;
                return None;
            };
            if key_at(attributes, earlier) == key {
                *seen = number;
                return Some(earlier);
            }
            slot += 1;
        }
    }
}

fn key_at(attributes: &[KeyValue], index: usize) -> &str {
    attributes
        .get(index)
        .map_or("", |attribute| attribute.key.as_str())
}

/// Keys share their beginnings and differ in length and at the end.
fn slot_of(key: &str) -> usize {
    let bytes = key.as_bytes();
    let end = match bytes.last_chunk::<8>() {
        Some(end) => u64::from_le_bytes(*end),
        None => bytes
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    let mixed = (end ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests;
