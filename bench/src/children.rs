//! The other processes: the service that spans are sent to, and the one that counts allocations.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use agentspan_testkit::{Recording, Service};

use crate::error::BenchError;
use crate::peak;
use crate::placement::{self, Placement};
use crate::row::{Gauge, Row, Unit};

/// Where the programs are that this one starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Children {
    /// The one that ends in [`count_allocations`].
    pub allocations: PathBuf,
    /// The one that ends in [`run_child`].
    pub child: PathBuf,
}

impl Children {
    /// Names both programs.
    #[must_use]
    pub fn new(allocations: impl Into<PathBuf>, child: impl Into<PathBuf>) -> Self {
        Self {
            allocations: allocations.into(),
            child: child.into(),
        }
    }

    /// Starts the service that spans are sent to.
    pub(crate) fn sink(&self) -> Result<Sink, BenchError> {
        let failed = |source| BenchError::Child {
            what: "bench-child sink".to_owned(),
            source,
        };
        let mut child = Command::new(&self.child)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).map_err(failed)?;
        }
        Ok(Sink {
            child,
            url: url.trim().to_owned(),
        })
    }

    /// Allocations per span of each contender of `row`, and their bytes.
    pub(crate) fn allocations(
        &self,
        row: &str,
        sink: &str,
    ) -> Result<BTreeMap<String, Allocated>, BenchError> {
        let what = || format!("bench-allocations {row}");
        let output = Command::new(&self.allocations)
            .args([row, sink])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| BenchError::Child {
                what: what(),
                source,
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let counted: Option<BTreeMap<_, _>> = text
            .lines()
            .map(|line| {
                let (count, rest) = line.split_once(' ')?;
                let (bytes, name) = rest.split_once(' ')?;
                let allocated = Allocated {
                    count: count.parse().ok()?,
                    bytes: bytes.parse().ok()?,
                };
                Some((name.to_owned(), allocated))
            })
            .collect();
        match counted {
            Some(counted) if output.status.success() => Ok(counted),
            _ => Err(BenchError::Output { what: what() }),
        }
    }

    /// How many bytes more than before the process of one contender of `row` needs at most.
    ///
    /// `None` where the system does not tell.
    pub(crate) fn peak(
        &self,
        row: &str,
        contender: &str,
        sink: &str,
    ) -> Result<Option<u64>, BenchError> {
        let what = || format!("bench-child peak {row}");
        let output = Command::new(&self.child)
            .args(["peak", row, contender, sink])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| BenchError::Child {
                what: what(),
                source,
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim() {
            "" if output.status.success() => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| BenchError::Output { what: what() }),
        }
    }

    /// Instructions per span of one contender of `row`, by callgrind, without those of its set-up.
    ///
    /// `None` when there is no valgrind.
    pub(crate) fn instructions(
        &self,
        row: &Row,
        contender: &str,
        sink: &str,
    ) -> Result<Option<f64>, BenchError> {
        const RUNS: [u32; 2] = [2, 12];
        let mut collected = [0.0; 2];
        for (collected, runs) in collected.iter_mut().zip(RUNS) {
            match self.collect(row, contender, runs, sink)? {
                Some(count) => *collected = count,
                None => return Ok(None),
            }
        }
        let [few, many] = collected;
        let runs = f64::from(RUNS[1] - RUNS[0]);
        Ok(Some((many - few) / runs / row.spans as f64))
    }

    fn collect(
        &self,
        row: &Row,
        contender: &str,
        runs: u32,
        sink: &str,
    ) -> Result<Option<f64>, BenchError> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&self.child)
            .args(["run", row.name, contender, &runs.to_string(), sink])
            .output();
        let output = match output {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(BenchError::Child {
                    what: "valgrind".to_owned(),
                    source,
                });
            }
            Ok(output) => output,
        };
        let text = String::from_utf8_lossy(&output.stderr);
        let count = text
            .lines()
            .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
        count.map(Some).ok_or(BenchError::Output {
            what: "valgrind".to_owned(),
        })
    }
}

/// What was allocated per span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Allocated {
    pub(crate) count: f64,
    pub(crate) bytes: f64,
}

/// The service that spans are sent to, stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The end of its input tells the service to stop. Nothing is left to be done about a
        // service that is gone already.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// What the program that counts allocations does: prints those per span of each contender of a row,
/// and their bytes.
///
/// `arguments` are the row's name and the URL of the sink; `count` gives the number of
/// allocations so far, `bytes` their size.
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
    let [row, sink] = arguments else {
        return Err(usage(arguments));
    };
    let mut row = Row::set_up(row, sink)?;
    // Several rounds before, until buffers have the size that they keep.
    let [count, bytes] = [count, bytes].map(|gauge| Gauge {
        all: gauge,
        preparing: gauge,
    });
    // What reads text has none, and takes long.
    let rounds = if row.unit == Unit::NanosPerByte {
        1
    } else {
        row.measure(3, 1, count);
        5
    };
    let counts = row.measure(rounds, 1, count);
    let bytes = row.measure(rounds, 1, bytes);
    for (contender, (count, bytes)) in row.contenders.iter().zip(counts.iter().zip(bytes)) {
        writeln!(out, "{count} {bytes} {}", contender.name())?;
    }
    Ok(())
}

/// What the other program does: `sink`, `peak ROW CONTENDER SINK`, or `run ROW CONTENDER RUNS SINK`
/// for a profiler.
///
/// # Errors
///
/// [`BenchError`] says why it cannot.
pub fn run_child(arguments: &[String], out: &mut dyn Write) -> Result<(), BenchError> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["sink"] => serve(out),
        ["peak", row, contender, sink] => peak_of_one(row, contender, sink, out),
        ["run", row, contender, runs, sink] => run_one(row, contender, runs, sink),
        // A profiler looks at one contender, and starts the service itself when there is one to be had.
        ["run", row, contender, runs] => {
            let service = Service::builder()
                .recording(Recording::CountsOnly)
                .start()
                .map_err(|error| BenchError::set_up("the service")(error.into()))?;
            run_one(row, contender, runs, &service.url())
        }
        _ => Err(BenchError::Usage {
            given: arguments.join(" "),
        }),
    }
}

/// Serves until the input ends.
fn serve(out: &mut dyn Write) -> Result<(), BenchError> {
    // Without a processor of its own the service is slower, and nothing else.
    let _: Placement = placement::take_last();
    let service = Service::builder()
        .recording(Recording::CountsOnly)
        .start()
        .map_err(|error| BenchError::set_up("the service")(error.into()))?;
    writeln!(out, "{}", service.url())?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn run_one(row: &str, contender: &str, runs: &str, sink: &str) -> Result<(), BenchError> {
    let runs: usize = runs.parse().map_err(|_| BenchError::Usage {
        given: runs.to_owned(),
    })?;
    let mut row = Row::set_up(row, sink)?;
    let found = row.contender(contender)?;
    for _ in 0..runs {
        found.prepare();
        found.run();
    }
    Ok(())
}

/// Prints how many bytes a run needs at most, or nothing where the system does not tell.
fn peak_of_one(
    row: &str,
    contender: &str,
    sink: &str,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let mut row = Row::set_up(row, sink)?;
    let found = row.contender(contender)?;
    found.prepare();
    let before = peak::start();
    found.run();
    if let (Some(before), Some(most)) = (before, peak::most()) {
        writeln!(out, "{}", most.saturating_sub(before))?;
    }
    Ok(())
}

fn usage(arguments: &[String]) -> BenchError {
    BenchError::Usage {
        given: arguments.join(" "),
    }
}
