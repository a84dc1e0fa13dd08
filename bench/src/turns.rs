//! Contenders that take turns in one process.

use std::fmt;
use std::time::Instant;

use crate::error::BenchError;
use crate::gauge::Clock;
use crate::metric::{Metric, Readings};
use crate::row::{Contender, Turns};

/// What is counted while contenders run.
#[derive(Clone, Copy)]
pub(crate) struct Gauge<'a> {
    /// What it counts.
    pub(crate) metric: Metric,
    /// The count so far.
    pub(crate) all: &'a dyn Fn() -> u64,
    /// The count so far of what the thread that prepares does.
    pub(crate) preparing: &'a dyn Fn() -> u64,
}

impl fmt::Debug for Gauge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("metric", &self.metric)
            .finish_non_exhaustive()
    }
}

impl Turns {
    /// The contender called `name`.
    pub(crate) fn contender(&mut self, name: &str) -> Result<&mut dyn Contender, BenchError> {
        let found = self.contenders.iter_mut().find(|one| one.name() == name);
        match found {
            Some(found) => Ok(found.as_mut()),
            None => Err(BenchError::Usage {
                given: name.to_owned(),
            }),
        }
    }

    /// Lets every contender do the work `runs` times in each of `rounds` rounds, each round in
    /// another order, and gives for each contender the median of what was counted for a unit.
    pub(crate) fn measure(
        &mut self,
        rounds: usize,
        runs: usize,
        gauges: &[Gauge<'_>],
    ) -> Vec<Readings> {
        let count = self.contenders.len();
        let mut measured = vec![Vec::with_capacity(rounds); count];
        // The first round only warms up. What takes long needs none.
        let first = usize::from(self.peaks);
        for round in first..=rounds {
            for turn in 0..count {
                let number = (round + turn) % count;
                let (Some(contender), Some(measured)) =
                    (self.contenders.get_mut(number), measured.get_mut(number))
                else {
                    continue;
                };
                let units = (runs * contender.units().unwrap_or(self.units)) as f64;
                let readings = take_turn(contender.as_mut(), runs, units, gauges);
                if round > 0 {
                    measured.push(readings);
                }
            }
        }
        let rounds = measured.iter();
        rounds.map(|rounds| Readings::medians(rounds)).collect()
    }

    /// As [`measure`](Self::measure), of CPU time, and of wall time where other threads work, too.
    pub(crate) fn measure_time(&mut self, rounds: usize) -> Vec<Readings> {
        let clock = self.clock;
        let epoch = Instant::now();
        let wall = move || u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let cpu = Gauge {
            metric: clock.metric(),
            all: &move || clock.read(),
            preparing: &|| Clock::Thread.read(),
        };
        // Nanoseconds for a unit first, and units for a second in the end.
        let pace = Gauge {
            metric: Metric::PerSecond,
            all: &wall,
            preparing: &wall,
        };
        match clock {
            Clock::Thread => self.measure(rounds, self.runs, &[cpu]),
            Clock::Process => {
                let measured = self.measure(rounds, self.runs, &[cpu, pace]);
                let measured = measured.into_iter().map(|readings| {
                    let nanos = readings.value(Metric::PerSecond);
                    readings.with(Metric::PerSecond, 1e9 / nanos)
                });
                measured.collect()
            }
        }
    }
}

/// Counts some runs of one contender, without their preparations.
///
/// Every run is followed by a preparation, also the last one, so that another thread which still
/// tidies up after a run is counted too.
fn take_turn(
    contender: &mut dyn Contender,
    runs: usize,
    units: f64,
    gauges: &[Gauge<'_>],
) -> Readings {
    // Reading allocates nothing, so that what counts allocations does not count it.
    let mut counts = vec![Count::default(); gauges.len()];
    contender.prepare();
    for (count, gauge) in counts.iter_mut().zip(gauges) {
        count.before = (gauge.all)();
    }
    for _ in 0..runs {
        contender.run();
        for (count, gauge) in counts.iter_mut().zip(gauges) {
            count.mark = (gauge.preparing)();
        }
        contender.prepare();
        for (count, gauge) in counts.iter_mut().zip(gauges) {
            count.preparing += (gauge.preparing)().saturating_sub(count.mark);
        }
    }
    for (count, gauge) in counts.iter_mut().zip(gauges) {
        count.after = (gauge.all)();
    }
    let counted = gauges.iter().zip(&counts);
    counted.fold(Readings::default(), |readings, (gauge, count)| {
        let all = count.after.saturating_sub(count.before);
        let run = all.saturating_sub(count.preparing);
        readings.with(gauge.metric, run as f64 / units)
    })
}

/// What one gauge showed in a turn.
#[derive(Clone, Copy, Default)]
struct Count {
    before: u64,
    /// When the latest preparation began.
    mark: u64,
    /// What all preparations added.
    preparing: u64,
    after: u64,
}
