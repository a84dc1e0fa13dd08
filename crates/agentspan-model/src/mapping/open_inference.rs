//! OpenInference, as Arize Phoenix reads it.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::llm_call::{self, FinishReasonNames};
use super::operation::Operation;
use super::span_in_trace::SpanInTrace;
use super::story::{Content, Story};
use super::tool_definition::FunctionTool;
use crate::agentspec::{Component, LlmConfig, LlmGenerationResponse, Message, Tool, ToolCall};
use crate::attribute::AttributeValue::{I64, Static, Str};
use crate::attribute::{Key, KeyVisitor};
use crate::json_writer::to_json;
use crate::keys;

/// The text that OpenInference's own instrumentations write in place of content that is not shown.
const REDACTED: &str = "__REDACTED__";
pub(super) const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain";

pub(super) fn visit_span(span: &SpanInTrace<'_>, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    let operation = Operation::of(span.span);
    let kind = match operation {
        Operation::Agent(_) => "AGENT",
        Operation::Llm(_) => "LLM",
        Operation::Tool(_) => "TOOL",
        Operation::Flow(_) | Operation::Node | Operation::Other => "CHAIN",
    };
    visitor.visit_key(keys::OPENINFERENCE_SPAN_KIND.into(), Static(kind));
    match operation {
        Operation::Agent(agent) => {
            visitor.visit_key(keys::AGENT_NAME.into(), Str(agent.name()));
        }
        Operation::Llm(model) => visit_llm(model, story, visitor),
        Operation::Tool(tool) => visit_tool(tool, story, visitor),
        Operation::Flow(_) | Operation::Node | Operation::Other => {}
    }
    if !matches!(operation, Operation::Llm(_)) {
        value(
            Place::Input,
            story.inputs(),
            mime_type(story.inputs()),
            visitor,
        );
        value(
            Place::Output,
            story.outputs(),
            mime_type(story.outputs()),
            visitor,
        );
    }
    if let Some(component) = span.span.details.component() {
        visit_graph_node(component, span.parent_component_id, visitor);
    }
    // One session for all spans of a trace, as OpenInference's own processor of Agent Spec has it.
    let session = span.trace_id.map(|id| id.as_str());
    if let Some(id) = session.or(story.conversation_id) {
        visitor.visit_key(keys::SESSION_ID.into(), Str(id));
    }
    let metadata = &span.span.metadata;
    if !metadata.is_empty() {
        visitor.visit_key(keys::METADATA.into(), Str(metadata.as_str()));
    }
}

/// The graph is that of components: which one called which.
fn visit_graph_node(component: &Component, parent: Option<&str>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::GRAPH_NODE_ID.into(), Str(component.id()));
    visitor.visit_key(keys::GRAPH_NODE_NAME.into(), Str(component.name()));
    if let Some(parent) = parent {
        visitor.visit_key(keys::GRAPH_NODE_PARENT_ID.into(), Str(parent));
    }
}

/// The type of the content: that of the span itself is JSON; the content of the spans below it may
/// be text.
fn mime_type(content: Option<Content<&str>>) -> &'static str {
    mime_type_of(content.and_then(Content::shown).unwrap_or_default())
}

pub(super) fn mime_type_of(text: &str) -> &'static str {
    let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json { JSON } else { TEXT }
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Input,
    Output,
}

pub(super) fn value(
    place: Place,
    content: Option<Content<&str>>,
    mime_type: &'static str,
    visitor: &mut dyn KeyVisitor,
) {
    let (key, mime_key) = match place {
        Place::Input => (keys::INPUT_VALUE, keys::INPUT_MIME_TYPE),
        Place::Output => (keys::OUTPUT_VALUE, keys::OUTPUT_MIME_TYPE),
    };
    match content {
        Some(Content::Shown(text)) => {
            visitor.visit_key(key.into(), Str(text));
            visitor.visit_key(mime_key.into(), Static(mime_type));
        }
        Some(Content::Withheld) => visitor.visit_key(key.into(), Static(REDACTED)),
        None => {}
    }
}

