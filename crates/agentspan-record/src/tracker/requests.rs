//! Requests that wait for their responses, which may come in another span.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use agentspan_model::agentspec::{Event, EventDetails, Id};
use agentspan_model::mapping::trace_id_bytes;
use agentspan_queue::lock;
use hashbrown::DefaultHashBuilder;
use opentelemetry::trace::SpanContext;

/// How many are remembered. When there are more, the oldest ones are forgotten.
const REMEMBERED: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Tool,
    Confirmation,
    Generation,
    Person,
}

/// Which request it is: what for, and its id as a number, which is hashed at once and not byte by
/// byte. Texts that differ have numbers that differ, but for the case of a UUID's letters.
type Request = (Kind, u128);

/// The spans of the last requests that wait for their responses. The response to one that is
/// forgotten has no link, and nothing else is lost.
#[derive(Default)]
pub(super) struct Requests(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// With the number of the request.
    spans: HashMap<Request, (u64, SpanContext), DefaultHashBuilder>,
    /// The requests in their order. The number tells whether it still waits.
    order: VecDeque<(u64, Request)>,
    asked: u64,
}

impl Requests {
    /// The span of the request that an event answers, if that is another one. Remembers requests.
    pub(super) fn of(&self, event: &Event, span: &SpanContext) -> Option<SpanContext> {
        let (asks, kind, request_id) = role(event)?;
        let request = (kind, u128::from_be_bytes(trace_id_bytes(request_id)));
        // Nothing that runs under the lock leaves it half done.
        let mut inner = lock(&self.0);
        if asks {
            inner.remember(request, span.clone());
            return None;
        }
        let (_, asked) = inner.spans.remove(&request)?;
        Some(asked).filter(|asked| asked != span)
    }
}

impl Inner {
    fn remember(&mut self, request: Request, span: SpanContext) {
        self.asked += 1;
        self.order.push_back((self.asked, request));
        self.spans.insert(request, (self.asked, span));
        if self.order.len() <= REMEMBERED {
            return;
        }
        if let Some((number, oldest)) = self.order.pop_front() {
            let is_same = self.spans.get(&oldest).is_some_and(|(n, _)| *n == number);
            if is_same {
                self.spans.remove(&oldest);
            }
        }
    }
}

/// Whether an event asks, what for, and the id of the request.
fn role(event: &Event) -> Option<(bool, Kind, &Id)> {
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

#[cfg(test)]
mod tests {
    use agentspan_model::agentspec::{
        Component, JsonObject, Timestamp, Tool, ToolExecutionRequest, ToolExecutionResponse,
    };
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn span(number: u64) -> SpanContext {
        let trace_id = TraceId::from(1);
        let flags = TraceFlags::SAMPLED;
        SpanContext::new(
            trace_id,
            SpanId::from(number),
            flags,
            false,
            TraceState::NONE,
        )
    }

    fn event(details: impl Into<EventDetails>) -> Event {
        Event::new(Id::random(), Timestamp::from_unix_nanos(1), details)
    }

    fn tool() -> Tool {
        Tool::try_from(Component::builder("ServerTool", "clock").build()).unwrap()
    }

    fn ask(requests: &Requests, id: usize, of: u64) {
        let request = ToolExecutionRequest::new(tool(), JsonObject::default(), id.to_string());
        assert_eq!(requests.of(&event(request), &span(of)), None);
    }

    fn answer(requests: &Requests, id: usize) -> Option<SpanContext> {
        let response = ToolExecutionResponse::new(tool(), JsonObject::default(), id.to_string());
        requests.of(&event(response), &span(0))
    }

    fn sizes(requests: &Requests) -> (usize, usize) {
        let inner = requests.0.lock().unwrap();
        (inner.spans.len(), inner.order.len())
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_last_ones_stay() {
        let requests = Requests::default();
        for id in 0..REMEMBERED + 2 {
            ask(&requests, id, 1);
        }
        assert_eq!(sizes(&requests), (REMEMBERED, REMEMBERED));
        assert_eq!(answer(&requests, 1), None);
        assert_eq!(answer(&requests, 2), Some(span(1)));
    }

    #[test]
    fn a_request_that_is_made_again_is_as_young_as_the_last_one() {
        let requests = Requests::default();
        ask(&requests, 0, 1);
        for id in 1..REMEMBERED {
            ask(&requests, id, 2);
        }
        ask(&requests, 0, 3);
        ask(&requests, REMEMBERED, 2);
        assert_eq!(answer(&requests, 0), Some(span(3)));
        assert_eq!(answer(&requests, 0), None);
    }

    #[test]
    fn what_is_answered_leaves_nothing_that_grows() {
        let requests = Requests::default();
        for id in 0..10 * REMEMBERED {
            ask(&requests, id, 1);
            assert_eq!(answer(&requests, id), Some(span(1)));
        }
        assert_eq!(sizes(&requests), (0, REMEMBERED));
    }
}
