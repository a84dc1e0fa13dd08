//! The other processes, seen from the one that prints the tables.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::metric::{Metric, Readings};
use crate::site::COLLECTED;

/// Where the programs are that this one starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Children {
    /// The one that ends in [`count_allocations`](crate::count_allocations).
    pub allocations: PathBuf,
    /// The one that ends in [`run_child`](crate::run_child).
    pub child: PathBuf,
    /// The one whose whole life is measured.
    pub start: PathBuf,
}

impl Children {
    /// Names the programs.
    #[must_use]
    pub fn new(
        allocations: impl Into<PathBuf>,
        child: impl Into<PathBuf>,
        start: impl Into<PathBuf>,
    ) -> Self {
        Self {
            allocations: allocations.into(),
            child: child.into(),
            start: start.into(),
        }
    }

    /// Starts the service that spans are sent to. It answers after `delay`.
    pub(crate) fn sink(&self, delay: Duration) -> Result<Sink, BenchError> {
        let failed = |source| BenchError::Child {
            what: "bench-child sink".to_owned(),
            source,
        };
        let mut child = Command::new(&self.child)
            .args(["sink", &delay.as_millis().to_string()])
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

    /// What one program of a row measures of itself, or of one contender that takes turns its peak of memory.
    pub(crate) fn measure(
        &self,
        row: &str,
        contender: &str,
        sink: &str,
    ) -> Result<Readings, BenchError> {
        readings(Command::new(&self.child).args(["measure", row, contender, sink]))
    }

    /// Allocations for a unit of one contender, and their bytes.
    pub(crate) fn allocations(
        &self,
        row: &str,
        contender: &str,
        sink: &str,
    ) -> Result<Readings, BenchError> {
        readings(Command::new(&self.allocations).args([row, contender, sink]))
    }

    /// The life of a process from its start to its end.
    pub(crate) fn start_and_end(&self, what: &str, sink: &str) -> Result<Readings, BenchError> {
        let mut command = Command::new(&self.start);
        let started = Instant::now();
        let output = run(command.args([what, sink]))?;
        let wall = started.elapsed();
        if !output.status.success() {
            return Err(BenchError::Output {
                what: format!("{command:?}"),
            });
        }
        Ok(Readings::default().with(Metric::Wall, wall.as_secs_f64() * 1e3))
    }

    /// Instructions of the calling thread for a unit of one contender, by callgrind.
    ///
    /// `None` when there is no valgrind.
    pub(crate) fn instructions(
        &self,
        row: &str,
        contender: &str,
        sink: &str,
    ) -> Result<Option<Readings>, BenchError> {
        let counts = std::env::temp_dir().join(format!("agentspan-bench-{}", std::process::id()));
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--toggle-collect=*{COLLECTED}*"))
            .arg(format!("--callgrind-out-file={}", counts.display()))
            .arg(&self.child)
            .args(["run", row, contender, sink]);
        let failed = || BenchError::Output {
            what: "valgrind".to_owned(),
        };
        let units: f64 = match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(BenchError::Child {
                    what: "valgrind".to_owned(),
                    source,
                });
            }
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                text.trim().parse().map_err(|_| failed())?
            }
        };
        let text = std::fs::read_to_string(&counts)?;
        std::fs::remove_file(&counts)?;
        let mut lines = text.lines();
        let total =
            lines.find_map(|line| line.strip_prefix("totals: ")?.trim().parse::<f64>().ok());
        let total = total.ok_or_else(failed)?;
        Ok(Some(
            Readings::default().with(Metric::Instructions, total / units),
        ))
    }
}

fn run(command: &mut Command) -> Result<Output, BenchError> {
    let output = command.stderr(Stdio::inherit()).output();
    output.map_err(|source| BenchError::Child {
        what: format!("{command:?}"),
        source,
    })
}

fn readings(command: &mut Command) -> Result<Readings, BenchError> {
    let output = run(command)?;
    let readings = Readings::from_lines(&String::from_utf8_lossy(&output.stdout));
    match readings {
        Some(readings) if output.status.success() => Ok(readings),
        _ => Err(BenchError::Output {
            what: format!("{command:?}"),
        }),
    }
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
