//! A call to a language model.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Endpoint, InferenceOperationType};
use crate::masked::debug_masked;

/// A call to a language model.
///
/// Field names in JSON are camel case, as in the reference. `Debug` masks the reasoning of the
/// model.
///
/// All profiles share this type. Each field names the profiles that do not write it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InferenceCallDetails {
    /// The operation of the model.
    pub operation_name: InferenceOperationType,
    /// The name of the model. 0.1.0 writes it unchanged. 2.0.0 trims it, and falls back to the
    /// model of the response if it is blank. `microsoft-opentelemetry` 1.5.0 writes it unchanged,
    /// unless it is empty.
    #[serde(default)]
    pub model: String,
    /// The provider of the model, such as `openai`.
    pub provider_name: String,
    /// The number of input tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    /// The number of output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    /// The reasons why the model stopped, one for each answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reasons: Option<Vec<String>>,
    /// The provider's id of the response. Only 0.1.0 writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// The name of the model that answered; not written by 0.1.0, like the following fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    /// The reasoning of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought_process: Option<String>,
    /// The endpoint of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The number of tokens that were read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_input_tokens: Option<i64>,
    /// The number of tokens that were written to a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_input_tokens: Option<i64>,
}

/// A call has neither a requested model nor a model that answered.
///
/// Set one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoModelError;

impl fmt::Display for NoModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither the model nor the model of the response is named")
    }
}

impl std::error::Error for NoModelError {}

impl InferenceCallDetails {
    /// Creates it with the required values. The other values are optional.
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
            response_model: None,
            thought_process: None,
            endpoint: None,
            cache_read_input_tokens: None,
            cache_write_input_tokens: None,
        }
    }

    /// Like [`new`](Self::new), with the model that answered, for calls whose requested model may
    /// be unknown.
    ///
    /// # Errors
    ///
    /// [`NoModelError`] if both names are missing or blank, as in 2.0.0.
    pub fn with_either_model(
        operation_name: InferenceOperationType,
        model: Option<&str>,
        response_model: Option<&str>,
        provider_name: impl Into<String>,
    ) -> Result<Self, NoModelError> {
        let details = Self {
            response_model: response_model.map(str::to_owned),
            ..Self::new(operation_name, model.unwrap_or_default(), provider_name)
        };
        match details.named_model() {
            Some(_) => Ok(details),
            None => Err(NoModelError),
        }
    }

    /// The model that was asked for, else the one that answered, without blanks around it.
    #[must_use]
    pub fn named_model(&self) -> Option<&str> {
        self.named_request_model()
            .or_else(|| self.named_response_model())
    }

    /// The model that answered, without blanks around it.
    pub(super) fn named_response_model(&self) -> Option<&str> {
        self.response_model.as_deref().and_then(not_blank)
    }

    /// The model that was asked for, without blanks around it.
    pub(super) fn named_request_model(&self) -> Option<&str> {
        not_blank(&self.model)
    }

    /// Sets the number of input tokens.
    #[must_use]
    pub fn with_input_tokens(mut self, input_tokens: i64) -> Self {
        self.input_tokens = Some(input_tokens);
        self
    }

    /// Sets the number of output tokens.
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

    /// Sets the provider's id of the response.
    #[must_use]
    pub fn with_response_id(mut self, response_id: impl Into<String>) -> Self {
        self.response_id = Some(response_id.into());
        self
    }

    /// Sets the name of the model that answered.
    #[must_use]
    pub fn with_response_model(mut self, response_model: impl Into<String>) -> Self {
        self.response_model = Some(response_model.into());
        self
    }

    /// Sets the reasoning of the model.
    #[must_use]
    pub fn with_thought_process(mut self, thought_process: impl Into<String>) -> Self {
        self.thought_process = Some(thought_process.into());
        self
    }

    /// Sets the endpoint of the model.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets the number of tokens that were read from a cache.
    #[must_use]
    pub fn with_cache_read_input_tokens(mut self, tokens: i64) -> Self {
        self.cache_read_input_tokens = Some(tokens);
        self
    }

    /// Sets the number of tokens that were written to a cache.
    #[must_use]
    pub fn with_cache_write_input_tokens(mut self, tokens: i64) -> Self {
        self.cache_write_input_tokens = Some(tokens);
        self
    }
}

/// The text that Python's `strip` leaves; it also takes the separators of ASCII for white space.
fn not_blank(text: &str) -> Option<&str> {
    let is_blank = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    Some(text.trim_matches(is_blank)).filter(|text| !text.is_empty())
}

debug_masked!(InferenceCallDetails shows { operation_name, model, provider_name, input_tokens, output_tokens, finish_reasons, response_id, response_model, endpoint, cache_read_input_tokens, cache_write_input_tokens } hides { thought_process });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_a_model_by_one_name_or_the_other() {
        let model = |model, response| {
            let operation = InferenceOperationType::Chat;
            let call = InferenceCallDetails::with_either_model(operation, model, response, "p");
            call.map(|call| call.named_model().map(str::to_owned))
        };
        let named = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(model(Some(" m\u{1f}"), Some("r")), named("m"));
        assert_eq!(model(Some(" "), Some("r\n")), named("r"));
        assert_eq!(model(None, Some("r")), named("r"));
        assert_eq!(model(Some("\t"), Some("")), Err(NoModelError));
        assert_eq!(model(None, None), Err(NoModelError));
    }

    #[test]
    fn debug_shows_no_thoughts() {
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "m", "p")
            .with_thought_process("canary");
        assert!(!format!("{call:?}").contains("canary"));
    }
}
