//! The first input and the last output of a part of a trace.

use std::borrow::Cow;

use super::operation::Operation;
use crate::agentspec::{Event, EventDetails, JsonObject, Message, Sensitive, Span, SpanDetails};
use crate::json_writer::to_json;
use crate::masked::debug_masked;

/// The input of the first span of a part of a trace, and the output of the last span.
///
/// A root span has neither, and agents and flows often have neither, although backends list a trace
/// with its input and output. So an observer of a running trace [passes](Self::hear) the events of
/// the spans below such a span to an exchange, and the [`SpanInTrace`](super::SpanInTrace) shows
/// the result. An exchange holds contents in clear text: create one only if they may be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    first_input: Option<String>,
    last_output: Option<String>,
}

debug_masked!(Exchange shows {} hides { first_input, last_output });

impl Exchange {
    /// Whether a span shows an exchange: a root, an agent, a group of agents or a flow.
    #[must_use]
    pub fn is_shown_by(span: &Span) -> bool {
        let operation = Operation::of(span);
        matches!(operation, Operation::Agent(_) | Operation::Flow(_))
            || matches!(span.details, SpanDetails::Root)
    }

    /// Takes the inputs, prompts, outputs or answers of an event. Returns whether there were any.
    pub fn hear(&mut self, event: &Event) -> bool {
        if let Some(output) = output_of(event) {
            self.last_output = Some(output.into_owned());
            return true;
        }
        if self.first_input.is_none() {
            self.first_input = input_of(event).map(Cow::into_owned);
            return self.first_input.is_some();
        }
        false
    }

    /// Takes the first input of a nested part, unless it already has one.
    pub fn take_input(&mut self, inner: &Self) {
        if self.first_input.is_none() {
            self.first_input.clone_from(&inner.first_input);
        }
    }

    /// Takes the exchange of a nested part when the part ends.
    pub fn take(&mut self, inner: &Self) {
        self.take_input(inner);
        if inner.last_output.is_some() {
            self.last_output.clone_from(&inner.last_output);
        }
    }

    /// The input of the first span: text, or the text of JSON.
    #[must_use]
    pub fn first_input(&self) -> Option<&str> {
        self.first_input.as_deref()
    }

    /// The output of the last span: text, or the text of JSON.
    #[must_use]
    pub fn last_output(&self) -> Option<&str> {
        self.last_output.as_deref()
    }
}

fn input_of(event: &Event) -> Option<Cow<'_, str>> {
    match &event.details {
        EventDetails::LlmGenerationRequest(request) => {
            let messages = request.prompt.reveal()?;
            let said = |message: &&Message| message.role != "system" && !message.content.is_empty();
            let last = messages.iter().rev().find(said)?;
            Some(last.content.as_str().into())
        }
        EventDetails::ToolExecutionRequest(request) => shown(&request.inputs),
        EventDetails::AgentExecutionStart(start) => shown(&start.inputs),
        EventDetails::FlowExecutionStart(start) => shown(&start.inputs),
        EventDetails::NodeExecutionStart(start) => shown(&start.inputs),
        EventDetails::ManagerWorkersExecutionStart(start) => shown(&start.inputs),
        EventDetails::SwarmExecutionStart(start) => shown(&start.inputs),
        _ => None,
    }
}

fn output_of(event: &Event) -> Option<Cow<'_, str>> {
    match &event.details {
        EventDetails::LlmGenerationResponse(response) => {
            let text = response.content.reveal().and_then(Option::as_deref);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                return Some(text.into());
            }
            let calls = response
                .tool_calls
                .reveal()
                .filter(|calls| !calls.is_empty())?;
            let names: Vec<_> = calls.iter().map(|call| &call.tool_name).collect();
            Some(to_json(&names).into())
        }
        EventDetails::ToolExecutionResponse(response) => shown(&response.outputs),
        EventDetails::AgentExecutionEnd(end) => shown(&end.outputs),
        EventDetails::FlowExecutionEnd(end) => shown(&end.outputs),
        EventDetails::NodeExecutionEnd(end) => shown(&end.outputs),
        EventDetails::ManagerWorkersExecutionEnd(end) => shown(&end.outputs),
        EventDetails::SwarmExecutionEnd(end) => shown(&end.outputs),
        _ => None,
    }
}

/// An object with something in it.
fn shown(object: &Sensitive<JsonObject>) -> Option<Cow<'_, str>> {
    let object = object.reveal().filter(|object| !object.is_empty())?;
    Some(object.as_str().into())
}
