//! The answer of Agent 365 about each span of a request.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::record::RecordedRequest;

/// The destinations inside the service, as they were seen in answers of it.
pub(crate) const SINKS: [&str; 3] = ["flashpoint", "sentinel", "esp"];

/// An answer that takes a request and says what became of each of its spans, as Agent 365 does.
///
/// Each span is `sent` to each of the sinks `flashpoint`, `sentinel` and `esp`, unless the receipt says
/// otherwise for the name of the span. Play it with
/// [`answer_with`](crate::ServiceBuilder::answer_with):
///
/// ```
/// use agentspan_testkit::{Receipt, Service};
///
/// # fn main() -> Result<(), agentspan_testkit::StartError> {
/// let receipt = Receipt::new()
///     .rejects("a bad span", "attribute_missing")
///     .does_not_route("another span", "tenant_not_licensed");
/// let service = Service::builder()
///     .answer_with(move |request| receipt.answer_to(request))
///     .start()?;
/// # drop(service);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    /// By the name of a span and of a sink.
    said: Vec<(String, &'static str, Value)>,
    left_out: Vec<String>,
    partial_success: Option<Value>,
    is_older: bool,
}

impl Receipt {
    /// Every span is sent to every sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every sink rejects the spans of this name.
    #[must_use]
    pub fn rejects(self, name: &str, reason: &str) -> Self {
        self.everywhere(name, "rejected", reason)
    }

    /// No sink gets the spans of this name.
    #[must_use]
    pub fn does_not_route(self, name: &str, reason: &str) -> Self {
        self.everywhere(name, "not_routed", reason)
    }

    /// One sink has this status for the spans of this name.
    #[must_use]
    pub fn says(mut self, name: &str, sink: &'static str, status: &str, reason: &str) -> Self {
        let said = json!({"status": status, "reason": reason});
        self.said.push((name.to_owned(), sink, said));
        self
    }

    /// There is no result for the spans of this name.
    #[must_use]
    pub fn leaves_out(mut self, name: &str) -> Self {
        self.left_out.push(name.to_owned());
        self
    }

    /// Counts rejected spans in `partialSuccess`, as a number, as text, or as anything else.
    #[must_use]
    pub fn with_partial_success(mut self, rejected: impl Into<Value>, message: &str) -> Self {
        let rejected = rejected.into();
        self.partial_success = Some(json!({"rejectedSpans": rejected, "errorMessage": message}));
        self
    }

    /// Has no results, as answers had in the first half of 2026.
    #[must_use]
    pub fn without_results(mut self) -> Self {
        self.is_older = true;
        self
    }

    /// The answer to `request`. Without spans that can be read, it has no result.
    #[must_use]
    pub fn answer_to(&self, request: &RecordedRequest) -> Answer {
        let mut body = json!({"partialSuccess": self.partial_success});
        if !self.is_older {
            let request = request.json().unwrap_or_default();
            let mut spans = Vec::new();
            collect_spans(&request, &mut spans);
            let results = spans.into_iter().filter_map(|span| self.result(span));
            body["results"] = results.collect();
        }
        Answer::json(&body)
    }

    fn everywhere(self, name: &str, status: &str, reason: &str) -> Self {
        SINKS.into_iter().fold(self, |receipt, sink| {
            receipt.says(name, sink, status, reason)
        })
    }

    fn result(&self, span: &Value) -> Option<Value> {
        let name = span["name"].as_str().unwrap_or_default();
        if self.left_out.iter().any(|left_out| left_out == name) {
            return None;
        }
        let mut sinks = json!({});
        for sink in SINKS {
            sinks[sink] = json!({"status": "sent"});
        }
        for (of, sink, said) in &self.said {
            if of == name {
                sinks[*sink] = said.clone();
            }
        }
        Some(json!({"spanId": span["spanId"], "sinks": sinks}))
    }
}

/// Finds the spans, wherever they stand: bodies of OTLP and of Agent 365 have them in lists named `spans`.
fn collect_spans<'a>(value: &'a Value, spans: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_spans(item, spans)),
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::Array(found) if key == "spans" => spans.extend(found),
                    _ => collect_spans(member, spans),
                }
            }
        }
        _ => {}
    }
}
