//! Everything that is current, to be carried to other tasks and threads: scopes and baggage, and the
//! trace and spans of Agent Spec.

use agentspan_processor::context::InContext;
use agentspan_queue::contain::ThreadBound;
use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, WithContext};

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
pub struct AgentContext {
    agent_spec: agentspan_processor::Context,
    otel: Context,
}

impl AgentContext {
    /// The context of this thread or task.
    #[must_use]
    pub fn current() -> Self {
        Self {
            agent_spec: agentspan_processor::Context::current(),
            otel: Context::current(),
        }
    }

    /// Runs `f` with this context in place of the current context.
    pub fn in_context<T>(&self, f: impl FnOnce() -> T) -> T {
        // Agent Spec first: making its spans current changes the context of OpenTelemetry, and a
        // scope inside those spans is only in `otel`.
        self.agent_spec.clone().in_context(|| {
            let _attached = ThreadBound::make(|| self.otel.clone().attach());
            f()
        })
    }

    /// Polls a future or a stream with this context in place of the current context.
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as `future`.
    pub fn wrap<F>(self, future: F) -> InContext<WithContext<F>> {
        self.agent_spec.wrap(future.with_context(self.otel))
    }
}

/// Carries the current [`AgentContext`] with a future or a stream.
pub trait AgentContextFutureExt: Sized {
    /// Polls the future or stream in the context in which this method is called: with its scope, its
    /// baggage, and its trace and spans of Agent Spec. Use it for everything that you spawn.
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
    fn with_agent_context(self) -> InContext<WithContext<Self>> {
        AgentContext::current().wrap(self)
    }
}

impl<F> AgentContextFutureExt for F {}
