//! A call to a language model.

use serde::{Deserialize, Serialize};

use super::InferenceOperationType;

/// A call to a language model.
///
/// Field names in JSON are camel case, as in the reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InferenceCallDetails {
    /// What the model was asked to do.
    pub operation_name: InferenceOperationType,
    /// The name of the model.
    pub model: String,
    /// Who serves the model, such as `openai`.
    pub provider_name: String,
    /// The number of tokens that went in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    /// The number of tokens that came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    /// The reasons why the model stopped, one for each answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reasons: Option<Vec<String>>,
    /// The id that the provider gave the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
}

impl InferenceCallDetails {
    /// With what must be known; the rest is optional.
    #[must_use]
    pub fn new(
        operation_name: InferenceOperationType,
        model: impl Into<String>,
        provider_name: impl Into<String>,
    ) -> Self {
        Self {
            operation_name,
            model: model.into(),
            provider_name: provider_name.into(),
            input_tokens: None,
            output_tokens: None,
            finish_reasons: None,
            response_id: None,
        }
    }

    /// Sets the number of tokens that went in.
    #[must_use]
    pub fn with_input_tokens(mut self, input_tokens: i64) -> Self {
        self.input_tokens = Some(input_tokens);
        self
    }

    /// Sets the number of tokens that came out.
    #[must_use]
    pub fn with_output_tokens(mut self, output_tokens: i64) -> Self {
        self.output_tokens = Some(output_tokens);
        self
    }

    /// Sets the reasons why the model stopped, one for each answer.
    #[must_use]
    pub fn with_finish_reasons(
        mut self,
        finish_reasons: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.finish_reasons = Some(finish_reasons.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the id that the provider gave the response.
    #[must_use]
    pub fn with_response_id(mut self, response_id: impl Into<String>) -> Self {
        self.response_id = Some(response_id.into());
        self
    }
}
