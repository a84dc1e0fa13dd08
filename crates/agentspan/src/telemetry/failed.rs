//! The failure of a flush or a shutdown, before it becomes an error or a log line.

use std::fmt;
use std::io;
use std::time::Duration;

use super::TelemetryError;
use super::error::late;
use super::unsent::Unsent;

#[derive(Debug)]
pub(super) struct Failed {
    /// The unsent spans, if the deadline passed.
    pub(super) late: Option<(Duration, Unsent)>,
    /// The call gave up before the deadline.
    pub(super) gave_up_early: bool,
    /// The messages of our destinations. They hold names and numbers only, so a log may show them.
    pub(super) ours: Vec<String>,
    /// The destinations that say so themselves.
    pub(super) told: Vec<String>,
    /// The messages of other processors of the provider.
    pub(super) others: Option<Box<str>>,
    /// The error of the system that refused a thread for the wait.
    pub(super) no_thread: Option<io::Error>,
}

impl Failed {
    /// The whole failure as an error. A refused thread is reported only if nothing else failed.
    pub(super) fn into_error(self) -> TelemetryError {
        let mut failures = self.ours;
        failures.extend(self.others.map(String::from));
        if let Some((timeout, unsent)) = self.late {
            let (count, rest) = (unsent.count(), unsent.without(&self.told));
            let shown = Some(rest.to_string()).filter(|shown| !shown.is_empty());
            failures.splice(0..0, shown);
            let unsent = count;
            return TelemetryError::Deadline {
                timeout,
                gave_up_early: self.gave_up_early,
                unsent,
                failures,
            };
        }
        match self.no_thread {
            Some(error) if failures.is_empty() => TelemetryError::Thread(error),
            _ => TelemetryError::Processor { failures },
        }
    }
}

/// The failure for the log, without messages of other processors, which may hold secrets.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.ours.clone();
        if let Some((timeout, _)) = &self.late {
            said.insert(0, late(*timeout, self.gave_up_early));
        }
        if self.others.is_some() {
            said.push("another span processor failed".to_owned());
        }
        if self.no_thread.is_some() {
            said.push("there was no thread to wait for other span processors".to_owned());
        }
        f.write_str(&said.join("; "))
    }
}
