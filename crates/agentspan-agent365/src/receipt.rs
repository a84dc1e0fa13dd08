//! What the service says, in its answer, became of the spans of one request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use agentspan_model::received::{ReceivedJson, Withheld, span_count};
use opentelemetry::trace::{SpanId, TraceId};
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

/// A span of a request.
pub(crate) type SpanKey = (TraceId, SpanId);

/// What the destinations inside the service say of the spans of a request.
#[derive(Debug, Default)]
struct Results {
    said: HashMap<SpanKey, Said>,
    /// In which trace a span with this id is; `None` if spans of several traces have it.
    traces: HashMap<SpanId, Option<TraceId>>,
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
    /// Reads the body of an answer to a request with these spans. No reason repeats what is `withheld`.
    ///
    /// Two forms are known, and one answer may have both: `partialSuccess` of OTLP with a number of
    /// rejected spans, and `results` with a status of each destination for each span. What is in
    /// neither form says nothing. An answer that is not whole confirms nothing, and rejects what it says it
    /// rejects.
    pub(crate) fn read(answer: &[u8], spans: &[SpanKey], withheld: &Withheld<'_>) -> Self {
        let ReceivedJson {
            value: answer,
            is_whole,
            ..
        } = ReceivedJson::read(answer);
        let mut receipt = Self::default();
        receipt.read_results(&answer, spans, is_whole);
        receipt.read_partial_success(answer.get("partialSuccess").unwrap_or(&Json::Null));
        for reasons in [
            &mut receipt.why_rejected,
            &mut receipt.why_not_routed,
            &mut receipt.notices,
        ] {
            reasons.make_fit(withheld);
        }
        receipt
    }

    /// How many spans the service has.
    pub(crate) fn taken(&self) -> usize {
        self.confirmed + self.unconfirmed
    }

    fn read_results(&mut self, answer: &Json, spans: &[SpanKey], is_whole: bool) {
        let results = answer.get("results").and_then(Json::as_array);
        let results: &[Json] = results.map_or(&[], Vec::as_slice);
        if results.is_empty() {
            self.unconfirmed = spans.len();
            return;
        }
        let mut of_spans = Results::of(spans);
        for result in results {
            if let Some(said) = of_spans
                .key(result)
                .and_then(|key| of_spans.said.get_mut(&key))
            {
                words(result, |word| said.hear(word.status));
            }
        }
        for said in of_spans.said.values() {
            *match said.verdict(is_whole) {
                Verdict::Confirmed => &mut self.confirmed,
                Verdict::Unconfirmed => &mut self.unconfirmed,
                Verdict::Rejected => &mut self.rejected,
                Verdict::NotRouted => &mut self.not_routed,
            } += said.spans;
        }
        for result in results {
            let said = of_spans.key(result).and_then(|key| of_spans.said.get(&key));
            match said {
                Some(said) => words(result, |word| {
                    self.note(word, said.verdict(is_whole), said.spans);
                }),
                // It is said of a span, and nobody knows of which.
                None if of_spans.is_ambiguous(result) => {
                    words(result, |word| self.note(word, Verdict::Unconfirmed, 1));
                }
                None => {}
            }
        }
    }

    /// Keeps the reason of a destination for not having a span.
    fn note(&mut self, word: Word<'_>, verdict: Verdict, spans: usize) {
        let is = |status: &str| {
            word.status
                .is_some_and(|found| found.eq_ignore_ascii_case(status))
        };
        let Some(reason) = word.reason.filter(|reason| !reason.is_empty()) else {
            return;
        };
        let reasons = match verdict {
            Verdict::Rejected if is("rejected") => &mut self.why_rejected,
            Verdict::NotRouted => &mut self.why_not_routed,
            _ => &mut self.notices,
        };
        reasons.add(word.sink, reason, spans);
    }

    /// The number counts spans that were rejected, at least: whether they are some of those that a
    /// result names is not known. Those without a result come first, then those that are confirmed.
    fn read_partial_success(&mut self, partial: &Json) {
        let spans = self.taken() + self.rejected + self.not_routed;
        let rejected = partial.get("rejectedSpans").map_or(0, span_count);
        let rejected = usize::try_from(rejected).unwrap_or(spans).min(spans);
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

impl Results {
    /// Nothing is said of these spans yet.
    fn of(spans: &[SpanKey]) -> Self {
        let mut results = Self::default();
        for key in spans {
            results.said.entry(*key).or_default().spans += 1;
            let (trace, span) = *key;
            match results.traces.entry(span) {
                Entry::Vacant(entry) => {
                    entry.insert(Some(trace));
                }
                Entry::Occupied(mut entry) if *entry.get() != Some(trace) => {
                    entry.insert(None);
                }
                Entry::Occupied(_) => {}
            }
        }
        results
    }

    /// The span that a result is about. Results name the span; those that are known do not name its trace,
    /// and ids of spans need not differ between traces.
    fn key(&self, result: &Json) -> Option<SpanKey> {
        let span = SpanId::from_hex(result.get("spanId")?.as_str()?).ok()?;
        let trace = result.get("traceId").and_then(Json::as_str);
        let trace = trace.and_then(|trace| TraceId::from_hex(trace).ok());
        Some((trace.or(*self.traces.get(&span)?)?, span))
    }

    /// Whether a result may be about spans of several traces.
    fn is_ambiguous(&self, result: &Json) -> bool {
        let id = result.get("spanId").and_then(Json::as_str);
        let id = id.and_then(|id| SpanId::from_hex(id).ok());
        self.key(result).is_none() && id.is_some_and(|id| self.traces.contains_key(&id))
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
    fn verdict(self, is_whole: bool) -> Verdict {
        if self.is_rejected {
            Verdict::Rejected
        } else if !is_whole {
            Verdict::Unconfirmed
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

#[cfg(test)]
mod tests;
