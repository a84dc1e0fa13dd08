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
//! let baggage = BaggageBuilder::new().correlation_id("request-1").build();
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
//! - [`ScopeTracer`] sets the provider of their spans. [`set_enabled`] switches all scopes on or off.
//! - [`BaggageBuilder`] collects the values that all spans of a request carry, also from a [`TurnContext`].
//!   [`BaggageSpanProcessor`] copies them to the spans. [`Propagation`] carries baggage and trace to other
//!   processes and back.
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

mod apply_guardrail_scope;
mod baggage;
mod bridge;
mod console;
mod execute_tool_scope;
mod export_metrics;
mod export_queue;
mod feedback;
mod inference_scope;
mod invoke_agent_scope;
mod masked;
mod message_source;
mod metrics;
mod otlp_json_lines;
mod output_scope;
mod propagation;
mod python_text;
mod rendered;
mod scope;
mod switch;
mod tracer;
mod turn_context;

pub use agentspan_record::{SpanCuts, SpanLimits, from_otel};

/// The kinds of scopes: the parameter of [`Scope`].
///
/// Each kind has an alias, such as [`ExecuteToolScope`], which is what programs name.
pub mod kind {
    pub use crate::apply_guardrail_scope::ApplyGuardrail;
    pub use crate::execute_tool_scope::ExecuteTool;
    pub use crate::inference_scope::Inference;
    pub use crate::invoke_agent_scope::InvokeAgent;
    pub use crate::output_scope::Output;
}

pub use self::apply_guardrail_scope::{ApplyGuardrailScope, ApplyGuardrailScopeBuilder};
pub use self::baggage::{
    ActiveBaggage, BaggageBuilder, BaggageSpanProcessor, BaggageText, LastProcessor,
    RequestBaggage, dropped_baggage_entries,
};
pub use self::bridge::{AgentSpecIdGenerator, OtelBridge, RandomIds};
pub use self::console::{ConsoleDetail, ConsoleExporter};
pub use self::execute_tool_scope::{ExecuteToolScope, ExecuteToolScopeBuilder};
pub use self::export_metrics::{Counted, ExportCounts, ExportMetrics, ExportMetricsBuilder};
pub use self::export_queue::{
    ExportFlush, ExportLoss, ExportQueue, ExportQueueBuilder, ExportStats, Receipt, Receipts,
};
pub use self::feedback::{Annotator, Feedback, InvalidSpanRef, SpanRef};
pub use self::inference_scope::{InferenceScope, InferenceScopeBuilder};
pub use self::invoke_agent_scope::{InvokeAgentScope, InvokeAgentScopeBuilder};
pub use self::masked::Masked;
pub use self::message_source::{InputMessageSource, OutputMessageSource};
pub use self::metrics::AgentMetrics;
pub use self::otlp_json_lines::OtlpJsonLines;
pub use self::output_scope::{OutputScope, OutputScopeBuilder};
pub use self::propagation::{HeaderReader, HeaderWriter, Propagation};
pub use self::rendered::Rendered;
pub use self::scope::future::{ScopeFutureExt, ScopedFuture};
pub use self::scope::{ActiveScope, IntoAttribute, Scope};
pub use self::switch::{is_enabled, set_enabled};
pub use self::tracer::{DefaultTracerAlreadySet, ScopeTracer, set_default_tracer};
pub use self::turn_context::{
    Activity, ChannelAccount, Conversation, TurnContext, turn_context_pairs,
};
