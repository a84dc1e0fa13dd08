//! Lets the baggage processor give its attributes to the scope that is starting a span.
//!
//! In the reference, baggage is copied to a span as it starts, and the attributes of the scope come
//! after it and win. The SDK's span would then hold both. So, while a scope starts a span on this
//! thread, the processor hands its attributes to the scope, which holds each key once.

use std::cell::RefCell;
use std::mem;

use opentelemetry::KeyValue;

thread_local! {
    static STARTING: RefCell<Option<Vec<KeyValue>>> = const { RefCell::new(None) };
}

/// A scope is starting a span on this thread, until this is dropped or finished.
pub(crate) struct Starting {
    /// What a scope had collected that is starting too, when a sampler or processor started this one.
    outer: Option<Vec<KeyValue>>,
}

impl Starting {
    pub(crate) fn begin() -> Self {
        let outer = with_slot(|slot| slot.replace(Vec::new())).flatten();
        Self { outer }
    }

    /// The attributes that were collected.
    pub(crate) fn finish(self) -> Vec<KeyValue> {
        let collected = with_slot(|slot| slot.as_mut().map(mem::take));
        collected.flatten().unwrap_or_default()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        with_slot(|slot| *slot = self.outer.take());
    }
}

/// Gives `attributes` to the scope that is starting on this thread, unless it has their keys.
/// Gives them back when there is none.
pub(crate) fn give<I: Iterator<Item = KeyValue>>(attributes: I) -> Result<(), I> {
    let mut attributes = Some(attributes);
    with_slot(|slot| {
        let Some(collected) = slot else { return };
        for attribute in attributes.take().into_iter().flatten() {
            if collected.iter().all(|a| a.key != attribute.key) {
                collected.push(attribute);
            }
        }
    });
    attributes.map_or(Ok(()), Err)
}

/// Runs `f` with what this thread collects, or returns `None` while the thread is being torn down.
fn with_slot<T>(f: impl FnOnce(&mut Option<Vec<KeyValue>>) -> T) -> Option<T> {
    let with = |slot: &RefCell<_>| slot.try_borrow_mut().ok().map(|mut slot| f(&mut slot));
    STARTING.try_with(with).ok().flatten()
}
