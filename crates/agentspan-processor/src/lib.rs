//! Traces and spans of AI agents as Agent Spec defines them, and the processors that observe them.
//!
//! An agent runtime opens a [`Trace`] with [`Span`]s in it, adds events to the spans, and ends them. To
//! observe them, implement [`SpanProcessor`]. The crate behaves like `pyagentspec.tracing` 26.3.1. It
//! uses no OpenTelemetry, no async runtime and no network.
//!
//! ```
//! use agentspan_model::agentspec::{AgentExecutionSpan, AgentExecutionStart, Agent, Component, JsonObject};
//! use agentspan_processor::{HookError, Span, SpanEvent, SpanProcessor, Trace};
//!
//! #[derive(Debug)]
//! struct Printer;
//!
//! impl SpanProcessor for Printer {
//!     fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
//!         println!("{}: {}", span.name(), event.name);
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = Agent::try_from(Component::builder("Agent", "weather agent").build())?;
//!
//! let trace = Trace::builder().with_processor(Printer).start()?;
//! let span = Span::builder(AgentExecutionSpan::new(agent.clone())).start()?;
//! span.add_event(AgentExecutionStart::new(agent, JsonObject::new()))?;
//! span.end()?;
//! trace.end()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Main types
//!
//! - [`SpanProcessor`]: hooks for the start and the end of traces and spans, and for events, each in a
//!   synchronous and an asynchronous form. [`ErrorPolicy`] decides what happens if a hook fails.
//! - [`Trace`], built by [`TraceBuilder`](trace::TraceBuilder), and [`Span`], built by
//!   [`SpanBuilder`](span::SpanBuilder). Both are handles. The builders return a value that owns
//!   the trace or span, and ends it when dropped: [`TraceGuard`](trace::TraceGuard) and
//!   [`SpanGuard`](span::SpanGuard) in synchronous code, [`OpenTrace`](trace::OpenTrace) and
//!   [`OpenSpan`](span::OpenSpan) everywhere else.
//! - [`current_span`], [`current_trace`] and [`active_span_stack`]: the active span, trace, and stack of
//!   spans. [`Span::wrap`] makes a span current in a future. [`Context`] carries all of them to another
//!   thread or task.
//!
//! # Asynchronous code
//!
//! ```
//! use agentspan_model::agentspec::{EventDetails, SpanDetails};
//! use agentspan_processor::{Span, Trace, TraceError, current_span};
//!
//! # fn main() -> Result<(), TraceError> {
//! # futures_executor::block_on(async {
//! Trace::builder()
//!     .run(|_trace| async {
//!         Span::builder(SpanDetails::Plain)
//!             .with_name("answer")
//!             .run(|span| async move {
//!                 assert!(current_span().is_some_and(|current| current.is_same(&span)));
//!                 span.add_event_async(EventDetails::Plain).await
//!             })
//!             .await
//!     })
//!     .await
//! # })
//! # }
//! ```
//!
//! # Who sees what
//!
//! A processor gets masks instead of the sensitive values of spans and events, unless its
//! [`disclosure`](SpanProcessor::disclosure) asks for clear text.

#![doc(html_root_url = "https://docs.rs/agentspan-processor/latest")]

pub mod background_queue;
pub mod clock;
pub mod console_tree;
pub mod context;
mod dispatch;
mod error_policy;
mod event_log;
mod exception;
pub mod execution;
mod fan_out;
mod filter;
mod hook_error;
mod hook_future;
mod in_hook;
pub mod in_memory;
pub mod json_lines;
mod line_sink;
mod not_started;
mod outside_trace;
pub mod replay;
mod run_future;
pub mod span;
pub mod span_processor;
mod started_set;
pub mod trace;
mod trace_error;

/// The version of the model that this crate exposes: the types of spans and events.
pub use agentspan_model as model;

pub use context::{Context, active_span_stack, current_span, current_trace};
pub use span::{Span, SpanEvent};
pub use trace::Trace;
pub use trace_error::TraceError;

pub use error_policy::ErrorPolicy;
pub use hook_error::HookError;
pub use hook_future::HookFuture;
pub use span_processor::SpanProcessor;

pub use background_queue::BackgroundQueue;
pub use console_tree::ConsoleTree;
pub use fan_out::FanOut;
pub use filter::Filter;
pub use in_memory::InMemory;
pub use json_lines::JsonLines;
