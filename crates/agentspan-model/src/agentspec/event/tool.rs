//! Tools: executions, confirmations, streamed results.

use crate::agentspec::{Id, JsonObject, Sensitive, Tool, dump::member_set};

/// A tool is to be executed. The first event of a
/// [`ToolExecutionSpan`](crate::agentspec::ToolExecutionSpan), or the call of a client's tool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionRequest {
    /// The tool.
    pub tool: Tool,
    /// What it is given: one value for each of its inputs.
    pub inputs: Sensitive<JsonObject>,
    /// Identifies the request.
    pub request_id: Id,
}

member_set!(ToolExecutionRequest {
    tool,
    inputs,
    request_id
});

impl ToolExecutionRequest {
    /// A request to execute a tool with these inputs.
    #[must_use]
    pub fn new(tool: Tool, inputs: JsonObject, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            inputs: Sensitive::new(inputs),
            request_id: request_id.into(),
        }
    }
}

/// A tool has given its result. The last event of a
/// [`ToolExecutionSpan`](crate::agentspec::ToolExecutionSpan), or the result of a client's tool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionResponse {
    /// The tool.
    pub tool: Tool,
    /// What it gives: one value for each of its outputs.
    pub outputs: Sensitive<JsonObject>,
    /// Identifies the request that this answers.
    pub request_id: Id,
}

member_set!(ToolExecutionResponse {
    tool,
    outputs,
    request_id
});

impl ToolExecutionResponse {
    /// The result of a request.
    #[must_use]
    pub fn new(tool: Tool, outputs: JsonObject, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            outputs: Sensitive::new(outputs),
            request_id: request_id.into(),
        }
    }
}

/// Somebody is to confirm that a tool may be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolConfirmationRequest {
    /// The tool.
    pub tool: Tool,
    /// Identifies the request for confirmation.
    pub request_id: Id,
    /// Identifies the request for execution that it is about, if known.
    pub tool_execution_request_id: Option<Id>,
}

member_set!(ToolConfirmationRequest { tool, request_id, tool_execution_request_id = None });

impl ToolConfirmationRequest {
    /// A request to confirm that a tool may be executed.
    #[must_use]
    pub fn new(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            request_id: request_id.into(),
            tool_execution_request_id: None,
        }
    }

    /// Sets which request for execution it is about.
    #[must_use]
    pub fn with_tool_execution_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.tool_execution_request_id = Some(request_id.into());
        self
    }
}

/// Somebody has answered whether a tool may be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolConfirmationResponse {
    /// The tool.
    pub tool: Tool,
    /// Whether it may be executed.
    pub execution_confirmed: bool,
    /// Identifies the request for confirmation that this answers.
    pub request_id: Id,
    /// Identifies the request for execution that it is about, if known.
    pub tool_execution_request_id: Option<Id>,
}

member_set!(ToolConfirmationResponse {
    tool,
    execution_confirmed,
    request_id,
    tool_execution_request_id = None,
});

impl ToolConfirmationResponse {
    /// The tool may be executed.
    #[must_use]
    pub fn confirmed(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            tool,
            execution_confirmed: true,
            request_id: request_id.into(),
            tool_execution_request_id: None,
        }
    }

    /// The tool may not be executed.
    #[must_use]
    pub fn rejected(tool: Tool, request_id: impl Into<Id>) -> Self {
        Self {
            execution_confirmed: false,
            ..Self::confirmed(tool, request_id)
        }
    }

    /// Sets which request for execution it is about.
    #[must_use]
    pub fn with_tool_execution_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.tool_execution_request_id = Some(request_id.into());
        self
    }
}

/// A tool has given a part of its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolExecutionStreamingChunkReceived {
    /// The tool.
    pub tool: Tool,
    /// Identifies the request for execution.
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
    /// A part of the result of a request.
    #[must_use]
    pub fn new(tool: Tool, request_id: impl Into<Id>, content: impl Into<String>) -> Self {
        Self {
            tool,
            request_id: request_id.into(),
            content: Sensitive::new(content.into()),
        }
    }
}
