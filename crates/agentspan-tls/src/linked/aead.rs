//! One direction of a connection: encryption with authentication.

use rustls::Error;
use rustls::crypto::cipher::{AeadKey, BorrowedPayload, Nonce, PrefixedPayload};

use super::backend::aead;

/// The bytes that authentication adds to a record, for all suites.
pub(super) const TAG_LEN: usize = 16;

/// A key of one direction.
///
/// `rustls` makes keys of the length that the suite asks for. Its trait has no room for an error there, so
/// a key of another length, like the default, refuses every record.
#[derive(Default)]
pub(super) struct Key(Option<aead::LessSafeKey>);

impl Key {
    pub(super) fn new(algorithm: &'static aead::Algorithm, key: &AeadKey) -> Self {
        let key = aead::UnboundKey::new(algorithm, key.as_ref());
        Self(key.ok().map(aead::LessSafeKey::new))
    }

    /// Encrypts what follows the first `skipped` bytes of `record`, and appends the tag.
    pub(super) fn seal(
        &self,
        nonce: Nonce,
        authenticated: &[u8],
        record: &mut PrefixedPayload,
        skipped: usize,
    ) -> Result<(), Error> {
        let key = self.0.as_ref().ok_or(Error::EncryptError)?;
        let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
        let plain = record.as_mut().get_mut(skipped..);
        let plain = plain.ok_or(Error::EncryptError)?;
        let tag = key
            .seal_in_place_separate_tag(nonce, aead::Aad::from(authenticated), plain)
            .map_err(|_| Error::EncryptError)?;
        record.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Checks and decrypts what follows the first `skipped` bytes of `record`, moves it to the front, and
    /// cuts off the rest.
    pub(super) fn open(
        &self,
        nonce: Nonce,
        authenticated: &[u8],
        record: &mut BorrowedPayload<'_>,
        skipped: usize,
    ) -> Result<(), Error> {
        let key = self.0.as_ref().ok_or(Error::DecryptError)?;
        let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
        let plain = key
            .open_within(nonce, aead::Aad::from(authenticated), record, skipped..)
            .map_err(|_| Error::DecryptError)?;
        let len = plain.len();
        record.truncate(len);
        Ok(())
    }
}
