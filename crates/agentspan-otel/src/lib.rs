//! Agent 365 scopes, baggage and turn context on OpenTelemetry.
//!
//! ```
//! use agentspan_model::agent365::{
//!     AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId, ToolCallDetails,
//! };
//! use agentspan_otel::{
//!     BaggageBuilder, BaggageSpanProcessor, ExecuteToolScope, InvokeAgentScope, ScopeTracer,
//! };
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = SdkTracerProvider::builder()
//!     .with_span_processor(BaggageSpanProcessor::new()) // and one that exports
//!     .build();
//! agentspan_otel::set_default_tracer(ScopeTracer::new(&provider))?;
//!
//! let agent = AgentDetails::new(AgentId::parse("agent-1")?).with_name("Clock");
//! let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
//! let baggage = BaggageBuilder::new().with_correlation_id("request-1").build();
//! let _request = baggage.enter();
//!
//! let details = InvokeAgentDetails::new(agent.clone());
//! let answer = InvokeAgentScope::start(&details, &tenant).in_scope(|scope| {
//!     scope.record_input_messages(&["What time is it?"]);
//!     let call = ToolCallDetails::new("clock");
//!     let time = ExecuteToolScope::start(&call, &agent, &tenant).in_scope(|scope| {
//!         scope.record_response("12:00");
//!         Ok::<_, std::io::Error>("12:00")
//!     })?;
//!     scope.record_response(time);
//!     Ok::<_, std::io::Error>(time)
//! })?;
//! # assert_eq!(answer, "12:00");
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`InvokeAgentScope`], [`ExecuteToolScope`], [`InferenceScope`], [`OutputScope`] and
//!   [`ApplyGuardrailScope`] are spans of an agent's work. [`Scope`] explains how to enter, run and end
//!   them, in sync and in async code.
//! - [`McpScope`] is the span of a message of the Model Context Protocol, at either side.
//! - [`ScopeTracer`] sets the provider of their spans. [`scopes::set_enabled`] switches all scopes on or off.
//! - [`BaggageBuilder`] collects values for all spans of a request, also from a [`TurnContext`].
//!   [`BaggageSpanProcessor`] copies them to the spans. [`Propagation`] carries baggage and trace
//!   to other processes and back.
//! - [`AgentContext`] carries scopes, baggage and Agent Spec spans to spawned tasks and threads.
//! - [`turn_context`] is for hosts of agents: it reads the turns of a conversation, and records the
//!   messages that are sent in them.
//! - [`ExportQueue`] puts any exporter behind its own queue, and counts the outcome of each span.
//! - [`AgentMetrics`] measures operations and their tokens. [`ExportMetrics`] counts the spans that queues
//!   accept, export and drop.
//! - [`ConsoleExporter`] prints finished traces as trees, for development.
//! - [`OtlpJsonLines`] writes finished spans to a file that OpenTelemetry's Collector reads.
//! - [`OtelBridge`] turns Agent Spec spans into OpenTelemetry spans, [`Rendered`] renders them in the
//!   vocabulary of a destination, and [`from_otel`] rebuilds them.
//!
//! [`agentspan_model::keys`] has the keys of attributes, and [`agentspan_model::agent365::mapping`] shows
//! which scope writes which keys. The crate `agentspan-agent365` delivers the spans to Agent 365.

#![doc(html_root_url = "https://docs.rs/agentspan-otel/latest")]

mod agent_context;
mod apply_guardrail_scope;
pub mod baggage;
pub mod bridge;
mod console;
mod execute_tool_scope;
pub mod export_metrics;
pub mod export_queue;
pub mod feedback;
mod inference_scope;
mod invoke_agent_scope;
mod masked;
mod mcp_scope;
pub mod mcp_sessions;
mod message_source;
mod metrics;
mod otlp_json_lines;
mod output_scope;
pub mod propagation;
mod python_text;
mod rendered;
mod scope;
mod switch;
mod tracer;
pub mod turn_context;

/// The parts of scopes: their kinds, builders and guards, the types of their values, and the switch
/// for all scopes.
///
/// The parameter of [`Scope`] is a kind. Programs use the alias for the kind, for instance
/// [`ExecuteToolScope`].
pub mod scopes {
    pub use crate::apply_guardrail_scope::{ApplyGuardrailKind, ApplyGuardrailScopeBuilder};
    pub use crate::execute_tool_scope::{ExecuteToolKind, ExecuteToolScopeBuilder};
    pub use crate::inference_scope::{InferenceKind, InferenceScopeBuilder};
    pub use crate::invoke_agent_scope::{InvokeAgentKind, InvokeAgentScopeBuilder};
    pub use crate::mcp_scope::{McpKind, McpScopeBuilder};
    pub use crate::message_source::{InputMessageSource, OutputMessageSource};
    pub use crate::output_scope::{OutputKind, OutputScopeBuilder};
    pub use crate::scope::future::ScopedFuture;
    pub use crate::scope::{ActiveScope, IntoAttribute};
    pub use crate::switch::{is_enabled, set_disabled_by_default, set_enabled};
    pub use crate::tracer::DefaultTracerAlreadySet;
}

pub use agentspan_record::{DropReason, SpanCuts, SpanLimits, from_otel};

pub use self::agent_context::{AgentContext, AgentContextFutureExt};
pub use self::apply_guardrail_scope::ApplyGuardrailScope;
pub use self::execute_tool_scope::ExecuteToolScope;
pub use self::inference_scope::InferenceScope;
pub use self::invoke_agent_scope::InvokeAgentScope;
pub use self::mcp_scope::McpScope;
pub use self::output_scope::OutputScope;
pub use self::scope::Scope;
pub use self::scope::future::ScopeFutureExt;
pub use self::tracer::{ScopeTracer, has_default_tracer, set_default_tracer};

pub use self::baggage::{BaggageBuilder, BaggageSpanProcessor};
pub use self::propagation::Propagation;
pub use self::turn_context::TurnContext;

pub use self::bridge::OtelBridge;
pub use self::console::{ConsoleDetail, ConsoleExporter};
pub use self::export_metrics::ExportMetrics;
pub use self::export_queue::ExportQueue;
pub use self::feedback::{Feedback, SpanRef};
pub use self::masked::Masked;
pub use self::mcp_sessions::McpSessions;
pub use self::metrics::AgentMetrics;
pub use self::otlp_json_lines::OtlpJsonLines;
pub use self::rendered::Rendered;
