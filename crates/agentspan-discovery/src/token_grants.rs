//! The permissions and the expiry that a token claims.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use crate::token_claims::payload;

/// The permissions that a token *claims*: its app roles (`roles`) and its delegated scopes (`scp`,
/// with blanks between). `None` if the token is malformed.
///
/// Nothing is verified: only the service decides. Use it to report missing permissions.
///
/// ```
/// use agentspan_discovery::unverified_permissions;
///
/// // {"roles":["A.Write"],"scp":"B.Read C.Read"}
/// let token = "e30.eyJyb2xlcyI6WyJBLldyaXRlIl0sInNjcCI6IkIuUmVhZCBDLlJlYWQifQ.";
/// let permissions = unverified_permissions(token).unwrap();
/// assert_eq!(permissions, ["A.Write", "B.Read", "C.Read"]);
/// ```
#[must_use]
pub fn unverified_permissions(token: &str) -> Option<Vec<String>> {
    let claims = payload(token)?;
    let claim = |name: &str| claims.get(name).map(|claim| claim.get());
    let roles = claim("roles").and_then(|roles| serde_json::from_str::<Vec<String>>(roles).ok());
    let mut permissions = roles.unwrap_or_default();
    if let Some(Ok(scopes)) = claim("scp").map(serde_json::from_str::<String>) {
        permissions.extend(scopes.split_ascii_whitespace().map(str::to_owned));
    }
    Some(permissions)
}

/// Whether a token *claims* to act for a user, not only for an application: it has delegated scopes
/// (`scp`). A malformed token does not.
///
/// Nothing is verified: only the service decides. Use it to choose the route for the token.
///
/// ```
/// use agentspan_discovery::unverified_is_delegated;
///
/// // {"scp":"B.Read C.Read"}
/// assert!(unverified_is_delegated("e30.eyJzY3AiOiJCLlJlYWQgQy5SZWFkIn0."));
/// assert!(!unverified_is_delegated("opaque"));
/// ```
#[must_use]
pub fn unverified_is_delegated(token: &str) -> bool {
    let claims = payload(token).unwrap_or_default();
    let scopes = claims.get("scp");
    let scopes = scopes.and_then(|scopes| serde_json::from_str::<String>(scopes.get()).ok());
    scopes.is_some_and(|scopes| !scopes.trim().is_empty())
}

/// The expiry that a token *claims*: `exp`, in seconds since the Unix epoch ([RFC 7519], section
/// 4.1.4). `None` if the claim is missing or the token is malformed.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
///
/// use agentspan_discovery::unverified_expiry;
///
/// // {"exp":1765000000}
/// let expiry = unverified_expiry("e30.eyJleHAiOjE3NjUwMDAwMDB9.");
/// assert_eq!(expiry, Some(UNIX_EPOCH + Duration::from_secs(1_765_000_000)));
/// ```
///
/// [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
#[must_use]
pub fn unverified_expiry(token: &str) -> Option<SystemTime> {
    let claims = payload(token)?;
    let exp: &RawValue = claims.get("exp")?;
    let seconds: f64 = serde_json::from_str(exp.get()).ok()?;
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims_of_other_types_grant_nothing() {
        for claims in [
            "{}",
            r#"{"roles":"A","scp":["B"]}"#,
            r#"{"roles":[1],"scp":""}"#,
        ] {
            let none = Some(Vec::new());
            assert_eq!(unverified_permissions(&token(claims)), none, "{claims}");
            assert!(!unverified_is_delegated(&token(claims)), "{claims}");
        }
        assert_eq!(unverified_permissions("opaque"), None);
    }

    #[test]
    fn an_expiry_that_is_no_time_is_none() {
        for exp in ["-1", "1e300", "null", "\"1\"", "true"] {
            let token = token(&format!(r#"{{"exp":{exp}}}"#));
            assert_eq!(unverified_expiry(&token), None, "{exp}");
        }
        let fraction = unverified_expiry(&token(r#"{"exp":1.5}"#));
        assert_eq!(fraction, Some(UNIX_EPOCH + Duration::from_millis(1_500)));
        assert_eq!(unverified_expiry("opaque"), None);
    }
}
