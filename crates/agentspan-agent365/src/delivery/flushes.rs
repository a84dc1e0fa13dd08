//! The flushes that are not answered yet.

use std::sync::mpsc::SyncSender;

/// A flush that is not answered yet.
#[derive(Debug)]
pub(crate) struct Flush {
    /// How many single spans must have been taken from the queue.
    pub(super) single_spans: u64,
    /// Hears when all are settled.
    pub(super) reply: SyncSender<()>,
}

/// Flushes, each with what it waits for.
#[derive(Debug, Default)]
pub(super) struct Flushes {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    flush: Flush,
    /// Whole batches that must be opened first, counted down.
    jobs: usize,
    /// Once all are opened, the number of the batch after the last that belongs to it.
    end: Option<u64>,
}

impl Flushes {
    /// A flush comes while so many whole batches are not opened.
    pub(super) fn push(&mut self, flush: Flush, jobs: usize) {
        let end = None;
        self.waiting.push(Waiting { flush, jobs, end });
    }

    /// A whole batch was opened.
    pub(super) fn job_is_opened(&mut self) {
        for waiting in &mut self.waiting {
            waiting.jobs = waiting.jobs.saturating_sub(1);
        }
    }

    /// Answers those whose batches are all reported, when so many single spans were `taken` and the `oldest`
    /// batch that is not reported is known, if there is one.
    pub(super) fn answer(&mut self, taken: u64, next_batch: u64, oldest: Option<u64>) {
        self.waiting.retain_mut(|waiting| {
            if waiting.end.is_none() && waiting.jobs == 0 && waiting.flush.single_spans <= taken {
                waiting.end = Some(next_batch);
            }
            let is_done = |end| oldest.is_none_or(|oldest| end <= oldest);
            if !waiting.end.is_some_and(is_done) {
                return true;
            }
            let _ = waiting.flush.reply.send(());
            false
        });
    }
}
