//! The exchange of a root, an agent or a flow, as the spans below it tell.

use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{Event, EventDetails};
use agentspan_model::mapping::{Exchange, PlacedSpan};
use agentspan_processor::span::WeakSpan;
use agentspan_queue::lock;

/// The [`Exchange`] of a span that shows it. The spans below tell it until another such span is between.
pub(super) struct SharedExchange {
    span: WeakSpan,
    around: Option<Arc<Self>>,
    exchange: Mutex<State>,
}

#[derive(Default)]
struct State {
    exchange: Exchange,
    /// The span's own exchange.
    own: Exchange,
}

impl SharedExchange {
    pub(super) fn new(span: WeakSpan, around: Option<Arc<Self>>) -> Self {
        Self {
            span,
            around,
            exchange: Mutex::default(),
        }
    }

    pub(super) fn is_of(&self, span: &WeakSpan) -> bool {
        self.span.key() == span.key()
    }

    /// Takes what an event of a span gives or brings.
    pub(super) fn hear(&self, event: &Event, span: &WeakSpan) {
        let mut state = lock(&self.exchange);
        let before = state.exchange.first_input().is_some();
        state.exchange.hear(event);
        if self.is_of(span) && is_of_execution(event) {
            state.own.hear(event);
        }
        let first =
            (!before && state.exchange.first_input().is_some()).then(|| state.exchange.clone());
        drop(state);
        if let (Some(first), Some(around)) = (first, &self.around) {
            around.take_input(&first);
        }
    }

    /// Spans around hear of an input at once, so that the first one is the first, whatever ends
    /// first.
    fn take_input(&self, inner: &Exchange) {
        let mut state = lock(&self.exchange);
        let is_first = state.exchange.first_input().is_none();
        if is_first {
            state.exchange.take_input(inner);
        }
        drop(state);
        if let Some(around) = self.around.as_ref().filter(|_| is_first) {
            around.take_input(inner);
        }
    }

    /// Writes into the record of a span that ends what it does not say itself, and tells the one around.
    pub(super) fn end(&self, placed: &mut PlacedSpan) {
        let state = lock(&self.exchange);
        let State { exchange, own } = &*state;
        let below = |own: Option<&str>, all: Option<&str>| match own {
            Some(_) => None,
            None => all.map(str::to_owned),
        };
        placed.first_input = below(own.first_input(), exchange.first_input());
        placed.last_output = below(own.last_output(), exchange.last_output());
        let around = self.around.as_ref();
        let told = around.map(|around| (around, exchange.clone()));
        drop(state);
        if let Some((around, exchange)) = told {
            lock(&around.exchange).exchange.take(&exchange);
        }
    }
}

/// Whether an event is about the execution of the span, and not about a call of a model or a tool in it.
fn is_of_execution(event: &Event) -> bool {
    !matches!(
        event.details,
        EventDetails::LlmGenerationRequest(_)
            | EventDetails::LlmGenerationResponse(_)
            | EventDetails::ToolExecutionRequest(_)
            | EventDetails::ToolExecutionResponse(_)
    )
}
