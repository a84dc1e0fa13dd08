//! What is compared: rows of contenders that do the same work.

use std::fmt;

use crate::agentspec_row;
use crate::encode_row;
use crate::error::BenchError;
use crate::export_row;
use crate::gauge::Clock;
use crate::reading_row;
use crate::scope_row;

/// One way of doing the work of a row.
pub trait Contender {
    /// What the table calls it. Unique in its row.
    fn name(&self) -> &'static str;

    /// Makes what the next run uses up. This is not measured.
    fn prepare(&mut self) {}

    /// Does the work once.
    fn run(&mut self);
}

/// Contenders that do the same work, and what should come out.
#[non_exhaustive]
pub struct Row {
    /// What the row is called on the command line.
    pub name: &'static str,
    /// What the row is about.
    pub title: &'static str,
    /// How many spans one run handles.
    pub spans: usize,
    /// How many runs are measured together.
    pub runs: usize,
    /// How many times every contender has its turn.
    pub rounds: usize,
    /// In what the table shows time.
    pub unit: Unit,
    /// The contenders, ours first.
    pub contenders: Vec<Box<dyn Contender>>,
    /// What should come out.
    pub goals: Vec<Goal>,
    pub(crate) clock: Clock,
}

/// A unit of time in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Nanoseconds of CPU time for a span.
    NanosPerSpan,
    /// Nanoseconds of CPU time for an event; events are counted where other rows count spans.
    NanosPerEvent,
    /// Seconds of CPU time for a million spans.
    SecondsPerMillionSpans,
    /// Nanoseconds of CPU time for a byte; bytes are counted where other rows count spans. The peak of
    /// memory is measured too.
    NanosPerByte,
}

/// What should come out of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Goal {
    /// The contender of ours.
    pub ours: &'static str,
    /// What of it is looked at.
    pub per: Per,
    /// The greatest number that meets the goal.
    pub at_most: f64,
}

/// What a [`Goal`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Per {
    /// Time as a part of this contender's time.
    TimeOf(&'static str),
    /// Time as a part of the first contender's time without the second's, which is what the API
    /// of the first makes it do besides.
    TimeOfWithout(&'static str, &'static str),
    /// Allocations per span, or per event where those are counted.
    AllocationsPerSpan,
    /// Bytes that are allocated per span, or per event where those are counted.
    BytesPerSpan,
}

impl Row {
    /// The names of all rows.
    pub const NAMES: [&'static str; 14] = [
        "encode",
        "scope",
        "scope-off",
        "export-1",
        "export-10",
        "export-100",
        "agentspec",
        "agentspec-off",
        "agentspec-depth",
        "agentspec-long",
        "bridge",
        "read-json",
        "read-yaml",
        "read-recording",
    ];

    /// Sets up the contenders of the row called `name`.
    ///
    /// `sink` is the URL of the service that spans are sent to.
    ///
    /// # Errors
    ///
    /// [`BenchError::Usage`] when there is no such row, [`BenchError::SetUp`] when a contender does
    /// not start.
    pub fn set_up(name: &str, sink: &str) -> Result<Self, BenchError> {
        match name {
            "encode" => Ok(encode_row::row()),
            "scope" => scope_row::recording(),
            "scope-off" => scope_row::switched_off(),
            "export-1" => export_row::row("export-1", 1, sink),
            "export-10" => export_row::row("export-10", 10, sink),
            "export-100" => export_row::row("export-100", 100, sink),
            "agentspec" => agentspec_row::observed(),
            "agentspec-off" => agentspec_row::unobserved(),
            "agentspec-depth" => agentspec_row::depth(),
            "agentspec-long" => agentspec_row::long_span(),
            "bridge" => agentspec_row::bridged(),
            "read-json" => Ok(reading_row::json()),
            "read-yaml" => Ok(reading_row::yaml()),
            "read-recording" => Ok(reading_row::recording()),
            _ => Err(BenchError::Usage {
                given: name.to_owned(),
            }),
        }
    }

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
    /// another order, and gives for each contender the median of what was counted per span.
    pub fn measure(&mut self, rounds: usize, runs: usize, gauge: Gauge<'_>) -> Vec<f64> {
        let count = self.contenders.len();
        let mut counted = vec![Vec::with_capacity(rounds); count];
        // The first round only warms up.
        for round in 0..=rounds {
            for turn in 0..count {
                let number = (round + turn) % count;
                let (Some(contender), Some(counted)) =
                    (self.contenders.get_mut(number), counted.get_mut(number))
                else {
                    continue;
                };
                let sum = take_turn(contender.as_mut(), runs, gauge);
                if round > 0 {
                    counted.push(sum);
                }
            }
        }
        let spans = (runs * self.spans) as f64;
        counted
            .into_iter()
            .map(|counted| median(counted) / spans)
            .collect()
    }

    /// As [`measure`](Self::measure), of CPU time in nanoseconds.
    pub fn measure_time(&mut self, rounds: usize) -> Vec<f64> {
        let clock = self.clock;
        let gauge = Gauge {
            all: &move || clock.read(),
            preparing: &|| Clock::Thread.read(),
        };
        self.measure(rounds, self.runs, gauge)
    }
}

/// What is counted while contenders run.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "callers make it")]
pub struct Gauge<'a> {
    /// The count so far.
    pub all: &'a dyn Fn() -> u64,
    /// The count so far of what the thread that prepares does.
    pub preparing: &'a dyn Fn() -> u64,
}

impl fmt::Debug for Gauge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge").finish_non_exhaustive()
    }
}

/// Counts some runs of one contender, without their preparations.
///
/// Every run is followed by a preparation, also the last one, so that another thread which still
/// tidies up after a run is counted too.
fn take_turn(contender: &mut dyn Contender, runs: usize, gauge: Gauge<'_>) -> u64 {
    contender.prepare();
    let mut preparing = 0;
    let before = (gauge.all)();
    for _ in 0..runs {
        contender.run();
        let before = (gauge.preparing)();
        contender.prepare();
        preparing += (gauge.preparing)().saturating_sub(before);
    }
    (gauge.all)()
        .saturating_sub(before)
        .saturating_sub(preparing)
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn median(mut counted: Vec<u64>) -> f64 {
    counted.sort_unstable();
    let middle = counted.len() / 2;
    match (counted.get(middle.wrapping_sub(1)), counted.get(middle)) {
        (Some(below), Some(above)) if counted.len() % 2 == 0 => (below + above) as f64 / 2.0,
        (_, Some(middle)) => *middle as f64,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        assert!((median(vec![9, 1, 2]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![9, 1, 2, 4]) - 3.0).abs() < f64::EPSILON);
        assert!(median(vec![]).is_nan());
    }
}
