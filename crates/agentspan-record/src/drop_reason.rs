//! Why a span was not delivered, one enum for every queue.

use std::fmt;

use agentspan_queue::queue::Loss;

/// Declares the reasons, each with its name in logs and reports.
macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal,)+) => {
        /// Why a span was not delivered. The delivery to Agent 365, and the queue of every other destination,
        /// count each lost span for one reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum DropReason {
            $($(#[$doc])* $reason,)+
        }

        impl DropReason {
            /// All reasons, in the order of their declaration: the reasons of the delivery to Agent 365 come first.
            pub const ALL: [Self; 25] = [$(Self::$reason),+];

            /// The name under which the reason appears in logs and reports, such as `queue_full`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The span has no tenant or no agent, or a blank one. As in the reference, such spans are skipped,
    /// and the export counts as a success.
    NoIdentity = "no_identity",
    /// The span's `gen_ai.operation.name` is missing, or the profile does not send it. As in the
    /// reference, such spans are skipped, and the export counts as a success.
    OtherOperation = "other_operation",
    /// The id of the tenant or the agent is not a string or is not safe in a URL, or the tenant's id
    /// cannot be part of a host name.
    BadIdentity = "bad_identity",
    /// The token resolver returned an error, panicked, or did not answer in time; or it returned no
    /// token, and the profile sends nothing without a token.
    Token = "token",
    /// The service answered with a status that is not retried, such as 403.
    PermanentStatus = "permanent_status",
    /// The receiver accepted the request and rejected the span. A retry does not help. The report
    /// has the receiver's reason, if it gave one.
    Rejected = "rejected",
    /// The service accepted the request and routed the span to none of its destinations, for instance
    /// because nobody in the tenant has a licence. The report has the service's reason.
    NotRouted = "not_routed",
    /// The service answered 413 to a request with only this span.
    TooLarge = "too_large",
    /// Every try failed, with a transport error or a status that is retried, until the spans had waited
    /// for as long as `agentspan_agent365::retry::Retry` allows.
    RetriesExhausted = "retries_exhausted",
    /// The service answered 5xx to every request with this span, and accepted other spans of the
    /// identity.
    Poison = "poison",
    /// The queue was full, so new spans were dropped. Enlarge the queue, or find out why the
    /// destination is slow.
    QueueFull = "queue_full",
    /// The queue was nearly full, and the span's identity used more than its share, because the service
    /// accepts its spans more slowly than they come. The newest spans of the identity are dropped; spans
    /// of other identities are kept.
    QueueShare = "queue_share",
    /// With per-request export: the span started when its request already had the maximum of spans.
    RequestSpanLimit = "request_span_limit",
    /// With per-request export: the span ended after its request was given up, because far more
    /// requests than the maximum were open and this was the oldest.
    RequestEvicted = "request_evicted",
    /// With per-request export: the span ended after its request was sent early, because the request
    /// lasted too long.
    RequestTimedOut = "request_timed_out",
    /// With per-request export: the span ended after its request was over and sent, or started before
    /// the delivery.
    RequestOver = "request_over",
    /// The span ended after the shutdown had begun.
    AfterShutdown = "after_shutdown",
    /// The deadline of the shutdown passed before the span was delivered. Allow more time.
    ShutdownDeadline = "shutdown_deadline",
    /// The delivery itself panicked, which is a bug of this crate.
    Internal = "internal",
    /// The process is the child of a fork, and the system refused a thread for the delivery, or the
    /// exporter works in the parent only.
    Forked = "forked",
    /// The exporter returned an error, which the log names. Check the destination.
    Failed = "export_failed",
    /// The exporter reported a timeout. Allow more time, or check the destination.
    TimedOut = "export_timed_out",
    /// The exporter or the filter of a destination, or a hook of an Agent Spec processor, panicked.
    /// Fix it.
    Panic = "panic",
    /// The sampling of the destination did not keep the trace. Flush and shutdown do not report this.
    Sampled = "sampled",
    /// The sampling of the destination stopped waiting for the root of the trace to end. Allow more time
    /// with `TraceSampling::with_max_age`, or end the root. Flush and shutdown do not report this.
    SampledByAge = "sampled_by_age",
}

impl DropReason {
    /// The reasons that the delivery to Agent 365 counts.
    pub const OF_AGENT365: [Self; 20] = match Self::ALL.first_chunk() {
        Some(first) => *first,
        None => [Self::NoIdentity; 20],
    };

    /// The reasons that the queue of any other destination counts.
    pub const OF_QUEUES: [Self; 10] = [
        Self::QueueFull,
        Self::Failed,
        Self::TimedOut,
        Self::Rejected,
        Self::Panic,
        Self::AfterShutdown,
        Self::ShutdownDeadline,
        Self::Forked,
        Self::Sampled,
        Self::SampledByAge,
    ];

    /// Whether the span was not meant to be exported, so that nothing went wrong.
    #[must_use]
    pub const fn is_by_choice(self) -> bool {
        matches!(self, Self::Sampled | Self::SampledByAge)
    }

    /// Whether the span was not meant for the destination, so that no flush or shutdown reports it.
    pub(crate) const fn is_unmeant(self) -> bool {
        self.is_by_choice() || matches!(self, Self::NoIdentity | Self::OtherOperation)
    }

    /// The place of the reason in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl Loss for DropReason {
    const QUEUE_FULL: Self = Self::QueueFull;

    fn index(self) -> usize {
        self.index()
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_among_all() {
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index, "{reason}");
        }
    }
}
