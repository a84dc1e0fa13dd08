//! Keys of baggage that a program adds to those of the profile.

use opentelemetry::Key;

use crate::python_text::strip;

/// The entry under which `microsoft-opentelemetry` lists such keys. Ours are not in baggage: a caller
/// could name any key there.
const RESERVED: &str = "_internal.custom_keys";

/// Why a key cannot be that of a custom attribute. Choose another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomKeyError {
    /// Nothing is left of it without the blanks around it.
    #[error("the key of a custom attribute is blank")]
    Blank,
    /// It has a comma, which separates entries of baggage.
    #[error("the key of a custom attribute has a comma")]
    Comma,
    /// It is `_internal.custom_keys`, which Microsoft's package uses itself.
    #[error("the key of a custom attribute is one that Microsoft's package reserves")]
    Reserved,
}

/// The key without the blanks around it, if it can be one.
pub(super) fn custom_key(key: &str) -> Result<Key, CustomKeyError> {
    match strip(key) {
        "" => Err(CustomKeyError::Blank),
        RESERVED => Err(CustomKeyError::Reserved),
        key if key.contains(',') => Err(CustomKeyError::Comma),
        key => Ok(Key::from(key.to_owned())),
    }
}
