//! How spans are kept until their request is over.

use std::time::Duration;

use agentspan_discovery::{Environment, ShownValue, Switches, values};
use agentspan_model::agent365::environment as names;
use agentspan_queue::contain;

/// The limits of requests whose spans are kept until the request is over, for
/// [`with_per_request_export`](crate::DeliveryBuilder::with_per_request_export).
///
/// A request is a local root span and all spans below it. A local root has no parent, or a parent in
/// another process. The spans are sent when all of them have ended. The defaults are those of the
/// `PerRequestSpanProcessor` of the reference for Node (`@microsoft/agents-a365-observability`
/// 0.2.0-preview, April 2026).
///
/// # What is lost
///
/// Every loss is counted, see [`DropReason`](crate::DropReason):
///
/// - A span that starts when its request already has the [maximum of spans](Self::with_max_spans):
///   `RequestSpanLimit`.
/// - If a request starts beyond the [maximum of requests](Self::with_max_requests), the oldest request
///   is sent early: its ended spans, except those below an open span other than the root. The others
///   are sent when the request is over. Requests that were sent early may have 16,384 spans in total.
///   Beyond that, the oldest of them is given up, and its spans that end later are lost as
///   `RequestEvicted`.
/// - A request that lasts longer than its [maximum](Self::with_max_age) is sent as it is. Its spans
///   that end later are lost as `RequestTimedOut`.
/// - A span that ends more than the [grace period](Self::with_grace) after its root is lost as
///   `RequestOver`.
///
/// Waiting spans count as queued, and the limits of the delivery's queue apply to them, too.
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

    /// The settings of `ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT` and the variables
    /// `A365_PER_REQUEST_…`, as in the reference for Node; `None` if it is not switched on. A
    /// value that is not a number above zero is ignored and logged.
    #[must_use]
    pub fn read(environment: &Environment) -> Option<Self> {
        if !Switches::read(environment).per_request_export_enabled() {
            return None;
        }
        let count = |name| positive(environment, name);
        let time = |name| {
            let milliseconds = u64::try_from(positive(environment, name)?).ok()?;
            Some(Duration::from_millis(milliseconds).min(values::LONGEST))
        };
        let default = Self::new();
        Some(Self {
            max_requests: count(names::A365_PER_REQUEST_MAX_TRACES).unwrap_or(default.max_requests),
            max_spans: count(names::A365_PER_REQUEST_MAX_SPANS_PER_TRACE)
                .unwrap_or(default.max_spans),
            grace: time(names::A365_PER_REQUEST_FLUSH_GRACE_MS).unwrap_or(default.grace),
            max_age: time(names::A365_PER_REQUEST_MAX_TRACE_AGE_MS).unwrap_or(default.max_age),
        })
    }

    /// Sets how many requests may be open before the oldest is sent early. The default is 1,000.
    pub fn with_max_requests(mut self, requests: usize) -> Self {
        self.max_requests = requests;
        self
    }

    /// Sets how many spans a request may start. The default is 5,000.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.max_spans = spans;
        self
    }

    /// Sets how long a request waits for open spans after its root has ended. The default is 250 ms,
    /// and the maximum is one year.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long a request may last. The default is 30 minutes, and the maximum is one year. The
    /// token is kept for that time, and then for as long as the spans wait to be sent.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}

/// How many requests may be sent at the same time, if the environment says it.
pub(crate) fn max_concurrent_exports(environment: &Environment) -> Option<usize> {
    positive(environment, names::A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS)
}

fn positive(environment: &Environment, name: &'static str) -> Option<usize> {
    environment.understood([name], values::positive_integer, |variable, value| {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::agent365",
                variable,
                value = %ShownValue(value),
                "a variable of the environment is ignored"
            );
        });
    })
}

impl Default for PerRequestExport {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Option<PerRequestExport> {
        PerRequestExport::read(&pairs.iter().copied().collect())
    }

    const ON: (&str, &str) = ("ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT", "true");

    #[test]
    fn the_environment_switches_it_on_and_bounds_it() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("A365_PER_REQUEST_MAX_TRACES", "3")]), None);
        assert_eq!(read(&[ON]), Some(PerRequestExport::new()));
        let expected = PerRequestExport::new()
            .with_max_requests(3)
            .with_max_spans(4)
            .with_grace(Duration::from_millis(5))
            .with_max_age(Duration::from_millis(6));
        let bounds = [
            ON,
            ("A365_PER_REQUEST_MAX_TRACES", "3"),
            ("A365_PER_REQUEST_MAX_SPANS_PER_TRACE", " 4 "),
            ("A365_PER_REQUEST_FLUSH_GRACE_MS", "5"),
            ("A365_PER_REQUEST_MAX_TRACE_AGE_MS", "6"),
        ];
        assert_eq!(read(&bounds), Some(expected));
    }

    #[test]
    fn what_is_no_number_above_zero_counts_as_not_set() {
        for value in ["", "0", "-1", "many", "1e3"] {
            let found = read(&[ON, ("A365_PER_REQUEST_MAX_TRACES", value)]);
            assert_eq!(found, Some(PerRequestExport::new()), "{value:?}");
        }
    }

    #[test]
    fn a_number_that_no_machine_has_room_for_is_as_much_as_it_has() {
        let most = u64::MAX.to_string();
        let names = [
            "A365_PER_REQUEST_MAX_TRACES",
            "A365_PER_REQUEST_MAX_TRACE_AGE_MS",
        ];
        let found = read(&[ON, (names[0], &most), (names[1], &most)]).unwrap();
        assert_eq!(found.max_requests, usize::MAX);
        assert_eq!(found.max_age, values::LONGEST);
    }
}
