//! The parts of a span that the page gets piece by piece, so that the span is not read again for
//! each piece.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::answers;
use crate::kept::{self, Kept};
use crate::store::Store;

/// The rest of the contents of the span that was asked for last, as long as its trace does not change.
#[derive(Debug, Default)]
pub(super) struct Parts(Mutex<Option<(Key, Arc<[Kept]>)>>);

/// A span, and the number of the last change of its trace.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    trace: String,
    span: String,
    changed: u64,
}

impl Parts {
    /// The rest of the contents of a span.
    pub(super) fn of(&self, store: &Store, trace: &str, span: &str) -> Option<Arc<[Kept]>> {
        let key = Key {
            trace: trace.to_owned(),
            span: span.to_owned(),
            changed: store.trace(trace)?.changed(),
        };
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, parts)) = last.as_ref().filter(|(of, _)| *of == key) {
            return Some(Arc::clone(parts));
        }
        let (_, kept) = contents(store, trace, span)?;
        let parts = Arc::from(kept);
        *last = Some((key, Arc::clone(&parts)));
        Some(parts)
    }
}

/// The contents of a span, and what is kept of them until somebody asks.
pub(super) fn contents(store: &Store, trace: &str, span: &str) -> Option<(Value, Vec<Kept>)> {
    let trace = store.trace(trace)?;
    let mut json = answers::span(trace.row(), &*trace.span(span)?);
    let kept = kept::take(&mut json);
    Some((json, kept))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::Parts;
    use crate::span::Span;
    use crate::store::Store;

    #[test]
    fn a_span_is_read_once_for_all_pieces_until_its_trace_changes() {
        let mut store = Store::new(1 << 20);
        let put = |store: &mut Store, text: &str| {
            let texts = json!({"text": text.repeat(100_000)});
            let span = json!({"traceId": "a", "spanId": "1", "attributes": texts});
            let span = Span::of_json(&span, None, &Arc::default()).unwrap();
            store.insert(span);
        };
        let parts = Parts::default();
        put(&mut store, "x");
        let first = parts.of(&store, "a", "1").unwrap();
        assert!(Arc::ptr_eq(&first, &parts.of(&store, "a", "1").unwrap()));
        put(&mut store, "y");
        let second = parts.of(&store, "a", "1").unwrap();
        assert_ne!(first, second);
        assert!(parts.of(&store, "a", "2").is_none() && parts.of(&store, "b", "1").is_none());
    }
}
