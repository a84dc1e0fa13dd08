//! Collects the data of a span from its events.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::de::IgnoredAny;

use super::{Exchange, SpanInTrace};
use crate::agentspec::{
    Event, EventDetails, JsonObject, LlmGenerationChunkReceived, LlmGenerationRequest,
    LlmGenerationResponse, Sensitive, Timestamp, ToolCall, ToolExecutionRequest,
};

/// The story that the events of a span tell: its inputs, and its outcome.
///
/// The first that was given counts, and the last that came of it.
#[derive(Debug, Default)]
pub(super) struct Story<'a> {
    /// Whether sensitive content may be shown.
    pub(super) content: bool,
    pub(super) request: Option<&'a LlmGenerationRequest>,
    /// The event of the request, for what is read from its dump.
    pub(super) request_event: Option<&'a Event>,
    response: Option<&'a LlmGenerationResponse>,
    chunks: Vec<&'a LlmGenerationChunkReceived>,
    first_chunk: Option<Timestamp>,
    pub(super) tool_request: Option<&'a ToolExecutionRequest>,
    inputs: Option<&'a Sensitive<JsonObject>>,
    outputs: Option<&'a Sensitive<JsonObject>>,
    first_input: Option<&'a str>,
    last_output: Option<&'a str>,
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
    pub(super) fn of(span: &SpanInTrace<'a>, content: bool) -> Self {
        let mut story = Story {
            content,
            ..Self::default()
        };
        span.span.events.iter().for_each(|event| story.hear(event));
        if content && Exchange::is_shown_by(span.span) {
            story.first_input = span.first_input;
            story.last_output = span.last_output;
        }
        story
    }

    fn hear(&mut self, event: &'a Event) {
        match &event.details {
            EventDetails::LlmGenerationRequest(request) if self.request.is_none() => {
                self.request = Some(request);
                self.request_event = Some(event);
            }
            EventDetails::LlmGenerationResponse(response) => self.response = Some(response),
            EventDetails::LlmGenerationChunkReceived(chunk) => {
                let first = self.first_chunk.get_or_insert(event.timestamp);
                *first = event.timestamp.min(*first);
                self.chunks.push(chunk);
            }
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

    /// The model's answer: its last one, or else the part that it had streamed when the stream
    /// broke off.
    pub(super) fn response(&self) -> Option<Cow<'a, LlmGenerationResponse>> {
        match self.response {
            Some(response) => Some(Cow::Borrowed(response)),
            None => streamed(&self.chunks).map(Cow::Owned),
        }
    }

    /// Whether the model has streamed, and never said that it was done.
    pub(super) fn broke_off(&self) -> bool {
        self.response.is_none() && self.is_streamed()
    }

    /// Whether the answer came in parts.
    pub(super) fn is_streamed(&self) -> bool {
        !self.chunks.is_empty()
    }

    /// How long the first part took to come. `None` if the clock says that it came before it was asked for.
    pub(super) fn time_to_first_chunk(&self) -> Option<Duration> {
        let asked = self.request_event?.timestamp;
        let first = self.first_chunk.filter(|first| *first >= asked)?;
        Some(first.since(asked))
    }

    /// The inputs of the span, as JSON, or those of the first of the spans below, if it has none
    /// itself.
    pub(super) fn inputs(&self) -> Option<Content<&'a str>> {
        self.own_or(self.inputs, self.first_input)
    }

    /// The outputs of the span, as JSON, or those of the last of the spans below.
    pub(super) fn outputs(&self) -> Option<Content<&'a str>> {
        self.own_or(self.outputs, self.last_output)
    }

    fn own_or(
        &self,
        own: Option<&'a Sensitive<JsonObject>>,
        below: Option<&'a str>,
    ) -> Option<Content<&'a str>> {
        let is_empty = |own: &Sensitive<JsonObject>| own.reveal().is_some_and(JsonObject::is_empty);
        match (own, below) {
            (Some(own), Some(below)) if is_empty(own) => Some(Content::Shown(below)),
            (None, Some(below)) => Some(Content::Shown(below)),
            (own, _) => own.map(|own| self.show(own, JsonObject::as_str)),
        }
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

/// The parts of an answer as one, as far as they may be shown.
fn streamed(chunks: &[&LlmGenerationChunkReceived]) -> Option<LlmGenerationResponse> {
    let first = chunks.first()?;
    let mut answer = LlmGenerationResponse::new(first.llm_config.clone(), first.request_id.clone());
    let texts: Option<Vec<_>> = chunks.iter().map(|chunk| chunk.content.reveal()).collect();
    answer.content = match texts {
        Some(texts) => {
            let text: String = texts.into_iter().flatten().map(String::as_str).collect();
            Sensitive::new((!text.is_empty()).then_some(text))
        }
        None => Sensitive::withheld(),
    };
    let calls: Option<Vec<_>> = chunks
        .iter()
        .map(|chunk| chunk.tool_calls.reveal())
        .collect();
    answer.tool_calls = match calls {
        Some(calls) => Sensitive::new(joined(calls.into_iter().flatten())),
        None => Sensitive::withheld(),
    };
    answer.completion_id = chunks.iter().find_map(|chunk| chunk.completion_id.clone());
    let tokens = chunks.iter().filter_map(|chunk| chunk.output_tokens);
    answer.output_tokens = tokens.reduce(i64::saturating_add);
    Some(answer)
}

/// Calls of tools, of which one may come in parts: then the arguments of the first part are not yet JSON.
fn joined<'a>(parts: impl Iterator<Item = &'a ToolCall>) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::new();
    let mut begun = HashMap::new();
    for part in parts {
        let id = part.call_id.as_str();
        let call = begun
            .get(id)
            .and_then(|index: &usize| calls.get_mut(*index));
        if let Some(call) = call {
            call.arguments.push_str(&part.arguments);
            if call.tool_name.is_empty() {
                call.tool_name.clone_from(&part.tool_name);
            }
            continue;
        }
        if serde_json::from_str::<IgnoredAny>(&part.arguments).is_err() {
            begun.insert(id, calls.len());
        }
        calls.push(part.clone());
    }
    calls
}
