//! Finish reasons of models.

use super::open_text::open_text;

open_text! {
    /// Why a model stopped, as defined by the GenAI semantic conventions.
    pub enum FinishReason {
        /// The answer is complete.
        Stop = "stop",
        /// The token limit was reached.
        Length = "length",
        /// The content was filtered.
        ContentFilter = "content_filter",
        /// The model requests a tool call.
        ToolCall = "tool_call",
        /// The model failed.
        Error = "error",
    }
}
