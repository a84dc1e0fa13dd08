//! The result of a tool.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{NOT_WRITTEN, SCHEMA_VERSION, ToolCallContainer, ToolCallIdentifier, payload};
use crate::agent365::json_text::write_json;

/// Whether a tool, or its work on a resource, succeeded. The schema defines no other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolCallOutcomeStatus {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

/// The decision of a policy about a resource. The schema defines no other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolPolicyDecision {
    /// The tool may access the resource.
    Allow,
    /// The tool may not access the resource.
    Deny,
}

payload! {
    /// The outcome of a call, or of the work on a resource.
    pub struct ToolCallResultOutcome {
        /// Whether it succeeded.
        status: ToolCallOutcomeStatus = "status", with_status;
        /// The code of the tool.
        code: String = "code", with_code;
        /// The code of the system that provides the resource.
        provider_code: String = "provider_code", with_provider_code;
        /// The message for people.
        message: String = "message", with_message;
    }
}

payload! {
    /// The sensitivity of a resource.
    pub struct ToolCallResultSensitivity {
        /// The id of the sensitivity label.
        label_id: String = "label_id", with_label_id;
    }
}

payload! {
    /// The decision of a policy about a resource.
    pub struct ToolCallResultPolicy {
        /// The decision.
        decision: ToolPolicyDecision = "decision", with_decision;
        /// The id of the policy.
        policy_id: String = "id", with_id;
        /// The name of the policy.
        name: String = "name", with_name;
    }
}

payload! {
    /// Security information about a resource.
    pub struct ToolCallResultSecurity {
        /// Whether an injected prompt was found in the resource.
        xpia_detected: bool = "xpia_detected", with_xpia_detected;
    }
}

payload! {
    /// The position of this part in a longer result.
    pub struct ToolCallResultPagination {
        /// Whether there are more parts.
        has_more: bool = "has_more", with_has_more;
        /// The cursor of the next part.
        next_cursor: String = "next_cursor", with_next_cursor;
        /// The number of entries in all parts.
        total_count: i64 = "total_count", with_total_count;
    }
}

payload! {
    /// A resource in the result of a tool.
    pub struct ToolCallResultResource {
        /// The id of the resource.
        resource_id: String = "id", with_id;
        /// The URI of the resource.
        uri: String = "uri", with_uri;
        /// The name of the resource.
        name: String = "name", with_name;
        /// The kind of resource.
        resource_type: String = "type", with_type;
        /// The system that provides the resource.
        provider: String = "provider", with_provider;
        /// The identifiers of the resource. An empty list is written, too.
        identifiers: Vec<ToolCallIdentifier> = "identifiers", with_identifiers;
        /// The container of the resource.
        container: ToolCallContainer = "container", with_container;
        /// The outcome of the work on the resource.
        outcome: ToolCallResultOutcome = "outcome", with_outcome;
        /// The sensitivity of the resource.
        sensitivity: ToolCallResultSensitivity = "sensitivity", with_sensitivity;
        /// The decision of a policy about the resource.
        policy: ToolCallResultPolicy = "policy", with_policy;
        /// Security information about the resource.
        security: ToolCallResultSecurity = "security", with_security;
        /// The data of the resource.
        data: Map<String, Value> = "data", with_data;
    }
}

payload! {
    /// The result of a tool in the schema of Agent 365.
    ///
    /// ```
    /// use agentspan_model::agent365::{
    ///     ExecuteToolCallResult, ToolCallOutcomeStatus, ToolCallResultOutcome,
    /// };
    ///
    /// let outcome = ToolCallResultOutcome::new().with_status(ToolCallOutcomeStatus::Success);
    /// let result = ExecuteToolCallResult::new().with_outcome(outcome);
    /// assert_eq!(
    ///     result.to_json_text(),
    ///     r#"{"outcome": {"status": "success"}, "schema_version": "1.0"}"#
    /// );
    /// ```
    pub struct ExecuteToolCallResult {
        /// The outcome of the call.
        outcome: ToolCallResultOutcome = "outcome", with_outcome;
        /// The resources of the result. An empty list is written, too.
        resources: Vec<ToolCallResultResource> = "resources", with_resources;
        /// The data of the result.
        data: Map<String, Value> = "data", with_data;
        /// The position of this part in a longer result.
        pagination: ToolCallResultPagination = "pagination", with_pagination;
    }
    /// The version of the schema, `1.0`.
    always schema_version: String = SCHEMA_VERSION.to_owned();
}

impl ExecuteToolCallResult {
    /// The result as the text of a JSON object, in the form of
    /// [`json_object_text`](crate::agent365::json_object_text).
    ///
    /// A result that is nested more than 128 deep becomes an object with the member `serialization_error`.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        write_json(self, 128).unwrap_or_else(|| NOT_WRITTEN.to_owned())
    }
}
