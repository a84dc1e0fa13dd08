//! Identifiers of traces, spans and events.

use std::{borrow::Borrow, fmt, hash};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::random;

/// Bytes that fit without an allocation. The text of a UUID has 36.
const INLINE: usize = 38;

/// The id of a trace, a span or an event: any text, usually a random UUID.
///
/// Texts of up to 38 bytes, which include all UUIDs, need no allocation.
///
/// ```
/// use agentspan_model::agentspec::Id;
///
/// let id = Id::from("67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(id.as_str(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert!(id.to_uuid().is_some());
/// assert!(Id::from("span one").to_uuid().is_none());
/// ```
#[derive(Clone)]
pub struct Id(Text);

#[derive(Clone)]
enum Text {
    /// The first `length` bytes are UTF-8; they came from a `str` and are never changed.
    Inline {
        length: u8,
        bytes: [u8; INLINE],
    },
    Heap(Box<str>),
}

impl Id {
    /// A new random UUID, as the reference creates for spans and events without an id.
    ///
    /// It is unique, also among the children of a fork, but not secret: an observer of a thread's
    /// ids can predict the next ones, see [`random::bits`].
    #[must_use]
    pub fn random() -> Self {
        Self::from(random_uuid())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Inline { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|text| std::str::from_utf8(text).ok())
                .unwrap_or_default(),
            Text::Heap(text) => text,
        }
    }

    /// The bytes of the text, which nobody need look at to know that they are one.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Text::Heap(text) => text.as_bytes(),
        }
    }

    /// The memory that it holds beside its own size.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.0 {
            Text::Inline { .. } => 0,
            Text::Heap(text) => text.len(),
        }
    }

    /// The UUID, if the text is a UUID in the usual form with hyphens.
    #[must_use]
    pub fn to_uuid(&self) -> Option<Uuid> {
        let text = self.as_bytes();
        (text.len() == uuid::fmt::Hyphenated::LENGTH)
            .then(|| Uuid::try_parse_ascii(text).ok())
            .flatten()
    }
}

impl From<&str> for Id {
    // Inlined for texts that the compiler knows, and for the length that most have.
    #[inline]
    fn from(text: &str) -> Self {
        match <&[u8; UUID_LENGTH]>::try_from(text.as_bytes()) {
            Ok(uuid) => {
                let mut bytes = [0; INLINE];
                bytes[..UUID_LENGTH].copy_from_slice(uuid);
                Self::inline(UUID_LENGTH as u8, bytes)
            }
            Err(_) if text.is_empty() => Self::inline(0, [0; INLINE]),
            Err(_) => Self::of_any_length(text),
        }
    }
}

impl Id {
    #[inline]
    const fn inline(length: u8, bytes: [u8; INLINE]) -> Self {
        Self(Text::Inline { length, bytes })
    }

    fn of_any_length(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(head), Ok(length)) => {
                head.copy_from_slice(text.as_bytes());
                Self::inline(length, bytes)
            }
            _ => Self(Text::Heap(text.into())),
        }
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        if text.len() <= INLINE {
            Self::from(text.as_str())
        } else {
            Self(Text::Heap(text.into_boxed_str()))
        }
    }
}

impl From<Uuid> for Id {
    #[inline]
    fn from(uuid: Uuid) -> Self {
        const HYPHEN: u64 = b'-' as u64;
        let bits = uuid.as_u128();
        let quarter = |shift: u32| hex_digits((bits >> shift) as u32);
        let [first, second, third, fourth] = [96, 64, 32, 0].map(quarter);
        // Words of eight characters, the first one in the lowest byte. Put together in registers: a
        // text that is written piece by piece and read as a whole right away makes the processor
        // wait.
        let words = [
            first,
            HYPHEN | (second & 0xffff_ffff) << 8 | HYPHEN << 40 | (second >> 32) << 48,
            second >> 48 | HYPHEN << 16 | (third & 0xffff_ffff) << 24 | HYPHEN << 56,
            third >> 32 | fourth << 32,
        ];
        let mut bytes = [0; INLINE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes[32..36].copy_from_slice(&((fourth >> 32) as u32).to_le_bytes());
        Self::inline(UUID_LENGTH as u8, bytes)
    }
}

/// How long the text of a UUID is.
const UUID_LENGTH: usize = 36;

/// The eight lowercase digits of a number, the first one in the lowest byte.
///
/// All at once: most of what an id costs is its text.
#[inline]
const fn hex_digits(number: u32) -> u64 {
    // A byte in every other byte, the first one in the lowest, then a digit in every byte.
    let bytes = number.swap_bytes() as u64;
    let bytes = (bytes | bytes << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (bytes | bytes << 8) & 0x00ff_00ff_00ff_00ff;
    let high = (bytes >> 4) & 0x000f_000f_000f_000f;
    let low = (bytes & 0x000f_000f_000f_000f) << 8;
    let digits = high | low;
    // Adding 6 carries into the upper half of the byte for 10 and more: those are letters.
    let letters = ((digits + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    const TO_LETTER: u64 = (b'a' - 10 - b'0') as u64;
    digits + 0x3030_3030_3030_3030 + letters * TO_LETTER
}

/// A random UUID, version 4.
#[inline]
fn random_uuid() -> Uuid {
    // As a number, because bytes would be written one by one.
    Uuid::from_u128(random::bits() & !(0xf << 76 | 0b11 << 62) | 4 << 76 | 0b10 << 62)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({:?})", self.as_str())
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Id {}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl hash::Hash for Id {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// `Eq`, `Ord` and `Hash` are those of the text, so that a map by id can be asked with a `&str`.
impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let id = Id::from(text);
        assert_eq!(id.as_str(), text);
        assert_eq!(id, Id::from(text.to_owned()));
    }

    #[test]
    fn every_text_is_kept_whether_it_fits_inline_or_not() {
        for length in [0, 1, 36, 37, 38, 39, 300] {
            check(&"x".repeat(length));
        }
        check("Ünïcödé ids are texts too");
    }

    #[test]
    fn the_text_of_a_uuid_is_the_usual_one() {
        for uuid in [
            Uuid::nil(),
            Uuid::max(),
            Uuid::from_u128(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210),
        ] {
            assert_eq!(Id::from(uuid).as_str(), uuid.to_string());
        }
    }

    #[test]
    fn threads_make_different_ids() {
        let mut all: Vec<Id> = std::thread::scope(|scope| {
            let ids = || (0..500).map(|_| Id::random()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ids)).collect();
            threads
                .into_iter()
                .flat_map(|one| one.join().unwrap())
                .collect()
        });
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 2_000);
    }

    #[test]
    fn random_ids_are_version_4_uuids() {
        let uuid = Id::random().to_uuid();
        let kind = uuid.map(|uuid| (uuid.get_version_num(), uuid.get_variant()));
        assert_eq!(kind, Some((4, uuid::Variant::RFC4122)));
        assert_ne!(Id::random(), Id::random());
    }

    #[test]
    fn only_the_usual_form_of_a_uuid_counts_as_one() {
        let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
        assert_eq!(Id::from(uuid).to_uuid(), Some(uuid));
        assert_eq!(Id::from(uuid.simple().to_string()).to_uuid(), None);
    }
}
