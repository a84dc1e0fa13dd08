//! Assertions that the key of a certificate has signed.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::AskedToken;
use crate::id::Id;
use crate::jwt::part_of;

/// Longer lives are refused.
const LONGEST: u64 = 24 * 60 * 60;

/// The assertion is signed, names the certificate, is for this endpoint, by this client, and for now.
pub(super) fn check(der: &[u8], text: &str, asked: &AskedToken, host: &str) -> Result<(), u32> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let header = part_of(text, 0).ok_or(50_027_u32)?;
    let claims = part_of(text, 1).ok_or(50_027_u32)?;
    let is_named = header["x5t#S256"] == thumbprint(&provider, der).ok_or(700_027_u32)?;
    if header["alg"] != "PS256" || !is_named || !is_signed(&provider, der, text) {
        return Err(700_027);
    }
    let client = Id::new(asked.field("client_id").unwrap_or_default());
    let is_client = |name: &str| claims[name].as_str().is_some_and(|id| client == *id);
    let is_its_own = is_client("iss") && is_client("sub");
    let audience = format!("http://{host}/{}/oauth2/v2.0/token", asked.tenant);
    let is_unique = claims["jti"].as_str().is_some_and(|id| !id.is_empty());
    if !is_its_own || claims["aud"] != audience || !is_unique {
        return Err(700_021);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let time = |name: &str| claims[name].as_u64().unwrap_or_default();
    let is_now = time("nbf") <= now && now < time("exp") && time("exp") <= now + LONGEST;
    match is_now {
        true => Ok(()),
        false => Err(700_024),
    }
}

fn thumbprint(provider: &CryptoProvider, der: &[u8]) -> Option<String> {
    let mut suites = provider
        .cipher_suites
        .iter()
        .filter_map(|suite| suite.tls13());
    let is_sha256 = |hash: &HashAlgorithm| *hash == HashAlgorithm::SHA256;
    let suite = suites.find(|suite| is_sha256(&suite.common.hash_provider.algorithm()))?;
    Some(URL_SAFE_NO_PAD.encode(suite.common.hash_provider.hash(der)))
}

fn is_signed(provider: &CryptoProvider, der: &[u8], text: &str) -> bool {
    let Some((message, signature)) = text.rsplit_once('.') else {
        return false;
    };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
        return false;
    };
    let der = CertificateDer::from(der);
    let Ok(certificate) = EndEntityCert::try_from(&der) else {
        return false;
    };
    let mapping = provider.signature_verification_algorithms.mapping.iter();
    let of_pss = mapping.filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PSS_SHA256);
    of_pss
        .flat_map(|(_, algorithms)| *algorithms)
        .any(|algorithm| {
            certificate
                .verify_signature(*algorithm, message.as_bytes(), &signature)
                .is_ok()
        })
}
