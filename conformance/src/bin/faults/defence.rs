//! What stands against faults, and how to take it away through the public API.

use std::fmt;

use crate::Failure;

/// A defence that can be taken away. What no caller of the public API can take away is not here.
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
    /// The exporter or the processor is behind a queue with a thread of its own.
    Queue,
}

impl Defence {
    pub(crate) const ALL: [Self; 10] = [
        Self::Timeout,
        Self::Retry,
        Self::Refusals,
        Self::Lanes,
        Self::TokenDeadline,
        Self::Bounds,
        Self::Limits,
        Self::Masking,
        Self::Authority,
        Self::Queue,
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
            Self::Queue => "queue",
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
