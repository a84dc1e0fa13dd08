//! Identifiers of traces, spans and events.

use std::{borrow::Borrow, fmt, hash};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Bytes that fit without an allocation. The text of a UUID has 36.
const INLINE: usize = 38;

/// Identifies a trace, a span or an event: any text, usually that of a random UUID.
///
/// Texts of up to 38 bytes, and so all UUIDs, are kept without an allocation.
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
    /// A fresh random UUID, as the reference makes for spans and events that are given no id.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes, see [`Uuid::new_v4`].
    #[must_use]
    pub fn random() -> Self {
        Self::from(Uuid::new_v4())
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

    /// The UUID that the text is, if it is one in the usual form with hyphens.
    #[must_use]
    pub fn to_uuid(&self) -> Option<Uuid> {
        let text = self.as_str();
        (text.len() == uuid::fmt::Hyphenated::LENGTH)
            .then(|| Uuid::try_parse(text).ok())
            .flatten()
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(head), Ok(length)) => {
                head.copy_from_slice(text.as_bytes());
                Self(Text::Inline { length, bytes })
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
    fn from(uuid: Uuid) -> Self {
        let mut text = Uuid::encode_buffer();
        Self::from(&*uuid.as_hyphenated().encode_lower(&mut text))
    }
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
        self.as_str() == other.as_str()
    }
}

impl Eq for Id {}

impl PartialEq<str> for Id {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
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
    fn random_ids_are_version_4_uuids() {
        let uuid = Id::random().to_uuid();
        assert_eq!(uuid.map(|uuid| uuid.get_version_num()), Some(4));
        assert_ne!(Id::random(), Id::random());
    }

    #[test]
    fn only_the_usual_form_of_a_uuid_counts_as_one() {
        let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
        assert_eq!(Id::from(uuid).to_uuid(), Some(uuid));
        assert_eq!(Id::from(uuid.simple().to_string()).to_uuid(), None);
    }
}
