//! Message authentication, from which `rustls` derives the keys of a connection.

use rustls::crypto::hmac::{Hmac, Key, Tag};

use super::backend::hmac;

pub(super) static HMAC_SHA256: Sha = Sha(&hmac::HMAC_SHA256);
pub(super) static HMAC_SHA384: Sha = Sha(&hmac::HMAC_SHA384);

/// HMAC over a hash function.
pub(super) struct Sha(&'static hmac::Algorithm);

impl Hmac for Sha {
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        Box::new(Keyed(hmac::Key::new(*self.0, key)))
    }

    fn hash_output_len(&self) -> usize {
        self.0.digest_algorithm().output_len()
    }
}

struct Keyed(hmac::Key);

impl Key for Keyed {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(first);
        for part in middle {
            context.update(part);
        }
        context.update(last);
        Tag::new(context.sign().as_ref())
    }

    fn tag_len(&self) -> usize {
        self.0.algorithm().digest_algorithm().output_len()
    }
}
