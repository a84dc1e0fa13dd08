//! Which traces a destination gets.

use std::time::Duration;

use agentspan_record::FinishedSpan;
use opentelemetry::TraceId;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use crate::metrics::Measured;

/// How long the spans of a trace wait for the end of its root, by default.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);

/// Chooses whole traces for a destination, for a backend that charges per span.
///
/// A trace is kept if one of its spans failed or was slow, if its model calls used many tokens, or
/// if it is one in N of the rest. The trace's id decides about the rest, so that all destinations
/// and processes with the same N keep the same traces.
///
/// The spans of a trace wait in the queue for a decision. A failure, for instance, keeps the trace
/// at once. The end of the root decides in any case; the root is the first span without a parent in
/// this process. Spans that end later follow the decision, and so do other roots of the same trace.
/// If such a span failed or was slow, it and the spans after it are kept. Other spans are dropped
/// and counted as [`DropReason::Sampled`](crate::DropReason::Sampled).
///
/// A trace whose root does not end waits for ten minutes ([`with_max_age`](Self::with_max_age))
/// after its first span reached the thread of the queue. It is then kept if this time is slow, and
/// otherwise dropped and counted as [`DropReason::SampledByAge`](crate::DropReason::SampledByAge).
/// The thread checks the ages when it handles a flush or another span.
///
/// A flush decides nothing else: spans of unfinished traces stay queued. The shutdown of the queue
/// keeps them, because their outcome is unknown.
///
/// ```
/// use std::time::Duration;
/// use agentspan_otel::export_queue::TraceSampling;
///
/// let sampling = TraceSampling::one_in(100)
///     .with_slow(Duration::from_secs(30))
///     .with_tokens(50_000);
/// # let _ = sampling;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until a queue or a destination has it"]
pub struct TraceSampling {
    one_in: u64,
    keeps_failed: bool,
    slow: Option<Duration>,
    tokens: Option<u64>,
    max_age: Duration,
    pub(super) max_bytes: u64,
    pub(super) max_spans: usize,
}

/// The weight of a span for keeping its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// The span is reason enough.
    pub(super) decides: bool,
    pub(super) tokens: u64,
}

impl TraceSampling {
    /// Keeps traces in which a span failed, and one in `traces` of the rest: all of the rest for 1,
    /// none for 0.
    pub const fn one_in(traces: u64) -> Self {
        Self {
            one_in: traces,
            keeps_failed: true,
            slow: None,
            tokens: None,
            max_age: DEFAULT_MAX_AGE,
            max_bytes: 16 << 20,
            max_spans: 1 << 14,
        }
    }

    /// Treats traces with failures like the rest. By default, they are kept.
    pub const fn without_failed(mut self) -> Self {
        self.keeps_failed = false;
        self
    }

    /// Keeps traces with a span of at least this duration. By default, durations do not matter.
    pub const fn with_slow(mut self, duration: Duration) -> Self {
        self.slow = Some(duration);
        self
    }

    /// Keeps traces whose model calls used at least this many tokens, input and output together. By
    /// default, tokens do not matter. Sums that a framework repeats on the span of an agent do not
    /// count.
    pub const fn with_tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets how long the spans of a trace wait for the end of its root. The default is ten minutes.
    pub const fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how many bytes the spans of undecided traces may hold, by estimate. The default is 16
    /// MiB, and never more than an eighth of the queue's bytes. Beyond the limit, the oldest trace
    /// is decided early.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self
    }

    /// Sets how many spans may wait for a decision. The default is 16,384, and never more than a
    /// quarter of the queue's spans. Beyond the limit, the oldest trace is decided early.
    pub const fn with_max_spans(mut self, spans: usize) -> Self {
        self.max_spans = spans;
        self
    }

    /// Whether a trace whose spans have waited for so long waits no longer.
    pub(super) fn is_too_old(&self, age: Duration) -> bool {
        age >= self.max_age
    }

    /// Whether a trace whose spans have waited for so long has a slow span: the root, which has begun before
    /// them, and not ended.
    pub(super) fn is_slow_by(&self, age: Duration) -> bool {
        self.slow.is_some_and(|slow| age >= slow)
    }

    /// Whether the trace is kept whatever happens in it.
    pub(super) fn chooses(&self, trace: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        let id = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        id.checked_rem(self.one_in) == Some(0)
    }

    /// Whether the span decides, without a look at its attributes.
    pub(super) fn decides(&self, span: &SpanData) -> bool {
        let has_failed = self.keeps_failed && matches!(span.status, Status::Error { .. });
        let is_slow = self.slow.is_some_and(|slow| {
            let lasted = span.end_time.duration_since(span.start_time);
            lasted.is_ok_and(|lasted| lasted >= slow)
        });
        has_failed || is_slow
    }

    pub(super) fn weigh(&self, span: &FinishedSpan) -> Weight {
        if self.decides(&span.data) {
            return Weight {
                decides: true,
                tokens: 0,
            };
        }
        if !self.keeps_failed && self.tokens.is_none() {
            return Weight::default();
        }
        let Some(measured) = Measured::of_finished(span) else {
            return Weight::default();
        };
        // Some frameworks leave no status.
        Weight {
            decides: self.keeps_failed && measured.has_failed(),
            tokens: measured.tokens(),
        }
    }

    pub(super) fn are_many(&self, tokens: u64) -> bool {
        self.tokens.is_some_and(|many| tokens >= many)
    }
}

/// Whether a span has no parent in this process.
pub(super) fn is_local_root(span: &SpanData) -> bool {
    span.parent_span_id == opentelemetry::SpanId::INVALID || span.parent_span_is_remote
}
