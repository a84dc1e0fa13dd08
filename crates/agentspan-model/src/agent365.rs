//! The vocabulary of Agent 365, as in `microsoft-agents-a365-observability-core` 0.1.0 and 2.0.0,
//! and in their successor `microsoft-opentelemetry` 1.5.0.
//!
//! Details ([`AgentDetails`], [`ToolCallDetails`], …) and messages ([`InputMessages`], …) describe
//! an operation. [`Identity`] is its tenant and agent. [`Profile`] is a generation of the contract,
//! and [`mapping`] maps details to the attributes of a generation. All generations share the
//! details; values that a generation does not support are not written. All details serialise to
//! JSON with the reference's field names. [`contract`] has the documented rules of the service as
//! data.

mod agent_details;
mod agent_type;
mod caller_details;
mod channel;
mod client_address;
pub mod contract;
mod endpoint;
pub mod environment;
mod execution_type;
mod finish_reason;
mod guardrail_decision;
mod guardrail_details;
mod guardrail_finding;
mod guardrail_target;
mod identity;
mod inference_call_details;
mod inference_operation_type;
mod invoke_agent_details;
mod json_text;
pub mod mapping;
mod message_part;
mod message_role;
mod messages;
mod modality;
pub(crate) mod open_text;
mod profile;
mod request;
mod request_parameters;
mod response_parameters;
mod risk_severity;
mod source_metadata;
mod tenant_details;
mod tool_call_details;
mod tool_payload;
mod tool_type;
mod user_details;

pub use agent_details::AgentDetails;
pub use agent_type::AgentType;
pub use caller_details::CallerDetails;
pub use channel::Channel;
pub use client_address::{ClientAddress, ClientAddressError};
pub use endpoint::{Endpoint, EndpointError};
pub use execution_type::ExecutionType;
pub use finish_reason::FinishReason;
pub use guardrail_decision::GuardrailDecision;
pub use guardrail_details::GuardrailDetails;
pub use guardrail_finding::GuardrailFinding;
pub use guardrail_target::GuardrailTarget;
pub use identity::{AgentId, Identity, IdentityError, TenantId};
pub use inference_call_details::{InferenceCallDetails, NoModelError};
pub use inference_operation_type::InferenceOperationType;
pub use invoke_agent_details::InvokeAgentDetails;
pub use json_text::{json_array_text, json_object_text, python_float_text};
pub use message_part::MessagePart;
pub use message_role::MessageRole;
pub use messages::{ChatMessage, InputMessages, OutputMessage, OutputMessages, Response};
pub use modality::Modality;
pub use profile::{Profile, SwitchRules, TurnRules};
pub use request::Request;
pub use request_parameters::RequestParameters;
pub use response_parameters::ResponseParameters;
pub use risk_severity::RiskSeverity;
pub use source_metadata::SourceMetadata;
pub use tenant_details::TenantDetails;
pub use tool_call_details::ToolCallDetails;
pub use tool_payload::{
    ExecuteToolCallArguments, ExecuteToolCallResult, ToolCallAction, ToolCallContainer,
    ToolCallIdentifier, ToolCallOutcomeStatus, ToolCallResource, ToolCallResultOutcome,
    ToolCallResultPagination, ToolCallResultPolicy, ToolCallResultResource, ToolCallResultSecurity,
    ToolCallResultSensitivity, ToolPolicyDecision,
};
pub use tool_type::ToolType;
pub use user_details::UserDetails;
