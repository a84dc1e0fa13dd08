//! Checks the unverified claims of a token. The token is never shown.

use std::time::{SystemTime, UNIX_EPOCH};

use agentspan_model::agent365::contract::{Finding, Judge, TokenClaims};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Look, State, Subject};
use crate::shown::shown_cut;

const AT: &str = "token";

/// Whether it was issued on behalf of a user.
pub(super) fn is_delegated(token: &str) -> bool {
    claims(token).is_some_and(|claims| claims.get("scp").is_some())
}

pub(super) fn looks(subject: &Subject) -> Vec<Look> {
    let Some(token) = &subject.token else {
        return vec![Look::new(
            State::Skipped,
            AT,
            "no token: --token-env was not given",
        )];
    };
    let token = token.trim();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let judge = subject.judge().with_now(now);
    let mut looks: Vec<Look> = judge
        .judge_token(token)
        .iter()
        .map(|finding| of_text(finding, token))
        .collect();
    let Some(claims) = claims(token) else {
        looks.push(Look::new(State::Warning, AT, "cannot read its claims"));
        return looks;
    };
    looks.extend(of_claims(&judge, &claims));
    if looks.is_empty() {
        looks.push(Look::new(State::Fine, AT, told(&claims, now)));
    }
    looks
}

/// What is wrong with the text of a token. If only the signature is missing, that is said.
fn of_text(finding: &Finding, token: &str) -> Look {
    let look = Look::of_finding(AT, finding);
    let parts: Vec<&str> = token.split('.').collect();
    match parts.as_slice() {
        [_, _] | [_, _, ""] if claims(token).is_some() => Look {
            what: format!(
                "{} The signature of the token, its third part, is missing.",
                finding.rule
            ),
            ..look
        },
        _ => look,
    }
}

fn of_claims(judge: &Judge<'_>, json: &Value) -> Vec<Look> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let roles = json.get("roles").and_then(Value::as_array);
    let roles: Vec<&str> = roles
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut claims = TokenClaims::default();
    claims.audience = text("aud");
    claims.application = text("azp").or_else(|| text("appid"));
    claims.scopes = text("scp");
    claims.roles = &roles;
    claims.managed_identity = text("xms_mirid");
    claims.expires = json.get("exp").and_then(Value::as_u64);
    let findings = judge.judge_claims(&claims);
    findings
        .iter()
        .map(|finding| Look::of_finding(AT, finding))
        .collect()
}

fn told(json: &Value, now: u64) -> String {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let kind = if text("scp").is_some() {
        "of a user"
    } else {
        "of an application"
    };
    let application = text("azp").or_else(|| text("appid")).unwrap_or("unknown");
    let expires = json.get("exp").and_then(Value::as_u64);
    let minutes = expires.map(|expires| expires.saturating_sub(now) / 60);
    let minutes = minutes.map(|minutes| format!("expires in {minutes} minutes"));
    format!(
        "{kind}, application {}, {}",
        shown_cut(application, 64),
        minutes.as_deref().unwrap_or("does not say when it expires")
    )
}

/// The claims, which nobody has verified.
fn claims(token: &str) -> Option<Value> {
    let payload = token.trim().split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
