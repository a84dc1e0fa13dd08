//! The spans that a processor failed to start, and of which it hears nothing more.

use std::collections::HashMap;

use crate::Span;
use crate::span::{SpanKey, WeakSpan};

/// How many spans are kept before those are looked for that nobody holds any more.
const FEW: usize = 64;

/// Spans that a processor failed to start.
///
/// Each stays here after its end, because events can follow it, and until nobody holds it any more. It keeps its
/// key from being that of another until then.
#[derive(Debug, Default)]
pub(crate) struct NotStarted {
    spans: HashMap<SpanKey, WeakSpan>,
    /// How many were left when the others were last removed.
    left: usize,
}

impl NotStarted {
    pub(crate) fn insert(&mut self, span: &Span) {
        // Twice as many as were left: so each is looked at a few times.
        if self.spans.len() >= FEW.max(self.left * 2) {
            self.spans.retain(|_, span| span.is_held());
            self.left = self.spans.len();
        }
        self.spans.insert(span.key(), span.downgrade());
    }

    #[inline]
    pub(crate) fn contains(&self, span: &Span) -> bool {
        // An empty map hashes what is looked up all the same.
        !self.spans.is_empty() && self.spans.contains_key(&span.key())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.spans.len()
    }
}

#[cfg(test)]
mod tests {
    use agentspan_model::agentspec::SpanDetails;

    use super::*;

    #[test]
    fn spans_that_nobody_holds_are_forgotten() {
        let mut set = NotStarted::default();
        let span = || Span::builder(SpanDetails::Plain).start_detached().unwrap();
        let held = span();
        set.insert(&held);
        for _ in 0..10_000 {
            set.insert(&span());
        }
        assert!(set.contains(&held) && !set.contains(&span()));
        assert!(set.len() <= FEW * 2, "{}", set.len());
    }
}
