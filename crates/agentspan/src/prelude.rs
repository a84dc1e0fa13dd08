//! The items that a program needs in most files that trace agents.

pub use agentspan_agent365::token::ExportTokenFutureExt;
pub use agentspan_agent365::{
    AccessToken, Delivery, ExportToken, TokenResolver, token_from_async_fn, token_from_fn,
};
pub use agentspan_model::agent365::{
    AgentDetails, AgentId, AgentType, CallerDetails, Channel, Endpoint, ExecutionType,
    GuardrailDecision, GuardrailDetails, GuardrailFinding, GuardrailTarget, Identity,
    InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, Profile, Request,
    SourceMetadata, TenantDetails, TenantId, ToolCallDetails, ToolType, UserDetails,
};
pub use agentspan_otel::{
    AgentContext, AgentContextFutureExt, ApplyGuardrailScope, BaggageBuilder, ExecuteToolScope,
    InferenceScope, InvokeAgentScope, McpScope, OutputScope, Propagation, ScopeFutureExt,
};
pub use opentelemetry::context::FutureExt as ContextFutureExt;
