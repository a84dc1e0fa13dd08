//! The reasons that the service gives about spans, in its own words.

use std::fmt;

use agentspan_model::received::{Withheld, enough_of};

/// How many characters of a reason are kept.
const MAX_TEXT: usize = 200;

/// How many characters of the name of a sink are kept.
const MAX_SINK: usize = 64;

/// How many reasons are told apart for one identity.
const MAX_REASONS: usize = 8;

/// A reason that the service gives for some spans of a request, such as `tenant_not_licensed`, or
/// of a request that it refuses.
///
/// The words are the service's own, made safe to show. Control characters and invisible characters are
/// escaped, and a reason has at most 200 characters. `…` replaces 16 bytes or more that repeat the token or
/// the request, because they may be the content of a prompt. Names of attributes are kept. See
/// [`Withheld`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceReason {
    /// The destination inside the service that gives the reason, such as `flashpoint`; `None` if the
    /// reason is about the whole request. Microsoft does not document these names.
    pub sink: Option<String>,
    /// The reason. Of more than eight reasons for one identity, the others are counted together as
    /// `other reasons`.
    pub text: String,
    /// The number of spans that the reason is about; 0 for a remark about the request.
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
            sink: sink.map(|sink| enough_of(sink, MAX_SINK).to_owned()),
            text: enough_of(text, MAX_TEXT).to_owned(),
            spans,
        });
    }

    /// Makes the reasons fit to be shown, without what is `withheld`.
    pub(crate) fn make_fit(&mut self, withheld: &Withheld<'_>) {
        if self.0.is_empty() {
            return;
        }
        let texts: Vec<_> = self.0.iter().map(|reason| reason.text.as_str()).collect();
        let texts = withheld.show_all(&texts, MAX_TEXT);
        let sinks = self.0.iter().map(|reason| reason.sink.as_deref());
        let sinks: Vec<_> = sinks.map(Option::unwrap_or_default).collect();
        let sinks = withheld.show_all(&sinks, MAX_SINK);
        for (reason, (text, sink)) in self.0.iter_mut().zip(texts.into_iter().zip(sinks)) {
            reason.text = text;
            reason.sink = reason.sink.is_some().then_some(sink);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason that is kept of `text`, if the request was `sent`.
    fn kept(text: &str, sent: &str) -> String {
        let mut reasons = Reasons::default();
        reasons.add(None, text, 1);
        reasons.make_fit(&Withheld::new().with_body(sent.as_bytes()));
        reasons.take().remove(0).text
    }

    #[test]
    fn a_reason_and_its_sink_are_escaped_and_capped() {
        let mut reasons = Reasons::default();
        reasons.add(Some(&"s\n".repeat(99)), &"t\n".repeat(999), 1);
        reasons.make_fit(&Withheld::new());
        let ServiceReason { sink, text, .. } = reasons.take().remove(0);
        assert_eq!(text, r"t\n".repeat(66) + "t…");
        assert_eq!(sink.unwrap(), r"s\n".repeat(21) + "s…");
    }

    #[test]
    fn t11_neither_a_reason_nor_a_sink_repeats_a_token() {
        let mut reasons = Reasons::default();
        reasons.add(Some("of s3cret"), "S3CRET is wrong", 1);
        reasons.make_fit(&Withheld::new().with_secret(b"s3cret"));
        let reason = reasons.take().remove(0);
        assert_eq!(reason.to_string(), "… is wrong (of …)");
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
