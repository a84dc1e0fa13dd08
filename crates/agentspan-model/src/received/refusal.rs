//! Reads a receiver's reason for refusing a request.

use serde_json::{Map, Value};

use super::ReceivedJson;

/// Names under which bodies say what is wrong: codes and titles, then sentences.
const CODES: [&str; 4] = ["code", "error", "errorCode", "title"];
const SENTENCES: [&str; 5] = [
    "message",
    "error_description",
    "errorMessage",
    "detail",
    "reason",
];

/// A receiver's reason for refusing a request, from the body of its answer: the code and the
/// message of the usual JSON error formats, or else the whole text.
///
/// It is foreign text: use [`Withheld::show`](super::Withheld::show) to print it.
///
/// ```
/// use agentspan_model::received::words_of_body;
///
/// let body = br#"{"error": {"code": "Forbidden", "message": "no role"}}"#;
/// assert_eq!(words_of_body(body), "Forbidden: no role");
/// assert_eq!(words_of_body(b"no role"), "no role");
/// ```
#[must_use]
pub fn words_of_body(body: &[u8]) -> String {
    let json = ReceivedJson::read(body).value;
    let outer = json.as_object();
    let inner = outer.and_then(|outer| outer.get("error")?.as_object());
    let error = inner.or(outer).map(of_object).unwrap_or_default();
    if error.is_empty() {
        return String::from_utf8_lossy(body).trim().to_owned();
    }
    error
}

fn of_object(error: &Map<String, Value>) -> String {
    let first = |object: &Map<String, Value>, names: &[&str]| {
        let mut texts = names.iter().filter_map(|name| object.get(*name)?.as_str());
        texts.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let inner = ["innererror", "innerError"].map(|name| error.get(name)?.as_object());
    let detail = inner.into_iter().flatten();
    let detail = detail.filter_map(|inner| first(inner, &CODES)).next();
    let words = [first(error, &CODES), first(error, &SENTENCES)];
    in_short(words.into_iter().flatten(), detail)
}

/// `words: words (detail)`, of what there is.
fn in_short(words: impl Iterator<Item = String>, detail: Option<String>) -> String {
    let words: Vec<_> = words.collect();
    let words = words.join(": ");
    match detail {
        Some(detail) if words.is_empty() => detail,
        Some(detail) => format!("{words} ({detail})"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f7_a_body_says_why() {
        for (body, expected) in [
            (
                r#"{"code":"EndpointInvalid","message":"Tenant id  is invalid.","innererror":{"code":"TenantIdInvalid"}}"#,
                "EndpointInvalid: Tenant id  is invalid. (TenantIdInvalid)",
            ),
            (
                r#"{"error":{"code":"Forbidden","message":"no role"}}"#,
                "Forbidden: no role",
            ),
            (
                r#"{"error":"invalid_token","error_description":"expired"}"#,
                "invalid_token: expired",
            ),
            (r#"{"title":"Forbidden","status":1e999}"#, "Forbidden"),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (" nope\n", "nope"),
            ("<html>no</html>", "<html>no</html>"),
            ("", ""),
        ] {
            assert_eq!(words_of_body(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(words_of_body(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(words_of_body(b"{\"message\": \"caf\xe9\"}"), "caf\u{fffd}");
    }
}
