//! What became of the spans, destination by destination.

use std::fmt;

use agentspan_agent365::Delivery;
use agentspan_otel::export_metrics::ExportCounts;
use agentspan_otel::{DropReason, ExportQueue, SpanCuts};
use agentspan_queue::contain;

use crate::counts;

/// The counts of each destination so far, in the order of the configuration, Agent 365 first.
///
/// It is shown as one line for each destination:
///
/// ```text
/// agent365: 12 accepted, 10 exported (3 unconfirmed), 0 queued, 2 dropped (no_identity: 2)
/// otlp: 12 accepted, 11 exported, 0 queued, 1 dropped (rejected: 1); the receiver says "too old"
/// ```
///
/// and, if there are any, one for events that came too late, one for spans that were shown
/// unfinished, and one for panics that were contained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TelemetryReport {
    /// The destinations.
    pub destinations: Vec<DestinationReport>,
    /// Events of Agent Spec that came after the end of their span. OpenTelemetry has no place for
    /// them, so that no destination of spans shows them; processors of Agent Spec do.
    pub late_events: u64,
    /// Agent Spec spans that were exported as unfinished while they were open, since open spans
    /// held too much memory.
    pub evicted_spans: u64,
    /// Panics of foreign code that were contained: of hooks, filters, exporters, token resolvers,
    /// log subscribers and whatever else the program handed over. Counted for the whole process.
    /// The panic hook has shown the message of each.
    pub panics: u64,
}

/// The counts of one destination so far.
///
/// `accepted = exported + dropped() + queued`, at any time: all are counts of one moment. Destinations
/// of spans count spans, processors of Agent Spec count calls of their hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationReport {
    /// Its name, `agent365` for Agent 365.
    pub name: String,
    /// The spans that it was given: those that met its filter, or over which the filter panicked,
    /// those included that were refused at once because the queue was full or shut down. Of
    /// processors of Agent Spec, the hooks that were called.
    pub accepted: u64,
    /// The spans that it took, or that the service acknowledged; hooks that did not fail.
    pub exported: u64,
    /// Those of `exported` for which the head of the receiver's answer is the only proof: the rest
    /// was cut off, late or not understood. For Agent 365, spans of which its answer does not say
    /// what became of them, which is all of them when its answer is an older one without `results`.
    pub unconfirmed: u64,
    /// The items that wait or are in flight.
    pub queued: u64,
    /// The estimated memory of that in bytes; 0 where it is not known.
    pub queued_bytes: u64,
    /// The spans that it lost, by reason, without reasons that have none.
    pub losses: Vec<(DropReason, u64)>,
    /// The parts of spans that were cut because they exceeded their limits.
    pub cuts: SpanCuts,
    /// The receiver's last message about spans that it rejected, or its last warning: its own
    /// words, escaped and cut to 200 characters. A receiver that sees contents may repeat them; for
    /// Agent 365 such parts are left out.
    pub receiver_message: Option<String>,
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
    /// How many were lost.
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
        }
    }
}

impl fmt::Display for TelemetryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        match &self.receiver_message {
            Some(message) => write!(f, "; the receiver says \"{message}\""),
            None => Ok(()),
        }
    }
}