fn visit_llm(model: &LlmConfig, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    if let Some(id) = model.model_id() {
        visitor.visit_key(keys::LLM_MODEL_NAME.into(), Str(&id));
    }
    if let Some(provider) = llm_call::provider(model) {
        visitor.visit_key(keys::LLM_PROVIDER.into(), Str(&provider));
    }
    let parameters = llm_call::parameters(model, story);
    if !parameters.is_empty() {
        let parameters = to_json(&parameters);
        visitor.visit_key(keys::LLM_INVOCATION_PARAMETERS.into(), Str(&parameters));
    }
    if let Some(request) = story.request {
        match story.show(&request.prompt, Vec::as_slice) {
            Content::Shown(prompt) => visit_prompt(prompt, visitor),
            Content::Withheld => value(Place::Input, Some(Content::Withheld), JSON, visitor),
        }
        for (index, tool) in request.tools.iter().enumerate() {
            let schema = to_json(&FunctionTool(tool));
            let member = keys::TOOL_JSON_SCHEMA;
            visitor.visit_key(indexed(keys::LLM_TOOLS, index, member), Str(&schema));
        }
    }
    if let Some(response) = story.response() {
        visit_response(&response, story, visitor);
    }
}

/// A message of one text, as it is shown in `input.value`.
#[derive(Serialize)]
pub(super) struct RoleAndContent<'a> {
    pub(super) role: &'a str,
    pub(super) content: &'a str,
}

fn visit_prompt(prompt: &[Message], visitor: &mut dyn KeyVisitor) {
    let messages: Vec<_> = prompt
        .iter()
        .map(|message| RoleAndContent {
            role: &message.role,
            content: &message.content,
        })
        .collect();
    let text = to_json(&messages);
    value(Place::Input, Some(Content::Shown(&text)), JSON, visitor);
    let list = keys::LLM_INPUT_MESSAGES;
    for (index, message) in prompt.iter().enumerate() {
        let message = MessageFields {
            role: &message.role,
            content: Some(&message.content),
            name: message.sender.as_deref().filter(|name| !name.is_empty()),
            tool_call_id: message
                .id
                .as_deref()
                .filter(|id| message.role == "tool" && !id.is_empty()),
        };
        message.visit(list, index, visitor);
    }
}

/// The fields of a message beside its parts and the calls that it makes.
pub(super) struct MessageFields<'a> {
    pub(super) role: &'a str,
    pub(super) content: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) tool_call_id: Option<&'a str>,
}

impl MessageFields<'_> {
    pub(super) fn visit(&self, list: &'static str, index: usize, visitor: &mut dyn KeyVisitor) {
        for (member, text) in [
            (keys::MESSAGE_ROLE, Some(self.role)),
            (keys::MESSAGE_CONTENT, self.content),
            (keys::MESSAGE_NAME, self.name),
            (keys::MESSAGE_TOOL_CALL_ID, self.tool_call_id),
        ] {
            if let Some(text) = text {
                visitor.visit_key(indexed(list, index, member), Str(text));
            }
        }
    }
}

/// Where a call of a tool stands: in which message of which list, and at which place there.
#[derive(Clone, Copy)]
pub(super) struct CallPlace {
    pub(super) list: &'static str,
    pub(super) message: usize,
    pub(super) index: usize,
}

/// Shows a call of a tool in a message.
pub(super) fn visit_tool_call(
    place: CallPlace,
    id: Option<&str>,
    name: &str,
    arguments: Option<&str>,
    visitor: &mut dyn KeyVisitor,
) {
    for (member, text) in [
        (keys::TOOL_CALL_ID, id),
        (keys::TOOL_CALL_FUNCTION_NAME, Some(name)),
        (keys::TOOL_CALL_FUNCTION_ARGUMENTS, arguments),
    ] {
        let key = Key::Nested {
            list: place.list,
            index: place.message,
            inner: keys::MESSAGE_TOOL_CALLS,
            inner_index: place.index,
            member,
        };
        if let Some(text) = text {
            visitor.visit_key(key, Str(text));
        }
    }
}

