//! Which processors have a hook running on this thread.

use std::cell::{Cell, RefCell};
use std::ptr;

use crate::{HookError, SpanProcessor};

/// How many hooks of one processor may run within each other. A hook that makes a span for each span has no end,
/// and would overflow the stack.
const MAX_NESTED: usize = 4;

thread_local! {
    /// The address of the processor whose hook runs, or 0. Needs no destructor, so that it costs little.
    static INNERMOST: Cell<usize> = const { Cell::new(0) };
    /// The hooks around it: hooks that make spans, for which other hooks run.
    static OTHERS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A hook of a processor runs as long as this lives.
pub(crate) struct InHook {
    around: usize,
}

impl InHook {
    /// Fails within too many hooks of the same processor.
    #[inline]
    pub(crate) fn enter(processor: &dyn SpanProcessor) -> Result<Self, HookError> {
        let processor = ptr::from_ref(processor).addr();
        let around = INNERMOST.get();
        if around != 0 {
            Self::enter_nested(around, processor)?;
        }
        INNERMOST.set(processor);
        Ok(Self { around })
    }

    #[cold]
    fn enter_nested(around: usize, processor: usize) -> Result<(), HookError> {
        let entered = OTHERS.try_with(|others| {
            let mut others = others.borrow_mut();
            let running = others.iter().chain([&around]);
            let is_free = running.filter(|one| **one == processor).count() < MAX_NESTED;
            if is_free {
                others.push(around);
            }
            is_free
        });
        // Nothing can be noted while the thread ends.
        if entered == Ok(true) {
            return Ok(());
        }
        Err(HookError::message(
            "a hook of this processor makes spans or events, for which its hooks do the same again and again",
        ))
    }
}

impl Drop for InHook {
    #[inline]
    fn drop(&mut self) {
        INNERMOST.set(self.around);
        if self.around != 0 {
            let _ = OTHERS.try_with(|others| others.borrow_mut().pop());
        }
    }
}
