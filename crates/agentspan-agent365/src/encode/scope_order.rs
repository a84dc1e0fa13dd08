//! The order in which spans are written: by instrumentation scope, as the scopes first appear.

use std::borrow::Borrow;
use std::ptr;

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;

/// Spans by scope. Reuses its memory.
#[derive(Debug, Default)]
pub(super) struct ScopeOrder {
    /// The scopes in order of first appearance.
    scopes: Vec<ScopeChain>,
    /// For each span, the index of the next span of the same scope.
    next: Vec<usize>,
}

/// The spans of one scope, by their indices.
#[derive(Clone, Copy, Debug)]
struct ScopeChain {
    first: usize,
    last: usize,
}

/// Stands for "no further span".
const END: usize = usize::MAX;

impl ScopeOrder {
    /// Finds the scopes of `spans`.
    pub(super) fn arrange<S: Borrow<SpanData>>(&mut self, spans: &[S]) {
        self.scopes.clear();
        self.next.clear();
        let mut current = 0;
        for (index, span) in spans.iter().enumerate() {
            self.next.push(END);
            let scope = &span.borrow().instrumentation_scope;
            let is_of = |chain: &ScopeChain| {
                spans
                    .get(chain.first)
                    .is_some_and(|first| is_same(&first.borrow().instrumentation_scope, scope))
            };
            // Spans of one scope tend to come together.
            if !self.scopes.get(current).is_some_and(is_of) {
                current = self
                    .scopes
                    .iter()
                    .position(is_of)
                    .unwrap_or(self.scopes.len());
            }
            match self.scopes.get_mut(current) {
                Some(chain) => {
                    if let Some(next) = self.next.get_mut(chain.last) {
                        *next = index;
                    }
                    chain.last = index;
                }
                None => self.scopes.push(ScopeChain {
                    first: index,
                    last: index,
                }),
            }
        }
    }

    /// For each scope, the spans of it in order.
    pub(super) fn scopes<'a, S>(
        &'a self,
        spans: &'a [S],
    ) -> impl Iterator<Item = impl Iterator<Item = &'a S>> {
        self.scopes.iter().map(move |chain| {
            std::iter::successors(Some(chain.first), |index| self.next.get(*index).copied())
                .map_while(|index| spans.get(index))
        })
    }
}

/// Whether both are written alike. Spans of one tracer share the texts, so these are compared by address
/// first. An empty version is not the same as none.
fn is_same(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    let is_same_text = |one: &str, other: &str| ptr::eq(one, other) || one == other;
    is_same_text(one.name(), other.name())
        && match (one.version(), other.version()) {
            (Some(one), Some(other)) => is_same_text(one, other),
            (None, None) => true,
            _ => false,
        }
}