/// Shows the tokens of a call, and how many they are together.
pub(super) fn visit_tokens(input: Option<i64>, output: Option<i64>, visitor: &mut dyn KeyVisitor) {
    let total = input.zip(output).map(|(a, b)| a.saturating_add(b));
    for (key, tokens) in [
        (keys::LLM_TOKEN_COUNT_PROMPT, input),
        (keys::LLM_TOKEN_COUNT_COMPLETION, output),
        (keys::LLM_TOKEN_COUNT_TOTAL, total),
    ] {
        if let Some(tokens) = tokens {
            visitor.visit_key(key.into(), I64(tokens));
        }
    }
}

fn visit_response(
    response: &LlmGenerationResponse,
    story: &Story<'_>,
    visitor: &mut dyn KeyVisitor,
) {
    let content = story.show(&response.content, Option::as_deref);
    let calls = story.show(&response.tool_calls, Vec::as_slice);
    let said = content.shown().flatten().filter(|text| !text.is_empty());
    let calls_shown = calls.shown().unwrap_or_default();
    match said {
        Some(text) => value(Place::Output, Some(Content::Shown(text)), TEXT, visitor),
        None if content == Content::Withheld => {
            value(Place::Output, Some(Content::Withheld), TEXT, visitor);
        }
        None if !calls_shown.is_empty() => {
            let calls: Vec<_> = calls_shown.iter().map(Call::of).collect();
            let text = to_json(&calls);
            value(Place::Output, Some(Content::Shown(&text)), JSON, visitor);
        }
        None => value(Place::Output, Some(Content::Shown("")), TEXT, visitor),
    }
    let list = keys::LLM_OUTPUT_MESSAGES;
    visitor.visit_key(indexed(list, 0, keys::MESSAGE_ROLE), Static("assistant"));
    if let Some(text) = said {
        visitor.visit_key(indexed(list, 0, keys::MESSAGE_CONTENT), Str(text));
    }
    for (index, call) in calls_shown.iter().enumerate() {
        let place = CallPlace {
            list,
            message: 0,
            index,
        };
        let (id, arguments) = (Some(&*call.call_id), Some(&*call.arguments));
        visit_tool_call(place, id, &call.tool_name, arguments, visitor);
    }
    if let Some(reason) = llm_call::finish_reason(response, story, FinishReasonNames::OpenAi) {
        visitor.visit_key(keys::LLM_FINISH_REASON.into(), Static(reason));
    }
    visit_tokens(response.input_tokens, response.output_tokens, visitor);
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    name: &'a str,
    arguments: &'a str,
}

impl<'a> Call<'a> {
    fn of(call: &'a ToolCall) -> Self {
        Self {
            id: &call.call_id,
            name: &call.tool_name,
            arguments: &call.arguments,
        }
    }
}

/// Shows what a tool was given, as backends look for it.
pub(super) fn visit_arguments(name: &str, arguments: &str, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::TOOL_PARAMETERS.into(), Str(arguments));
    visitor.visit_key(keys::TOOL_CALL_FUNCTION_NAME.into(), Str(name));
    visitor.visit_key(keys::TOOL_CALL_FUNCTION_ARGUMENTS.into(), Str(arguments));
}

fn visit_tool(tool: &Tool, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::TOOL_NAME.into(), Str(tool.name()));
    if let Some(description) = tool.description() {
        visitor.visit_key(keys::TOOL_DESCRIPTION.into(), Str(description));
    }
    let schema = to_json(&FunctionTool(tool));
    visitor.visit_key(keys::TOOL_JSON_SCHEMA.into(), Str(&schema));
    if let Some(id) = story.request_id {
        visitor.visit_key(keys::TOOL_CALL_ID.into(), Str(id));
    }
    if let Some(Content::Shown(inputs)) = story.inputs() {
        visit_arguments(tool.name(), inputs, visitor);
    }
}

pub(super) fn indexed(list: &'static str, index: usize, member: &'static str) -> Key {
    Key::Indexed {
        list,
        index,
        member,
    }
}
