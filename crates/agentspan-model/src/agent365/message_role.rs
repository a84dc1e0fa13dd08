//! The authors of messages.

use super::open_text::open_text;

open_text! {
    /// The role of a message's author, as defined by the GenAI semantic conventions.
    pub enum MessageRole {
        /// The system, which gives instructions.
        System = "system",
        /// The user.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// A tool, with the result of a call.
        Tool = "tool",
    }
}
