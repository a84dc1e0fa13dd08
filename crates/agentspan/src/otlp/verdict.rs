//! What an answer means for the spans.

use std::time::Duration;

use super::partial_success::Said;

/// What an answer means for the spans of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The receiver has them, except those that it rejected.
    Taken(Said),
    /// The same request may be sent again, not sooner than the receiver asked for.
    Again { asked: Option<Duration> },
    /// Sending again does not help.
    Refused,
}
