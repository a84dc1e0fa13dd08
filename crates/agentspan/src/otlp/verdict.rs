//! The outcome of a request for its spans.

use std::time::Duration;

use super::partial_success::Said;

/// The outcome of a request for its spans.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver accepted the spans, except the rejected ones.
    Taken(Said),
    /// The request may be retried, no sooner than the receiver asks for.
    Again { asked: Option<Duration> },
    /// The refusal is final: a retry cannot help.
    Refused,
}
