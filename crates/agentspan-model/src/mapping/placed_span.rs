//! A finished span with its place in a trace.

use std::borrow::Cow;
use std::sync::Arc;

use super::SpanInTrace;
use crate::agentspec::{Detail, Disclosure, Id, Span, TraceInfo};
use crate::masked::debug_masked;

/// A finished span with its place in a trace, and the exchange of the spans below it.
///
/// It has two sources: a processor that observed the span, and a
/// [`SpanRebuilder`](super::SpanRebuilder), which rebuilds it from attributes.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PlacedSpan {
    /// The span.
    pub span: Span,
    /// The id of its parent.
    pub parent_id: Option<Id>,
    /// The id of the component that the nearest ancestor with a component executes.
    pub parent_component_id: Option<Arc<str>>,
    /// Its trace.
    pub trace: Option<TraceInfo>,
    /// The input of the first span below, see [`Exchange`](super::Exchange).
    pub first_input: Option<String>,
    /// The output of the last span below.
    pub last_output: Option<String>,
    /// The upper limit of its disclosure, whatever the span holds: see [`shown`](Self::shown).
    pub disclosure: Disclosure,
}

debug_masked!(PlacedSpan shows { span, parent_id, parent_component_id, trace, disclosure } hides { first_input, last_output });

impl PlacedSpan {
    /// A span without a place in a trace, all of which may be shown.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            parent_id: None,
            parent_component_id: None,
            trace: None,
            first_input: None,
            last_output: None,
            disclosure: Disclosure::Clear,
        }
    }

    /// The span, reduced to its disclosure. If it is masked, sensitive values are withheld, and
    /// outlines replace components, which hold prompts and settings.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, Self> {
        match self.disclosure {
            Disclosure::Clear => Cow::Borrowed(self),
            Disclosure::Masked => {
                let mut shown = self.clone();
                shown.span = self.span.masked_with(Detail::Described);
                Cow::Owned(shown)
            }
        }
    }

    /// The span for a [`Mapping`](super::Mapping).
    #[must_use]
    pub fn in_trace(&self) -> SpanInTrace<'_> {
        let in_trace = SpanInTrace::new(&self.span)
            .with_parent_id(self.parent_id.as_ref())
            .with_parent_component_id(self.parent_component_id.as_deref())
            .with_exchange(self.first_input.as_deref(), self.last_output.as_deref());
        match &self.trace {
            Some(trace) => in_trace.with_trace(&trace.id, trace.name.as_deref()),
            None => in_trace,
        }
    }
}
