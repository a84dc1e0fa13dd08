//! What stands against faults, and how to take it away: through the public API, or by a relay between
//! the library and the service that does what the library does not.

use std::fmt;
use std::time::Duration;

use agentspan_agent365::retry::Retry;
use agentspan_agent365::{DeliveryBuilder, SpanLimits};

use crate::Failure;
use crate::relay::Habit;

/// In place of a bound that is taken away.
pub(crate) const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A defence that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defence {
    /// One try has a deadline.
    Timeout,
    /// A failed request is sent again.
    Retry,
    /// After a 401 the resolver is asked for another token, and after a 413 the request is divided.
    Refusals,
    /// An identity that fails waits by itself.
    Lanes,
    /// A token resolver has a deadline.
    TokenDeadline,
    /// The queue is bounded.
    Bounds,
    /// A span is cut to its limits.
    Limits,
    /// Contents are masked.
    Masking,
    /// Only the authority that the program knows is trusted.
    Authority,
    /// Spans that have waited for too long are given up.
    Age,
    /// The exporter or the processor is behind a queue with a thread of its own.
    Queue,
    /// Several requests are in flight at a time.
    Slots,
    /// A refused request is not sent again.
    Finality,
    /// Redirects are not followed.
    Redirects,
    /// What an answer says of spans counts.
    Receipts,
    /// The head of an answer decides, whatever its body is.
    Heads,
    /// Certificates are checked.
    Certificates,
    /// Nothing is sent in plain text where TLS should be.
    Tls,
    /// A panic of foreign code ends where it happens.
    Containment,
}

impl Defence {
    pub(crate) const ALL: [Self; 19] = [
        Self::Timeout,
        Self::Retry,
        Self::Refusals,
        Self::Lanes,
        Self::TokenDeadline,
        Self::Bounds,
        Self::Limits,
        Self::Masking,
        Self::Authority,
        Self::Age,
        Self::Queue,
        Self::Slots,
        Self::Finality,
        Self::Redirects,
        Self::Receipts,
        Self::Heads,
        Self::Certificates,
        Self::Tls,
        Self::Containment,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Retry => "retry",
            Self::Refusals => "refusals",
            Self::Lanes => "lanes",
            Self::TokenDeadline => "token-deadline",
            Self::Bounds => "bounds",
            Self::Limits => "limits",
            Self::Masking => "masking",
            Self::Authority => "authority",
            Self::Age => "age",
            Self::Queue => "queue",
            Self::Slots => "slots",
            Self::Finality => "finality",
            Self::Redirects => "redirects",
            Self::Receipts => "receipts",
            Self::Heads => "heads",
            Self::Certificates => "certificates",
            Self::Tls => "tls",
            Self::Containment => "containment",
        }
    }

    /// A delivery without this defence, if it is one of its own.
    pub(crate) fn taken_from<F>(
        builder: DeliveryBuilder<F>,
        without: Option<Self>,
    ) -> DeliveryBuilder<F> {
        match without {
            Some(Self::Timeout) => builder.with_timeout(NEVER),
            Some(Self::Retry) => builder.with_retry(Retry::for_at_most(Duration::ZERO)),
            Some(Self::Age) => builder.with_retry(Retry::for_at_most(NEVER)),
            Some(Self::Refusals) => builder.with_final_refusals(),
            Some(Self::Lanes) => builder.with_retry(Retry::reference()),
            Some(Self::TokenDeadline) => builder.with_token_deadline(NEVER),
            Some(Self::Bounds) => builder.with_max_spans(usize::MAX),
            Some(Self::Limits) => builder.with_span_limits(
                SpanLimits::default()
                    .with_content_bytes(usize::MAX)
                    .with_span_bytes(usize::MAX),
            ),
            Some(Self::Slots) => builder.with_concurrency(1),
            // A resolver whose panic is not contained says nothing.
            Some(Self::Containment) => builder.with_token_deadline(NEVER),
            _ => builder,
        }
    }

    /// What a relay between library and service does without this defence, if one does.
    pub(crate) fn relayed(self) -> Option<Habit> {
        match self {
            Self::Finality => Some(Habit::Repeats),
            Self::Redirects => Some(Habit::Follows),
            Self::Receipts => Some(Habit::Strips),
            Self::Heads => Some(Habit::Buffers),
            Self::Certificates => Some(Habit::TrustsAnyone),
            _ => None,
        }
    }

    /// The defence of this name.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        let found = Self::ALL.into_iter().find(|one| one.name() == name);
        let names = Self::ALL.map(Self::name).join(", ");
        Ok(found.ok_or_else(|| format!("there is no defence {name}, but {names}"))?)
    }
}

impl fmt::Display for Defence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
