//! What the other processes do.

use std::io::{self, Read, Write};
use std::time::Duration;

use agentspan_testkit::{Answer, Recording, Service};

use crate::error::BenchError;
use crate::metric::{Metric, Readings};
use crate::peak;
use crate::placement::{Place, Placement, Processors};
use crate::row::{Row, Work};
use crate::rows;
use crate::site::{Site, agentspan_bench_collected, warm_up};
use crate::turns::Gauge;

/// What the program that counts allocations does: prints those for a unit of one contender, and
/// their bytes.
///
/// `arguments` are the names of row and contender and the URL of the sink; `count` gives the number
/// of allocations so far, `bytes` their size.
///
/// # Errors
///
/// [`BenchError`] says why the row cannot run.
pub fn count_allocations(
    arguments: &[String],
    count: &dyn Fn() -> u64,
    bytes: &dyn Fn() -> u64,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let [row, contender, sink] = arguments else {
        return Err(usage(arguments));
    };
    let mut row = rows::set_up(row, sink)?;
    let readings = match &mut row.work {
        Work::Turns(turns) => {
            turns.contenders.retain(|one| one.name() == contender);
            let gauge = |metric, count| Gauge {
                metric,
                all: count,
                preparing: count,
            };
            let gauges = [
                gauge(Metric::Allocations, count),
                gauge(Metric::Bytes, bytes),
            ];
            // Several rounds before, until buffers have the size that they keep.
            let rounds = if turns.peaks {
                1
            } else {
                turns.measure(3, 1, &gauges);
                5
            };
            turns.measure(rounds, 1, &gauges).pop().unwrap_or_default()
        }
        Work::Programs(_) => measure_program(
            &row,
            contender,
            &Site {
                sink,
                turns: None,
                allocations: Some([count, bytes]),
            },
        )?,
        Work::Starts(_) => Readings::default(),
    };
    out.write_all(readings.to_lines().as_bytes())?;
    Ok(())
}

/// How often a contender runs for a profiler, unless it is told otherwise.
const RUNS: u64 = 10;

/// What the other program does: `sink MILLISECONDS`, `measure ROW CONTENDER SINK`, or
/// `run ROW CONTENDER [SINK [RUNS]]` for a profiler.
///
/// # Errors
///
/// [`BenchError`] says why it cannot.
pub fn run_child(arguments: &[String], out: &mut dyn Write) -> Result<(), BenchError> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sink", delay] => serve(Duration::from_millis(number(delay)?), out),
        ["measure", row, contender, sink] => measure(row, contender, sink, out),
        ["run", row, contender, sink] => run_one(row, contender, sink, RUNS, out),
        // Longer, for a profiler that takes samples.
        ["run", row, contender, sink, runs] => run_one(row, contender, sink, number(runs)?, out),
        // By hand, without a service.
        ["run", row, contender] => {
            let service = service(Duration::ZERO)?;
            run_one(row, contender, &service.url(), RUNS, out)
        }
        _ => Err(usage(arguments)),
    }
}

fn service(delay: Duration) -> Result<Service, BenchError> {
    let answer = Answer::status(200);
    let answer = match delay {
        Duration::ZERO => answer,
        delay => answer.delay(delay),
    };
    Service::builder()
        .script([answer])
        .recording(Recording::CountsOnly)
        .start()
        .map_err(|error| BenchError::set_up("the service")(error.into()))
}

/// Serves until the input ends.
fn serve(delay: Duration, out: &mut dyn Write) -> Result<(), BenchError> {
    // Without a processor of its own the service is slower, and nothing else.
    let _: Placement = Processors::allowed().take(Place::Last);
    let service = service(delay)?;
    writeln!(out, "{}", service.url())?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Prints what a program measures of itself, or how much memory a contender needs that takes turns.
fn measure(row: &str, contender: &str, sink: &str, out: &mut dyn Write) -> Result<(), BenchError> {
    let mut row = rows::set_up(row, sink)?;
    let readings = match &mut row.work {
        Work::Turns(turns) => {
            let found = turns.contender(contender)?;
            found.prepare();
            let before = peak::start();
            found.run();
            let over = before.zip(peak::most());
            over.map_or_else(Readings::default, |(before, most)| {
                Readings::default().with(Metric::Peak, most.saturating_sub(before) as f64)
            })
        }
        Work::Programs(_) => measure_program(
            &row,
            contender,
            &Site {
                sink,
                turns: None,
                allocations: None,
            },
        )?,
        Work::Starts(_) => Readings::default(),
    };
    out.write_all(readings.to_lines().as_bytes())?;
    Ok(())
}

fn measure_program(row: &Row, name: &str, site: &Site<'_>) -> Result<Readings, BenchError> {
    if let Work::Programs(programs) = &row.work
        && let Some(program) = programs.iter().find(|one| one.name == name)
    {
        return (program.run)(site);
    }
    Err(BenchError::Usage {
        given: name.to_owned(),
    })
}

/// Runs one contender, measures nothing, and prints how many units it handled.
fn run_one(
    row: &str,
    name: &str,
    sink: &str,
    runs: u64,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    /// Of a program that makes turns, in one run.
    const TURNS: u64 = 100;
    let turns_made = runs * TURNS;
    let mut row = rows::set_up(row, sink)?;
    let units = match &mut row.work {
        Work::Turns(turns) => {
            let units = turns.units;
            let found = turns.contender(name)?;
            for _ in 0..runs {
                found.prepare();
                agentspan_bench_collected(&mut || found.run());
            }
            runs as usize * found.units().unwrap_or(units)
        }
        _ => {
            let site = Site {
                sink,
                turns: Some(turns_made),
                allocations: None,
            };
            measure_program(&row, name, &site)?;
            (turns_made + warm_up(turns_made)) as usize * agentspan_testkit::turn::SPANS
        }
    };
    writeln!(out, "{units}")?;
    Ok(())
}

fn number(text: &str) -> Result<u64, BenchError> {
    text.parse().map_err(|_| BenchError::Usage {
        given: text.to_owned(),
    })
}

fn usage(arguments: &[String]) -> BenchError {
    BenchError::Usage {
        given: arguments.join(" "),
    }
}
