//! A finished span with its place in a trace.

use std::borrow::Cow;
use std::sync::Arc;

use super::SpanInTrace;
use crate::agentspec::{Detail, Disclosure, Id, Span, TraceInfo};
use crate::masked::debug_masked;

/// A finished span with what it does not say itself: its place in a trace, and what happened below it.
///
/// It has two makers. A processor that observed the span gives it as it is, and a
/// [`SpanRebuilder`](super::SpanRebuilder) makes it of attributes.
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
    /// What the first of the spans below was given, see [`Exchange`](super::Exchange).
    pub first_input: Option<String>,
    /// The output of the last of the spans below.
    pub last_output: Option<String>,
    /// What may be shown of it, whatever the span still holds: see [`shown`](Self::shown).
    pub disclosure: Disclosure,
}

debug_masked!(PlacedSpan shows { span, parent_id, parent_component_id, trace, disclosure } hides { first_input, last_output });

impl PlacedSpan {
    /// A span of which only itself is known, and all of which may be shown.
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

    /// The span with nothing but what may be shown of it. Of a masked one, sensitive values are withheld, and
    /// components, which hold prompts and settings, are replaced by their outlines.
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
