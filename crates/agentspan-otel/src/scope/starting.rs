//! The facts that the baggage processor and the scope whose span is starting tell each other.
//!
//! In the reference, baggage is copied to a span as it starts, and the attributes of the scope come
//! after it and win. The SDK's span would then hold both. So, while a scope starts a span on this
//! thread, the processor hands its attributes to the scope, which holds each key once. The bridge
//! does the same for spans that have nothing on them but their type.

use std::cell::RefCell;
use std::mem;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanId;

thread_local! {
    static STARTING: RefCell<Option<Slot>> = const { RefCell::new(None) };
}

/// The scope or the bridge whose span starts, and whether it is the span of an invocation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Starts {
    Scope { is_invocation: bool },
    Bridged { is_invocation: bool },
}

/// The facts known about the span that starts.
struct Slot {
    what: Starts,
    collected: Collected,
}

/// The facts that the scope is told.
#[derive(Default)]
pub(crate) struct Collected {
    /// The attributes that baggage gave.
    pub(crate) attributes: Vec<KeyValue>,
    /// The span whose attributes may be handed over beside it, and how many it may have.
    beside: Option<(SpanId, usize)>,
}

impl Collected {
    /// How many attributes may be handed over beside this span. None if it must hold them itself.
    pub(crate) fn beside(&self, span: SpanId) -> Option<usize> {
        let (of, most) = self.beside?;
        (of == span).then_some(most)
    }
}

/// A scope or the bridge is starting a span on this thread, until this is dropped or finished.
pub(crate) struct Starting {
    /// The slot of an outer scope that is starting too, because its sampler or processor started
    /// this one.
    outer: Option<Slot>,
}

impl Starting {
    pub(crate) fn begin(what: Starts) -> Self {
        let slot = Slot {
            what,
            collected: Collected::default(),
        };
        let outer = with_slot(|starting| starting.replace(slot)).flatten();
        Self { outer }
    }

    /// Ends the collection, and gives the collected facts.
    pub(crate) fn finish(self) -> Collected {
        let collected = with_slot(|slot| slot.as_mut().map(|slot| mem::take(&mut slot.collected)));
        collected.flatten().unwrap_or_default()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        with_slot(|slot| *slot = self.outer.take());
    }
}

/// The start on this thread. None if it is neither that of a scope nor of the bridge.
pub(crate) fn what_starts() -> Option<Starts> {
    with_slot(|slot| slot.as_ref().map(|slot| slot.what)).flatten()
}

/// Says that the attributes of this span, at most so many, may be handed over beside it.
pub(crate) fn take_beside(span: SpanId, most: usize) {
    with_slot(|slot| {
        if let Some(slot) = slot {
            slot.collected.beside = Some((span, most));
        }
    });
}

/// Gives `attributes` to what is starting on this thread, unless it has their keys.
pub(crate) fn give(attributes: Vec<KeyValue>) {
    with_slot(|slot| {
        let Some(slot) = slot else { return };
        let collected = &mut slot.collected.attributes;
        if collected.is_empty() {
            *collected = attributes;
            return;
        }
        for attribute in attributes {
            if collected.iter().all(|a| a.key != attribute.key) {
                collected.push(attribute);
            }
        }
    });
}

/// Runs `f` with what this thread collects, or returns `None` while the thread is being torn down.
fn with_slot<T>(f: impl FnOnce(&mut Option<Slot>) -> T) -> Option<T> {
    let with = |slot: &RefCell<_>| slot.try_borrow_mut().ok().map(|mut slot| f(&mut slot));
    STARTING.try_with(with).ok().flatten()
}
