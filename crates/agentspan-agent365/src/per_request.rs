//! How spans are kept until their request is over.

use std::time::Duration;

/// How many spans are kept until their request is over, and for how long, for
/// [`with_per_request_export`](crate::DeliveryBuilder::with_per_request_export).
///
/// A request is a local root span, one without a parent or with a parent in another process, and all
/// spans below it. Its spans are sent when the root and all of them have ended. The defaults are those
/// of the `PerRequestSpanProcessor` of the reference for Node (`@microsoft/agents-a365-observability`,
/// April 2026).
///
/// # What is lost
///
/// Every loss is counted, see [`DropReason`](crate::DropReason):
///
/// - A span that is started when its request has [`max_spans`](Self::with_max_spans) already:
///   `RequestSpanLimit`.
/// - When a request starts and there are [`max_requests`](Self::with_max_requests), the oldest one is
///   sent as it is. Its spans that end later: `RequestEvicted`.
/// - A request that lasts longer than [`max_age`](Self::with_max_age) is sent as it is. Its spans that
///   end later: `RequestTimedOut`.
/// - A span that ends when its request has been sent, because its root has ended longer than the
///   [`grace`](Self::with_grace) before: `RequestOver`.
///
/// Spans that wait count as queued, and are bounded by the queue of the delivery, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until a builder is given it"]
pub struct PerRequestExport {
    pub(crate) max_requests: usize,
    pub(crate) max_spans: usize,
    pub(crate) grace: Duration,
    pub(crate) max_age: Duration,
}

impl PerRequestExport {
    /// The defaults of the reference for Node.
    pub fn new() -> Self {
        Self {
            max_requests: 1_000,
            max_spans: 5_000,
            grace: Duration::from_millis(250),
            max_age: Duration::from_secs(30 * 60),
        }
    }

    /// How many requests may be under way. Default: 1,000.
    pub fn with_max_requests(mut self, requests: usize) -> Self {
        self.max_requests = requests;
        self
    }

    /// How many spans a request may start. Default: 5,000.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.max_spans = spans;
        self
    }

    /// How long spans that run when their root ends are waited for. Default: 250 ms.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a request may last, and so how long its token is kept at most. Default: 30 minutes.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}

impl Default for PerRequestExport {
    fn default() -> Self {
        Self::new()
    }
}
