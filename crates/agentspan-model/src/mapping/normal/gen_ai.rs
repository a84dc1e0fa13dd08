//! The words of the GenAI conventions, and those of Agent 365, which follow them.

use serde_json::Value;

use super::facts::{NormalMessage, NormalSpan};
use super::words::{
    shown, text, visit_agent_details, visit_definitions, visit_instructions, visit_parameters,
};
use crate::agent365::{MessagePart, Profile, json_array_text};
use crate::attribute::AttributeValue::{Bool, Static, Str, StrList};
use crate::attribute::KeyVisitor;
use crate::keys;
use crate::mapping::Rendering;
use crate::mapping::as_agent365::Words;

pub(super) fn visit(normal: &NormalSpan, rendering: Rendering, visitor: &mut dyn KeyVisitor) {
    let profile = match rendering {
        Rendering::Agent365(profile) => Some(profile),
        _ => None,
    };
    // The words of 2.0.0 are those of the conventions.
    let words = Words::of(profile.unwrap_or(Profile::V2));
    if let Some(system) = profile.and_then(Profile::system) {
        visitor.visit_key(keys::GEN_AI_SYSTEM.into(), Static(system));
    }
    let operation = normal.operation_name(rendering);
    visitor.visit_key(keys::GEN_AI_OPERATION_NAME.into(), Str(operation));
    visit_agent_details(normal, visitor);
    text(
        keys::GEN_AI_AGENT_NAME,
        normal.agent.name.as_deref(),
        visitor,
    );
    let conversation = normal.conversation_id.as_deref();
    text(keys::GEN_AI_CONVERSATION_ID, conversation, visitor);
    let session_key = match profile {
        Some(profile) => profile.session_id_key(),
        None => keys::SESSION_ID,
    };
    text(session_key, normal.session_id.as_deref(), visitor);
    visit_call(normal, profile, visitor);
    // An agent's are the sum of those of its calls, and Agent 365 adds them up.
    if !(normal.is_sum() && profile.is_some()) {
        visit_usage(normal, words, visitor);
    }
    if normal.is_tool() {
        visit_tool(normal, words, visitor);
    }
    visit_messages(normal, words, visitor);
}

fn visit_call(normal: &NormalSpan, profile: Option<Profile>, visitor: &mut dyn KeyVisitor) {
    let call = &normal.call;
    text(
        keys::GEN_AI_PROVIDER_NAME,
        call.provider.as_deref(),
        visitor,
    );
    for (key, value) in [
        (keys::GEN_AI_REQUEST_MODEL, &call.request_model),
        (keys::GEN_AI_RESPONSE_MODEL, &call.response_model),
        (keys::GEN_AI_RESPONSE_ID, &call.response_id),
        (keys::GEN_AI_OUTPUT_TYPE, &call.output_type),
    ] {
        text(key, value.as_deref(), visitor);
    }
    if let Some(is_streamed) = call.is_streamed {
        visitor.visit_key(keys::GEN_AI_REQUEST_STREAM.into(), Bool(is_streamed));
    }
    visit_parameters(normal, visitor);
    if !call.finish_reasons.is_empty() {
        let key = keys::GEN_AI_RESPONSE_FINISH_REASONS;
        if profile.is_some() {
            let reasons = json_array_text(&call.finish_reasons);
            visitor.visit_key(key.into(), Str(&reasons));
        } else {
            let reasons: Vec<_> = call.finish_reasons.iter().map(String::as_str).collect();
            visitor.visit_key(key.into(), StrList(&reasons));
        }
    }
}

fn visit_usage(normal: &NormalSpan, words: Words, visitor: &mut dyn KeyVisitor) {
    let usage = &normal.usage;
    for (key, tokens) in [
        (keys::GEN_AI_USAGE_INPUT_TOKENS, usage.input),
        (keys::GEN_AI_USAGE_OUTPUT_TOKENS, usage.output),
        (keys::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read),
        (
            keys::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
            usage.cache_write,
        ),
        (keys::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, usage.reasoning),
    ] {
        if let Some(tokens) = tokens {
            visitor.visit_key(key.into(), (words.tokens)(tokens));
        }
    }
}

fn visit_tool(normal: &NormalSpan, words: Words, visitor: &mut dyn KeyVisitor) {
    let tool = &normal.tool;
    for (key, value) in [
        (keys::GEN_AI_TOOL_NAME, &tool.name),
        (keys::GEN_AI_TOOL_TYPE, &tool.tool_type),
        (keys::GEN_AI_TOOL_DESCRIPTION, &tool.description),
        (keys::GEN_AI_TOOL_CALL_ID, &tool.call_id),
    ] {
        text(key, value.as_deref(), visitor);
    }
    for (key, value) in [
        (words.tool_arguments, &tool.arguments),
        (words.tool_result, &tool.result),
    ] {
        if let Some(value) = value.as_ref().and_then(|value| value.reveal()) {
            visitor.visit_key(key.into(), Str(&shown(value)));
        }
    }
}

fn visit_messages(normal: &NormalSpan, words: Words, visitor: &mut dyn KeyVisitor) {
    visit_instructions(normal, visitor);
    for (key, messages) in [
        (keys::GEN_AI_INPUT_MESSAGES, &normal.input),
        (keys::GEN_AI_OUTPUT_MESSAGES, &normal.output),
    ] {
        let Some(messages) = messages.reveal().filter(|messages| !messages.is_empty()) else {
            continue;
        };
        let text = if words.has_texts_only() {
            let texts: Vec<_> = messages.iter().filter_map(said).collect();
            if texts.is_empty() {
                continue;
            }
            json_array_text(&texts)
        } else {
            let messages: Value = messages.iter().map(NormalMessage::to_value).collect();
            messages.to_string()
        };
        visitor.visit_key(key.into(), Str(&text));
    }
    visit_definitions(normal, visitor);
}

/// A message as one text, for those who know no parts. `None` if it says nothing in words.
pub(super) fn said(message: &NormalMessage) -> Option<String> {
    let texts = message.parts.iter().filter_map(|part| match part {
        MessagePart::Text { content } => Some(content.clone()),
        MessagePart::ToolCallResponse { response, .. } => response.as_ref().map(shown),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
