//! The counts of a destination, the same for the report and for metrics.

use agentspan_agent365::{DeliveryStats, DropReason};
use agentspan_otel::export_metrics::ExportCounts;
use agentspan_processor::BackgroundQueue;

/// The name of Agent 365 among destinations.
pub(crate) const AGENT365: &str = "agent365";

pub(crate) fn of_delivery(stats: &DeliveryStats) -> ExportCounts {
    let losses = DropReason::OF_AGENT365.map(|reason| (reason, stats.dropped_for(reason)));
    ExportCounts {
        accepted: stats.accepted,
        exported: stats.exported,
        losses: losses.to_vec(),
        queued: stats.queued,
        queued_bytes: stats.queued_bytes,
        cut: stats.cuts.spans,
    }
}

/// A failed hook counts as handled by the queue, but its span is lost for the processor.
pub(crate) fn of_agent_spec(queue: &BackgroundQueue) -> ExportCounts {
    let stats = queue.stats();
    let late = stats.dropped_at_shutdown;
    let after_failure = stats.dropped_after_failure;
    let failed = stats.failed.saturating_sub(stats.panicked);
    let after_shutdown = stats.dropped_after_shutdown;
    let full = stats
        .dropped
        .saturating_sub(late + after_failure + after_shutdown);
    ExportCounts {
        accepted: stats.accepted,
        exported: stats.handled.saturating_sub(stats.failed),
        losses: vec![
            (DropReason::QueueFull, full),
            (DropReason::Failed, failed + after_failure),
            (DropReason::Panic, stats.panicked),
            (DropReason::ShutdownDeadline, late),
            (DropReason::AfterShutdown, after_shutdown),
        ],
        queued: stats.queued,
        queued_bytes: stats.queued_bytes,
        cut: 0,
    }
}
