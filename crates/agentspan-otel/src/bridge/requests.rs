//! Requests that wait for their responses, which may come in another span.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use agentspan_model::agentspec::{Event, EventDetails};
use opentelemetry::trace::SpanContext;

/// How many requests are remembered. When there are more, the oldest ones are forgotten: their responses
/// have no link, and nothing else is lost.
const REMEMBERED: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Tool,
    Confirmation,
    Generation,
    Person,
}

type Asked = (Kind, String);

/// The spans of requests that wait for their responses.
#[derive(Default)]
pub(super) struct Requests(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    spans: HashMap<Asked, SpanContext>,
    order: VecDeque<Asked>,
}

impl Requests {
    /// The span of the request that an event answers, if that is another one. Remembers requests.
    pub(super) fn of(&self, event: &Event, span: &SpanContext) -> Option<SpanContext> {
        let (asks, kind, request_id) = role(event)?;
        let asked = (kind, request_id.to_owned());
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asks {
            waiting.remember(asked, span.clone());
            return None;
        }
        let found = waiting.spans.remove(&asked)?;
        waiting.order.retain(|waits| *waits != asked);
        (found != *span).then_some(found)
    }
}

impl Waiting {
    fn remember(&mut self, asked: Asked, span: SpanContext) {
        if self.spans.insert(asked.clone(), span).is_some() {
            return;
        }
        self.order.push_back(asked);
        while self.order.len() > REMEMBERED {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.spans.remove(&oldest));
        }
    }
}

/// Whether an event asks, what for, and the id of the request.
fn role(event: &Event) -> Option<(bool, Kind, &str)> {
    Some(match &event.details {
        EventDetails::ToolExecutionRequest(e) => (true, Kind::Tool, &e.request_id),
        EventDetails::ToolExecutionResponse(e) => (false, Kind::Tool, &e.request_id),
        EventDetails::ToolConfirmationRequest(e) => (true, Kind::Confirmation, &e.request_id),
        EventDetails::ToolConfirmationResponse(e) => (false, Kind::Confirmation, &e.request_id),
        EventDetails::LlmGenerationRequest(e) => (true, Kind::Generation, &e.request_id),
        EventDetails::LlmGenerationResponse(e) => (false, Kind::Generation, &e.request_id),
        EventDetails::HumanInTheLoopRequest(e) => (true, Kind::Person, &e.request_id),
        EventDetails::HumanInTheLoopResponse(e) => (false, Kind::Person, &e.request_id),
        _ => return None,
    })
}
