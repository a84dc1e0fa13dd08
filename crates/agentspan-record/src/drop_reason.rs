//! Why a span was not delivered, one enum for every queue.

use std::fmt;

use agentspan_queue::queue::Loss;

/// Why a span was not delivered. Every span that is lost is counted under one of these, by the
/// delivery to Agent 365 and by the queue of every other destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The span has no tenant or no agent, or a blank one. The reference skips such spans too, and
    /// like there the export counts as a success.
    NoIdentity,
    /// The span's `gen_ai.operation.name` is not one that the profile sends, or is missing. The
    /// reference filters such spans too, and like there the export counts as a success.
    OtherOperation,
    /// The tenant's or the agent's id is not a string, could leave its place in the URL, or the
    /// tenant's cannot be a host name.
    BadIdentity,
    /// The token resolver returned an error, panicked, or gave no answer in time; or it gave no token
    /// and the profile sends nothing without one.
    Token,
    /// The service answered with a status that is not worth another try.
    PermanentStatus,
    /// The receiver took the request and rejected the span. Sending again does not help. The report
    /// has the receiver's reason, if it gave one.
    Rejected,
    /// The service took the request and routed the span to none of its destinations, for instance
    /// because nobody in the tenant has a licence. The report has the service's reason.
    NotRouted,
    /// The service answered 413 though the span was alone in its request.
    TooLarge,
    /// Every try failed with a transport error or a status that is worth another try, until the spans had
    /// waited for as long as `agentspan_agent365::retry::Retry` allows.
    RetriesExhausted,
    /// The service answered with a status of 5xx each time that the span was sent, while it took other spans of
    /// the identity.
    Poison,
    /// The queue was full. The newest spans are the ones that are dropped. Make it larger, or find
    /// out what makes the destination slow.
    QueueFull,
    /// The queue was nearly full, and its identity held more than its share of it: the service does not take
    /// its spans as fast as they come. The newest are the ones that are dropped. Spans of other
    /// identities are kept.
    QueueShare,
    /// With per-request export: the span was started when its request had as many spans as it may have.
    RequestSpanLimit,
    /// With per-request export: the span ended after its request was given up, because it was the oldest of
    /// many more requests than there may be.
    RequestEvicted,
    /// With per-request export: the span ended after its request was sent early, because it had lasted for
    /// longer than a request may.
    RequestTimedOut,
    /// With per-request export: the span ended after its request was over and sent, or was started before
    /// the delivery.
    RequestOver,
    /// The span came after shutdown.
    AfterShutdown,
    /// The deadline of the shutdown passed before the span was delivered. Give it longer.
    ShutdownDeadline,
    /// The delivery itself failed: a panic in it, which is a defect of this crate.
    Internal,
    /// The process is the child of a fork, and the system refused a thread for the delivery of its
    /// spans, or the queue cannot make an exporter for it.
    Forked,
    /// The exporter returned an error, which the log names. Look at the destination.
    Failed,
    /// The exporter said that its time had passed. Give it longer, or look at the destination.
    TimedOut,
    /// The exporter or the filter of a destination, or a hook of an Agent Spec processor, panicked.
    /// Fix it.
    Panic,
    /// The sampling of the destination did not keep the trace. Flush and shutdown do not tell of it.
    Sampled,
    /// The root of the trace did not end for so long that the sampling of the destination stopped waiting for
    /// it. Give it longer with `TraceSampling::with_max_age`, or end the root. Flush and shutdown do not tell of it.
    SampledByAge,
}

impl DropReason {
    /// All reasons, in the order of their declaration: first those that the delivery to Agent 365 counts.
    pub const ALL: [Self; 25] = [
        Self::NoIdentity,
        Self::OtherOperation,
        Self::BadIdentity,
        Self::Token,
        Self::PermanentStatus,
        Self::Rejected,
        Self::NotRouted,
        Self::TooLarge,
        Self::RetriesExhausted,
        Self::Poison,
        Self::QueueFull,
        Self::QueueShare,
        Self::RequestSpanLimit,
        Self::RequestEvicted,
        Self::RequestTimedOut,
        Self::RequestOver,
        Self::AfterShutdown,
        Self::ShutdownDeadline,
        Self::Internal,
        Self::Forked,
        Self::Failed,
        Self::TimedOut,
        Self::Panic,
        Self::Sampled,
        Self::SampledByAge,
    ];

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

    /// The name under which the reason appears in logs and reports, such as `queue_full`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoIdentity => "no_identity",
            Self::OtherOperation => "other_operation",
            Self::BadIdentity => "bad_identity",
            Self::Token => "token",
            Self::PermanentStatus => "permanent_status",
            Self::Rejected => "rejected",
            Self::NotRouted => "not_routed",
            Self::TooLarge => "too_large",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Poison => "poison",
            Self::QueueFull => "queue_full",
            Self::QueueShare => "queue_share",
            Self::RequestSpanLimit => "request_span_limit",
            Self::RequestEvicted => "request_evicted",
            Self::RequestTimedOut => "request_timed_out",
            Self::RequestOver => "request_over",
            Self::AfterShutdown => "after_shutdown",
            Self::ShutdownDeadline => "shutdown_deadline",
            Self::Internal => "internal",
            Self::Forked => "forked",
            Self::Failed => "export_failed",
            Self::TimedOut => "export_timed_out",
            Self::Panic => "panic",
            Self::Sampled => "sampled",
            Self::SampledByAge => "sampled_by_age",
        }
    }

    /// Whether the span was not to be exported: its loss is counted, and nothing went wrong.
    #[must_use]
    pub const fn is_by_choice(self) -> bool {
        matches!(self, Self::Sampled | Self::SampledByAge)
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
