//! The suites of TLS 1.2: only those with forward secrecy and AES-GCM.

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, NONCE_LEN, Nonce, OutboundOpaqueMessage, OutboundPlainMessage,
    PrefixedPayload, Tls12AeadAlgorithm, UnsupportedOperationError, make_tls12_aad,
};
use rustls::crypto::tls12::PrfUsingHmac;
use rustls::crypto::{CipherSuiteCommon, KeyExchangeAlgorithm};
use rustls::{CipherSuite, ConnectionTrafficSecrets, Error, SignatureScheme, Tls12CipherSuite};

use super::aead::{Key, TAG_LEN};
use super::backend::aead;
use super::tls13::AES_RECORDS;
use super::{hash, hmac};

pub(super) static ECDSA_AES_256_GCM_SHA384: Tls12CipherSuite =
    with_aes_256(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ECDSA);
pub(super) static ECDSA_AES_128_GCM_SHA256: Tls12CipherSuite =
    with_aes_128(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ECDSA);
pub(super) static RSA_AES_256_GCM_SHA384: Tls12CipherSuite =
    with_aes_256(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, RSA);
pub(super) static RSA_AES_128_GCM_SHA256: Tls12CipherSuite =
    with_aes_128(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, RSA);

const ECDSA: &[SignatureScheme] = &[
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP256_SHA256,
];
const RSA: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];

static AES_256_GCM: Gcm = Gcm(&aead::AES_256_GCM);
static AES_128_GCM: Gcm = Gcm(&aead::AES_128_GCM);
static PRF_SHA384: PrfUsingHmac<'static> = PrfUsingHmac(&hmac::HMAC_SHA384);
static PRF_SHA256: PrfUsingHmac<'static> = PrfUsingHmac(&hmac::HMAC_SHA256);

const fn with_aes_256(suite: CipherSuite, sign: &'static [SignatureScheme]) -> Tls12CipherSuite {
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite,
            hash_provider: &hash::SHA384,
            confidentiality_limit: AES_RECORDS,
        },
        kx: KeyExchangeAlgorithm::ECDHE,
        sign,
        aead_alg: &AES_256_GCM,
        prf_provider: &PRF_SHA384,
    }
}

const fn with_aes_128(suite: CipherSuite, sign: &'static [SignatureScheme]) -> Tls12CipherSuite {
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite,
            hash_provider: &hash::SHA256,
            confidentiality_limit: AES_RECORDS,
        },
        kx: KeyExchangeAlgorithm::ECDHE,
        sign,
        aead_alg: &AES_128_GCM,
        prf_provider: &PRF_SHA256,
    }
}

/// Of the nonce of a record, the first bytes are secret and the same for all records of a direction,
/// and the others are sent with the record
/// ([RFC 5288, section 3](https://www.rfc-editor.org/rfc/rfc5288#section-3)).
const SECRET_LEN: usize = 4;
const EXPLICIT_LEN: usize = 8;

/// The longest record before encryption
/// ([RFC 5246, section 6.2.1](https://www.rfc-editor.org/rfc/rfc5246#section-6.2.1)).
const MAX_PLAIN_LEN: usize = 1 << 14;

/// AES-GCM with a key of one length.
struct Gcm(&'static aead::Algorithm);

impl Tls12AeadAlgorithm for Gcm {
    fn encrypter(&self, key: AeadKey, iv: &[u8], explicit: &[u8]) -> Box<dyn MessageEncrypter> {
        let start = <[u8; NONCE_LEN]>::try_from([iv, explicit].concat());
        let (key, start) = match start {
            Ok(start) => (Key::new(self.0, &key), start),
            Err(_) => Default::default(),
        };
        let start = Iv::from(start);
        Box::new(Encrypter { key, start })
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        let (key, secret) = match <[u8; SECRET_LEN]>::try_from(iv) {
            Ok(secret) => (Key::new(self.0, &key), secret),
            Err(_) => Default::default(),
        };
        Box::new(Decrypter { key, secret })
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: self.0.key_len(),
            fixed_iv_len: SECRET_LEN,
            explicit_nonce_len: EXPLICIT_LEN,
        }
    }

    /// Keys stay here: nothing of ours hands them to the kernel.
    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

struct Encrypter {
    key: Key,
    /// The nonce of the first record. The others count from it.
    start: Iv,
}

impl MessageEncrypter for Encrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let len = message.payload.len();
        let nonce = Nonce::new(&self.start, sequence);
        let explicit = nonce.0.last_chunk::<EXPLICIT_LEN>();
        let explicit = explicit.ok_or(Error::EncryptError)?;
        let mut record = PrefixedPayload::with_capacity(self.encrypted_payload_len(len));
        record.extend_from_slice(explicit);
        record.extend_from_chunks(&message.payload);
        let authenticated = make_tls12_aad(sequence, message.typ, message.version, len);
        self.key
            .seal(nonce, &authenticated, &mut record, EXPLICIT_LEN)?;
        Ok(OutboundOpaqueMessage::new(
            message.typ,
            message.version,
            record,
        ))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        EXPLICIT_LEN + payload_len + TAG_LEN
    }
}

struct Decrypter {
    key: Key,
    secret: [u8; SECRET_LEN],
}

impl MessageDecrypter for Decrypter {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let record = &mut message.payload;
        let len = record.len().checked_sub(EXPLICIT_LEN + TAG_LEN);
        let (Some(len), Some(explicit)) = (len, record.first_chunk::<EXPLICIT_LEN>()) else {
            return Err(Error::DecryptError);
        };
        let mut nonce = [0; NONCE_LEN];
        let bytes = self.secret.iter().chain(explicit);
        nonce
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        let authenticated = make_tls12_aad(sequence, message.typ, message.version, len);
        self.key
            .open(Nonce(nonce), &authenticated, record, EXPLICIT_LEN)?;
        if len > MAX_PLAIN_LEN {
            return Err(Error::PeerSentOversizedRecord);
        }
        Ok(message.into_plain_message())
    }
}
