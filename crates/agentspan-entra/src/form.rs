//! The form that is posted to the token endpoint.

use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The characters that the encoding of forms encodes, all but letters, digits and `*-._`:
/// <https://url.spec.whatwg.org/#application-x-www-form-urlencoded-percent-encode-set>.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// Says that an assertion is a signed token of JSON, as all are here.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The fields of a form, in the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Form {
    fields: Vec<(&'static str, Secret)>,
}

impl Form {
    pub(crate) fn new(client_id: &str, grant_type: &'static str, scope: &str) -> Self {
        Self::default()
            .with("client_id", client_id)
            .with("grant_type", grant_type)
            .with("scope", scope)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Proves who asks with an assertion.
    pub(crate) fn with_assertion(self, assertion: &Secret) -> Self {
        self.with("client_assertion_type", ASSERTION_TYPE)
            .with("client_assertion", assertion.as_str())
    }

    /// The secrets in it, which nobody may see again.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let secret = |(name, _): &&(&str, Secret)| {
            matches!(
                *name,
                "client_secret"
                    | "client_assertion"
                    | "assertion"
                    | "user_federated_identity_credential"
            )
        };
        self.fields.iter().filter(secret).map(|(_, value)| value)
    }

    /// The body of the request, whose memory is overwritten when it is dropped.
    pub(crate) fn body(&self) -> Bytes {
        Bytes::from_owner(self.encoded())
    }

    /// The key under which a token is kept that is asked for with this form in `tenant`.
    pub(crate) fn key(&self, tenant: &str) -> Key {
        let whole = self.clone().with("tenant", tenant);
        Key(whole.encoded())
    }

    fn encoded(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it: what a vector leaves behind as it grows is not overwritten.
        let longest = |(name, value): &(&str, Secret)| name.len() + 2 + 3 * value.as_str().len();
        let room = self.fields.iter().map(longest).sum();
        let mut encoded = Zeroizing::new(Vec::with_capacity(room));
        for (name, value) in &self.fields {
            if !encoded.is_empty() {
                encoded.push(b'&');
            }
            encoded.extend_from_slice(name.as_bytes());
            encoded.push(b'=');
            for part in utf8_percent_encode(value.as_str(), ENCODED) {
                match part {
                    "%20" => encoded.push(b'+'),
                    part => encoded.extend_from_slice(part.as_bytes()),
                }
            }
        }
        encoded
    }
}

/// Everything that decides which token it is: the tenant, and all fields but the proofs of who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Zeroizing<Vec<u8>>);

/// Shows nothing of it: the token of a user may be in it.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_encoded(value: &str, expected: &str) {
        let body = Form::default().with("a", value).body();
        assert_eq!(std::str::from_utf8(&body).unwrap(), format!("a={expected}"));
    }

    #[test]
    fn values_are_encoded_as_forms_are() {
        check_encoded("s3cret&=\u{e9}", "s3cret%26%3D%C3%A9");
        check_encoded("a b+c", "a+b%2Bc");
        check_encoded("*-._~", "*-._%7E");
        check_encoded("%41", "%2541");
    }

    #[test]
    fn fields_follow_each_other() {
        let body = Form::new("c", "client_credentials", "s").body();
        assert_eq!(
            &body[..],
            b"client_id=c&grant_type=client_credentials&scope=s"
        );
    }

    #[test]
    fn fields_that_only_look_alike_have_another_key() {
        let one = Form::default().with("a", "1&b=2").key("t");
        let other = Form::default().with("a", "1").with("b", "2").key("t");
        assert!(one != other);
        assert!(Form::default().with("a", "1").key("t") != Form::default().with("a", "1").key("u"));
    }
}
