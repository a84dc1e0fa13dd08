//! The outcome for the spans of one request, as the service's answer states it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use agentspan_model::agent365::contract::{
    Answer, PartialSuccess, Sink, SinkStatus, SinkStatuses, SpanOutcome, SpanResult,
};
use agentspan_model::received::Withheld;
use opentelemetry::trace::{SpanId, TraceId};

use crate::service_reason::Reasons;

/// The outcome for the spans of a request whose answer says 2xx. The numbers add up to its spans,
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

/// The results that the destinations inside the service give for the spans of a request.
#[derive(Debug, Default)]
struct Results {
    said: HashMap<SpanKey, Said>,
    /// In which trace a span with this id is; `None` if spans of several traces have it.
    traces: HashMap<SpanId, Option<TraceId>>,
}

/// The results that the destinations inside the service give for one span.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// How many spans of the request have this id.
    spans: usize,
    statuses: SinkStatuses,
}

impl Receipt {
    /// Reads the body of an answer to a request with these spans. No reason repeats what is `withheld`.
    ///
    /// An answer in neither of the forms of [`Answer`] says nothing. An answer that is not whole
    /// confirms nothing, and rejects what it says it rejects.
    pub(crate) fn read(answer: &[u8], spans: &[SpanKey], withheld: &Withheld<'_>) -> Self {
        let answer = Answer::read(answer);
        let mut receipt = Self::default();
        receipt.read_results(&answer, spans);
        if let Some(partial) = &answer.partial_success {
            receipt.read_partial_success(partial);
        }
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

    fn read_results(&mut self, answer: &Answer, spans: &[SpanKey]) {
        if answer.results.is_empty() {
            self.unconfirmed = spans.len();
            return;
        }
        let mut of_spans = Results::of(spans);
        for result in &answer.results {
            if let Some(said) = of_spans
                .key(result)
                .and_then(|key| of_spans.said.get_mut(&key))
            {
                let sinks = result.sinks.iter();
                sinks.for_each(|sink| said.statuses.add(sink.status));
            }
        }
        for said in of_spans.said.values() {
            *match said.statuses.outcome(answer.is_whole) {
                SpanOutcome::Confirmed => &mut self.confirmed,
                SpanOutcome::Rejected => &mut self.rejected,
                SpanOutcome::NotRouted => &mut self.not_routed,
                _ => &mut self.unconfirmed,
            } += said.spans;
        }
        for result in &answer.results {
            let said = of_spans.key(result).and_then(|key| of_spans.said.get(&key));
            let (outcome, spans) = match said {
                Some(said) => (said.statuses.outcome(answer.is_whole), said.spans),
                // It is said of a span, and nobody knows of which.
                None if of_spans.is_ambiguous(result) => (SpanOutcome::Unconfirmed, 1),
                None => continue,
            };
            for sink in &result.sinks {
                self.note(sink, outcome, spans);
            }
        }
    }

    /// Keeps the reason of a destination for not having a span.
    fn note(&mut self, sink: &Sink, outcome: SpanOutcome, spans: usize) {
        let Some(reason) = &sink.reason else {
            return;
        };
        let reasons = match outcome {
            SpanOutcome::Rejected if sink.status == SinkStatus::Rejected => &mut self.why_rejected,
            SpanOutcome::NotRouted => &mut self.why_not_routed,
            _ => &mut self.notices,
        };
        reasons.add(sink.name.as_deref(), reason, spans);
    }

    /// The number counts spans that were rejected, at least: whether they are some of those that a
    /// result names is not known. Those without a result come first, then those that are confirmed.
    fn read_partial_success(&mut self, partial: &PartialSuccess) {
        let spans = self.taken() + self.rejected + self.not_routed;
        let rejected = usize::try_from(partial.rejected_spans).unwrap_or(spans);
        let rejected = rejected.min(spans);
        let more = rejected.saturating_sub(self.rejected + self.not_routed);
        let unconfirmed = more.min(self.unconfirmed);
        self.unconfirmed -= unconfirmed;
        self.confirmed -= more - unconfirmed;
        self.rejected += more;
        if let Some(message) = &partial.message {
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
    fn key(&self, result: &SpanResult) -> Option<SpanKey> {
        let span = SpanId::from_hex(&result.span_id).ok()?;
        let trace = result.trace_id.as_deref();
        let trace = trace.and_then(|trace| TraceId::from_hex(trace).ok());
        Some((trace.or(*self.traces.get(&span)?)?, span))
    }

    /// Whether a result may be about spans of several traces.
    fn is_ambiguous(&self, result: &SpanResult) -> bool {
        let id = SpanId::from_hex(&result.span_id);
        self.key(result).is_none() && id.is_ok_and(|id| self.traces.contains_key(&id))
    }
}

#[cfg(test)]
mod tests;
