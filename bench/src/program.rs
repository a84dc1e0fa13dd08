//! The program: every row that was asked for, and a summary.

use std::io::Write;
use std::time::Duration;

use crate::children::Children;
use crate::error::BenchError;
use crate::gauge::Clock;
use crate::metric::{Metric, Readings};
use crate::options::{Options, help};
use crate::placement::{Place, Processors};
use crate::report::{Line, write_head, write_row, write_summary};
use crate::row::{Row, Work};
use crate::rows;

/// How long the slow service takes for an answer.
const SLOW: Duration = Duration::from_millis(20);

/// Runs the benchmarks that `arguments` ask for and writes tables to `out`.
///
/// # Errors
///
/// [`BenchError`] says why they cannot run. That a goal is not met is no error.
pub fn run(
    arguments: &[String],
    children: &Children,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let options = Options::parse(arguments)?;
    if options.help {
        out.write_all(help().as_bytes())?;
        return Ok(());
    }
    let processors = Processors::allowed();
    write_head(out, processors.count(), processors.take(Place::One))?;
    let mut summary: Vec<Line> = Vec::new();
    for name in &options.rows {
        // In this order: the sink would inherit the processor of this process.
        processors.take(Place::All);
        let delay = if rows::is_slow(name) {
            SLOW
        } else {
            Duration::ZERO
        };
        let sink = children.sink(delay)?;
        let place = rows::place(name);
        processors.take(place);
        let mut row = rows::set_up(name, &sink.url)?;
        let measuring = Measuring {
            options: &options,
            children,
            sink: &sink.url,
        };
        let measured = measuring.measure(&mut row)?;
        summary.extend(write_row(out, &row, &measured)?);
        out.flush()?;
    }
    write_summary(out, &summary)
}

/// How one row is measured.
struct Measuring<'a> {
    options: &'a Options,
    children: &'a Children,
    sink: &'a str,
}

impl Measuring<'_> {
    fn measure(&self, row: &mut Row) -> Result<Vec<Readings>, BenchError> {
        let rounds = self.options.rounds(row.rounds);
        let mut measured = match &mut row.work {
            Work::Turns(turns) => turns.measure_time(rounds),
            Work::Programs(_) => in_rounds(row, rounds, |name| {
                self.children.measure(row.name, name, self.sink)
            })?,
            Work::Starts(_) => in_rounds(row, rounds, |name| {
                self.children.start_and_end(name, self.sink)
            })?,
        };
        for (name, readings) in row.names().into_iter().zip(&mut measured) {
            if Self::counts_allocations(row, name) {
                readings.extend(self.children.allocations(row.name, name, self.sink)?);
            }
            if matches!(&row.work, Work::Turns(turns) if turns.peaks) {
                readings.extend(self.children.measure(row.name, name, self.sink)?);
            }
            if self.counts_instructions(row, name) {
                let counted = self.children.instructions(row.name, name, self.sink)?;
                readings.extend(counted.unwrap_or_default());
            }
        }
        Ok(measured)
    }

    fn counts_allocations(row: &Row, name: &str) -> bool {
        match row.work {
            Work::Turns(_) => true,
            Work::Programs(_) => row.wants(Metric::Allocations) && row.has_goal_about(name),
            Work::Starts(_) => false,
        }
    }

    fn counts_instructions(&self, row: &Row, name: &str) -> bool {
        let stays = match &row.work {
            Work::Turns(turns) => turns.clock == Clock::Thread && !turns.peaks,
            Work::Programs(_) | Work::Starts(_) => false,
        };
        row.wants(Metric::Instructions) && row.has_goal_about(name)
            || self.options.instructions && stays
    }
}

/// Measures every contender in each round, each round in another order.
fn in_rounds(
    row: &Row,
    rounds: usize,
    measure: impl Fn(&str) -> Result<Readings, BenchError>,
) -> Result<Vec<Readings>, BenchError> {
    let names = row.names();
    let mut measured = vec![Vec::with_capacity(rounds); names.len()];
    for round in 0..rounds {
        for turn in 0..names.len() {
            let number = (round + turn) % names.len();
            if let (Some(name), Some(measured)) = (names.get(number), measured.get_mut(number)) {
                measured.push(measure(name)?);
            }
        }
    }
    Ok(measured
        .iter()
        .map(|rounds| Readings::medians(rounds))
        .collect())
}
