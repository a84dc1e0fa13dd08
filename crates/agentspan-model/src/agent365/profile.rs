//! Generations of the Agent 365 contract.

use super::InferenceOperationType;

/// A generation of the Agent 365 contract.
///
/// Keys, names, value types and the wire differ between generations. Code that depends on them asks
/// the profile; nothing else compares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// `microsoft-agents-a365-observability-core` 0.1.0. The default.
    #[default]
    V0_1,
}

impl Profile {
    /// The name and version of the instrumentation scope that Agent 365 scopes write.
    ///
    /// The reference's tracer has the empty version, which is not the same as none.
    #[must_use]
    pub fn instrumentation_scope(self) -> (&'static str, &'static str) {
        match self {
            Self::V0_1 => ("Agent365Sdk", ""),
        }
    }

    /// The value of `gen_ai.system`.
    #[must_use]
    pub fn system(self) -> &'static str {
        match self {
            Self::V0_1 => "az.ai.agent365",
        }
    }

    /// The operation name of a call to a language model.
    #[must_use]
    pub fn inference_operation(self, operation: InferenceOperationType) -> &'static str {
        match (self, operation) {
            (Self::V0_1, InferenceOperationType::Chat) => "Chat",
            (Self::V0_1, InferenceOperationType::TextCompletion) => "TextCompletion",
            (Self::V0_1, InferenceOperationType::GenerateContent) => "GenerateContent",
        }
    }
}
