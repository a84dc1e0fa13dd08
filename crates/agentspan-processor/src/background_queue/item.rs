//! A queued hook.

use agentspan_queue::queue::{Loss, Part, Queued};

use crate::Span;
use crate::span::SpanKey;

/// A queued hook, with its arguments.
#[derive(Debug)]
pub(super) enum Item {
    Startup,
    Start(Span),
    Event(Span, usize),
    /// With the memory that the span holds, as estimated. While a span is open, that is the program's.
    End(Span, u64),
    Shutdown,
}

impl Queued for Item {
    type Group = SpanKey;
    type Loss = HookLoss;

    #[inline]
    fn part(&self) -> Part<SpanKey> {
        match self {
            Self::Startup | Self::Shutdown => Part::Notice,
            Self::Start(span) => Part::First(span.key()),
            Self::Event(span, _) => Part::Inner(span.key()),
            Self::End(span, _) => Part::Last(span.key()),
        }
    }

    #[inline]
    fn bytes(&self) -> u64 {
        match self {
            Self::End(_, bytes) => *bytes,
            Self::Startup | Self::Start(_) | Self::Event(..) | Self::Shutdown => 0,
        }
    }
}

/// Why a hook is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HookLoss {
    QueueFull,
    /// The processor was called, and failed.
    Failed,
    /// The processor failed to start the span.
    NotStarted,
    ShutdownDeadline,
    /// The processor was called, and panicked.
    Panicked,
    /// The queue was closed before.
    AfterShutdown,
}

/// How many reasons there are.
pub(super) const LOSSES: usize = 6;

impl Loss for HookLoss {
    const QUEUE_FULL: Self = Self::QueueFull;

    fn index(self) -> usize {
        self as usize
    }
}
