//! Builds a trace.

use std::fmt::Display;
use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, RwLock};

use agentspan_model::agentspec::{Id, SpanDetails};
use agentspan_queue::contain::Foreign;

use super::open::Running;
use super::{Inner, OpenTrace, Trace, TraceGuard};
use crate::clock::Clock;
use crate::context::{Active, InSpan, Pushed, current_trace};
use crate::dispatch::{observers, report_unheard};
use crate::run_future::{self, Outcome, Started};
use crate::span::SpanBuilder;
use crate::{ErrorPolicy, Span, SpanProcessor, TraceError, exception, outside_trace};

/// Builds a trace.
///
/// Set its processors ([`with_processor`](Self::with_processor)). Optionally, set a
/// [name](Self::with_name), an [id](Self::with_id), another [root span](Self::with_root_span), and
/// the policy for failed hooks ([`with_error_policy`](Self::with_error_policy)), or keep the
/// processors running after the trace ([`without_shutdown`](Self::without_shutdown)). Then start
/// it: [`start`](Self::start) on this thread, [`in_trace`](Self::in_trace) around a closure,
/// [`run`](Self::run) around a future, or [`start_async`](Self::start_async).
#[derive(Clone, Debug)]
#[must_use = "a trace does nothing until it is started"]
pub struct TraceBuilder {
    name: String,
    id: Option<Id>,
    processors: Vec<Arc<dyn SpanProcessor>>,
    shutdown_on_exit: bool,
    root_span: Option<SpanBuilder>,
    error_policy: ErrorPolicy,
    clock: Option<Arc<dyn Clock>>,
}

