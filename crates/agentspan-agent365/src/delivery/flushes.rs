//! The flushes that are not answered yet.

use std::sync::Weak;
use std::sync::mpsc::SyncSender;

/// A flush that is not answered yet.
#[derive(Debug)]
pub(crate) struct Flush {
    /// Hears when all are settled.
    pub(super) reply: SyncSender<()>,
    /// Gone when nobody waits for that any more.
    pub(super) caller: Weak<()>,
}

/// Flushes, each with what it waits for.
#[derive(Debug, Default)]
pub(super) struct Flushes {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    flush: Flush,
    /// How many single spans must have been taken from the queue.
    single_spans: u64,
    /// Whole batches that must be opened first, counted down.
    jobs: usize,
    /// Once all are opened, the number of the batch after the last that belongs to it.
    end: Option<u64>,
}

impl Flushes {
    /// A flush comes while so many single spans are taken or wait, and so many whole batches are not opened.
    pub(super) fn push(&mut self, flush: Flush, single_spans: u64, jobs: usize) {
        // Nothing else would take out those whose time is up, as long as a batch is not reported.
        self.waiting
            .retain(|waiting| waiting.flush.caller.strong_count() > 0);
        self.waiting.push(Waiting {
            flush,
            single_spans,
            jobs,
            end: None,
        });
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
            if waiting.end.is_none() && waiting.jobs == 0 && waiting.single_spans <= taken {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn flushes_that_nobody_waits_for_any_more_are_not_kept() {
        let mut flushes = Flushes::default();
        let waits = Arc::new(());
        let (reply, answer) = sync_channel(2);
        let flush = |caller| Flush {
            reply: reply.clone(),
            caller,
        };
        flushes.push(flush(Arc::downgrade(&waits)), 0, 0);
        for _ in 0..1_000 {
            flushes.push(flush(Weak::new()), 0, 0);
        }
        assert_eq!(flushes.waiting.len(), 2);
        // A batch that is not reported holds them up.
        flushes.answer(0, 1, Some(0));
        assert!(answer.try_recv().is_err());
        flushes.answer(0, 1, None);
        assert!(answer.try_recv().is_ok());
    }
}
