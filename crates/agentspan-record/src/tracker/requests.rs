//! Requests that wait for their responses, which may come in another span.

use agentspan_model::agentspec::{Event, EventDetails};
use opentelemetry::trace::SpanContext;

use super::recent::Recent;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Tool,
    Confirmation,
    Generation,
    Person,
}

/// The spans of the last requests that wait for their responses. The response to one that is forgotten has
/// no link, and nothing else is lost.
#[derive(Default)]
pub(super) struct Requests(Recent<(Kind, String), SpanContext>);

impl Requests {
    /// The span of the request that an event answers, if that is another one. Remembers requests.
    pub(super) fn of(&self, event: &Event, span: &SpanContext) -> Option<SpanContext> {
        let (asks, kind, request_id) = role(event)?;
        let request = (kind, request_id.to_owned());
        if asks {
            self.0.put(request, span.clone());
            return None;
        }
        self.0.take(&request).filter(|asked| asked != span)
    }
}

/// Whether an event asks, what for, and the id of the request.
fn role(event: &Event) -> Option<(bool, Kind, &str)> {
    Some(match &event.details {
        EventDetails::ToolExecutionRequest(e) => (true, Kind::Tool, e.request_id.as_str()),
        EventDetails::ToolExecutionResponse(e) => (false, Kind::Tool, e.request_id.as_str()),
        EventDetails::ToolConfirmationRequest(e) => {
            (true, Kind::Confirmation, e.request_id.as_str())
        }
        EventDetails::ToolConfirmationResponse(e) => {
            (false, Kind::Confirmation, e.request_id.as_str())
        }
        EventDetails::LlmGenerationRequest(e) => (true, Kind::Generation, e.request_id.as_str()),
        EventDetails::LlmGenerationResponse(e) => (false, Kind::Generation, e.request_id.as_str()),
        EventDetails::HumanInTheLoopRequest(e) => (true, Kind::Person, e.request_id.as_str()),
        EventDetails::HumanInTheLoopResponse(e) => (false, Kind::Person, e.request_id.as_str()),
        _ => return None,
    })
}
