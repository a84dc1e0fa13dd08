//! What the program's threads and the queue's own share.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agentspan_record::FinishedSpan;
use opentelemetry_sdk::Resource;

use super::receipt::Receipt;
use super::stats::{ExportLoss, ExportStats};

/// How much may wait or be in flight, and how much is exported at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) spans: usize,
    pub(super) bytes: usize,
    pub(super) batch: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            spans: 8192,
            bytes: 64 << 20,
            batch: 512,
        }
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    /// There is something to do for the thread.
    work: Condvar,
    /// The thread has done something.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<FinishedSpan>,
    stats: ExportStats,
    resource: Option<Resource>,
    /// How many spans were ever queued, and how many of them were exported or dropped since.
    queued_ever: u64,
    finished_ever: u64,
    /// Everything that was queued up to this one is to be exported without delay.
    flush_wanted: u64,
    flush_calls: u64,
    flush_calls_done: u64,
    /// Whether the exporter failed over the last flush, and over its end, of which nobody was told yet.
    flush_failed: bool,
    end_failed: bool,
    /// What the receiver said last.
    receiver_message: Option<String>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Takes nothing more.
    Closing,
    /// The thread is done.
    Ended,
    /// The deadline passed: what the thread still does counts for nothing.
    Abandoned,
    /// There is no thread, and none to come, in this child of a fork.
    Forked,
}

/// What came of a wait for the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// The exporter failed.
    Failed,
    /// The deadline passed first.
    Late,
}

/// Why a span was not queued, and whether it is the first one for this reason: told under the lock, since two
/// threads that counted one each would both see two.
pub(super) struct Refused {
    pub(super) loss: ExportLoss,
    pub(super) is_first: bool,
}

/// What the thread is to do next.
pub(super) enum Work {
    Resource(Resource),
    Batch(Vec<FinishedSpan>),
    /// Flush the exporter; the number says how many calls to flush this answers.
    Flush(u64),
    End,
}

impl Shared {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics while it holds the lock, and each change is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> ExportStats {
        self.state().stats
    }

    /// Says that there will be no thread, and drops what waits for it.
    pub(super) fn give_up_in_child(&self) {
        let mut state = self.state();
        state.phase = Phase::Forked;
        let waiting = state.drop_queued(ExportLoss::Forked);
        drop(state);
        self.done.notify_all();
        drop(waiting);
    }

    /// Says that the queue is shut down, and never had a thread.
    pub(super) fn end_in_child(&self) {
        let mut state = self.state();
        state.phase = Phase::Ended;
        let waiting = state.drop_queued(ExportLoss::AfterShutdown);
        drop(state);
        self.done.notify_all();
        drop(waiting);
    }

