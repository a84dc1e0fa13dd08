//! The counts, and why spans are lost of which nobody says why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use agentspan_record::DropReason;

use crate::stats::Counters;

/// The facts needed to account for spans.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) counters: Arc<Counters>,
    stopping: AtomicBool,
    deadline_passed: AtomicBool,
    /// Whether there can be no thread, in the child of a fork.
    is_orphan: AtomicBool,
}

impl Ledger {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            stopping: AtomicBool::new(false),
            deadline_passed: AtomicBool::new(false),
            is_orphan: AtomicBool::new(false),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    pub(super) fn set_stopping(&self) {
        self.stopping.store(true, SeqCst);
    }

    pub(super) fn has_deadline_passed(&self) -> bool {
        self.deadline_passed.load(SeqCst)
    }

    pub(super) fn set_deadline_passed(&self) {
        self.deadline_passed.store(true, SeqCst);
    }

    pub(super) fn set_orphan(&self) {
        self.is_orphan.store(true, SeqCst);
    }

    /// Why spans are lost that come when the thread is gone.
    pub(super) fn reason_of_end(&self) -> DropReason {
        if self.is_orphan.load(SeqCst) {
            DropReason::Forked
        } else if self.is_stopping() {
            DropReason::AfterShutdown
        } else {
            DropReason::Internal
        }
    }

    /// Why spans are lost of which nobody says what became of them.
    pub(super) fn reason_of_loss(&self) -> DropReason {
        if self.has_deadline_passed() {
            DropReason::ShutdownDeadline
        } else if self.is_orphan.load(SeqCst) {
            DropReason::Forked
        } else {
            DropReason::Internal
        }
    }
}
