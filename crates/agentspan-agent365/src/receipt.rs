//! What the service says, in its answer, became of the spans of one request.

use std::collections::HashMap;

use opentelemetry::trace::SpanId;
use serde_json::Value as Json;

use crate::service_reason::Reasons;

/// What became of the spans of a request whose answer says 2xx. The numbers add up to its spans,
/// whatever the answer says.
#[derive(Debug, Default)]
pub(crate) struct Receipt {
    /// Some destination inside the service has them, and none rejected them.
    pub(crate) confirmed: usize,
    /// The service took the request and does not say what became of them.
    pub(crate) unconfirmed: usize,
    pub(crate) rejected: usize,
    /// No destination inside the service has them.
    pub(crate) not_routed: usize,
    pub(crate) why_rejected: Reasons,
    pub(crate) why_not_routed: Reasons,
    /// Of spans that the service has, or of the request.
    pub(crate) notices: Reasons,
}

/// What the destinations inside the service say of one span.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// How many spans of the request have this id.
    spans: usize,
    is_sent: bool,
    is_rejected: bool,
    is_not_routed: bool,
    /// A status that this version does not know.
    is_unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Confirmed,
    Unconfirmed,
    Rejected,
    NotRouted,
}

/// What one destination inside the service says of a span.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    sink: Option<&'a str>,
    status: Option<&'a str>,
    reason: Option<&'a str>,
}

impl Receipt {
    /// Reads the body of an answer to a request with these spans. `sent` is what no reason may repeat.
    ///
    /// Two forms are known, and one answer may have both: `partialSuccess` of OTLP with a number of
    /// rejected spans, and `results` with a status of each destination for each span. What is in
    /// neither form says nothing.
    pub(crate) fn read(answer: &[u8], spans: &[SpanId], sent: &[&[u8]]) -> Self {
        let answer = serde_json::from_slice(answer).unwrap_or(Json::Null);
        let mut receipt = Self::default();
        receipt.read_results(&answer, spans);
        receipt.read_partial_success(answer.get("partialSuccess").unwrap_or(&Json::Null));
        for reasons in [
            &mut receipt.why_rejected,
            &mut receipt.why_not_routed,
            &mut receipt.notices,
        ] {
            reasons.make_fit(sent);
        }
        receipt
    }

    /// How many spans the service has.
    pub(crate) fn taken(&self) -> usize {
        self.confirmed + self.unconfirmed
    }

    fn read_results(&mut self, answer: &Json, spans: &[SpanId]) {
        let results = answer.get("results").and_then(Json::as_array);
        let results: &[Json] = results.map_or(&[], Vec::as_slice);
        if results.is_empty() {
            self.unconfirmed = spans.len();
            return;
        }
        let mut said: HashMap<SpanId, Said> = HashMap::with_capacity(spans.len());
        for span in spans {
            said.entry(*span).or_default().spans += 1;
        }
        for result in results {
            if let Some(said) = span_id(result).and_then(|id| said.get_mut(&id)) {
                words(result, |word| said.hear(word.status));
            }
        }
        for said in said.values() {
            *match said.verdict() {
                Verdict::Confirmed => &mut self.confirmed,
                Verdict::Unconfirmed => &mut self.unconfirmed,
                Verdict::Rejected => &mut self.rejected,
                Verdict::NotRouted => &mut self.not_routed,
            } += said.spans;
        }
        for result in results {
            if let Some(said) = span_id(result).and_then(|id| said.get(&id)) {
                words(result, |word| self.note(word, said));
            }
        }
    }

    /// Keeps the reason of a destination for not having a span.
    fn note(&mut self, word: Word<'_>, said: &Said) {
        let is = |status: &str| {
            word.status
                .is_some_and(|found| found.eq_ignore_ascii_case(status))
        };
        let Some(reason) = word.reason.filter(|reason| !reason.is_empty()) else {
            return;
        };
        let reasons = match said.verdict() {
            Verdict::Rejected if is("rejected") => &mut self.why_rejected,
            Verdict::NotRouted => &mut self.why_not_routed,
            _ => &mut self.notices,
        };
        reasons.add(word.sink, reason, said.spans);
    }

    /// The number counts spans that were rejected, at least: whether they are some of those that a
    /// result names is not known. Those without a result come first, then those that are confirmed.
    fn read_partial_success(&mut self, partial: &Json) {
        let spans = self.taken() + self.rejected + self.not_routed;
        let rejected = partial.get("rejectedSpans").map_or(0, count).min(spans);
        let more = rejected.saturating_sub(self.rejected + self.not_routed);
        let unconfirmed = more.min(self.unconfirmed);
        self.unconfirmed -= unconfirmed;
        self.confirmed -= more - unconfirmed;
        self.rejected += more;
        let message = partial.get("errorMessage").and_then(Json::as_str);
        if let Some(message) = message.filter(|message| !message.is_empty()) {
            let reasons = match rejected {
                0 => &mut self.notices,
                _ => &mut self.why_rejected,
            };
            reasons.add(None, message, rejected);
        }
    }
}

impl Said {
    fn hear(&mut self, status: Option<&str>) {
        let is = |known: &str| status.is_some_and(|status| status.eq_ignore_ascii_case(known));
        if is("sent") {
            self.is_sent = true;
        } else if is("rejected") {
            self.is_rejected = true;
        } else if is("not_routed") {
            self.is_not_routed = true;
        } else {
            self.is_unknown = true;
        }
    }

    /// Which destinations matter for a span is not documented: one that rejects it counts, and else
    /// one that has it.
    fn verdict(self) -> Verdict {
        if self.is_rejected {
            Verdict::Rejected
        } else if self.is_sent {
            Verdict::Confirmed
        } else if self.is_not_routed && !self.is_unknown {
            Verdict::NotRouted
        } else {
            Verdict::Unconfirmed
        }
    }
}

/// Shows all that `result` says of its span: by destination, and for all of them at once.
fn words<'a>(result: &'a Json, mut show: impl FnMut(Word<'a>)) {
    let word = |sink, said: &'a Json| Word {
        sink,
        status: said.get("status").or(Some(said)).and_then(Json::as_str),
        reason: said.get("reason").and_then(Json::as_str),
    };
    if result.get("status").is_some() {
        show(word(None, result));
    }
    let sinks = result.get("sinks").and_then(Json::as_object);
    for (sink, said) in sinks.into_iter().flatten() {
        show(word(Some(sink.as_str()), said));
    }
}

fn span_id(result: &Json) -> Option<SpanId> {
    SpanId::from_hex(result.get("spanId")?.as_str()?).ok()
}

/// A number of spans, which may be written as text. What is none, or below zero, is zero.
fn count(json: &Json) -> usize {
    let number = match json {
        Json::String(text) => text.trim().parse::<f64>().ok(),
        json => json.as_f64(),
    };
    // A cast from a float takes the nearest number that there is.
    number.map_or(0, |number| number as usize)
}

#[cfg(test)]
mod tests;
