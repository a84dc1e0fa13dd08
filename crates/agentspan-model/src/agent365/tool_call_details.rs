//! A call of a tool.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Endpoint, ExecuteToolCallArguments, ToolType, json_object_text};
use crate::masked::debug_masked;

/// A call of a tool.
///
/// `Debug` masks the arguments, so that they do not reach a log by accident.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCallDetails {
    /// The name of the tool.
    pub tool_name: String,
    /// The arguments, usually the text of a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// The id of the call, as the model gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// The text on what the tool does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The way in which the tool is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_type: Option<ToolType>,
    /// The endpoint that the tool is reached at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

impl ToolCallDetails {
    /// With what must be known; the rest is optional.
    #[must_use]
    pub fn new(tool_name: impl Into<String>) -> Self {
        Self {
            tool_name: tool_name.into(),
            arguments: None,
            tool_call_id: None,
            description: None,
            tool_type: None,
            endpoint: None,
        }
    }

    /// Sets the arguments, usually the text of a JSON object.
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl Into<String>) -> Self {
        self.arguments = Some(arguments.into());
        self
    }

    /// Sets the arguments, as the text of a JSON object in the form of
    /// [`json_object_text`](super::json_object_text). They are written at once.
    #[must_use]
    pub fn with_argument_object(self, arguments: &Map<String, Value>) -> Self {
        self.with_arguments(json_object_text(arguments))
    }

    /// Sets the arguments in the schema of Agent 365. They are written at once, as JSON.
    #[must_use]
    pub fn with_typed_arguments(self, arguments: &ExecuteToolCallArguments) -> Self {
        self.with_arguments(arguments.to_json_text())
    }

    /// Sets the id of the call, as the model gave it.
    #[must_use]
    pub fn with_call_id(mut self, call_id: impl Into<String>) -> Self {
        self.tool_call_id = Some(call_id.into());
        self
    }

    /// Sets the text on what the tool does.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the way in which the tool is run.
    #[must_use]
    pub fn with_type(mut self, tool_type: impl Into<ToolType>) -> Self {
        self.tool_type = Some(tool_type.into());
        self
    }

    /// Sets the endpoint that the tool is reached at.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }
}

debug_masked!(ToolCallDetails shows { tool_name, tool_call_id, description, tool_type, endpoint } hides { arguments });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_arguments() {
        let call = ToolCallDetails::new("search").with_arguments("canary");
        assert!(!format!("{call:?} {call:#?}").contains("canary"));
    }
}
