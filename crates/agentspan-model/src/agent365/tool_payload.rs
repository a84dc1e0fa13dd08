//! Arguments and results of tools in the schema of Agent 365: the resources that a tool accesses,
//! and the outcome.
//!
//! `microsoft-opentelemetry` 1.5.0 defines the schema, version 1.0. A payload is written as JSON
//! text, so every generation of the contract can hold it. `Debug` does not show a payload, because
//! all of it may be contents.

mod arguments;
mod resource;
mod result;

pub use self::arguments::{ExecuteToolCallArguments, ToolCallAction};
pub use self::resource::{ToolCallContainer, ToolCallIdentifier, ToolCallResource};
pub use self::result::{
    ExecuteToolCallResult, ToolCallOutcomeStatus, ToolCallResultOutcome, ToolCallResultPagination,
    ToolCallResultPolicy, ToolCallResultResource, ToolCallResultSecurity,
    ToolCallResultSensitivity, ToolPolicyDecision,
};

/// The version of the schema.
const SCHEMA_VERSION: &str = "1.0";

/// The text for a payload that cannot be written, because it is nested too deep.
const NOT_WRITTEN: &str = r#"{"serialization_error":"Failed to serialize execute tool payload."}"#;

/// Defines a part of a payload, all of whose members may be missing.
///
/// A row has the field, its type, its name in JSON, and its setter with the type that it takes.
macro_rules! payload {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $json:literal, $setter:ident;)*
        }
        $($(#[$always_doc:meta])* always $always:ident: $always_type:ty = $default:expr;)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(rename = $json, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
            $(
                $(#[$always_doc])*
                pub $always: $always_type,
            )?
            /// Data without a member in the schema. It is written as `metadata`, unless it is
            /// empty.
            #[serde(rename = "metadata", skip_serializing_if = "serde_json::Map::is_empty")]
            pub extension_data: serde_json::Map<String, serde_json::Value>,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: None,)*
                    $($always: $default,)?
                    extension_data: serde_json::Map::new(),
                }
            }
        }

        impl $name {
            /// Without any member.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $setter(mut self, $field: impl Into<$type>) -> Self {
                    self.$field = Some($field.into());
                    self
                }
            )*

            /// Data without a member in the schema. It is written as `metadata`, unless it is
            /// empty.
            #[must_use]
            pub fn with_extension_data(
                mut self,
                extension_data: serde_json::Map<String, serde_json::Value>,
            ) -> Self {
                self.extension_data = extension_data;
                self
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

use payload;

#[cfg(test)]
mod tests;
