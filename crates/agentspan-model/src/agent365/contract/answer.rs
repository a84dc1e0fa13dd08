//! The service's answer to a request that it accepts.

use serde_json::{Map, Value};

use crate::received::{ReceivedJson, span_count};

/// The service's answer with a 2xx status.
///
/// The status alone does not prove a delivery. An answer may have one or both of two known parts:
/// `results`, with the status of each span at each destination inside the service (a sink), and
/// `partialSuccess`, with a number of rejected spans. An answer without them proves nothing. The
/// names of sinks and the reasons are foreign text: use
/// [`Withheld::show`](crate::received::Withheld::show) to print them.
///
/// ```
/// use agentspan_model::agent365::contract::{Answer, SpanOutcome};
///
/// let answer = Answer::read(br#"{"results": [{"spanId": "00f067aa0ba902b8", "sinks":
///     {"flashpoint": {"status": "not_routed", "reason": "tenant_not_licensed"}}}],
///     "partialSuccess": null}"#);
/// assert_eq!(answer.outcome("00f067aa0ba902b8"), SpanOutcome::NotRouted);
/// assert_eq!(answer.reasons("00f067aa0ba902b8"), ["tenant_not_licensed"]);
/// assert_eq!(answer.outcome("00f067aa0ba902b9"), SpanOutcome::Unconfirmed);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The results of single spans. Older answers have none.
    pub results: Vec<SpanResult>,
    /// The result of the whole request; `None` if it is null or absent.
    pub partial_success: Option<PartialSuccess>,
    /// Whether the body was read to its end. If not, it confirms no span, but the spans that it
    /// rejects still count as rejected.
    pub is_whole: bool,
}

/// The service's result for one span.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanResult {
    /// The id of the trace, in an answer that names it. Known answers do not.
    pub trace_id: Option<String>,
    /// The id of the span, as the service writes it.
    pub span_id: String,
    /// The result of each destination.
    pub sinks: Vec<Sink>,
}

/// The result of one destination inside the service for a span.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sink {
    /// The name, such as `flashpoint`; `None` if the status applies to all destinations. The
    /// meaning of the names is not documented.
    pub name: Option<String>,
    /// The outcome.
    pub status: SinkStatus,
    /// The reason, such as `tenant_not_licensed`. It is not empty.
    pub reason: Option<String>,
}

/// The outcome of a span at one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkStatus {
    /// `sent`.
    Sent,
    /// `rejected`.
    Rejected,
    /// `not_routed`.
    NotRouted,
    /// A status that this version does not know, or none.
    Unknown,
}

/// The service's result for the whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialSuccess {
    /// The minimum number of rejected spans. The service writes it as a number or as text. Zero
    /// does not prove that any span was routed.
    pub rejected_spans: u64,
    /// The reason. It is not empty.
    pub message: Option<String>,
}

/// The outcome of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanOutcome {
    /// At least one destination has the span, and none rejected it.
    Confirmed,
    /// The service accepted the request, but its answer does not mention the span.
    Unconfirmed,
    /// A destination rejected the span.
    Rejected,
    /// No destination has the span.
    NotRouted,
}

/// The statuses of all destinations for one span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SinkStatuses {
    is_sent: bool,
    is_rejected: bool,
    is_not_routed: bool,
    is_unknown: bool,
}

