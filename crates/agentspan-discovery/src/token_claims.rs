//! Reads the unverified claims of a JSON Web Token.
//!
//! The same tokens are rejected as by PyJWT 2.15.1 with verification off. A token needs three
//! segments of canonical base64url, with optional padding, a header and a payload that are JSON
//! objects, and no critical extension except `b64`. The signature, times and audience are not
//! checked. The objects must be UTF-8, as RFC 7519 requires; Python's reader would also guess
//! UTF-16 and UTF-32.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;

use crate::python_text::is_blank;
use crate::unverified_id::{NIL_ID, UnverifiedId};

/// Members of a JSON object; of members with the same name the last one counts.
///
/// Values stay text, so that a claim nobody asks for cannot spoil the token, and so that one that
/// is asked for keeps its digits.
pub(crate) type Members = HashMap<String, Box<RawValue>>;

/// The application that a token *claims*: `appid`, or else `azp`.
///
/// Without a token (`None`, empty or blank), it is [`NIL_ID`]. For a malformed token, or a token
/// without these claims, it is empty, as in `Utility.get_app_id_from_token` of runtime 0.1.0.
/// Nothing is verified: anyone can write a token with any claims.
///
/// ```
/// use agentspan_discovery::unverified_app_id;
///
/// let token = "eyJhbGciOiJub25lIn0.eyJhcHBpZCI6Im15LWFwcCJ9.";
/// assert_eq!(unverified_app_id(Some(token)), "my-app");
/// assert_eq!(unverified_app_id(Some("no token")), "");
/// assert_eq!(unverified_app_id(None), agentspan_discovery::NIL_ID);
/// ```
#[must_use]
pub fn unverified_app_id(token: Option<&str>) -> UnverifiedId {
    match token {
        Some(token) if !is_blank(token) => first_claim(token, &["appid", "azp"]),
        _ => UnverifiedId::text(NIL_ID),
    }
}

/// The first of the named claims that Python counts as true; empty if there is none.
pub(crate) fn first_claim(token: &str, names: &[&str]) -> UnverifiedId {
    let mut claims = payload(token).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| claims.remove(*name))
        .find(|claim| is_truthy(claim.get()))
        .map_or_else(
            || UnverifiedId::text(""),
            |claim| UnverifiedId::json(&claim),
        )
}

pub(crate) fn payload(token: &str) -> Option<Members> {
    let (rest, signature) = token.rsplit_once('.')?;
    let (header, payload) = rest.split_once('.')?;
    let header = object(&segment(header)?)?;
    if !is_acceptable(&header) {
        return None;
    }
    let payload = segment(payload)?;
    segment(signature)?;
    object(&payload)
}

/// Decodes base64url, with the padding that some issuers write, or without.
///
/// The engine refuses foreign characters and bits after the last byte, as PyJWT does.
fn segment(text: &str) -> Option<Vec<u8>> {
    let stripped = text.trim_end_matches('=');
    let padding = text.len() - stripped.len();
    if padding > 2 || (padding > 0 && text.len() % 4 != 0) {
        return None;
    }
    URL_SAFE_NO_PAD.decode(stripped).ok()
}

fn object(bytes: &[u8]) -> Option<Members> {
    let text = std::str::from_utf8(bytes).ok()?;
    // Python's reader of bytes takes a byte order mark as a sign of the encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).ok()
}

fn is_acceptable(header: &Members) -> bool {
    let text = |name: &str| header.get(name).map(|value| value.get());
    // RFC 7797: the payload would be elsewhere.
    let detached = text("b64") == Some("false");
    let key_id = text("kid").is_none_or(|kid| kid.starts_with('"'));
    let critical = text("crit").is_none_or(|critical| {
        serde_json::from_str::<Vec<String>>(critical).is_ok_and(|names| {
            !names.is_empty()
                && names
                    .iter()
                    .all(|name| name == "b64" && header.contains_key(name))
        })
    });
    !detached && key_id && critical
}

/// Whether Python takes the JSON value for true.
fn is_truthy(json: &str) -> bool {
    match json.as_bytes() {
        b"null" | b"false" | b"\"\"" => false,
        [b'[' | b'{', inner @ .., _] => !inner.trim_ascii().is_empty(),
        // A number out of the range of a double is not zero.
        [b'-' | b'0'..=b'9', ..] => json.parse::<f64>().is_ok_and(|number| number != 0.0),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
