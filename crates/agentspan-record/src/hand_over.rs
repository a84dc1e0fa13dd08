//! The data beside a span of the SDK on its way to our span processors, while it ends.
//!
//! The SDK calls the processors of a provider while a span ends, on the same thread, and gives them
//! a `SpanData`, which has no room for more. So what the span does not hold itself lies in a slot
//! of the thread meanwhile: the Agent Spec span that it stands for, or the attributes of a scope.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use agentspan_model::mapping::PlacedSpan;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

/// The data that the SDK's span with these ids does not hold itself.
struct Handed {
    ids: (TraceId, SpanId),
    /// For all processors.
    agent_spec: Option<Arc<PlacedSpan>>,
    /// For the first processor.
    attributes: Option<ScopeAttributes>,
}

/// The attributes of a span that does not hold them itself.
#[derive(Debug)]
pub(crate) struct ScopeAttributes {
    pub(crate) attributes: Vec<KeyValue>,
    /// How many attributes the span may have.
    pub(crate) most: usize,
}

thread_local! {
    // Nothing here has a destructor, so that the slot is there for spans that end while the thread
    // does. The guard empties it.
    static SLOT: Cell<Option<ManuallyDrop<Handed>>> = const { Cell::new(None) };
}

/// Runs `end`, which ends the span of the SDK that has these ids.
/// [`FinishedSpan::received`](crate::FinishedSpan::received) finds `agent_spec` while it runs, on
/// this thread.
///
/// A processor may end other spans meanwhile: each finds its own Agent Spec span, and only that.
pub fn hand_over<T>(
    span_context: &SpanContext,
    agent_spec: Arc<PlacedSpan>,
    end: impl FnOnce() -> T,
) -> T {
    let handed = Handed {
        ids: ids(span_context),
        agent_spec: Some(agent_spec),
        attributes: None,
    };
    beside(handed, Before(SLOT.take()), end)
}

/// As [`hand_over`](crate::hand_over()), for the attributes of a span whose provider has no
/// processor but one that [receives](crate::FinishedSpan::received) them. They take their place
/// after those that the span has. What is beyond `most` in all is left out and counted, as the SDK
/// does.
///
/// Called by the `end` of [`hand_over`](crate::hand_over()) for the same span, it adds to that.
pub fn hand_over_attributes<T>(
    span_context: &SpanContext,
    attributes: Vec<KeyValue>,
    most: usize,
    end: impl FnOnce() -> T,
) -> T {
    let ids = ids(span_context);
    let before = Before(SLOT.take());
    let same = before.0.as_ref().filter(|before| before.ids == ids);
    let handed = Handed {
        ids,
        agent_spec: same.and_then(|same| same.agent_spec.clone()),
        attributes: Some(ScopeAttributes { attributes, most }),
    };
    beside(handed, before, end)
}

/// Runs `end` with what is handed over. `before` is what was there before.
fn beside<T>(handed: Handed, before: Before, end: impl FnOnce() -> T) -> T {
    let _before = before;
    SLOT.set(Some(ManuallyDrop::new(handed)));
    end()
}

/// The data that is handed over with this span of the SDK.
#[inline]
pub(crate) fn handed_over(
    span_context: &SpanContext,
) -> (Option<Arc<PlacedSpan>>, Option<ScopeAttributes>) {
    let Some(mut handed) = SLOT.take() else {
        return (None, None);
    };
    let given = if handed.ids == ids(span_context) {
        (handed.agent_spec.clone(), handed.attributes.take())
    } else {
        (None, None)
    };
    SLOT.set(Some(handed));
    given
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

    fn attributes(span: u64) -> Option<Vec<KeyValue>> {
        let (_, found) = handed_over(&context(span));
        Some(found?.attributes)
    }

    fn found(span: u64) -> Option<String> {
        let (found, _) = handed_over(&context(span));
        Some(found?.span.id.as_str().to_owned())
    }

    #[test]
    fn attributes_go_to_the_first_that_asks_for_them() {
        let given = || {
            let one = KeyValue::new("one", 1);
            hand_over_attributes(&context(1), vec![one.clone()], 128, || {
                assert!(attributes(2).is_none());
                assert_eq!(attributes(1), Some(vec![one]));
                assert!(attributes(1).is_none());
            });
        };
        hand_over(&context(3), placed("three"), || {
            given();
            assert_eq!(found(3).as_deref(), Some("three"));
        });
        let unread = vec![KeyValue::new("one", 1)];
        hand_over_attributes(&context(1), unread, 128, || ());
        assert!(attributes(1).is_none(), "nobody asked in time");
    }

    #[test]
    fn a_record_and_attributes_of_one_span_go_together() {
        let one = vec![KeyValue::new("one", 1)];
        hand_over(&context(1), placed("one"), || {
            hand_over_attributes(&context(1), one.clone(), 128, || {
                let (record, attributes) = handed_over(&context(1));
                assert_eq!(record.unwrap().span.id.as_str(), "one");
                assert_eq!(attributes.unwrap().attributes, one);
                assert_eq!(found(1).as_deref(), Some("one"), "for the next processor");
            });
            hand_over_attributes(&context(2), one.clone(), 128, || {
                assert_eq!(found(2), None, "the record is of another span");
            });
            assert_eq!(found(1).as_deref(), Some("one"));
        });
        assert_eq!(found(1), None);
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
