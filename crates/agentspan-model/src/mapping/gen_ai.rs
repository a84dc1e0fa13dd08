//! The GenAI semantic conventions of OpenTelemetry.

use serde_json::{Map, Value};

use super::Rendering;
use super::llm_call::{self, FinishReasonNames};
use super::messages::{Answer, Instructions, OneText, Prompt};
use super::operation::{Operation, operation_name};
use super::story::{Content, Story};
use super::tool_definition::Definitions;
use crate::agentspec::{
    Component, Event, EventDetails, LlmConfig, LlmGenerationRequest, LlmGenerationResponse, MASK,
    Span, SpanDetails, Tool,
};
use crate::attribute::AttributeValue::{Bool, F64, I64, Static, Str, StrList};
use crate::attribute::KeyVisitor;
use crate::json_writer::to_json;
use crate::keys;

/// The version of the [semantic conventions] that [`Rendering::GenAi`] follows.
///
/// [semantic conventions]: https://github.com/open-telemetry/semantic-conventions/tree/v1.41.0/docs/gen-ai
pub const SEMANTIC_CONVENTIONS_VERSION: &str = "1.41.0";

/// The address of the schema of that version, as instrumentation scopes name it.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.41.0";

pub(super) fn visit_span(span: &Span, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    let operation = Operation::of(span);
    if let Some(name) = operation_name(Rendering::GenAi, operation) {
        visitor.visit_key(keys::GEN_AI_OPERATION_NAME.into(), Static(name));
    }
    match operation {
        Operation::Agent(agent) => {
            visit_agent(agent, story, visitor);
            visit_inputs_and_outputs(story, visitor);
        }
        Operation::Flow(flow) => {
            visitor.visit_key(keys::GEN_AI_WORKFLOW_NAME.into(), Str(flow.name()));
            visit_inputs_and_outputs(story, visitor);
        }
        Operation::Llm(model) => visit_llm(model, story, visitor),
        Operation::Tool(tool) => visit_tool(tool, story, visitor),
        // Backends show what the root of a trace was given, and what came of it.
        Operation::Other if matches!(span.details, SpanDetails::Root) => {
            visit_inputs_and_outputs(story, visitor);
        }
        // The conventions have nothing for them: what they were given is with their events.
        Operation::Node | Operation::Other => {}
    }
    if let Some(id) = story.conversation_id {
        visitor.visit_key(keys::GEN_AI_CONVERSATION_ID.into(), Str(id));
    }
}

fn visit_agent(agent: &Component, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::GEN_AI_AGENT_ID.into(), Str(agent.id()));
    visitor.visit_key(keys::GEN_AI_AGENT_NAME.into(), Str(agent.name()));
    if let Some(description) = agent.description() {
        visitor.visit_key(keys::GEN_AI_AGENT_DESCRIPTION.into(), Str(description));
    }
    let model = agent.component("llm_config");
    if let Some(model) = model.and_then(|model| LlmConfig::try_from(model.clone()).ok()) {
        visit_model(&model, visitor);
    }
    let instructions = agent.text("system_prompt");
    let is_told = |text: &String| story.content && !text.is_empty() && text != MASK;
    if let Some(text) = instructions.filter(is_told) {
        let text = to_json(&Instructions(&text));
        visitor.visit_key(keys::GEN_AI_SYSTEM_INSTRUCTIONS.into(), Str(&text));
    }
}

fn visit_model(model: &LlmConfig, visitor: &mut dyn KeyVisitor) {
    if let Some(provider) = llm_call::provider(model) {
        visitor.visit_key(keys::GEN_AI_PROVIDER_NAME.into(), Str(&provider));
    }
    if let Some(id) = model.model_id() {
        visitor.visit_key(keys::GEN_AI_REQUEST_MODEL.into(), Str(&id));
    }
}