    /// Answers a flush if there is nothing to flush. There is no thread that would.
    pub(super) fn answer_flush_in_child(&self) {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.flush_calls_done = state.flush_calls;
        }
    }

    /// Queues a span, or counts and tells why not.
    pub(super) fn put(&self, span: FinishedSpan) -> Option<Refused> {
        let bytes = span.estimated_bytes();
        let mut state = self.state();
        let stats = &mut state.stats;
        stats.accepted += 1;
        let within = |now: u64, more: u64, bound: usize| {
            now == 0 || now.saturating_add(more) <= bound as u64
        };
        let loss = if state.phase == Phase::Forked {
            Some(ExportLoss::Forked)
        } else if state.phase != Phase::Open {
            Some(ExportLoss::AfterShutdown)
        } else if !within(state.stats.queued, 1, self.bounds.spans)
            || !within(state.stats.queued_bytes, bytes, self.bounds.bytes)
        {
            Some(ExportLoss::QueueFull)
        } else {
            None
        };
        if let Some(loss) = loss {
            let is_first = state.stats.count_dropped(loss, 1);
            return Some(Refused { loss, is_first });
        }
        state.stats.queued += 1;
        state.stats.queued_bytes += bytes;
        state.queued_ever += 1;
        state.waiting.push_back(span);
        // The thread sleeps while nothing waits, and then until a batch is full.
        let wake = state.waiting.len() == 1 || state.waiting.len() == self.bounds.batch;
        drop(state);
        if wake {
            self.work.notify_one();
        }
        None
    }

    /// Counts a span that is not even queued.
    pub(super) fn refuse(&self, loss: ExportLoss) -> Refused {
        let mut state = self.state();
        state.stats.accepted += 1;
        let is_first = state.stats.count_dropped(loss, 1);
        Refused { loss, is_first }
    }

    pub(super) fn put_resource(&self, resource: Resource) {
        self.state().resource = Some(resource);
        self.work.notify_one();
    }

    /// Everything that is queued now is to be exported. The number is for [`wait_for_flush`](Self::wait_for_flush).
    pub(super) fn start_flush(&self) -> u64 {
        let mut state = self.state();
        state.flush_wanted = state.queued_ever;
        state.flush_calls += 1;
        self.work.notify_one();
        state.flush_calls
    }

    /// Waits until everything that was queued at the start of a flush was exported or dropped.
    pub(super) fn wait_for_flush(&self, call: u64, deadline: Option<Instant>) -> Outcome {
        let mut state = self.state();
        while state.flush_calls_done < call && !state.has_ended() {
            let Some(next) = wait(&self.done, state, deadline) else {
                return Outcome::Late;
            };
            state = next;
        }
        let is_answered = state.flush_calls_done >= call;
        if is_answered && state.flush_failed {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }

    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        self.work.notify_one();
    }

    /// Waits until the thread ends. What it did not finish in time is dropped.
    pub(super) fn wait_for_end(&self, deadline: Option<Instant>) -> Outcome {
        let mut state = self.state();
        while !state.has_ended() {
            state = match wait(&self.done, state, deadline) {
                Some(next) => next,
                None => {
                    self.abandon();
                    return Outcome::Late;
                }
            };
        }
        if state.phase == Phase::Abandoned {
            return Outcome::Late;
        }
        if std::mem::take(&mut state.end_failed) {
            Outcome::Failed
        } else {
            Outcome::Done
        }
    }

    fn abandon(&self) {
        let mut state = self.state();
        if state.has_ended() {
            return;
        }
        state.phase = Phase::Abandoned;
        let waiting = state.drop_queued(ExportLoss::ShutdownDeadline);
        drop(state);
        self.done.notify_all();
        self.work.notify_one();
        // Dropped here, with no lock held: their memory may be much.
        drop(waiting);
    }

    /// Waits for something to do. Called by the thread of the queue only.
    pub(super) fn next_work(&self, delay: Duration) -> Work {
        let mut state = self.state();
        let mut batch_deadline = None;
        loop {
            if state.phase == Phase::Abandoned {
                return Work::End;
            }
            if let Some(resource) = state.resource.take() {
                return Work::Resource(resource);
            }
            if state.finished_ever >= state.flush_wanted
                && state.flush_calls_done < state.flush_calls
            {
                return Work::Flush(state.flush_calls);
            }
            if state.waiting.is_empty() {
                if state.phase == Phase::Closing {
                    return Work::End;
                }
                batch_deadline = None;
                state = sleep(&self.work, state);
                continue;
            }
            let at_once = state.waiting.len() >= self.bounds.batch
                || state.flush_wanted > state.finished_ever
                || state.phase == Phase::Closing;
            // A delay that ends after all time has no deadline.
            let deadline = *batch_deadline.get_or_insert_with(|| Instant::now().checked_add(delay));
            if at_once || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return state.take_batch(self.bounds.batch);
            }
            state = match deadline {
                None => sleep(&self.work, state),
                Some(deadline) => {
                    let remaining = deadline.saturating_duration_since(Instant::now());
                    let waited = self.work.wait_timeout(state, remaining);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Counts what became of a batch. Says how many of it the receiver rejected, and whether it said
    /// something for the first time.
    pub(super) fn finish(
        &self,
        spans: u64,
        bytes: u64,
        loss: Option<ExportLoss>,
        receipt: &Receipt,
    ) -> (u64, bool) {
        let mut state = self.state();
        state.finished_ever += spans;
        if state.phase == Phase::Abandoned {
            return (0, false);
        }
        state.stats.queued -= spans;
        state.stats.queued_bytes = state.stats.queued_bytes.saturating_sub(bytes);
        let is_first = receipt.message().is_some() && state.receiver_message.is_none();
        if let Some(message) = receipt.message() {
            state.receiver_message = Some(message.to_owned());
        }
        if let Some(loss) = loss {
            state.stats.count_dropped(loss, spans);
            return (0, is_first);
        }
        let rejected = receipt.rejected().min(spans);
        let taken = spans - rejected;
        state.stats.count_dropped(ExportLoss::Rejected, rejected);
        state.stats.exported += taken;
        if !receipt.is_confirmed() {
            state.stats.unconfirmed += taken;
        }
        (rejected, is_first)
    }

    pub(super) fn receiver_message(&self) -> Option<String> {
        self.state().receiver_message.clone()
    }

    pub(super) fn flushed(&self, calls: u64, loss: Option<ExportLoss>) {
        let mut state = self.state();
        state.flush_calls_done = calls;
        state.flush_failed = loss.is_some();
        drop(state);
        self.done.notify_all();
    }

    pub(super) fn ended(&self, loss: Option<ExportLoss>) {
        let mut state = self.state();
        state.end_failed = loss.is_some();
        if state.phase != Phase::Abandoned {
            state.phase = Phase::Ended;
        }
        drop(state);
        self.done.notify_all();
    }
}

impl State {
    fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended | Phase::Abandoned | Phase::Forked)
    }

    /// Counts everything that is queued as lost, and gives what waits, to be dropped without the lock.
    fn drop_queued(&mut self, loss: ExportLoss) -> VecDeque<FinishedSpan> {
        let lost = std::mem::take(&mut self.stats.queued);
        self.stats.count_dropped(loss, lost);
        self.stats.queued_bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    fn take_batch(&mut self, max: usize) -> Work {
        let len = self.waiting.len().min(max);
        Work::Batch(self.waiting.drain(..len).collect())
    }
}

fn sleep<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition
        .wait(state)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Waits for `condition` until `deadline`, for ever without one. None when it has passed.
fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
    deadline: Option<Instant>,
) -> Option<MutexGuard<'a, State>> {
    let Some(deadline) = deadline else {
        return Some(sleep(condition, state));
    };
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return None;
    }
    let waited = condition.wait_timeout(state, remaining);
    Some(waited.unwrap_or_else(PoisonError::into_inner).0)
}
