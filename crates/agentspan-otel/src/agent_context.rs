//! Everything that is current, to be carried to other tasks and threads: scopes and baggage, and the
//! trace and spans of Agent Spec.

use std::sync::Arc;

use agentspan_processor::context::{Companion, InContext};
use agentspan_processor::span_processor::ActiveGuard;
use opentelemetry::Context;

use crate::bridge::Attached;

/// Everything that is current on this thread: the scope, the baggage, and the active trace and spans
/// of Agent Spec. Use it to carry them to another thread, a spawned task or a callback.
///
/// It combines OpenTelemetry's [`Context`] with the [context](agentspan_processor::Context) of Agent
/// Spec. For one future or stream, use
/// [`with_agent_context`](AgentContextFutureExt::with_agent_context).
///
/// ```
/// use std::thread;
///
/// use agentspan_otel::{AgentContext, BaggageBuilder};
/// use opentelemetry::Context;
/// use opentelemetry::baggage::BaggageExt as _;
///
/// # fn main() {
/// let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
/// let _request = request.enter();
///
/// let context = AgentContext::current();
/// let thread = thread::spawn(move || {
///     context.in_context(|| Context::current().baggage().len())
/// });
/// assert_eq!(thread.join().ok(), Some(3));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AgentContext(agentspan_processor::Context);

/// The context of OpenTelemetry. It comes after the spans of Agent Spec: making them current changes
/// that context, and a scope inside those spans is only here.
#[derive(Debug)]
struct Otel(Context);

impl Companion for Otel {
    fn activate(&self) -> Box<dyn ActiveGuard> {
        Box::new(Attached(self.0.clone().attach()))
    }
}

impl AgentContext {
    /// The context of this thread or task.
    #[must_use]
    pub fn current() -> Self {
        let otel = Arc::new(Otel(Context::current()));
        Self(agentspan_processor::Context::current().with_companion(otel))
    }

    /// Runs `f` with this context in place of the current context.
    pub fn in_context<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.clone().in_context(f)
    }

    /// Polls and drops a future or a stream with this context in place of the current context.
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as `future`.
    pub fn wrap<F>(self, future: F) -> InContext<F> {
        self.0.wrap(future)
    }
}

/// Carries the current [`AgentContext`] with a future or a stream.
pub trait AgentContextFutureExt: Sized {
    /// Polls and drops the future or stream in the context in which this method is called: with its
    /// scope, its baggage, and its trace and spans of Agent Spec. Use it for everything that you
    /// spawn.
    ///
    /// ```no_run
    /// # use agentspan_otel::AgentContextFutureExt as _;
    /// # async fn look_up_weather() {}
    /// # async fn example() {
    /// tokio::spawn(look_up_weather().with_agent_context());
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as the future.
    fn with_agent_context(self) -> InContext<Self> {
        AgentContext::current().wrap(self)
    }
}

impl<F> AgentContextFutureExt for F {}