/// Inputs and outputs have names, which messages have not: they are one text of JSON.
fn visit_inputs_and_outputs(story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    if let Some(Content::Shown(text)) = story.inputs() {
        let messages = to_json(&OneText {
            role: "user",
            text,
            finish_reason: None,
        });
        visitor.visit_key(keys::GEN_AI_INPUT_MESSAGES.into(), Str(&messages));
    }
    if let Some(Content::Shown(text)) = story.outputs() {
        let messages = to_json(&OneText {
            role: "assistant",
            text,
            finish_reason: Some("stop"),
        });
        visitor.visit_key(keys::GEN_AI_OUTPUT_MESSAGES.into(), Str(&messages));
    }
}

fn visit_llm(model: &LlmConfig, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visit_model(model, visitor);
    let parameters = llm_call::parameters(model, story);
    visit_parameters(&parameters, visitor);
    if let Some(request) = story.request.filter(|_| story.content) {
        visit_request(request, visitor);
    }
    if story.is_streamed() || parameters.get("stream") == Some(&Value::Bool(true)) {
        visitor.visit_key(keys::GEN_AI_REQUEST_STREAM.into(), Bool(true));
    }
    if let Some(time) = story.time_to_first_chunk() {
        let key = keys::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK;
        visitor.visit_key(key.into(), F64(time.as_secs_f64()));
    }
    if let Some(response) = story.response() {
        visit_response(&response, story, visitor);
        if story.content {
            visit_answer(&response, story, visitor);
        }
    }
}

/// Python writes `7.0` for a whole number that it computed.
fn whole_number(value: &Value) -> Option<i64> {
    /// Beyond it, not every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let from_float = || {
        let number = value.as_f64().filter(|number| number.abs() < EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        (number.fract() == 0.0).then_some(number as i64)
    };
    value.as_i64().or_else(from_float)
}

fn visit_parameters(parameters: &Map<String, Value>, visitor: &mut dyn KeyVisitor) {
    let mut whole = |name: &str, key: &'static str| {
        if let Some(number) = parameters.get(name).and_then(whole_number) {
            visitor.visit_key(key.into(), I64(number));
        }
    };
    let first = |names: &[&'static str]| {
        let mut names = names.iter().copied();
        names.find(|name| parameters.contains_key(*name))
    };
    if let Some(name) = first(llm_call::MAX_TOKENS) {
        whole(name, keys::GEN_AI_REQUEST_MAX_TOKENS);
    }
    whole("seed", keys::GEN_AI_REQUEST_SEED);
    // The conventions want it only if it is not one.
    if parameters.get("n").and_then(whole_number) != Some(1) {
        whole("n", keys::GEN_AI_REQUEST_CHOICE_COUNT);
    }
    let mut real = |name: &str, key: &'static str| {
        if let Some(number) = parameters.get(name).and_then(Value::as_f64) {
            visitor.visit_key(key.into(), F64(number));
        }
    };
    real("temperature", keys::GEN_AI_REQUEST_TEMPERATURE);
    real("top_p", keys::GEN_AI_REQUEST_TOP_P);
    real("top_k", keys::GEN_AI_REQUEST_TOP_K);
    real("frequency_penalty", keys::GEN_AI_REQUEST_FREQUENCY_PENALTY);
    real("presence_penalty", keys::GEN_AI_REQUEST_PRESENCE_PENALTY);
    let texts: Option<Vec<&str>> =
        match first(llm_call::STOP_SEQUENCES).and_then(|name| parameters.get(name)) {
            Some(Value::String(text)) => Some(vec![text]),
            Some(Value::Array(texts)) => texts.iter().map(Value::as_str).collect(),
            _ => None,
        };
    if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
        visitor.visit_key(keys::GEN_AI_REQUEST_STOP_SEQUENCES.into(), StrList(&texts));
    }
}

/// The question, and the tools that may be called: content, as the conventions see it.
fn visit_request(request: &LlmGenerationRequest, visitor: &mut dyn KeyVisitor) {
    if let Some(prompt) = request.prompt.reveal() {
        let messages = to_json(&Prompt(prompt));
        visitor.visit_key(keys::GEN_AI_INPUT_MESSAGES.into(), Str(&messages));
    }
    if !request.tools.is_empty() {
        let definitions = to_json(&Definitions(&request.tools));
        visitor.visit_key(keys::GEN_AI_TOOL_DEFINITIONS.into(), Str(&definitions));
    }
}