impl Answer {
    /// Reads the readable part of an answer's body.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let ReceivedJson {
            value, is_whole, ..
        } = ReceivedJson::read(body);
        let Value::Object(mut answer) = value else {
            return Self {
                is_whole,
                ..Self::default()
            };
        };
        let results = match answer.remove("results") {
            Some(Value::Array(results)) => results,
            _ => Vec::new(),
        };
        let partial_success = match answer.remove("partialSuccess") {
            Some(Value::Object(partial)) => Some(partial_success(partial)),
            _ => None,
        };
        Self {
            results: results.into_iter().filter_map(result).collect(),
            partial_success,
            is_whole,
        }
    }

    /// The outcome of the span with this id in `results`. `partialSuccess` does not name spans.
    #[must_use]
    pub fn outcome(&self, span_id: &str) -> SpanOutcome {
        let mut statuses = SinkStatuses::default();
        let sinks = self.of_span(span_id).flat_map(|result| &result.sinks);
        sinks.for_each(|sink| statuses.add(sink.status));
        statuses.outcome(self.is_whole)
    }

    /// The service's reasons why destinations do not have the span with this id.
    #[must_use]
    pub fn reasons(&self, span_id: &str) -> Vec<&str> {
        let sinks = self.of_span(span_id).flat_map(|result| &result.sinks);
        sinks.filter_map(|sink| sink.reason.as_deref()).collect()
    }

    fn of_span<'s>(&'s self, span_id: &str) -> impl Iterator<Item = &'s SpanResult> {
        let results = self.results.iter();
        results.filter(move |result| result.span_id.eq_ignore_ascii_case(span_id))
    }
}

impl SinkStatuses {
    /// Adds what one destination says.
    pub fn add(&mut self, status: SinkStatus) {
        match status {
            SinkStatus::Sent => self.is_sent = true,
            SinkStatus::Rejected => self.is_rejected = true,
            SinkStatus::NotRouted => self.is_not_routed = true,
            SinkStatus::Unknown => self.is_unknown = true,
        }
    }

    /// The outcome. Which destinations matter for a span is not documented: one that rejects it
    /// counts, and else one that has it. An answer that is not whole confirms nothing.
    #[must_use]
    pub fn outcome(self, is_whole: bool) -> SpanOutcome {
        if self.is_rejected {
            SpanOutcome::Rejected
        } else if !is_whole {
            SpanOutcome::Unconfirmed
        } else if self.is_sent {
            SpanOutcome::Confirmed
        } else if self.is_not_routed && !self.is_unknown {
            SpanOutcome::NotRouted
        } else {
            SpanOutcome::Unconfirmed
        }
    }
}

impl SinkStatus {
    /// The status with this name, in any case.
    fn named(name: &str) -> Self {
        let known = [
            ("sent", Self::Sent),
            ("rejected", Self::Rejected),
            ("not_routed", Self::NotRouted),
        ];
        let found = known
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(Self::Unknown, |(_, status)| status)
    }
}

fn partial_success(mut partial: Map<String, Value>) -> PartialSuccess {
    PartialSuccess {
        rejected_spans: partial.get("rejectedSpans").map_or(0, span_count),
        message: text(&mut partial, "errorMessage"),
    }
}

/// A status may stand for all destinations, beside those of single ones.
fn result(json: Value) -> Option<SpanResult> {
    let Value::Object(mut json) = json else {
        return None;
    };
    let span_id = text(&mut json, "spanId")?;
    let trace_id = text(&mut json, "traceId");
    let sinks = match json.remove("sinks") {
        Some(Value::Object(sinks)) => sinks,
        _ => Map::new(),
    };
    let of_all = json.contains_key("status");
    let of_all = of_all.then(|| sink(None, Value::Object(json)));
    let of_each = sinks.into_iter().map(|(name, said)| sink(Some(name), said));
    Some(SpanResult {
        trace_id,
        span_id,
        sinks: of_all.into_iter().chain(of_each).collect(),
    })
}

/// A destination says a status, or an object with one.
fn sink(name: Option<String>, said: Value) -> Sink {
    let mut said = match said {
        Value::Object(said) => said,
        status => Map::from_iter([("status".to_owned(), status)]),
    };
    let status = text(&mut said, "status");
    Sink {
        name,
        status: status.map_or(SinkStatus::Unknown, |status| SinkStatus::named(&status)),
        reason: text(&mut said, "reason"),
    }
}

fn text(json: &mut Map<String, Value>, name: &str) -> Option<String> {
    match json.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
