//! Spans that are exported only if a span of an agent is below them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;

/// A span of no agent, in the contexts of what happens inside of it.
#[derive(Clone, Debug)]
pub(crate) struct Ancestor(Arc<State>);

#[derive(Debug)]
struct State {
    above: Option<Ancestor>,
    /// Before, the only span that starts in its context is the one itself.
    is_started: AtomicBool,
    is_needed: AtomicBool,
}

impl Ancestor {
    /// `parent` for a span that may become an ancestor.
    pub(crate) fn add_to(parent: &Context) -> Context {
        parent.with_value(Self(Arc::new(State {
            above: parent.get::<Self>().cloned(),
            is_started: AtomicBool::new(false),
            is_needed: AtomicBool::new(false),
        })))
    }

    /// Whether `context` was made for a span that has not started.
    pub(crate) fn about_to_start(context: &Context) -> Option<&Self> {
        let nearest = context.get::<Self>()?;
        (!nearest.0.is_started.load(Ordering::Relaxed)).then_some(nearest)
    }

    pub(crate) fn starts(&self) {
        self.0.is_started.store(true, Ordering::Relaxed);
    }

    /// Notes that a span starts in `context`: all ancestors are needed, unless the span is one itself.
    pub(crate) fn note_start(context: &Context) {
        let Some(nearest) = context.get::<Self>() else {
            return;
        };
        if nearest.0.is_started.load(Ordering::Relaxed) {
            nearest.need();
        }
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.0.is_needed.load(Ordering::Relaxed)
    }

    // Relaxed: nothing but the flag is read, and the span that sets it lives inside of the one that reads it.
    fn need(&self) {
        let mut next = Some(self);
        while let Some(Self(state)) = next {
            // Spans above one that is needed are needed already.
            if state.is_needed.swap(true, Ordering::Relaxed) {
                return;
            }
            next = state.above.as_ref();
        }
    }
}

impl Drop for State {
    /// Without recursion, however deep the spans are nested.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(Ancestor(state)) = above {
            above = Arc::into_inner(state).and_then(|mut state| state.above.take());
        }
    }
}
