//! Agent 365: what its scopes would write for the same work.

use super::llm_call::{self, FinishReasonNames};
use super::operation::{Operation, operation_name};
use super::story::{Content, Story};
use super::{Rendering, gen_ai};
use crate::agent365::{Identity, Profile};
use crate::agentspec::{Component, LlmConfig, LlmGenerationResponse, Span, Tool};
use crate::attribute::AttributeValue::{JsonArrayOfStrs, Static, Str};
use crate::attribute::KeyVisitor;
use crate::keys;

mod profile;

pub(super) use profile::Words;

/// The id of the agent is that of the identity: the id of an Agent Spec component means nothing
/// there.
pub(super) fn visit_span(
    span: &Span,
    story: &Story<'_>,
    profile: Profile,
    identity: Option<&Identity>,
    visitor: &mut dyn KeyVisitor,
) {
    if let Some(identity) = identity {
        visitor.visit_key(
            profile.tenant_id_key().into(),
            Str(identity.tenant.as_str()),
        );
        visitor.visit_key(keys::GEN_AI_AGENT_ID.into(), Str(identity.agent.as_str()));
    }
    let operation = Operation::of(span);
    if let Some(name) = operation_name(Rendering::Agent365(profile), operation) {
        if let Some(system) = profile.system() {
            visitor.visit_key(keys::GEN_AI_SYSTEM.into(), Static(system));
        }
        visitor.visit_key(keys::GEN_AI_OPERATION_NAME.into(), Static(name));
    }
    let words = Words::of(profile);
    match operation {
        Operation::Agent(agent) | Operation::Flow(agent) => {
            visit_agent(agent, words, story, visitor);
        }
        Operation::Llm(model) => visit_llm(model, words, story, visitor),
        Operation::Tool(tool) => visit_tool(tool, words, story, visitor),
        Operation::Node | Operation::Other => {}
    }
    if let Some(id) = story.conversation_id {
        visitor.visit_key(keys::GEN_AI_CONVERSATION_ID.into(), Str(id));
    }
}

fn visit_agent(agent: &Component, words: Words, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::GEN_AI_AGENT_NAME.into(), Str(agent.name()));
    if let Some(description) = agent.description() {
        visitor.visit_key(keys::GEN_AI_AGENT_DESCRIPTION.into(), Str(description));
    }
    if let Some(Content::Shown(text)) = story.inputs() {
        words.visit_message(keys::GEN_AI_INPUT_MESSAGES, "user", text, None, visitor);
    }
    if let Some(Content::Shown(text)) = story.outputs() {
        let key = keys::GEN_AI_OUTPUT_MESSAGES;
        words.visit_message(key, "assistant", text, Some("stop"), visitor);
    }
}

fn visit_llm(model: &LlmConfig, words: Words, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    if let Some(id) = model.model_id() {
        visitor.visit_key(keys::GEN_AI_REQUEST_MODEL.into(), Str(&id));
    }
    if let Some(provider) = llm_call::provider(model) {
        visitor.visit_key(keys::GEN_AI_PROVIDER_NAME.into(), Str(&provider));
    }
    let prompt = story.request.map(|request| &request.prompt);
    if let Some(Content::Shown(prompt)) = prompt.map(|prompt| story.show(prompt, |p| p)) {
        words.visit_prompt(prompt, visitor);
    }
    if let Some(response) = story.response() {
        visit_response(&response, words, story, visitor);
    }
}

fn visit_response(
    response: &LlmGenerationResponse,
    words: Words,
    story: &Story<'_>,
    visitor: &mut dyn KeyVisitor,
) {
    if let Some(tokens) = response.input_tokens {
        visitor.visit_key(
            keys::GEN_AI_USAGE_INPUT_TOKENS.into(),
            (words.tokens)(tokens),
        );
    }
    if let Some(tokens) = response.output_tokens {
        visitor.visit_key(
            keys::GEN_AI_USAGE_OUTPUT_TOKENS.into(),
            (words.tokens)(tokens),
        );
    }
    if let Some(reason) = llm_call::finish_reason(response, story, FinishReasonNames::GenAi) {
        let key = keys::GEN_AI_RESPONSE_FINISH_REASONS;
        visitor.visit_key(key.into(), JsonArrayOfStrs(&[reason]));
    }
    if let Some(id) = &response.completion_id {
        visitor.visit_key(keys::GEN_AI_RESPONSE_ID.into(), Str(id.as_str()));
    }
    words.visit_answer(response, story, visitor);
}

fn visit_tool(tool: &Tool, words: Words, story: &Story<'_>, visitor: &mut dyn KeyVisitor) {
    visitor.visit_key(keys::GEN_AI_TOOL_NAME.into(), Str(tool.name()));
    if let Some(Content::Shown(inputs)) = story.inputs() {
        visitor.visit_key(words.tool_arguments.into(), Str(inputs));
    }
    let tool_type = gen_ai::tool_type(tool);
    visitor.visit_key(keys::GEN_AI_TOOL_TYPE.into(), Static(tool_type));
    if let Some(id) = story.request_id {
        visitor.visit_key(keys::GEN_AI_TOOL_CALL_ID.into(), Str(id));
    }
    if let Some(description) = tool.description() {
        visitor.visit_key(keys::GEN_AI_TOOL_DESCRIPTION.into(), Str(description));
    }
    if let Some(Content::Shown(outputs)) = story.outputs() {
        visitor.visit_key(words.tool_result.into(), Str(outputs));
    }
}
