//! The vocabulary of Agent 365, as `microsoft-agents-a365-observability-core` 0.1.0 has it.
//!
//! Details ([`AgentDetails`], [`ToolCallDetails`], …) say what happened; [`Identity`] says for whom;
//! [`Profile`] names a generation of the contract and [`mapping`] tells which attributes it writes.
//! All details read and write as JSON with the reference's field names.

mod agent_details;
mod agent_type;
mod caller_details;
mod endpoint;
pub mod environment;
mod execution_type;
mod identity;
mod inference_call_details;
mod inference_operation_type;
mod invoke_agent_details;
mod json_array_text;
pub mod mapping;
mod masked;
mod profile;
mod request;
mod source_metadata;
mod tenant_details;
mod tool_call_details;
mod tool_type;

pub use agent_details::AgentDetails;
pub use agent_type::AgentType;
pub use caller_details::CallerDetails;
pub use endpoint::{Endpoint, EndpointError};
pub use execution_type::ExecutionType;
pub use identity::{AgentId, Identity, IdentityError, TenantId};
pub use inference_call_details::InferenceCallDetails;
pub use inference_operation_type::InferenceOperationType;
pub use invoke_agent_details::InvokeAgentDetails;
pub use json_array_text::json_array_text;
pub use profile::Profile;
pub use request::Request;
pub use source_metadata::SourceMetadata;
pub use tenant_details::TenantDetails;
pub use tool_call_details::ToolCallDetails;
pub use tool_type::ToolType;
