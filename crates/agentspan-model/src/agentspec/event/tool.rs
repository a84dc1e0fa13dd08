//! Events of tools: executions, confirmations, streamed results.

use crate::agentspec::{Id, JsonObject, Sensitive, Tool, dump::member_set};

/// The execution of a tool is requested. The first event of a
/// [`ToolExecutionSpan`](crate::agentspec::ToolExecutionSpan), or the call of a client's tool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionRequest {
    /// The tool.
    pub tool: Tool,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
    /// The id of the request.
    pub request_id: Id,
}

member_set!(ToolExecutionRequest {
    tool,
    inputs,
    request_id
});

impl ToolExecutionRequest {
    /// Creates a request to execute a tool with these inputs.
    #[must_use]
    pub fn new(tool: Tool, inputs: JsonObject, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            inputs: Sensitive::new(inputs),
            request_id: request_id.into(),
        }
    }
}

/// A tool has returned its result. The last event of a
/// [`ToolExecutionSpan`](crate::agentspec::ToolExecutionSpan), or the result of a client's tool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionResponse {
    /// The tool.
    pub tool: Tool,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
    /// The id of the request that this answers.
    pub request_id: Id,
}

member_set!(ToolExecutionResponse {
    tool,
    outputs,
    request_id
});

impl ToolExecutionResponse {
    /// Creates the result of a request.
    #[must_use]
    pub fn new(tool: Tool, outputs: JsonObject, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            outputs: Sensitive::new(outputs),
            request_id: request_id.into(),
        }
    }
}

/// A confirmation of the execution of a tool is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolConfirmationRequest {
    /// The tool.
    pub tool: Tool,
    /// The id of the confirmation request.
    pub request_id: Id,
    /// The id of the execution request, if known.
    pub tool_execution_request_id: Option<Id>,
}

member_set!(ToolConfirmationRequest { tool, request_id, tool_execution_request_id = None });

impl ToolConfirmationRequest {
    /// Creates a request to confirm the execution of a tool.
    #[must_use]
    pub fn new(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            request_id: request_id.into(),
            tool_execution_request_id: None,
        }
    }

    /// Sets the id of the execution request.
    #[must_use]
    pub fn with_tool_execution_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.tool_execution_request_id = Some(request_id.into());
        self
    }
}

/// The execution of a tool is confirmed or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolConfirmationResponse {
    /// The tool.
    pub tool: Tool,
    /// Whether it may be executed.
    pub execution_confirmed: bool,
    /// The id of the confirmation request that this answers.
    pub request_id: Id,
    /// The id of the execution request, if known.
    pub tool_execution_request_id: Option<Id>,
}

member_set!(ToolConfirmationResponse {
    tool,
    execution_confirmed,
    request_id,
    tool_execution_request_id = None,
});

impl ToolConfirmationResponse {
    /// Creates a confirmation.
    #[must_use]
    pub fn confirmed(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            execution_confirmed: true,
            request_id: request_id.into(),
            tool_execution_request_id: None,
        }
    }

    /// Creates a refusal.
    #[must_use]
    pub fn rejected(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            execution_confirmed: false,
            ..Self::confirmed(tool, request_id)
        }
    }

    /// Sets the id of the execution request.
    #[must_use]
    pub fn with_tool_execution_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.tool_execution_request_id = Some(request_id.into());
        self
    }
}

/// A tool has sent a part of its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionStreamingChunkReceived {
    /// The tool.
    pub tool: Tool,
    /// The id of the execution request.
    pub request_id: Id,
    /// The part.
    pub content: Sensitive<String>,
}

member_set!(ToolExecutionStreamingChunkReceived {
    tool,
    request_id,
    content
});

impl ToolExecutionStreamingChunkReceived {
    /// Creates a part of the result of a request.
    #[must_use]
    pub fn new(tool: Tool, request_id: impl Into<Id>, content: impl Into<String>) -> Self {
        Self {
            tool,
            request_id: request_id.into(),
            content: Sensitive::new(content.into()),
        }
    }
}
