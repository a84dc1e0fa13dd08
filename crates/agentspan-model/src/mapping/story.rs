//! What the events of a span say of the span.

use crate::agentspec::{
    Event, EventDetails, JsonObject, LlmGenerationRequest, LlmGenerationResponse, Sensitive, Span,
    ToolExecutionRequest,
};

/// What the events of a span say of the span: what it was given, and what came of it.
///
/// The first that was given counts, and the last that came of it.
#[derive(Debug, Default)]
pub(super) struct Story<'a> {
    /// Whether sensitive content may be shown.
    pub(super) content: bool,
    pub(super) request: Option<&'a LlmGenerationRequest>,
    /// The event of the request, for what is read from its dump.
    pub(super) request_event: Option<&'a Event>,
    pub(super) response: Option<&'a LlmGenerationResponse>,
    pub(super) tool_request: Option<&'a ToolExecutionRequest>,
    inputs: Option<&'a Sensitive<JsonObject>>,
    outputs: Option<&'a Sensitive<JsonObject>>,
    pub(super) conversation_id: Option<&'a str>,
    /// The request that the span answers or makes, also if only its answer is known.
    pub(super) request_id: Option<&'a str>,
}

/// A sensitive value: shown or withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<T> {
    Shown(T),
    Withheld,
}

impl<T> Content<T> {
    pub(super) fn shown(self) -> Option<T> {
        match self {
            Self::Shown(value) => Some(value),
            Self::Withheld => None,
        }
    }
}

impl<'a> Story<'a> {
    pub(super) fn of(span: &'a Span, content: bool) -> Self {
        let mut story = Story {
            content,
            ..Self::default()
        };
        span.events.iter().for_each(|event| story.hear(event));
        story
    }

    fn hear(&mut self, event: &'a Event) {
        match &event.details {
            EventDetails::LlmGenerationRequest(request) if self.request.is_none() => {
                self.request = Some(request);
                self.request_event = Some(event);
            }
            EventDetails::LlmGenerationResponse(response) => self.response = Some(response),
            EventDetails::ToolExecutionRequest(request) => {
                self.given(&request.inputs);
                self.tool_request.get_or_insert(request);
                self.request_id.get_or_insert(request.request_id.as_str());
            }
            EventDetails::ToolExecutionResponse(response) => {
                self.outputs = Some(&response.outputs);
                self.request_id.get_or_insert(response.request_id.as_str());
            }
            EventDetails::AgentExecutionStart(start) => self.given(&start.inputs),
            EventDetails::FlowExecutionStart(start) => self.given(&start.inputs),
            EventDetails::NodeExecutionStart(start) => self.given(&start.inputs),
            EventDetails::ManagerWorkersExecutionStart(start) => self.given(&start.inputs),
            EventDetails::SwarmExecutionStart(start) => self.given(&start.inputs),
            EventDetails::AgentExecutionEnd(end) => self.outputs = Some(&end.outputs),
            EventDetails::FlowExecutionEnd(end) => self.outputs = Some(&end.outputs),
            EventDetails::NodeExecutionEnd(end) => self.outputs = Some(&end.outputs),
            EventDetails::ManagerWorkersExecutionEnd(end) => self.outputs = Some(&end.outputs),
            EventDetails::SwarmExecutionEnd(end) => self.outputs = Some(&end.outputs),
            EventDetails::StateSnapshotEmitted(snapshot) => {
                self.conversation_id = Some(&snapshot.conversation_id);
            }
            _ => {}
        }
    }

    fn given(&mut self, inputs: &'a Sensitive<JsonObject>) {
        self.inputs.get_or_insert(inputs);
    }

    /// What the span was given, as JSON.
    pub(super) fn inputs(&self) -> Option<Content<&'a str>> {
        self.inputs
            .map(|inputs| self.show(inputs, JsonObject::as_str))
    }

    /// What came of it, as JSON.
    pub(super) fn outputs(&self) -> Option<Content<&'a str>> {
        self.outputs
            .map(|outputs| self.show(outputs, JsonObject::as_str))
    }

    /// A sensitive value, if it may be shown.
    pub(super) fn show<T, U: 'a>(
        &self,
        value: &'a Sensitive<T>,
        f: impl FnOnce(&'a T) -> U,
    ) -> Content<U> {
        match value.reveal().filter(|_| self.content) {
            Some(value) => Content::Shown(f(value)),
            None => Content::Withheld,
        }
    }
}
