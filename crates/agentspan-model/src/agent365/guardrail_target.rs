//! The targets of a guardian.

use super::open_text::open_text;

open_text! {
    /// The kind of content or action that a guardian evaluates (Agent 365 2.0.0). Any text is
    /// allowed.
    pub enum GuardrailTarget {
        /// The input of a language model.
        LlmInput = "llm_input",
        /// The output of a language model.
        LlmOutput = "llm_output",
        /// A call of a tool.
        ToolCall = "tool_call",
        /// The definition of a tool.
        ToolDefinition = "tool_definition",
        /// An entry that is about to be stored in a memory.
        MemoryStore = "memory_store",
        /// An entry that is read from a memory.
        MemoryRetrieve = "memory_retrieve",
        /// A query to a knowledge store.
        KnowledgeQuery = "knowledge_query",
        /// The result of a knowledge store.
        KnowledgeResult = "knowledge_result",
        /// A message.
        Message = "message",
    }
}
