//! Why the service refuses a request, in its own words.

use agentspan_model::received::{Withheld, words_of_body};
use http::header::WWW_AUTHENTICATE;

use crate::service_reason::{Reasons, ServiceReason};
use crate::transport::HttpAnswer;

/// How many challenges are read.
const MAX_CHALLENGES: usize = 4;

/// The parameters of a challenge that describe the refused token, see [RFC 6750], section 3. Other
/// parameters say where to get one.
///
/// [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750#section-3
const PARAMETERS: [&str; 3] = ["error", "error_description", "scope"];

/// The reasons that `answer` gives for refusing a request with so many spans: its challenges and
/// its body, without what is `withheld`.
pub(crate) fn reasons(
    answer: &HttpAnswer,
    spans: usize,
    withheld: &Withheld<'_>,
) -> Vec<ServiceReason> {
    let challenges = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges.take(MAX_CHALLENGES);
    let challenges = challenges.map(|value| challenge(&String::from_utf8_lossy(value.as_bytes())));
    let mut texts: Vec<String> = Vec::new();
    for text in challenges.chain([words_of_body(answer.body())]) {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    let mut reasons = Reasons::default();
    for text in &texts {
        reasons.add(None, text, spans);
    }
    reasons.make_fit(withheld);
    reasons.take()
}

/// A challenge in short: `insufficient_scope: The token … (scope …)`. One that says nothing of the token is
/// given as it is.
fn challenge(text: &str) -> String {
    let [error, description, scope] = PARAMETERS.map(|name| parameter(text, name));
    if error.is_none() && description.is_none() {
        return text.trim().to_owned();
    }
    let words: Vec<_> = error.into_iter().chain(description).collect();
    let words = words.join(": ");
    match scope {
        Some(scope) => format!("{words} (scope {scope})"),
        None => words,
    }
}

/// The value of a parameter of a challenge, which is a word or stands in quotes.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        let found = before.rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find([',', ' ']).unwrap_or(after.len());
                let (word, next) = after.split_at(end);
                (word.to_owned(), next)
            }
        };
        if found.eq_ignore_ascii_case(name) && !value.is_empty() {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// A quoted text without its quotes, and what follows it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next() {
            None | Some('"') => return (value, characters.as_str()),
            Some('\\') => value.extend(characters.next()),
            Some(c) => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f7_a_challenge_says_what_the_token_lacks() {
        for (text, expected) in [
            (
                r#"Bearer error="insufficient_scope", scope="Agent365.Observability.OtelWrite""#,
                "insufficient_scope (scope Agent365.Observability.OtelWrite)",
            ),
            (
                r#"Bearer realm="", authorization_uri="https://login/a?error=no", Error=invalid_token, error_description="The \"aud\" is, sadly, wrong""#,
                r#"invalid_token: The "aud" is, sadly, wrong"#,
            ),
            (r#"Bearer error_description="expired"#, "expired"),
            ("Negotiate", "Negotiate"),
            (r#"Basic realm="x""#, r#"Basic realm="x""#),
            ("=,\"=\\", "=,\"=\\"),
            ("", ""),
        ] {
            assert_eq!(challenge(text), expected, "{text}");
        }
    }
}
