//! A fork in the middle of a round.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use fork::{Fork, ProcessId, Signal, fork, signal_process, waitpid};

use crate::Failure;
use crate::stage::Stage;

/// How many spans a child hands over.
pub(super) const SPANS: u64 = 5;

/// How long a child may take for a thread that does nothing.
const FIRST_THREAD: Duration = Duration::from_secs(10);
/// And then for its spans, which it gives up long before.
const SPANS_AFTER: Duration = Duration::from_secs(60);
/// More children than this do not hang in `std` one after the other.
const TRIES: u64 = 5;

/// A child can start threads.
const READY: u8 = 101;
/// The counts of a child do not add up.
const WRONG: u8 = 100;

/// What became of a fork.
#[derive(Debug, Default)]
pub(super) struct Child {
    /// The spans that the child exported.
    pub(super) exported: u64,
    /// Children before it that could not start a thread.
    pub(super) stuck: u64,
}

/// Forks. The child hands a few spans over, waits for them and shuts down; these are the numbers
/// from `first` on.
///
/// `std` holds a lock while a thread starts or ends. In a child that is forked at that moment nobody
/// ever releases it, so that no thread can start there, whoever asks for it. Such a child says nothing
/// and is no child for us: we fork again.
pub(super) fn live(stage: &Stage, first: u64) -> Result<Child, Failure> {
    for stuck in 0..TRIES {
        let (mut child, parent) = UnixStream::pair()?;
        let process = match fork()? {
            Fork::Parent(process) => process,
            Fork::Child => be_a_child(stage, first, parent),
        };
        let said = hear(&mut child);
        // A child does not exit by itself: that also takes locks.
        let id = ProcessId::new(process).ok_or("a child without a number")?;
        signal_process(id, Signal::KILL)?;
        waitpid(process)?;
        match said? {
            Some(exported @ 0..WRONG) => {
                let exported = u64::from(exported);
                return Ok(Child { exported, stuck });
            }
            Some(_) => return Err("the counts of a child do not add up".into()),
            None => {}
        }
    }
    Err("no child can start a thread".into())
}

/// What a child says in the end; nothing if it cannot start a thread.
fn hear(child: &mut UnixStream) -> Result<Option<u8>, Failure> {
    let mut said = [0];
    child.set_read_timeout(Some(FIRST_THREAD))?;
    if child.read_exact(&mut said).is_err() || said != [READY] {
        return Ok(None);
    }
    child.set_read_timeout(Some(SPANS_AFTER))?;
    child
        .read_exact(&mut said)
        .map_err(|error| format!("a child hangs: {error}"))?;
    Ok(Some(said[0]))
}

fn be_a_child(stage: &Stage, first: u64, mut parent: UnixStream) -> ! {
    let is_heard = thread::spawn(|| ()).join().is_ok() && parent.write_all(&[READY]).is_ok();
    if is_heard {
        // The parent notices if it is not told.
        let _ = parent.write_all(&[hand_over(stage, first)]);
    }
    loop {
        thread::park();
    }
}

fn hand_over(stage: &Stage, first: u64) -> u8 {
    for number in first..first + SPANS {
        let attributes = stage.oracle.attributes(stage.profile(), number as usize);
        drop(stage.start_span(attributes, Vec::new(), None));
    }
    stage.flush(Duration::from_secs(2));
    stage.shutdown(Duration::from_millis(500));
    let counts = stage.counts();
    match counts.accepted == SPANS && counts.queued == 0 && counts.add_up() {
        true => u8::try_from(counts.exported).unwrap_or(WRONG),
        false => WRONG,
    }
}