impl TraceBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: "Trace".to_owned(),
            id: None,
            processors: Vec::new(),
            shutdown_on_exit: true,
            root_span: None,
            error_policy: ErrorPolicy::default(),
            clock: None,
        }
    }

    /// Sets the name. The default, also for an empty name, is `Trace`.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !name.is_empty() {
            self.name = name;
        }
        self
    }

    /// Sets the id. The default is a random UUID.
    pub fn with_id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds a processor. Hooks run in the order in which processors were added.
    ///
    /// To keep your own handle, pass an `Arc`.
    pub fn with_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        outside_trace::expect_traces();
        self.processors.push(Arc::new(processor));
        self
    }

    /// Keeps the processors running when the trace ends, so that a later trace can use them, too.
    /// By default, they are shut down.
    pub fn without_shutdown(mut self) -> Self {
        self.shutdown_on_exit = false;
        self
    }

    /// Sets the span that covers the whole trace. The default is a `RootSpan`.
    pub fn with_root_span(mut self, root_span: SpanBuilder) -> Self {
        self.root_span = Some(root_span);
        self
    }

    /// Sets the policy for failed hooks. The default is [`ErrorPolicy::Report`].
    pub fn with_error_policy(mut self, error_policy: ErrorPolicy) -> Self {
        self.error_policy = error_policy;
        self
    }

    /// Sets the clock, for tests. The default is the system's clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Starts the trace and its root span, which are active on this thread until the guard is
    /// dropped, which ends them.
    ///
    /// # Errors
    ///
    /// [`TraceError::AlreadyActive`] if a trace is active here, [`TraceError::Hook`] under
    /// [`ErrorPolicy::Propagate`]. The trace is then not active, and processors that have started
    /// are shut down.
    pub fn start(self) -> Result<TraceGuard, TraceError> {
        let (trace, root_span) = self.build()?;
        let pushed = Pushed::new(Active::Trace(trace.clone()));
        // Ends the trace if this function does not come to its end.
        let mut running = Running::new(trace.clone());
        trace.start_up()?;
        running.has_come_up();
        let root = root_span.start()?;
        Ok(TraceGuard::new(root, running, pushed))
    }

    /// Starts the trace and its root span without making them active, for code that ends them
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// The same as of [`start`](Self::start).
    pub fn start_detached(self) -> Result<OpenTrace, TraceError> {
        let (trace, root_span) = self.build()?;
        let _pushed = Pushed::new(Active::Trace(trace.clone()));
        let mut running = Running::new(trace.clone());
        trace.start_up()?;
        running.has_come_up();
        let root = root_span.start_detached()?;
        Ok(OpenTrace::new(root, running))
    }

    /// Starts the trace and its root span, and waits for the asynchronous hooks.
    ///
    /// [`OpenTrace::wrap`] makes it active in a future; [`run`](Self::run) combines both.
    ///
    /// # Errors
    ///
    /// The same as of [`start`](Self::start). `AlreadyActive` refers to the context of the first
    /// poll.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it finishes, the trace ends, and processors that have
    /// started are shut down.
    pub async fn start_async(self) -> Result<OpenTrace, TraceError> {
        let (trace, root_span) = self.build()?;
        let active = Active::Trace(trace.clone());
        let start = async move {
            // Ends the trace if this future does not come to its end.
            let mut running = Running::new(trace.clone());
            trace.start_up_async().await?;
            running.has_come_up();
            match root_span.start_async().await {
                Ok(root) => {
                    trace.set_async(true);
                    Ok(OpenTrace::new(root, running))
                }
                Err(error) => {
                    running.give_up_async().await;
                    Err(error)
                }
            }
        };
        InSpan::new(start, active).await
    }

    /// Runs a closure in the trace, which ends when the closure returns, fails or panics.
    ///
    /// An `Err` or a panic becomes an `ExceptionRaised` event of the root span.
    ///
    /// # Errors
    ///
    /// The error of the closure or of [`start`](Self::start), or [`TraceError::Hook`] under
    /// [`ErrorPolicy::Propagate`] if the closure returned `Ok`.
    pub fn in_trace<T, E>(self, body: impl FnOnce(&Trace) -> Result<T, E>) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
    {
        let guard = self.start()?;
        match catch_unwind(AssertUnwindSafe(|| body(guard.trace()))) {
            Ok(Ok(value)) => {
                guard.end()?;
                Ok(value)
            }
            Ok(Err(error)) => {
                report_unheard(guard.root().add_event(exception::from_error(&error)));
                report_unheard(guard.end());
                Err(error)
            }
            Err(payload) => {
                let event = exception::from_panic(Some(&*payload));
                report_unheard(guard.root().add_event(event));
                report_unheard(guard.end());
                resume_unwind(payload)
            }
        }
    }

    /// Runs a future in the trace, which ends when the future returns, fails, panics or is dropped.
    ///
    /// An `Err`, a panic or the drop becomes an `ExceptionRaised` event of the root span.
    ///
    /// # Errors
    ///
    /// The same as of [`in_trace`](Self::in_trace).
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as the future. The trace ends with the synchronous hooks, and its processors
    /// are shut down [without waiting](SpanProcessor::shutdown_on_drop).
    pub fn run<T, E, F>(self, body: impl FnOnce(Trace) -> F) -> impl Future<Output = Result<T, E>>
    where
        E: Display + From<TraceError> + 'static,
        F: Future<Output = Result<T, E>>,
    {
        run_future::run(
            self.start_for_future(),
            |trace, _root| ready(Ok(trace)),
            |trace: &Trace| body(trace.clone()),
            |open, _, outcome| end(open, outcome),
        )
    }

    async fn start_for_future(self) -> Result<Started<OpenTrace, Trace>, TraceError> {
        let mut open = self.start_async().await?;
        open.set_covers_future(true);
        Ok(Started {
            span: open.root().clone(),
            state: open.trace().clone(),
            open,
        })
    }

    /// The trace, which is active from now on, and its root span.
    fn build(self) -> Result<(Trace, SpanBuilder), TraceError> {
        if let Some(active) = current_trace() {
            return Err(TraceError::AlreadyActive {
                active: active.name().to_owned(),
            });
        }
        let trace = Trace(Arc::new(Inner {
            id: self.id.unwrap_or_else(Id::random),
            name: self.name,
            error_policy: self.error_policy,
            clock: self.clock.map(Foreign::new),
            shutdown_on_exit: self.shutdown_on_exit,
            processors: observers(self.processors),
            replaced: RwLock::default(),
            is_replaced: AtomicBool::new(false),
            is_active: AtomicBool::new(true),
            is_async: AtomicBool::new(false),
            hook_failures: AtomicU64::new(0),
        }));
        let root_span = self
            .root_span
            .unwrap_or_else(|| Span::builder(SpanDetails::Root));
        Ok((trace, root_span))
    }
}

/// Ends the trace of a future.
async fn end<T, E>(mut open: OpenTrace, outcome: Outcome<T, E>) -> Result<T, E>
where
    E: Display + From<TraceError> + 'static,
{
    open.set_covers_future(false);
    match outcome {
        Ok(Ok(value)) => {
            open.end_in_place_async().await?;
            Ok(value)
        }
        Ok(Err(error)) => {
            let event = exception::from_error(&error);
            report_unheard(open.root().add_event_async(event).await);
            report_unheard(open.end_in_place_async().await);
            Err(error)
        }
        Err(payload) => {
            let event = exception::from_panic(Some(&*payload));
            report_unheard(open.root().add_event(event));
            report_unheard(open.end_after_panic().await);
            resume_unwind(payload)
        }
    }
}
