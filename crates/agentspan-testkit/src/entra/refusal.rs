//! Refusals in Entra's wording.

use serde_json::json;

use crate::answer::Answer;

/// No code of Entra: another URL than that of a token endpoint.
pub(super) const NOT_FOUND: u32 = 404;
/// A body that is no form, or a query.
pub(super) const UNREADABLE: u32 = 900_561;
pub(super) const MISSING_FIELD: u32 = 900_144;
/// No code of Entra, which ignores what it does not know: a field that nobody needs.
pub(super) const NEEDLESS_FIELD: u32 = 900_999;

/// The answer that refuses with this code.
pub(super) fn answer(code: u32) -> Answer {
    let (status, error) = match code {
        NOT_FOUND => return Answer::status(404),
        7_000_215 | 7_000_216 | 7_000_222 | 700_016 | 700_027 | 700_211 | 700_213 => {
            (401, "invalid_client")
        }
        65_001 | 53_003 | 50_013 | 500_133 => (400, "invalid_grant"),
        1_002_012 | 70_011 => (400, "invalid_scope"),
        82_001 | 82_002 => (400, "unauthorized_client"),
        _ => (400, "invalid_request"),
    };
    let id = "11111111-2222-3333-4444-555555555555";
    let time = "2026-11-29 12:00:00Z";
    let body = json!({
        "error": error,
        "error_description": format!(
            "AADSTS{code}: said by the testkit. Trace ID: {id} Correlation ID: {id} Timestamp: {time}"
        ),
        "error_codes": [code],
        "timestamp": time,
        "trace_id": id,
        "correlation_id": id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    Answer::status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(body.to_string())
}
