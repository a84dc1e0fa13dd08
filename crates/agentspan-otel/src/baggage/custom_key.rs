//! Baggage keys that a program adds to the keys of the profile.

use opentelemetry::Key;

use crate::python_text::strip;

/// The entry in which `microsoft-opentelemetry` lists such keys. We do not keep our list in
/// baggage, where a caller could add any key.
const RESERVED: &str = "_internal.custom_keys";

/// Why a key cannot be used for a custom attribute. Choose another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomKeyError {
    /// The key is blank.
    #[error("the key of a custom attribute is blank")]
    Blank,
    /// The key has a comma, which separates entries of baggage.
    #[error("the key of a custom attribute has a comma")]
    Comma,
    /// The key is `_internal.custom_keys`, which Microsoft's package reserves.
    #[error("the key of a custom attribute is one that Microsoft's package reserves")]
    Reserved,
}

/// The key without surrounding blanks, if it is valid.
pub(super) fn custom_key(key: &str) -> Result<Key, CustomKeyError> {
    match strip(key) {
        "" => Err(CustomKeyError::Blank),
        RESERVED => Err(CustomKeyError::Reserved),
        key if key.contains(',') => Err(CustomKeyError::Comma),
        key => Ok(Key::from(key.to_owned())),
    }
}
