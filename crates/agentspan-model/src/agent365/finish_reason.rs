//! Why a model stopped.

use super::open_text::open_text;

open_text! {
    /// Why a model stopped, in the words of the GenAI semantic conventions.
    pub enum FinishReason {
        /// It was done.
        Stop = "stop",
        /// It had reached the limit of tokens.
        Length = "length",
        /// Its content was filtered.
        ContentFilter = "content_filter",
        /// It wants a tool to be called.
        ToolCall = "tool_call",
        /// It failed.
        Error = "error",
    }
}
