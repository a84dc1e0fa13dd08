//! Events of language models: requests, streamed chunks, answers.

use crate::agentspec::{
    Id, LlmConfig, LlmGenerationConfig, Message, Sensitive, Tool, ToolCall, dump::member_set,
};

/// A model is requested to generate. The first event of an
/// [`LlmGenerationSpan`](crate::agentspec::LlmGenerationSpan).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LlmGenerationRequest {
    /// The model.
    pub llm_config: LlmConfig,
    /// The prompt.
    pub prompt: Sensitive<Vec<Message>>,
    /// The tools that the model may call.
    pub tools: Vec<Tool>,
    /// The id of the request.
    pub request_id: Id,
    /// The parameters of the generation, if they differ from the configuration of the model.
    pub llm_generation_config: Option<LlmGenerationConfig>,
}

member_set!(LlmGenerationRequest {
    llm_config,
    prompt,
    tools,
    request_id,
    llm_generation_config = None,
});

impl LlmGenerationRequest {
    /// Creates a request without tools.
    #[must_use]
    pub fn new(llm_config: LlmConfig, prompt: Vec<Message>, request_id: impl Into<Id>) -> Self {
        Self {
            llm_config,
            prompt: Sensitive::new(prompt),
            tools: Vec::new(),
            request_id: request_id.into(),
            llm_generation_config: None,
        }
    }

    /// Sets the tools that the model may call.
    #[must_use]
    pub fn with_tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        self.tools = tools.into_iter().collect();
        self
    }

    /// Sets the parameters of the generation.
    #[must_use]
    pub fn with_llm_generation_config(mut self, config: LlmGenerationConfig) -> Self {
        self.llm_generation_config = Some(config);
        self
    }
}

/// A model has sent a chunk of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LlmGenerationChunkReceived {
    /// The model.
    pub llm_config: LlmConfig,
    /// The text of the chunk, if it has any.
    pub content: Sensitive<Option<String>>,
    /// The id of the request that this answers.
    pub request_id: Id,
    /// The requested tool calls.
    pub tool_calls: Sensitive<Vec<ToolCall>>,
    /// The id of the whole answer, if known.
    pub completion_id: Option<Id>,
    /// The number of tokens in the chunk, if known.
    pub output_tokens: Option<i64>,
}

member_set!(LlmGenerationChunkReceived {
    llm_config,
    content,
    request_id,
    tool_calls = Sensitive::new(Vec::new()),
    completion_id = None,
    output_tokens = None,
});

impl LlmGenerationChunkReceived {
    /// Creates a chunk without content.
    #[must_use]
    pub fn new(llm_config: LlmConfig, request_id: impl Into<Id>) -> Self {
        Self {
            llm_config,
            content: Sensitive::new(None),
            request_id: request_id.into(),
            tool_calls: Sensitive::new(Vec::new()),
            completion_id: None,
            output_tokens: None,
        }
    }

    /// Sets the text.
    #[must_use]
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.content = Sensitive::new(Some(content.into()));
        self
    }

    /// Sets the requested tool calls.
    #[must_use]
    pub fn with_tool_calls(mut self, tool_calls: Vec<ToolCall>) -> Self {
        self.tool_calls = Sensitive::new(tool_calls);
        self
    }

    /// Sets the id of the whole answer.
    #[must_use]
    pub fn with_completion_id(mut self, completion_id: impl Into<Id>) -> Self {
        self.completion_id = Some(completion_id.into());
        self
    }

    /// Sets the number of tokens in the chunk.
    #[must_use]
    pub fn with_output_tokens(mut self, output_tokens: i64) -> Self {
        self.output_tokens = Some(output_tokens);
        self
    }
}

/// A model has answered. The last event of an
/// [`LlmGenerationSpan`](crate::agentspec::LlmGenerationSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LlmGenerationResponse {
    /// The model.
    pub llm_config: LlmConfig,
    /// The text of the answer, if it has any.
    pub content: Sensitive<Option<String>>,
    /// The requested tool calls.
    pub tool_calls: Sensitive<Vec<ToolCall>>,
    /// The id of the request that this answers.
    pub request_id: Id,
    /// The id of the answer, if known.
    pub completion_id: Option<Id>,
    /// The number of input tokens, if known.
    pub input_tokens: Option<i64>,
    /// The number of output tokens, if known.
    pub output_tokens: Option<i64>,
}

member_set!(LlmGenerationResponse {
    llm_config,
    content,
    tool_calls = Sensitive::new(Vec::new()),
    request_id,
    completion_id = None,
    input_tokens = None,
    output_tokens = None,
});

impl LlmGenerationResponse {
    /// Creates an answer without content.
    #[must_use]
    pub fn new(llm_config: LlmConfig, request_id: impl Into<Id>) -> Self {
        Self {
            llm_config,
            content: Sensitive::new(None),
            tool_calls: Sensitive::new(Vec::new()),
            request_id: request_id.into(),
            completion_id: None,
            input_tokens: None,
            output_tokens: None,
        }
    }

    /// Sets the text.
    #[must_use]
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.content = Sensitive::new(Some(content.into()));
        self
    }

    /// Sets the requested tool calls.
    #[must_use]
    pub fn with_tool_calls(mut self, tool_calls: Vec<ToolCall>) -> Self {
        self.tool_calls = Sensitive::new(tool_calls);
        self
    }

    /// Sets the id of the answer.
    #[must_use]
    pub fn with_completion_id(mut self, completion_id: impl Into<Id>) -> Self {
        self.completion_id = Some(completion_id.into());
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
}
