//! What a program that traces its agents uses in most of its files.

pub use agentspan_agent365::{
    AccessToken, Delivery, TokenResolver, token_from_async_fn, token_from_fn,
};
pub use agentspan_model::agent365::{
    AgentDetails, AgentId, AgentType, CallerDetails, Endpoint, ExecutionType, Identity,
    InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, Request, SourceMetadata,
    TenantDetails, TenantId, ToolCallDetails, ToolType,
};
pub use agentspan_otel::{
    BaggageBuilder, ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeFutureExt,
};
pub use opentelemetry::context::FutureExt as ContextFutureExt;
