//! Bearer tokens, kept out of logs, errors and `Debug`.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use zeroize::Zeroizing;

/// A token that is sent as `authorization: Bearer …` to the Agent 365 service and nowhere else.
///
/// There is no `Display` and no serialisation, and `Debug` prints `AccessToken(..)`. The memory is
/// overwritten when the token is dropped. Copies that the HTTP library makes while it sends the
/// header are not overwritten.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Zeroizing<String>);

/// A text is not a valid access token.
///
/// It contains white space, a line break or another character that a header must not contain. Trim
/// the text: most often, it ends with the last line break of a file. The message does not show the
/// token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the access token contains white space or another character that an http header must not contain; pass it \
     trimmed, and without `Bearer`"
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing to say that would not show the token"
)]
pub struct AccessTokenError;

impl AccessToken {
    /// Takes a token as the identity provider gave it, without `Bearer`.
    ///
    /// An empty token is valid and counts as no token.
    /// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) then sends the spans without a
    /// token; later profiles drop them. With tokens of requests, all profiles drop them.
    ///
    /// # Errors
    ///
    /// [`AccessTokenError`] when the text is not printable ASCII. Spaces within it are refused too,
    /// because a bearer token ([RFC 6750], section 2.1) has none.
    ///
    /// [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    pub fn new(token: impl Into<String>) -> Result<Self, AccessTokenError> {
        let token = Zeroizing::new(token.into());
        if token.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(token))
        } else {
            Err(AccessTokenError)
        }
    }

    /// Whether there is no token in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the `authorization` header, marked as sensitive.
    pub(crate) fn to_header(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        const SCHEME: &[u8] = b"Bearer ";
        let text = Zeroizing::new([SCHEME, self.0.as_bytes()].concat());
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t11_a_token_is_never_shown() {
        let token = AccessToken::new("s3cret").unwrap();
        let header = token.to_header().unwrap();
        assert_eq!(format!("{token:?} {header:?}"), "AccessToken(..) Sensitive");
        assert_eq!(header.as_bytes(), b"Bearer s3cret");
    }

    #[test]
    fn t03_what_no_header_can_carry_is_refused_without_showing_it() {
        for token in [
            "s3cret\n",
            "s3c\r\nret",
            "s3c ret",
            "s3cr\u{e9}t",
            "\0s3cret",
        ] {
            let error = AccessToken::new(token).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3c"), "{token:?}");
        }
    }

    #[test]
    fn an_empty_token_is_no_token() {
        assert!(AccessToken::new("").unwrap().is_empty());
        assert!(!AccessToken::new("t").unwrap().is_empty());
    }
}
