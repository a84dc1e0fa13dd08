//! OpenInference, as Arize Phoenix reads it.

use serde::Serialize;
use serde::de::IgnoredAny;

use super::llm_call::{self, FinishReasonNames};
use super::messages::to_json;
use super::operation::Operation;
use super::span_in_trace::SpanInTrace;
use super::story::{Content, Story};
use super::tool_definition::FunctionTool;
use crate::agentspec::{Component, LlmConfig, LlmGenerationResponse, Message, Tool, ToolCall};
use crate::attribute::AttributeValue::{I64, Static, Str};
use crate::attribute::{Key, KeyVisitor};
use crate::keys;

/// What OpenInference's own instrumentations write in the place of content that is not shown.
const REDACTED: &str = "__REDACTED__";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

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

/// What the span itself says is JSON; what the spans below it say may be text.
fn mime_type(content: Option<Content<&str>>) -> &'static str {
    let text = content.and_then(Content::shown).unwrap_or_default();
    let is_json = text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json { JSON } else { TEXT }
}

#[derive(Clone, Copy)]
enum Place {
    Input,
    Output,
}

fn value(
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

#[derive(Serialize)]
struct RoleAndContent<'a> {
    role: &'a str,
    content: &'a str,
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
        let mut member = |member, text: &str| {
            visitor.visit_key(indexed(list, index, member), Str(text));
        };
        member(keys::MESSAGE_ROLE, &message.role);
        member(keys::MESSAGE_CONTENT, &message.content);
        if let Some(sender) = message
            .sender
            .as_deref()
            .filter(|sender| !sender.is_empty())
        {
            member(keys::MESSAGE_NAME, sender);
        }
        if let Some(call) = message.id.as_deref().filter(|_| message.role == "tool") {
            member(keys::MESSAGE_TOOL_CALL_ID, call);
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
        visit_tool_call(index, call, visitor);
    }
    if let Some(reason) = llm_call::finish_reason(response, story, FinishReasonNames::OpenAi) {
        visitor.visit_key(keys::LLM_FINISH_REASON.into(), Static(reason));
    }
    let (input, output) = (response.input_tokens, response.output_tokens);
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

fn visit_tool_call(inner_index: usize, call: &ToolCall, visitor: &mut dyn KeyVisitor) {
    for (member, text) in [
        (keys::TOOL_CALL_ID, &call.call_id),
        (keys::TOOL_CALL_FUNCTION_NAME, &call.tool_name),
        (keys::TOOL_CALL_FUNCTION_ARGUMENTS, &call.arguments),
    ] {
        let key = Key::Nested {
            list: keys::LLM_OUTPUT_MESSAGES,
            index: 0,
            inner: keys::MESSAGE_TOOL_CALLS,
            inner_index,
            member,
        };
        visitor.visit_key(key, Str(text));
    }
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
        visitor.visit_key(keys::TOOL_PARAMETERS.into(), Str(inputs));
        visitor.visit_key(keys::TOOL_CALL_FUNCTION_NAME.into(), Str(tool.name()));
        visitor.visit_key(keys::TOOL_CALL_FUNCTION_ARGUMENTS.into(), Str(inputs));
    }
}

fn indexed(list: &'static str, index: usize, member: &'static str) -> Key {
    Key::Indexed {
        list,
        index,
        member,
    }
}
