//! The parameters of an agent's answer, besides its messages.

use serde::{Deserialize, Serialize};

/// The parameters of an agent's answer (`microsoft-opentelemetry` 1.5.0; older generations do not write them).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ResponseParameters {
    /// The reasons why the models stopped. An empty list is written, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reasons: Option<Vec<String>>,
    /// The number of input tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    /// The number of output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    /// The number of tokens that were written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_input_tokens: Option<i64>,
    /// The number of tokens that were read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_input_tokens: Option<i64>,
}

impl ResponseParameters {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reasons why the models stopped.
    #[must_use]
    pub fn with_finish_reasons(
        mut self,
        finish_reasons: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.finish_reasons = Some(finish_reasons.into_iter().map(Into::into).collect());
        self
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

    /// Sets the number of tokens that were written to a cache.
    #[must_use]
    pub fn with_cache_write_input_tokens(mut self, tokens: i64) -> Self {
        self.cache_write_input_tokens = Some(tokens);
        self
    }

    /// Sets the number of tokens that were read from a cache.
    #[must_use]
    pub fn with_cache_read_input_tokens(mut self, tokens: i64) -> Self {
        self.cache_read_input_tokens = Some(tokens);
        self
    }
}
