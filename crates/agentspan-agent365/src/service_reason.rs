//! What the service says of spans, in its own words.

use std::fmt;

use crate::echo::repeats;

/// How many characters of a reason are kept.
const MAX_TEXT: usize = 200;

/// How many characters of the name of a sink are kept.
const MAX_SINK: usize = 64;

/// How many reasons are told apart for one identity.
const MAX_REASONS: usize = 8;

/// Stands for what the service repeats of the request, and for what was cut.
const LEFT_OUT: char = '…';

/// What the service says of some spans of a request, such as `tenant_not_licensed`.
///
/// The words are the service's own, made fit to be shown: control characters and invisible characters
/// are escaped, a reason has at most 200 characters, and what it repeats of the request, 16 bytes or
/// more, is replaced by `…`: it may be the content of a prompt. Names of attributes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceReason {
    /// The destination inside the service that says so, such as `flashpoint`; `None` if the service
    /// says it of the whole request. Microsoft does not document what the names stand for.
    pub sink: Option<String>,
    /// The reason. Of more than eight reasons for one identity, the others are counted together as
    /// `other reasons`.
    pub text: String,
    /// Of how many spans the service says so; 0 for a remark about the request.
    pub spans: usize,
}

impl fmt::Display for ServiceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.sink {
            Some(sink) => write!(f, " ({sink})"),
            None => Ok(()),
        }
    }
}

/// A bounded list of reasons.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Vec<ServiceReason>);

impl Reasons {
    /// Notes what the service says of `spans`, as it says it.
    pub(crate) fn add(&mut self, sink: Option<&str>, text: &str, spans: usize) {
        // More than the longest that is kept is of no use, and the service may be hostile.
        self.merge_one(ServiceReason {
            sink: sink.map(|sink| shown(sink, &[], MAX_SINK)),
            text: text.chars().take(MAX_TEXT + 1).collect(),
            spans,
        });
    }

    /// Makes the reasons fit to be shown, and leaves out what they repeat of what was `sent`.
    pub(crate) fn make_fit(&mut self, sent: &[&[u8]]) {
        let texts: Vec<_> = self.0.iter().map(|reason| reason.text.as_str()).collect();
        let repeated = repeats(&texts, sent);
        for (reason, repeated) in self.0.iter_mut().zip(repeated) {
            reason.text = shown(&reason.text, &repeated, MAX_TEXT);
        }
    }

    /// Adds the reasons of another request.
    pub(crate) fn merge(&mut self, other: Self) {
        for reason in other.0 {
            self.merge_one(reason);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<ServiceReason> {
        std::mem::take(&mut self.0)
    }

    fn merge_one(&mut self, mut reason: ServiceReason) {
        let is_full = self.0.len() >= MAX_REASONS;
        let is_same =
            |known: &ServiceReason| (&known.sink, &known.text) == (&reason.sink, &reason.text);
        if !self.0.iter().any(is_same) && is_full {
            reason.sink = None;
            reason.text = String::from("other reasons");
        }
        let is_same =
            |known: &&mut ServiceReason| (&known.sink, &known.text) == (&reason.sink, &reason.text);
        match self.0.iter_mut().find(is_same) {
            Some(known) => known.spans = known.spans.saturating_add(reason.spans),
            None => self.0.push(reason),
        }
    }
}

/// `text` without the bytes that are `left_out`, escaped, in at most `max` characters.
fn shown(text: &str, left_out: &[bool], max: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut was_left_out = false;
    for (at, c) in text.char_indices() {
        let is_left_out = left_out.get(at).copied().unwrap_or(false);
        if is_left_out && was_left_out {
            continue;
        }
        was_left_out = is_left_out;
        let escaped: String = match c {
            _ if is_left_out => LEFT_OUT.into(),
            '"' | '\'' => c.into(),
            c => c.escape_debug().collect(),
        };
        length += escaped.chars().count();
        if length > max {
            shown.push(LEFT_OUT);
            break;
        }
        shown.push_str(&escaped);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason that is kept of `text`, if the request was `sent`.
    fn kept(text: &str, sent: &str) -> String {
        let mut reasons = Reasons::default();
        reasons.add(None, text, 1);
        reasons.make_fit(&[sent.as_bytes()]);
        reasons.take().remove(0).text
    }

    #[test]
    fn a_reason_is_escaped_and_capped() {
        assert_eq!(kept("tenant_not_licensed", ""), "tenant_not_licensed");
        assert_eq!(
            kept("a\r\nb\u{1b}[31m\u{202e}\u{200b}\"é\"", ""),
            "a\\r\\nb\\u{1b}[31m\\u{202e}\\u{200b}\"é\""
        );
        assert_eq!(kept(&"x".repeat(200), ""), "x".repeat(200));
        assert_eq!(kept(&"x".repeat(201), ""), format!("{}…", "x".repeat(200)));
        assert_eq!(kept(&"\0".repeat(9_000), "").chars().count(), 201);
    }

    #[test]
    fn what_a_reason_repeats_of_the_request_is_left_out() {
        let sent =
            r#"{"attributes":{"gen_ai.operation.name":"oops","prompt":"I am ill, tell nobody"}}"#;
        assert_eq!(
            kept("cannot take 'I am ill, tell nobody' here", sent),
            "cannot take '…' here"
        );
        assert_eq!(
            kept("gen_ai.operation.name is \"oops\"", sent),
            "gen_ai.operation.name is \"oops\""
        );
        assert_eq!(
            kept("\"gen_ai.operation.name\": oops", sent),
            "\"gen_ai.operation.name\": oops"
        );
    }

    #[test]
    fn many_reasons_are_counted_together() {
        let mut reasons = Reasons::default();
        for number in 0..20 {
            reasons.add(Some("sink"), &format!("reason {}", number % 10), 2);
        }
        let kept = reasons.take();
        assert_eq!(kept.len(), 9);
        assert_eq!(
            (kept[0].to_string(), kept[0].spans),
            ("reason 0 (sink)".to_owned(), 4)
        );
        assert_eq!(
            (kept[8].to_string(), kept[8].spans),
            ("other reasons".to_owned(), 8)
        );
    }
}
