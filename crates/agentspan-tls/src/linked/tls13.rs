//! The suites of TLS 1.3.

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
    Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm,
    UnsupportedOperationError, make_tls13_aad,
};
use rustls::crypto::tls13::HkdfUsingHmac;
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, Tls13CipherSuite,
};

use super::aead::{Key, TAG_LEN};
use super::backend::aead;
use super::{hash, hmac};

pub(super) static AES_256_GCM_SHA384: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS13_AES_256_GCM_SHA384,
        hash_provider: &hash::SHA384,
        confidentiality_limit: AES_RECORDS,
    },
    hkdf_provider: &HkdfUsingHmac(&hmac::HMAC_SHA384),
    aead_alg: &Cipher(&aead::AES_256_GCM),
    quic: None,
};

pub(super) static AES_128_GCM_SHA256: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
        hash_provider: &hash::SHA256,
        confidentiality_limit: AES_RECORDS,
    },
    hkdf_provider: &HkdfUsingHmac(&hmac::HMAC_SHA256),
    aead_alg: &Cipher(&aead::AES_128_GCM),
    quic: None,
};

pub(super) static CHACHA20_POLY1305_SHA256: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        hash_provider: &hash::SHA256,
        confidentiality_limit: u64::MAX,
    },
    hkdf_provider: &HkdfUsingHmac(&hmac::HMAC_SHA256),
    aead_alg: &Cipher(&aead::CHACHA20_POLY1305),
    quic: None,
};

/// How many records may be encrypted with one AES key, as `rustls` has it: fewer than the limit of
/// [RFC 8446, section 5.5](https://www.rfc-editor.org/rfc/rfc8446#section-5.5).
pub(super) const AES_RECORDS: u64 = 1 << 24;

struct Cipher(&'static aead::Algorithm);

impl Tls13AeadAlgorithm for Cipher {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let key = Key::new(self.0, &key);
        Box::new(Records { key, iv })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        let key = Key::new(self.0, &key);
        Box::new(Records { key, iv })
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    /// Keys stay here: nothing of ours hands them to the kernel.
    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// The records of one direction
/// ([RFC 8446, section 5.2](https://www.rfc-editor.org/rfc/rfc8446#section-5.2)).
struct Records {
    key: Key,
    iv: Iv,
}

impl MessageEncrypter for Records {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let len = self.encrypted_payload_len(message.payload.len());
        let mut record = PrefixedPayload::with_capacity(len);
        record.extend_from_chunks(&message.payload);
        record.extend_from_slice(&[message.typ.into()]);
        let nonce = Nonce::new(&self.iv, sequence);
        self.key.seal(nonce, &make_tls13_aad(len), &mut record, 0)?;
        // On the wire, every encrypted record looks like application data of TLS 1.2.
        let (kind, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        Ok(OutboundOpaqueMessage::new(kind, version, record))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        payload_len + size_of::<u8>() + TAG_LEN
    }
}

impl MessageDecrypter for Records {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let authenticated = make_tls13_aad(message.payload.len());
        let nonce = Nonce::new(&self.iv, sequence);
        self.key
            .open(nonce, &authenticated, &mut message.payload, 0)?;
        message.into_tls13_unpadded_message()
    }
}
