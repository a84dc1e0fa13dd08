//! Sensitive values, which cannot be shown by accident.

use std::fmt;

use serde::{Serialize, Serializer};

use super::MASK;

/// A value that may hold personal or confidential content: a prompt, an answer, inputs, outputs.
///
/// `Debug`, `Display` and `Serialize` show [`MASK`]. For the clear text, call
/// [`reveal`](Self::reveal), or write a dump with [`Disclosure::Clear`](super::Disclosure::Clear).
///
/// A value from a masked dump is [withheld](Self::withheld): there is nothing to reveal.
///
/// ```
/// use agentspan_model::agentspec::Sensitive;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let prompt = Sensitive::new("my card is 4111…".to_owned());
/// assert_eq!(format!("{prompt} {prompt:?}"), "** MASKED ** ** MASKED **");
/// assert_eq!(serde_json::to_string(&prompt)?, r#""** MASKED **""#);
/// assert_eq!(prompt.reveal().map(String::as_str), Some("my card is 4111…"));
/// # Ok(())
/// # }
/// ```
///
/// Nothing else leads to the inner value: there is no `Deref`,
///
/// ```compile_fail,E0308
/// # use agentspan_model::agentspec::Sensitive;
/// let prompt = Sensitive::new("secret".to_owned());
/// let text: &str = &prompt;
/// ```
///
/// no `AsRef`,
///
/// ```compile_fail,E0599
/// # use agentspan_model::agentspec::Sensitive;
/// let prompt = Sensitive::new("secret".to_owned());
/// let text: &str = prompt.as_ref();
/// ```
///
/// no method of the inner value,
///
/// ```compile_fail,E0599
/// # use agentspan_model::agentspec::Sensitive;
/// let length = Sensitive::new("secret".to_owned()).len();
/// ```
///
/// no field,
///
/// ```compile_fail,E0616
/// # use agentspan_model::agentspec::Sensitive;
/// let prompt = Sensitive::new("secret".to_owned());
/// let text = prompt.0;
/// ```
///
/// and no conversion.
///
/// ```compile_fail,E0277
/// # use agentspan_model::agentspec::Sensitive;
/// let text: String = Sensitive::new("secret".to_owned()).into();
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive<T>(Option<T>);

impl<T> Sensitive<T> {
    /// Marks a value as sensitive.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// An unknown sensitive value, from a masked dump.
    #[must_use]
    pub const fn withheld() -> Self {
        Self(None)
    }

    /// Whether the value is unknown, so that even a clear dump has the mask.
    #[must_use]
    pub const fn is_withheld(&self) -> bool {
        self.0.is_none()
    }

    /// The value in clear text, or `None` if it is [withheld](Self::withheld).
    #[must_use]
    pub const fn reveal(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Returns the owned value in clear text, or `None` if it is [withheld](Self::withheld).
    #[must_use]
    pub fn into_revealed(self) -> Option<T> {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(MASK)
    }
}

impl<T> Serialize for Sensitive<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_shows_the_mask_however_it_is_written_and_is_revealed_on_request() {
        let known = Sensitive::from("canary-4711");
        let unknown = Sensitive::<&str>::withheld();
        for value in [&known, &unknown] {
            assert_eq!(format!("{value:?} {value}"), [MASK, MASK].join(" "));
            assert_eq!(format!("{value:>14}"), format!("{MASK:>14}"));
            let json = serde_json::to_value(value).unwrap();
            assert_eq!(json, MASK);
        }
        assert!(!known.is_withheld() && unknown.is_withheld());
        assert_eq!(known.reveal(), Some(&"canary-4711"));
        assert_eq!(known.into_revealed(), Some("canary-4711"));
        assert_eq!(unknown.reveal(), None);
        assert_eq!(unknown.into_revealed(), None);
    }
}