fn visit_response(
    response: &LlmGenerationResponse,
    story: &Story<'_>,
    visitor: &mut dyn KeyVisitor,
) {
    if let Some(id) = &response.completion_id {
        visitor.visit_key(keys::GEN_AI_RESPONSE_ID.into(), Str(id.as_str()));
    }
    if let Some(reason) = llm_call::finish_reason(response, story, FinishReasonNames::GenAi) {
        let key = keys::GEN_AI_RESPONSE_FINISH_REASONS;
        visitor.visit_key(key.into(), StrList(&[reason]));
    }
    if let Some(tokens) = response.input_tokens {
        visitor.visit_key(keys::GEN_AI_USAGE_INPUT_TOKENS.into(), I64(tokens));
    }
    if let Some(tokens) = response.output_tokens {
        visitor.visit_key(keys::GEN_AI_USAGE_OUTPUT_TOKENS.into(), I64(tokens));
    }
}

fn visit_answer(response: &LlmGenerationResponse, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    if !response.content.is_withheld() || !response.tool_calls.is_withheld() {
        let answer = to_json(&Answer::of(response, story));
        visitor.visit_key(keys::GEN_AI_OUTPUT_MESSAGES.into(), Str(&answer));
    }
}

fn visit_tool(tool: &Tool, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::GEN_AI_TOOL_NAME.into(), Str(tool.name()));
    visitor.visit_key(keys::GEN_AI_TOOL_TYPE.into(), Static(tool_type(tool)));
    if let Some(description) = tool.description() {
        visitor.visit_key(keys::GEN_AI_TOOL_DESCRIPTION.into(), Str(description));
    }
    if let Some(id) = story.request_id {
        visitor.visit_key(keys::GEN_AI_TOOL_CALL_ID.into(), Str(id));
    }
    if let Some(Content::Shown(inputs)) = story.inputs() {
        visitor.visit_key(keys::GEN_AI_TOOL_CALL_ARGUMENTS.into(), Str(inputs));
    }
    if let Some(Content::Shown(outputs)) = story.outputs() {
        visitor.visit_key(keys::GEN_AI_TOOL_CALL_RESULT.into(), Str(outputs));
    }
}

/// An extension calls something outside of the program; a function is code of the program.
pub(super) fn tool_type(tool: &Tool) -> &'static str {
    match tool.component_type() {
        "RemoteTool" | "MCPTool" => "extension",
        _ => "function",
    }
}

/// The content of an event, for those who want it there.
pub(super) fn visit_event(event: &Event, visitor: &mut dyn KeyVisitor) {
    match &event.details {
        EventDetails::LlmGenerationRequest(request) => visit_request(request, visitor),
        EventDetails::LlmGenerationResponse(response) => {
            visit_answer(response, &Story::default(), visitor);
        }
        EventDetails::ToolExecutionRequest(request) => {
            visitor.visit_key(
                keys::GEN_AI_TOOL_CALL_ID.into(),
                Str(request.request_id.as_str()),
            );
            if let Some(inputs) = request.inputs.reveal() {
                let key = keys::GEN_AI_TOOL_CALL_ARGUMENTS;
                visitor.visit_key(key.into(), Str(inputs.as_str()));
            }
        }
        EventDetails::ToolExecutionResponse(response) => {
            visitor.visit_key(
                keys::GEN_AI_TOOL_CALL_ID.into(),
                Str(response.request_id.as_str()),
            );
            if let Some(outputs) = response.outputs.reveal() {
                let key = keys::GEN_AI_TOOL_CALL_RESULT;
                visitor.visit_key(key.into(), Str(outputs.as_str()));
            }
        }
        _ => {}
    }
}
