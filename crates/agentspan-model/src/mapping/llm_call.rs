//! What is known of a call of a model besides its messages.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::story::Story;
use super::{agent_spec, members};
use crate::agentspec::{ComponentValue, LlmConfig, LlmGenerationResponse};

/// Who provides the model, in the words of the GenAI conventions.
///
/// What the configuration says wins: who serves the model before who made it. Else its class tells; the
/// conventions have no name for Oracle's and for local servers, so those are ours.
pub(super) fn provider(model: &LlmConfig) -> Option<Cow<'static, str>> {
    let said = model.text("api_provider").or_else(|| model.provider());
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        return Some(said.into());
    }
    let is_vertex = || {
        let auth = model.component("auth");
        auth.is_some_and(|auth| auth.component_type() == "GeminiVertexAIAuthConfig")
    };
    match model.component_type() {
        "OpenAiConfig" | "OpenAiCompatibleConfig" => Some("openai".into()),
        "GeminiConfig" if is_vertex() => Some("gcp.vertex_ai".into()),
        "GeminiConfig" => Some("gcp.gemini".into()),
        "OciGenAiConfig" => Some("oci.genai".into()),
        "OllamaConfig" => Some("ollama".into()),
        "VllmConfig" => Some("vllm".into()),
        _ => None,
    }
}

/// How the model is asked to generate: what its configuration says, and on top what the request says.
/// Parameters that are null are left out.
pub(super) fn parameters(model: &LlmConfig, story: &Story<'_>) -> Map<String, Value> {
    let mut parameters = Map::new();
    if let Some(ComponentValue::Json(defaults)) = model.member("default_generation_parameters") {
        overlay(&mut parameters, defaults.as_str());
    }
    if let Some(event) = story.request_event {
        agent_spec::visit_member(event, members::LLM_GENERATION_CONFIG, &mut |json| {
            overlay(&mut parameters, json);
        });
    }
    parameters
}

fn overlay(parameters: &mut Map<String, Value>, json: &str) {
    let map: Option<Map<String, Value>> = serde_json::from_str(json).ok();
    for (name, value) in map.unwrap_or_default() {
        if !value.is_null() {
            parameters.insert(name, value);
        }
    }
}

/// Why the model stopped. Agent Spec does not record it: a model that asks for tools has stopped for
/// them, and for any other answer there is only the usual reason. `None` if the answer is withheld.
pub(super) fn finish_reason(
    response: &LlmGenerationResponse,
    names: FinishReasonNames,
) -> Option<&'static str> {
    let calls = response.tool_calls.reveal()?;
    Some(match (calls.is_empty(), names) {
        (true, _) => "stop",
        (false, FinishReasonNames::GenAi) => "tool_call",
        (false, FinishReasonNames::OpenAi) => "tool_calls",
    })
}

/// Whose word for a finish reason is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinishReasonNames {
    /// That of the GenAI conventions.
    GenAi,
    /// That of OpenAI, which OpenInference shows as it comes.
    OpenAi,
}
