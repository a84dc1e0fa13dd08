//! The arguments of a tool.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{NOT_WRITTEN, SCHEMA_VERSION, ToolCallResource, payload};
use crate::agent365::json_text::write_json;

/// The action of a tool on a resource. The schema defines no other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolCallAction {
    /// It creates the resource.
    Create,
    /// It reads the resource.
    Read,
    /// It updates the resource.
    Update,
    /// It deletes the resource.
    Delete,
}

payload! {
    /// The arguments of a tool in the schema of Agent 365.
    ///
    /// ```
    /// use agentspan_model::agent365::{ExecuteToolCallArguments, ToolCallAction, ToolCallResource};
    ///
    /// let file = ToolCallResource::new().with_id("file-1").with_provider("sharepoint");
    /// let arguments = ExecuteToolCallArguments::new()
    ///     .with_action(ToolCallAction::Read)
    ///     .with_resources([file]);
    /// assert_eq!(
    ///     arguments.to_json_text(),
    ///     r#"{"action": "read", "resources": [{"id": "file-1", "provider": "sharepoint"}], "schema_version": "1.0"}"#
    /// );
    /// ```
    pub struct ExecuteToolCallArguments {
        /// The action of the tool.
        action: ToolCallAction = "action", with_action;
        /// The resources of the call. An empty list is written, too.
        resources: Vec<ToolCallResource> = "resources", with_resources;
        /// The parameters of the call.
        parameters: Map<String, Value> = "parameters", with_parameters;
    }
    /// The version of the schema, `1.0`.
    always schema_version: String = SCHEMA_VERSION.to_owned();
}

impl ExecuteToolCallArguments {
    /// The arguments as the text of a JSON object, in the form of
    /// [`json_object_text`](crate::agent365::json_object_text).
    ///
    /// Arguments that are nested more than 128 deep become an object with the member `serialization_error`.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        write_json(self, 128).unwrap_or_else(|| NOT_WRITTEN.to_owned())
    }
}
