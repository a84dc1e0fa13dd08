//! Unverified ids.

use std::fmt;

use serde_json::value::RawValue;

/// The id with all bits zero, which the reference returns if there is no token.
pub const NIL_ID: &str = "00000000-0000-0000-0000-000000000000";

/// An id that a token or an activity claims, without verification.
///
/// Use it for labels and logs, but never for authorization: anyone can write a token with any
/// claims.
///
/// It is usually a text. Another value is kept as JSON, because the reference passes it on
/// unchanged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnverifiedId(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Text(Box<str>),
    /// JSON that is no string, as the token wrote it.
    Json(Box<str>),
}

impl UnverifiedId {
    pub(crate) fn text(id: &str) -> Self {
        Self(Kind::Text(id.into()))
    }

    pub(crate) fn json(claim: &RawValue) -> Self {
        match serde_json::from_str::<String>(claim.get()) {
            Ok(text) => Self(Kind::Text(text.into_boxed_str())),
            Err(_) => Self(Kind::Json(claim.get().into())),
        }
    }

    /// The id, if it is a text. An empty text means that no id was found.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Kind::Text(text) => Some(text),
            Kind::Json(_) => None,
        }
    }

    /// Whether no id was found: the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_str() == Some("")
    }

    /// The id as JSON: a string in quotes, or the claim as the token wrote it.
    #[must_use]
    pub fn to_json(&self) -> String {
        match &self.0 {
            Kind::Text(text) => serde_json::Value::from(&**text).to_string(),
            Kind::Json(claim) => claim.to_string(),
        }
    }
}

impl PartialEq<str> for UnverifiedId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for UnverifiedId {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Debug for UnverifiedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnverifiedId")
            .field(&format_args!("{}", self.to_json()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_json(text: &str) -> UnverifiedId {
        UnverifiedId::json(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_claim_that_is_a_string_is_the_text_in_it() {
        assert_eq!(of_json(r#""a\u0062""#), "ab");
        assert_eq!(of_json(r#""a\u0062""#).to_json(), r#""ab""#);
    }

    #[test]
    fn a_claim_that_is_no_string_keeps_its_digits() {
        let id = of_json("123456789012345678901234567890");
        assert_eq!(id.as_str(), None);
        assert!(!id.is_empty());
        assert_eq!(id.to_json(), "123456789012345678901234567890");
        assert_ne!(id, "123456789012345678901234567890");
    }

    #[test]
    fn debug_shows_the_id_as_json() {
        assert_eq!(
            format!("{:?}", UnverifiedId::text("a\"b")),
            r#"UnverifiedId("a\"b")"#
        );
    }
}
