//! The program: every row that was asked for, and a summary.

use std::io::Write;

use crate::children::{Children, Sink};
use crate::error::BenchError;
use crate::gauge::Clock;
use crate::options::{HELP, Options};
use crate::placement;
use crate::report::{Measured, write_head, write_row};
use crate::row::{Row, Unit};

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
        out.write_all(HELP.as_bytes())?;
        return Ok(());
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    // In this order: the sink would inherit the processor of this process.
    let sink = children.sink()?;
    let placed = placement::take_first();
    write_head(out, cores, placed)?;
    let mut summary = Vec::new();
    for name in &options.rows {
        let mut row = Row::set_up(name, &sink.url)?;
        let times = row.measure_time(options.rounds(row.rounds));
        let measured = Measured {
            times,
            allocations: children.allocations(name, &sink.url)?,
            instructions: instructions(&options, children, &row, &sink, out)?,
            peaks: peaks(children, &row, &sink)?,
        };
        summary.extend(write_row(out, &row, &measured)?);
        out.flush()?;
    }
    writeln!(out, "\nsummary")?;
    for line in summary {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// The peak of memory of each contender, in a process of its own.
fn peaks(
    children: &Children,
    row: &Row,
    sink: &Sink,
) -> Result<Option<Vec<Option<u64>>>, BenchError> {
    if row.unit != Unit::NanosPerByte {
        return Ok(None);
    }
    let names = row.contenders.iter().map(|contender| contender.name());
    let peaks = names.map(|contender| children.peak(row.name, contender, &sink.url));
    peaks.collect::<Result<_, _>>().map(Some)
}

fn instructions(
    options: &Options,
    children: &Children,
    row: &Row,
    sink: &Sink,
    out: &mut dyn Write,
) -> Result<Option<Vec<f64>>, BenchError> {
    if !options.instructions || row.clock != Clock::Thread {
        return Ok(None);
    }
    let mut counts = Vec::new();
    for contender in &row.contenders {
        match children.instructions(row, contender.name(), &sink.url)? {
            Some(count) => counts.push(count),
            None => {
                writeln!(out, "no instruction counts: valgrind is not installed")?;
                return Ok(None);
            }
        }
    }
    Ok(Some(counts))
}
