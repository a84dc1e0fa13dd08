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
    /// The model's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// The description of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_type: Option<ToolType>,
    /// The endpoint of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

impl ToolCallDetails {
    /// Creates it with the required values. The other values are optional.
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
    /// [`json_object_text`](super::json_object_text). They are serialised immediately.
    #[must_use]
    pub fn with_argument_object(self, arguments: &Map<String, Value>) -> Self {
        self.with_arguments(json_object_text(arguments))
    }

    /// Sets the arguments in the schema of Agent 365. They are serialised immediately.
    #[must_use]
    pub fn with_typed_arguments(self, arguments: &ExecuteToolCallArguments) -> Self {
        self.with_arguments(arguments.to_json_text())
    }

    /// Sets the model's id of the call.
    #[must_use]
    pub fn with_call_id(mut self, call_id: impl Into<String>) -> Self {
        self.tool_call_id = Some(call_id.into());
        self
    }

    /// Sets the description of the tool.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the type of the tool.
    #[must_use]
    pub fn with_type(mut self, tool_type: impl Into<ToolType>) -> Self {
        self.tool_type = Some(tool_type.into());
        self
    }

    /// Sets the endpoint of the tool.
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
