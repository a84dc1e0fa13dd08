//! What is measured of a contender, and how a table shows it.

use std::collections::BTreeMap;

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "only this unpublished crate uses it"
)]
pub enum Metric {
    /// Nanoseconds of CPU time of the calling thread, for a unit.
    Caller,
    /// Nanoseconds of CPU time of all threads of the process, for a unit.
    Process,
    /// Nanoseconds of CPU time of all threads but the caller's, for a unit that reached the end of
    /// its way.
    Worker,
    /// Units that were made in a second of wall time.
    Made,
    /// Milliseconds from the start of a process to its end.
    Wall,
    /// Units in a second of wall time.
    PerSecond,
    /// Allocations for a unit, reallocations included, of all threads.
    Allocations,
    /// Bytes that are allocated for a unit.
    Bytes,
    /// Instructions of the calling thread for a unit, by callgrind.
    Instructions,
    /// The most memory that the process had, in bytes.
    Peak,
    /// The most memory that the process had over what it had when it was idle, in bytes.
    PeakOverIdle,
    /// Nanoseconds of wall time that 99.9 % of the calls of the caller do not exceed.
    LongCall,
    /// Units that a receiver acknowledged, or that reached the end of their way.
    Delivered,
    /// Units that were made and did not reach the end of their way.
    Lost,
    /// Readings of the running counts that did not add up.
    Miscounted,
    /// Lines at the levels `WARN` and `ERROR` in each batch delay.
    LogLines,
}

impl Metric {
    /// All, in the order of the columns.
    pub const ALL: [Self; 16] = [
        Self::Caller,
        Self::Process,
        Self::Worker,
        Self::Made,
        Self::Wall,
        Self::PerSecond,
        Self::Allocations,
        Self::Bytes,
        Self::Instructions,
        Self::Peak,
        Self::PeakOverIdle,
        Self::LongCall,
        Self::Delivered,
        Self::Lost,
        Self::Miscounted,
        Self::LogLines,
    ];

    /// The head of the column, where `unit` is what the row counts.
    #[must_use]
    pub fn head(self, unit: &str) -> String {
        match self {
            Self::Caller => format!("caller ns/{unit}"),
            Self::Process => format!("all ns/{unit}"),
            Self::Worker => format!("worker ns/{unit}"),
            Self::Made => "made/s".to_owned(),
            Self::Wall => "wall ms".to_owned(),
            Self::PerSecond => format!("{unit}s/s"),
            Self::Allocations => format!("allocs/{unit}"),
            Self::Bytes => format!("bytes/{unit}"),
            Self::Instructions => format!("instr/{unit}"),
            Self::Peak => "peak MB".to_owned(),
            Self::PeakOverIdle => "over idle MB".to_owned(),
            Self::LongCall => "p99.9 us".to_owned(),
            Self::Delivered => "delivered".to_owned(),
            Self::Lost => "lost".to_owned(),
            Self::Miscounted => "miscounted".to_owned(),
            Self::LogLines => "lines/delay".to_owned(),
        }
    }

    /// A cell of the column.
    #[must_use]
    pub fn cell(self, value: f64) -> String {
        match self {
            Self::Peak | Self::PeakOverIdle => format!("{:.1}", value / 1e6),
            Self::LongCall => format!("{:.1}", value / 1e3),
            // One in many is not none.
            Self::Allocations => format!("{value:.3}"),
            Self::Wall | Self::LogLines => format!("{value:.2}"),
            Self::Caller | Self::Process if value < 100.0 => format!("{value:.2}"),
            _ => format!("{value:.0}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Process => "process",
            Self::Worker => "worker",
            Self::Made => "made",
            Self::Wall => "wall",
            Self::PerSecond => "per-second",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
            Self::Instructions => "instructions",
            Self::Peak => "peak",
            Self::PeakOverIdle => "peak-over-idle",
            Self::LongCall => "long-call",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::Miscounted => "miscounted",
            Self::LogLines => "log-lines",
        }
    }
}

/// What was measured of one contender.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings(BTreeMap<Metric, f64>);

impl Readings {
    /// With one more metric.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: f64) -> Self {
        self.0.insert(metric, value);
        self
    }

    /// With all metrics of `other`, too.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What `metric` was, or not a number if it was not measured.
    #[must_use]
    pub fn value(&self, metric: Metric) -> f64 {
        self.0.get(&metric).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn has(&self, metric: Metric) -> bool {
        self.0.contains_key(&metric)
    }

    /// The median of each metric. What was lost or miscounted in any round is not hidden: the worst
    /// counts.
    pub(crate) fn medians(rounds: &[Self]) -> Self {
        let metrics = Metric::ALL.into_iter().filter_map(|metric| {
            let mut values: Vec<f64> = rounds
                .iter()
                .filter_map(|round| round.0.get(&metric).copied())
                .collect();
            values.sort_unstable_by(f64::total_cmp);
            let value = match metric {
                Metric::Lost | Metric::Miscounted => values.last().copied()?,
                _ => median(&values)?,
            };
            Some((metric, value))
        });
        Self(metrics.collect())
    }

    /// A line for each metric, for another process to read.
    pub(crate) fn to_lines(&self) -> String {
        let lines = self.0.iter();
        lines
            .map(|(metric, value)| format!("{} {value}\n", metric.name()))
            .collect()
    }

    /// Reads what [`to_lines`](Self::to_lines) wrote.
    pub(crate) fn from_lines(text: &str) -> Option<Self> {
        let metrics = text.lines().map(|line| {
            let (name, value) = line.split_once(' ')?;
            let metric = Metric::ALL.into_iter().find(|one| one.name() == name)?;
            Some((metric, value.parse().ok()?))
        });
        metrics.collect::<Option<_>>().map(Self)
    }
}

/// The middle of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let above = *sorted.get(middle)?;
    match sorted.get(middle.wrapping_sub(1)) {
        Some(below) if sorted.len() % 2 == 0 => Some(f64::midpoint(*below, above)),
        _ => Some(above),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(metric: Metric, values: &[f64]) -> Readings {
        let rounds: Vec<_> = values
            .iter()
            .map(|value| Readings::default().with(metric, *value))
            .collect();
        Readings::medians(&rounds)
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let median = |values: &[f64]| rounds(Metric::Caller, values).value(Metric::Caller);
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[9.0, 1.0, 2.0, 4.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_round_that_lost_most_counts() {
        let lost = rounds(Metric::Lost, &[0.0, 7.0, 0.0]);
        assert!((lost.value(Metric::Lost) - 7.0).abs() < f64::EPSILON);
    }

    #[test]
    fn another_process_reads_what_one_wrote() {
        let readings = Metric::ALL
            .into_iter()
            .zip(1_u8..)
            .fold(Readings::default(), |all, (metric, value)| {
                all.with(metric, f64::from(value) / 4.0)
            });
        assert_eq!(Readings::from_lines(&readings.to_lines()), Some(readings));
        assert_eq!(Readings::from_lines("speed 3\n"), None);
    }
}
