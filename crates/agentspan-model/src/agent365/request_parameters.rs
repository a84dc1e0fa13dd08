//! The parameters of a request to an agent, besides its messages.

use serde::{Deserialize, Serialize};

use super::json_text::array_of;
use crate::escape::push_quoted;
use crate::masked::debug_masked;

/// The parameters of a request to an agent (`microsoft-opentelemetry` 1.5.0; older generations do not write them).
///
/// `Debug` masks instructions and stop sequences.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RequestParameters {
    /// The name of the model, unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The seed for reproducible answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// The number of answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice_count: Option<i64>,
    /// The frequency penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// The maximum number of tokens in an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<i64>,
    /// The presence penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// The stop sequences. An empty list is written, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_sequences: Option<Vec<String>>,
    /// The temperature: the randomness of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The probability mass for nucleus sampling (top-p).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The id of the agent's data source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source_id: Option<String>,
    /// The form of the answer, such as `text` or `json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_type: Option<String>,
    /// The system instructions, as a list of texts. An empty list is written, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_instructions: Option<Vec<String>>,
}

impl RequestParameters {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the model.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the seed for reproducible answers.
    #[must_use]
    pub fn with_seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the number of answers.
    #[must_use]
    pub fn with_choice_count(mut self, choice_count: i64) -> Self {
        self.choice_count = Some(choice_count);
        self
    }

    /// Sets the frequency penalty.
    #[must_use]
    pub fn with_frequency_penalty(mut self, frequency_penalty: f64) -> Self {
        self.frequency_penalty = Some(frequency_penalty);
        self
    }

    /// Sets the maximum number of tokens in an answer.
    #[must_use]
    pub fn with_max_tokens(mut self, max_tokens: i64) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets the presence penalty.
    #[must_use]
    pub fn with_presence_penalty(mut self, presence_penalty: f64) -> Self {
        self.presence_penalty = Some(presence_penalty);
        self
    }

    /// Sets the stop sequences.
    #[must_use]
    pub fn with_stop_sequences(
        mut self,
        stop_sequences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.stop_sequences = Some(stop_sequences.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the temperature: the randomness of an answer.
    #[must_use]
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets the probability mass for nucleus sampling (top-p).
    #[must_use]
    pub fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets the id of the agent's data source.
    #[must_use]
    pub fn with_data_source_id(mut self, data_source_id: impl Into<String>) -> Self {
        self.data_source_id = Some(data_source_id.into());
        self
    }

    /// Sets the form of the answer, such as `text` or `json`.
    #[must_use]
    pub fn with_output_type(mut self, output_type: impl Into<String>) -> Self {
        self.output_type = Some(output_type.into());
        self
    }

    /// Sets the system instructions.
    #[must_use]
    pub fn with_system_instructions(
        mut self,
        system_instructions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let texts = system_instructions.into_iter().map(Into::into);
        self.system_instructions = Some(texts.collect());
        self
    }

    /// The instructions as the text of a JSON array of parts.
    pub(super) fn system_instructions_text(&self) -> Option<String> {
        let texts = self.system_instructions.as_deref()?;
        Some(array_of(texts, 32, |out, text| {
            out.extend_from_slice(br#"{"content": "#);
            push_quoted(out, text);
            out.extend_from_slice(br#", "type": "text"}"#);
        }))
    }
}

debug_masked!(RequestParameters
    shows {
        model, seed, choice_count, frequency_penalty, max_tokens, presence_penalty, temperature, top_p, data_source_id,
        output_type
    }
    hides { stop_sequences, system_instructions });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_instructions() {
        let parameters = RequestParameters::new()
            .with_system_instructions(["canary"])
            .with_stop_sequences(["canary"]);
        assert!(!format!("{parameters:?} {parameters:#?}").contains("canary"));
    }

    #[test]
    fn instructions_are_parts_of_text() {
        let of = |texts: &[&str]| {
            let parameters = RequestParameters::new().with_system_instructions(texts.to_vec());
            parameters.system_instructions_text().unwrap()
        };
        assert_eq!(of(&[]), "[]");
        assert_eq!(
            of(&["a \"é\"", ""]),
            r#"[{"content": "a \"é\"", "type": "text"}, {"content": "", "type": "text"}]"#
        );
    }
}
