//! A span with its place in a trace.

use crate::agentspec::{Id, Span};
use crate::masked::debug_masked;

/// A span with its place in a trace, which the span itself does not hold.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SpanInTrace<'a> {
    /// The span.
    pub span: &'a Span,
    /// The id of its trace.
    pub trace_id: Option<&'a Id>,
    /// The name of its trace.
    pub trace_name: Option<&'a str>,
    /// The id of its parent.
    pub parent_id: Option<&'a Id>,
    /// The id of the component that the nearest ancestor with a component executes.
    pub parent_component_id: Option<&'a str>,
    /// The input of the first span below.
    pub first_input: Option<&'a str>,
    /// The output of the last span below.
    pub last_output: Option<&'a str>,
}

debug_masked!(SpanInTrace<'_> shows { span, trace_id, trace_name, parent_id, parent_component_id }
    hides { first_input, last_output });

impl<'a> SpanInTrace<'a> {
    /// A span without a place in a trace.
    #[must_use]
    pub fn new(span: &'a Span) -> Self {
        Self {
            span,
            trace_id: None,
            trace_name: None,
            parent_id: None,
            parent_component_id: None,
            first_input: None,
            last_output: None,
        }
    }

    /// Sets the trace.
    #[must_use]
    pub fn with_trace(mut self, id: &'a Id, name: Option<&'a str>) -> Self {
        self.trace_id = Some(id);
        self.trace_name = name;
        self
    }

    /// Sets the parent.
    #[must_use]
    pub fn with_parent_id(mut self, parent_id: Option<&'a Id>) -> Self {
        self.parent_id = parent_id;
        self
    }

    /// Sets the component that the nearest ancestor with a component executes.
    #[must_use]
    pub fn with_parent_component_id(mut self, component_id: Option<&'a str>) -> Self {
        self.parent_component_id = component_id;
        self
    }

    /// Sets the exchange of the spans below, see [`Exchange`](super::Exchange), as text or JSON
    /// text. It replaces missing inputs and outputs of a root, an agent or a flow.
    #[must_use]
    pub fn with_exchange(
        mut self,
        first_input: Option<&'a str>,
        last_output: Option<&'a str>,
    ) -> Self {
        self.first_input = first_input;
        self.last_output = last_output;
        self
    }
}
