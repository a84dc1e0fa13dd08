//! Tokens of JSON that nobody has signed, and what they claim.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A token with these claims, whose signature is none.
///
/// ```
/// use agentspan_testkit::{claims_of, unsigned_token};
/// use serde_json::json;
///
/// let token = unsigned_token(&json!({"azp": "an agent"}));
/// assert_eq!(claims_of(&token).unwrap()["azp"], "an agent");
/// ```
#[must_use]
pub fn unsigned_token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({"alg": "none", "typ": "JWT"}));
    format!(
        "{header}.{}.{}",
        part(claims),
        URL_SAFE_NO_PAD.encode("testkit")
    )
}

/// The claims of a token; `None` if it has not three parts, or none that can be read.
#[must_use]
pub fn claims_of(token: &str) -> Option<Value> {
    part_of(token, 1).filter(Value::is_object)
}

/// One of the first two parts of a token: its header, or its claims.
pub(crate) fn part_of(token: &str, number: usize) -> Option<Value> {
    let parts: Vec<_> = token.split('.').collect();
    if parts.len() != 3 {
        return None;
    }
    let part = URL_SAFE_NO_PAD.decode(parts.get(number)?).ok()?;
    serde_json::from_slice(&part).ok()
}
