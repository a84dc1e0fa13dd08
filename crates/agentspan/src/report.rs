//! The delivery report: the counts of each destination.

use std::fmt;

use agentspan_agent365::Delivery;
use agentspan_otel::export_metrics::ExportCounts;
use agentspan_otel::{DropReason, ExportQueue, SpanCuts};
use agentspan_queue::contain;

use crate::counts;

/// The counts of each destination so far, in the order of the configuration, Agent 365 first.
///
/// `Display` writes one line for each destination:
///
/// ```text
/// agent365: 12 accepted, 10 exported (3 unconfirmed), 0 queued, 2 dropped (no_identity: 2)
/// otlp: 12 accepted, 11 exported, 0 queued, 1 dropped (rejected: 1); the receiver says "too old"
/// ```
///
/// If there are any, further lines count late events, spans that were exported as unfinished, and
/// caught panics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TelemetryReport {
    /// The destinations.
    pub destinations: Vec<DestinationReport>,
    /// Agent Spec events that came after the end of their span and of all spans around it.
    /// OpenTelemetry has no place for them, so no destination of spans shows them. Agent Spec
    /// processors do.
    pub late_events: u64,
    /// Agent Spec spans that were exported as unfinished while they were open, because open spans
    /// held too much memory.
    pub evicted_spans: u64,
    /// Caught panics of foreign code, such as hooks, filters, exporters, token resolvers and log
    /// subscribers, in the whole process. The panic hook has printed the message of each panic.
    pub panics: u64,
}

/// The counts of one destination so far.
///
/// `accepted = exported + dropped() + queued`, at any time, because all counts are taken at the
/// same moment. Destinations of spans count spans; Agent Spec processors count calls of their
/// hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationReport {
    /// The name; `agent365` for Agent 365.
    pub name: String,
    /// The spans that passed the filter or made it panic, including spans that were dropped at once
    /// because the queue was full or shut down. For Agent Spec processors, the calls of hooks.
    pub accepted: u64,
    /// The spans that the exporter or the service accepted. For Agent Spec processors, the hooks
    /// that did not fail.
    pub exported: u64,
    /// The part of `exported` for which the head of the receiver's answer is the only proof,
    /// because the rest was cut off, late or not understood. For Agent 365, the spans that its
    /// answer does not mention; if an older answer has no `results`, these are all spans.
    pub unconfirmed: u64,
    /// The items that are queued or in flight.
    pub queued: u64,
    /// The estimated memory of the queued items, in bytes; 0 if it is unknown.
    pub queued_bytes: u64,
    /// The lost items by reason, without reasons whose count is zero.
    pub losses: Vec<(DropReason, u64)>,
    /// The parts of spans that were cut because they exceeded their limits, or those of the
    /// provider.
    pub cuts: SpanCuts,
    /// The receiver's last message about rejected spans, or its last warning, escaped and cut to
    /// 200 characters. A receiver that sees contents may repeat them; from Agent 365's messages,
    /// such parts are removed.
    pub receiver_message: Option<String>,
    /// Why spans were lost last: for Agent 365, see [`Delivery::last_failure`]; for OTLP and a
    /// sidecar, the status of the answer, or why there was none, as in `cannot connect (connection
    /// refused)`. `None` for other destinations, and while nothing is lost.
    pub last_failure: Option<String>,
}

impl TelemetryReport {
    /// The counts of the destination with this name.
    #[must_use]
    pub fn destination(&self, name: &str) -> Option<&DestinationReport> {
        self.destinations.iter().find(|report| report.name == name)
    }

    pub(crate) fn of(delivery: Option<&Delivery>, queues: &[ExportQueue]) -> Self {
        let agent365 = delivery.map(|delivery| {
            let stats = delivery.stats();
            DestinationReport {
                unconfirmed: stats.unconfirmed,
                cuts: stats.cuts,
                receiver_message: delivery.receiver_message(),
                last_failure: delivery.last_failure(),
                ..DestinationReport::new(counts::AGENT365, counts::of_delivery(&stats))
            }
        });
        let queues = queues.iter().map(DestinationReport::of);
        Self {
            destinations: agent365.into_iter().chain(queues).collect(),
            late_events: 0,
            evicted_spans: 0,
            panics: contain::panics(),
        }
    }
}

impl DestinationReport {
    /// The number of items that the receiver confirmed: exported items that are not `unconfirmed`.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.exported.saturating_sub(self.unconfirmed)
    }

    /// The number of lost items.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.losses.iter().map(|(_, count)| count).sum()
    }

    fn of(queue: &ExportQueue) -> Self {
        let stats = queue.stats();
        Self {
            unconfirmed: stats.unconfirmed,
            cuts: stats.cuts,
            receiver_message: queue.receiver_message(),
            last_failure: queue.last_failure(),
            ..Self::new(queue.name(), stats.into())
        }
    }

    pub(crate) fn new(name: impl Into<String>, counts: ExportCounts) -> Self {
        let mut losses = counts.losses;
        losses.retain(|(_, count)| *count > 0);
        Self {
            name: name.into(),
            accepted: counts.accepted,
            exported: counts.exported,
            unconfirmed: 0,
            queued: counts.queued,
            queued_bytes: counts.queued_bytes,
            losses,
            cuts: SpanCuts::default(),
            receiver_message: None,
            last_failure: None,
        }
    }
}

impl fmt::Display for TelemetryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.destinations.is_empty() {
            f.write_str("no destinations")?;
        }
        for (n, destination) in self.destinations.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            destination.fmt(f)?;
        }
        match self.late_events {
            0 => {}
            count => write!(f, "\nevents after the end of their span: {count}")?,
        }
        match self.evicted_spans {
            0 => {}
            count => write!(f, "\nspans shown unfinished for want of room: {count}")?,
        }
        match self.panics {
            0 => {}
            count => write!(f, "\npanics of foreign code in this process: {count}")?,
        }
        Ok(())
    }
}

impl fmt::Display for DestinationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, dropped) = (&self.name, self.dropped());
        write!(
            f,
            "{name}: {} accepted, {} exported",
            self.accepted, self.exported
        )?;
        if self.unconfirmed > 0 {
            write!(f, " ({} unconfirmed)", self.unconfirmed)?;
        }
        write!(f, ", {} queued, {dropped} dropped", self.queued)?;
        for (n, (reason, count)) in self.losses.iter().enumerate() {
            f.write_str(if n == 0 { " (" } else { ", " })?;
            write!(f, "{reason}: {count}")?;
        }
        f.write_str(if self.losses.is_empty() { "" } else { ")" })?;
        if self.cuts.spans > 0 {
            write!(f, ", {} cut to their limits", self.cuts.spans)?;
        }
        if let Some(message) = &self.receiver_message {
            write!(f, "; the receiver says \"{message}\"")?;
        }
        match &self.last_failure {
            Some(failure) => write!(f, "; last failure: {failure}"),
            None => Ok(()),
        }
    }
}
