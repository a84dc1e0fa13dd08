//! The unsent spans of each destination.

use std::fmt;

use agentspan_otel::DropReason;

use crate::report::{DestinationReport, TelemetryReport};

/// The unsent spans: queued spans, and spans that were lost since an earlier report. Written as
/// `agent365: 3 (queued: 1, shutdown_deadline: 2), phoenix: 4 (export_failed: 4)`.
#[derive(Debug)]
pub(super) struct Unsent(Vec<(String, Vec<(&'static str, u64)>)>);

impl Unsent {
    /// The queued items.
    pub(super) fn now(report: &TelemetryReport) -> Self {
        Self::of(report, |_| Vec::new())
    }

    /// The queued items, and all losses between two reports.
    pub(super) fn between(before: &TelemetryReport, after: &TelemetryReport) -> Self {
        Self::of(after, |destination| {
            let known = before.destination(&destination.name);
            let count_before = |reason| known.map_or(0, |known| lost_for(known, reason));
            let losses = destination.losses.iter();
            // Spans that were sampled out, and those of other libraries, were not to be sent.
            let losses = losses.filter(|(reason, _)| {
                !reason.is_by_choice() && *reason != DropReason::OtherOperation
            });
            let new = losses.map(|(reason, count)| {
                let new = count.saturating_sub(count_before(*reason));
                (reason.as_str(), new)
            });
            new.collect()
        })
    }

    /// The queued items, and the items that the deadline of a shutdown dropped between two reports.
    pub(super) fn at_deadline(before: &TelemetryReport, after: &TelemetryReport) -> Self {
        let mut unsent = Self::between(before, after);
        let late = DropReason::ShutdownDeadline.as_str();
        for (_, counts) in &mut unsent.0 {
            counts.retain(|(reason, _)| [QUEUED, late].contains(reason));
        }
        unsent.0.retain(|(_, counts)| !counts.is_empty());
        unsent
    }

    /// Both counts come from the same report, so that an item that moves from the queue to the
    /// losses is counted exactly once.
    fn of(
        report: &TelemetryReport,
        lost: impl Fn(&DestinationReport) -> Vec<(&'static str, u64)>,
    ) -> Self {
        let destinations = report.destinations.iter().map(|destination| {
            let mut counts = vec![(QUEUED, destination.queued)];
            counts.extend(lost(destination));
            counts.retain(|(_, count)| *count > 0);
            (destination.name.clone(), counts)
        });
        Self(destinations.filter(|(_, it)| !it.is_empty()).collect())
    }

    /// Without the destinations that have told what they lost.
    pub(super) fn without(mut self, told: &[String]) -> Self {
        self.0.retain(|(name, _)| !told.contains(name));
        self
    }

    /// The total number of spans and hooks.
    pub(super) fn count(&self) -> u64 {
        let counts = self.0.iter().flat_map(|(_, counts)| counts);
        counts.map(|(_, count)| count).sum()
    }
}

const QUEUED: &str = "queued";

fn lost_for(destination: &DestinationReport, reason: DropReason) -> u64 {
    let losses = destination.losses.iter();
    let of_reason = losses.filter(|(other, _)| *other == reason);
    of_reason.map(|(_, count)| count).sum()
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, counts)) in self.0.iter().enumerate() {
            let sum: u64 = counts.iter().map(|(_, count)| count).sum();
            f.write_str(if n == 0 { "" } else { ", " })?;
            write!(f, "{name}: {sum}")?;
            for (n, (reason, count)) in counts.iter().enumerate() {
                f.write_str(if n == 0 { " (" } else { ", " })?;
                write!(f, "{reason}: {count}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, losses: &[(DropReason, u64)]) -> DestinationReport {
        DestinationReport {
            losses: losses.to_vec(),
            ..DestinationReport::new(
                name,
                agentspan_otel::export_metrics::ExportCounts::default(),
            )
        }
    }

    #[test]
    fn what_is_not_to_be_sent_is_not_unsent() {
        let after = TelemetryReport {
            destinations: vec![report(
                "otlp",
                &[
                    (DropReason::OtherOperation, 1),
                    (DropReason::Sampled, 5),
                    (DropReason::SampledByAge, 2),
                ],
            )],
            ..TelemetryReport::default()
        };
        let unsent = Unsent::between(&TelemetryReport::default(), &after);
        assert_eq!((unsent.count(), unsent.to_string()), (0, String::new()));
    }

    #[test]
    fn a_destination_that_lost_nothing_to_the_deadline_is_not_named() {
        let after = TelemetryReport {
            destinations: vec![
                report("agent365", &[(DropReason::NoIdentity, 1)]),
                report("otlp", &[(DropReason::ShutdownDeadline, 2)]),
            ],
            ..TelemetryReport::default()
        };
        let unsent = Unsent::at_deadline(&TelemetryReport::default(), &after);
        assert_eq!(unsent.to_string(), "otlp: 2 (shutdown_deadline: 2)");
    }
}
