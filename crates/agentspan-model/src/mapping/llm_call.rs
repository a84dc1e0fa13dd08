//! The facts about a call of a model besides its messages.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::story::Story;
use super::{agent_spec, members};
use crate::agentspec::{ComponentValue, Json, LlmConfig, LlmGenerationResponse, pairs};
use crate::keys;

/// The provider of the model, in the words of the GenAI conventions.
///
/// The server of the model goes before its maker: the API in the configuration, else its class,
/// else the maker in the configuration. The conventions have no name for local servers, so those
/// are ours. A provider that nobody knows keeps its name, in lower case as all names of the
/// conventions are.
pub(super) fn provider(model: &LlmConfig) -> Option<Cow<'static, str>> {
    let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    if let Some(api) = said(model.text("api_provider")) {
        return Some(provider_name(&api));
    }
    let is_vertex = || {
        let auth = model.component("auth");
        auth.is_some_and(|auth| auth.component_type() == "GeminiVertexAIAuthConfig")
    };
    let of_class = match model.component_type() {
        "OpenAiConfig" => Some("openai"),
        "GeminiConfig" if is_vertex() => Some("gcp.vertex_ai"),
        "GeminiConfig" => Some("gcp.gemini"),
        "OciGenAiConfig" => Some("oci.genai"),
        "OllamaConfig" => Some("ollama"),
        "VllmConfig" => Some("vllm"),
        _ => None,
    };
    if let Some(name) = of_class {
        return Some(name.into());
    }
    if let Some(maker) = said(model.provider()) {
        return Some(provider_name(&maker));
    }
    match model.component_type() {
        "OpenAiCompatibleConfig" => Some("openai".into()),
        _ => None,
    }
}

/// The name of the [conventions] for what people call a provider.
///
/// [conventions]: https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/registry/attributes/gen-ai.md
pub(super) fn provider_name(said: &str) -> Cow<'static, str> {
    let lower = said.trim().to_lowercase();
    let key: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let name = match &*key {
        "awsbedrock" | "amazonbedrock" | "bedrock" | "aws" | "amazon" => keys::AWS_BEDROCK,
        "azureopenai" | "azureaiopenai" | "azure" => "azure.ai.openai",
        "azureai" | "azureaiinference" | "azureaifoundry" => "azure.ai.inference",
        "cohere" => "cohere",
        "deepseek" => "deepseek",
        "gemini" | "gcpgemini" | "googlegemini" | "googleaistudio" => "gcp.gemini",
        "google" | "gcpgenai" | "googlegenai" | "gcp" => "gcp.gen_ai",
        "vertexai" | "gcpvertexai" | "googlevertexai" | "vertex" => "gcp.vertex_ai",
        "watsonx" | "watsonxai" | "ibmwatsonxai" | "ibmwatsonx" | "ibm" => "ibm.watsonx.ai",
        "mistral" | "mistralai" => "mistral_ai",
        "oci" | "ocigenai" | "oracle" | "oraclecloud" => "oci.genai",
        "xai" | "grok" => "x_ai",
        _ => return lower.into(),
    };
    name.into()
}

/// Names of one parameter. The first is that of Agent Spec; others say the same.
pub(super) const MAX_TOKENS: &[&str] = &["max_tokens", "max_completion_tokens"];
pub(super) const STOP_SEQUENCES: &[&str] = &["stop", "stop_sequences"];
const SYNONYMS: [&[&str]; 2] = [MAX_TOKENS, STOP_SEQUENCES];

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
    let json = Json::parse(json).ok();
    // In their order, and each by itself: a number that no float holds costs one parameter and not all.
    let members = json.as_ref().and_then(pairs).unwrap_or_default();
    let values = members.into_iter().filter_map(|(name, value)| {
        let value: Value = serde_json::from_str(value.get()).ok()?;
        (!value.is_null()).then_some((name.into_owned(), value))
    });
    let map: Map<String, Value> = values.collect();
    // A value that has another name here is written anew.
    for names in SYNONYMS
        .iter()
        .filter(|names| names.iter().any(|name| map.contains_key(*name)))
    {
        parameters.retain(|name, _| map.contains_key(name) || !names.contains(&&**name));
    }
    parameters.extend(map);
}

/// Why the model stopped. Agent Spec does not record it: a model that asks for tools has stopped for
/// them, and for any other answer there is only the usual reason. `None` if the answer is withheld, or
/// broke off while it was streamed.
pub(super) fn finish_reason(
    response: &LlmGenerationResponse,
    story: &Story<'_>,
    names: FinishReasonNames,
) -> Option<&'static str> {
    if story.broke_off() {
        return None;
    }
    let calls = response.tool_calls.reveal()?;
    Some(match (calls.is_empty(), names) {
        (true, _) => "stop",
        (false, FinishReasonNames::GenAi) => "tool_call",
        (false, FinishReasonNames::OpenAi) => "tool_calls",
    })
}

/// The vocabulary of finish reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinishReasonNames {
    /// The words of the GenAI conventions.
    GenAi,
    /// The words of OpenAI, which OpenInference shows as they come.
    OpenAi,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_call_a_provider_becomes_the_name_of_the_conventions() {
        for (said, name) in [
            ("aws_bedrock", "aws.bedrock"),
            ("AWS Bedrock", "aws.bedrock"),
            ("azure.ai.openai", "azure.ai.openai"),
            ("Mistral", "mistral_ai"),
            ("vertex_ai", "gcp.vertex_ai"),
            ("OCI", "oci.genai"),
            ("xAI", "x_ai"),
            ("COHERE", "cohere"),
            ("OpenAI", "openai"),
            ("my-gateway", "my-gateway"),
        ] {
            assert_eq!(provider_name(said), name);
        }
    }
}
