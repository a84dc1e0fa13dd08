//! A fork in the middle of a round.

use std::process::exit;
use std::time::Duration;

use fork::{Fork, WEXITSTATUS, WIFEXITED, fork, waitpid};

use crate::Failure;
use crate::stage::Stage;

/// How many spans a child hands over.
pub(super) const SPANS: u64 = 5;
/// The counts of the child do not add up.
const WRONG: i32 = 100;

/// Forks. The child hands a few spans over, waits for them, shuts down and ends; these are the
/// numbers from `first` on. Gives how many of them it exported.
pub(super) fn live(stage: &Stage, first: u64) -> Result<u64, Failure> {
    let child = match fork()? {
        Fork::Parent(child) => child,
        Fork::Child => exit(hand_over(stage, first)),
    };
    let status = waitpid(child)?;
    match (WIFEXITED(status), WEXITSTATUS(status)) {
        (true, exported @ 0..WRONG) => Ok(u64::try_from(exported)?),
        (true, WRONG) => Err("the counts of a child do not add up".into()),
        (_, code) => Err(format!("a child ended with status {status}, code {code}").into()),
    }
}

fn hand_over(stage: &Stage, first: u64) -> i32 {
    for number in first..first + SPANS {
        let attributes = stage.oracle.attributes(stage.profile(), number as usize);
        drop(stage.start_span(attributes, Vec::new(), None));
    }
    stage.flush(Duration::from_secs(2));
    stage.shutdown(Duration::from_millis(500));
    let counts = stage.counts();
    match counts.accepted == SPANS && counts.queued == 0 && counts.add_up() {
        true => i32::try_from(counts.exported).unwrap_or(WRONG),
        false => WRONG,
    }
}
