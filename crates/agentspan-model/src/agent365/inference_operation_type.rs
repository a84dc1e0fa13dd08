//! The operations of language models.

use serde::{Deserialize, Serialize};

/// The operation of a language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InferenceOperationType {
    /// Answer a conversation.
    Chat,
    /// Continue a text.
    TextCompletion,
    /// Generate content of several modalities.
    GenerateContent,
}
