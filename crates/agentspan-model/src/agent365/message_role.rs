//! Who said a message.

use super::open_text::open_text;

open_text! {
    /// The role of a message's author, in the words of the GenAI semantic conventions.
    pub enum MessageRole {
        /// The instructions of the system.
        System = "system",
        /// The person, or whoever asks.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// A tool, with the result of a call.
        Tool = "tool",
    }
}
