//! What a guardian looks at.

use super::open_text::open_text;

open_text! {
    /// The kind of content or action that a guardian evaluates (Agent 365 2.0.0); any text will do.
    pub enum GuardrailTarget {
        /// What goes into a language model.
        LlmInput = "llm_input",
        /// What comes out of a language model.
        LlmOutput = "llm_output",
        /// A call of a tool.
        ToolCall = "tool_call",
        /// The definition of a tool.
        ToolDefinition = "tool_definition",
        /// Something that is about to be remembered.
        MemoryStore = "memory_store",
        /// Something that was remembered.
        MemoryRetrieve = "memory_retrieve",
        /// A question to a store of knowledge.
        KnowledgeQuery = "knowledge_query",
        /// The answer of a store of knowledge.
        KnowledgeResult = "knowledge_result",
        /// A message.
        Message = "message",
    }
}
