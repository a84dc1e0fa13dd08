//! The answer of a token endpoint that gives a token.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use agentspan_discovery::unverified_expiry;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cache::Fresh;
use crate::secret::Secret;

/// How long a token lives that does not say so.
const USUAL: Duration = Duration::from_secs(60 * 60);

#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    refresh_in: Value,
}

/// Reads the token in the body of an answer; else says what is wrong with it.
pub(crate) fn read(body: &[u8], now: SystemTime) -> Result<Fresh, &'static str> {
    let granted: Granted<'_> = serde_json::from_slice(body).map_err(|_| "no json of a token")?;
    let token = Zeroizing::new(granted.access_token.unwrap_or_default().into_owned());
    if token.is_empty() {
        return Err("no token");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token that no header can carry");
    }
    let of_claims = || unverified_expiry(&token)?.duration_since(now).ok();
    let lifetime = seconds(&granted.expires_in).or_else(of_claims);
    Ok(Fresh {
        lifetime: lifetime.unwrap_or(USUAL),
        refresh_in: seconds(&granted.refresh_in),
        secret: Secret::new(token.as_str()),
    })
}

/// A number of seconds, which older endpoints write as a text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(body: &str, expected: &str) {
        let refused = read(body.as_bytes(), SystemTime::now()).unwrap_err();
        assert_eq!(refused, expected, "{body}");
    }

    fn check_lifetime(body: &str, seconds: u64) {
        let fresh = read(body.as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(fresh.lifetime, Duration::from_secs(seconds), "{body}");
    }

    #[test]
    fn an_answer_without_a_token_is_told() {
        for body in ["", "[]", "{", "<html>", r#"{"access_token":1}"#] {
            check_refused(body, "no json of a token");
        }
        for body in ["{}", r#"{"access_token":""}"#, r#"{"access_token":null}"#] {
            check_refused(body, "no token");
        }
        for body in [
            r#"{"access_token":"a\r\nb: c"}"#,
            r#"{"access_token":"a b"}"#,
        ] {
            check_refused(body, "a token that no header can carry");
        }
    }

    #[test]
    fn a_lifetime_may_be_a_number_or_a_text_or_in_the_token() {
        check_lifetime(r#"{"access_token":"t","expires_in":7}"#, 7);
        check_lifetime(r#"{"access_token":"t","expires_in":"7"}"#, 7);
        check_lifetime(r#"{"access_token":"t","expires_in":-7}"#, 3_600);
        check_lifetime(r#"{"access_token":"t"}"#, 3_600);
        // {"exp":1765000000}
        let token = "e30.eyJleHAiOjE3NjUwMDAwMDB9.";
        check_lifetime(&format!(r#"{{"access_token":"{token}"}}"#), 1_765_000_000);
    }
}
