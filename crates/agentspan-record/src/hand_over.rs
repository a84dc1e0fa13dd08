//! How an Agent Spec span gets from the bridge to the processors of the SDK.
//!
//! The SDK calls the processors of a provider while a span ends, on the thread that ends it, and gives them a
//! `SpanData`, which has no room for more. So the Agent Spec span lies beside it meanwhile, in a slot of the thread.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use agentspan_model::mapping::PlacedSpan;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

struct Handed {
    ids: (TraceId, SpanId),
    agent_spec: Arc<PlacedSpan>,
}

thread_local! {
    // Nothing here has a destructor, so that the slot is there for spans that end while the thread does. The
    // guard empties it.
    static SLOT: Cell<Option<ManuallyDrop<Handed>>> = const { Cell::new(None) };
}

/// Runs `end`, which ends the span of the SDK that has these ids.
/// [`FinishedSpan::received`](crate::FinishedSpan::received) finds `agent_spec` while it runs, on this thread.
///
/// A processor may end other spans meanwhile: each finds its own Agent Spec span, and only that.
pub fn hand_over<T>(
    span_context: &SpanContext,
    agent_spec: Arc<PlacedSpan>,
    end: impl FnOnce() -> T,
) -> T {
    let handed = Handed {
        ids: ids(span_context),
        agent_spec,
    };
    let _before = Before(SLOT.replace(Some(ManuallyDrop::new(handed))));
    end()
}

/// The Agent Spec span that is handed over with this span of the SDK.
pub(crate) fn handed_over(span_context: &SpanContext) -> Option<Arc<PlacedSpan>> {
    let handed = SLOT.take()?;
    let agent_spec = (handed.ids == ids(span_context)).then(|| Arc::clone(&handed.agent_spec));
    SLOT.set(Some(handed));
    agent_spec
}

fn ids(span_context: &SpanContext) -> (TraceId, SpanId) {
    (span_context.trace_id(), span_context.span_id())
}

/// Puts back what was in the slot before, also when a processor panics.
struct Before(Option<ManuallyDrop<Handed>>);

impl Drop for Before {
    fn drop(&mut self) {
        let after = SLOT.replace(self.0.take());
        drop(after.map(ManuallyDrop::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use agentspan_model::agentspec::{Id, Span, SpanDetails};
    use opentelemetry::trace::{TraceFlags, TraceState};

    use super::*;

    fn context(span: u64) -> SpanContext {
        let (trace, span) = (TraceId::from(1), SpanId::from(span));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    fn placed(id: &str) -> Arc<PlacedSpan> {
        Arc::new(PlacedSpan::new(Span::new(Id::from(id), SpanDetails::Plain)))
    }

    fn found(span: u64) -> Option<String> {
        handed_over(&context(span)).map(|found| found.span.id.as_str().to_owned())
    }

    #[test]
    fn each_span_finds_its_own_also_while_another_one_ends() {
        assert_eq!(found(1), None);
        hand_over(&context(1), placed("one"), || {
            assert_eq!(found(1).as_deref(), Some("one"));
            assert_eq!(found(2), None, "a span of nobody ends meanwhile");
            hand_over(&context(2), placed("two"), || {
                assert_eq!(found(2).as_deref(), Some("two"));
                assert_eq!(found(1), None);
            });
            assert_eq!(found(1).as_deref(), Some("one"), "for the next processor");
        });
        assert_eq!(found(1), None);
    }

    #[test]
    fn a_processor_that_panics_leaves_nothing_behind() {
        let held = placed("one");
        let given = Arc::clone(&held);
        let panicked = std::panic::catch_unwind(|| {
            hand_over(&context(1), given, || panic!("a processor"));
        });
        assert!(panicked.is_err());
        assert_eq!(found(1), None);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
