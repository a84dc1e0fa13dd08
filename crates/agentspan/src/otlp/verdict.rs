//! What an answer means for the spans.

use std::time::Duration;

use agentspan_otel::Receipt;

/// What an answer means for the spans of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver has them, except those that it rejected.
    Taken(Receipt),
    /// The same request may be sent again, not sooner than the receiver asked for.
    Again { asked: Option<Duration> },
    /// Sending again does not help.
    Refused,
}
