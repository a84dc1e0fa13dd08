//! Decides when to print a trace.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A trace that has ended is printed when it has not changed for this time.
const QUIET: Duration = Duration::from_millis(500);

/// One that runs, when it has not changed for this time.
const LONG_QUIET: Duration = Duration::from_secs(10);

/// Traces that have changed and are not printed yet.
#[derive(Debug, Default)]
pub(super) struct Settled(HashMap<String, (Instant, bool)>);

impl Settled {
    pub(super) fn changed(&mut self, id: String, is_running: bool) {
        self.0.insert(id, (Instant::now(), is_running));
    }

    /// The traces that have settled, those that changed first first.
    pub(super) fn take(&mut self) -> Vec<String> {
        let now = Instant::now();
        let is_settled = |(changed, is_running): &(Instant, bool)| {
            let quiet = if *is_running { LONG_QUIET } else { QUIET };
            now.duration_since(*changed) >= quiet
        };
        let settled = self.0.iter().filter(|(_, state)| is_settled(state));
        let mut settled: Vec<(Instant, String)> =
            settled.map(|(id, state)| (state.0, id.clone())).collect();
        settled.sort();
        for (_, id) in &settled {
            self.0.remove(id);
        }
        settled.into_iter().map(|(_, id)| id).collect()
    }
}
