//! A flush or a shutdown that is no success, before somebody is told of it.

use std::fmt;
use std::io;
use std::time::Duration;

use super::TelemetryError;
use super::unsent::Unsent;

#[derive(Debug)]
pub(super) struct Failed {
    /// What was not sent when the deadline passed, if it did.
    pub(super) late: Option<(Duration, Unsent)>,
    /// What our destinations say. It holds names and numbers, and nothing that a log should not show.
    pub(super) ours: Vec<String>,
    /// What other processors of the provider say, in their own words.
    pub(super) others: Option<String>,
    /// There was no thread to wait for them.
    pub(super) no_thread: Option<io::Error>,
}

impl Failed {
    /// All of it. A thread that the system refused is told of if nothing else is.
    pub(super) fn into_error(self) -> TelemetryError {
        let mut failures = self.ours;
        failures.extend(self.others);
        if let Some((timeout, unsent)) = self.late {
            let shown = Some(unsent.to_string()).filter(|shown| !shown.is_empty());
            failures.splice(0..0, shown);
            let unsent = unsent.count();
            return TelemetryError::Deadline {
                timeout,
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

/// For the log: without the words of others, which may hold what no log should.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.ours.clone();
        if let Some((timeout, _)) = &self.late {
            said.insert(0, format!("the deadline of {timeout:?} passed"));
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
