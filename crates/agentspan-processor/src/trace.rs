//! Traces: the tree of spans of one run of agents.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use agentspan_model::agentspec::{Id, TraceInfo};
use agentspan_queue::contain::Foreign;

use crate::clock::Clock;
use crate::dispatch::{
    Observer, Processors, contained, contained_future, count, name_of, observers, report,
};
use crate::span_processor::Hook;
use crate::{ErrorPolicy, HookError, SpanProcessor, TraceError, outside_trace};

mod builder;
mod open;

pub use builder::TraceBuilder;
pub use open::{OpenTrace, TraceGuard};

/// A handle of a trace. You can clone and keep it.
///
/// [`Trace::builder`] starts a trace. A trace groups the spans of one run of a program's agents,
/// and has the processors that observe them. At any time, one trace may be active in a
/// [context](crate::Context), that is, on a thread or in a task.
///
/// ```
/// use agentspan_model::agentspec::SpanDetails;
/// use agentspan_processor::{Span, Trace, current_trace};
///
/// # fn main() -> Result<(), agentspan_processor::TraceError> {
/// let trace = Trace::builder().with_name("nightly report").start()?;
/// assert_eq!(current_trace().map(|trace| trace.name().to_owned()), Some("nightly report".to_owned()));
/// Span::builder(SpanDetails::Plain).with_name("collect").start()?.end()?;
/// trace.end()?;
/// assert!(current_trace().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Trace(Arc<Inner>);

struct Inner {
    id: Id,
    name: String,
    error_policy: ErrorPolicy,
    /// The clock of the system if none is set.
    clock: Option<Foreign<Arc<dyn Clock>>>,
    shutdown_on_exit: bool,
    /// The processors that it started with.
    processors: Processors,
    /// The processors that have taken their place, if any.
    replaced: RwLock<Processors>,
    is_replaced: AtomicBool,
    is_active: AtomicBool,
    is_async: AtomicBool,
    hook_failures: AtomicU64,
}

impl Trace {
    /// Builds a trace. See [`TraceBuilder`].
    pub fn builder() -> TraceBuilder {
        TraceBuilder::new()
    }

    /// Its id. The default is a random UUID.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.0.id
    }

    /// Its name. The default is `Trace`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it is open: new spans in its context belong to it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.0.is_active.load(Ordering::Acquire)
    }

    /// Whether it was started asynchronously and is active. If so, code that can do either should
    /// start and end spans asynchronously.
    #[must_use]
    pub fn is_async_mode_active(&self) -> bool {
        self.0.is_async.load(Ordering::Acquire)
    }

    /// The policy for hooks that fail.
    #[must_use]
    pub fn error_policy(&self) -> ErrorPolicy {
        self.0.error_policy
    }

    /// The number of hooks of its processors that failed or panicked, reported or propagated.
    #[must_use]
    pub fn hook_failures(&self) -> u64 {
        self.0.hook_failures.load(Ordering::Relaxed)
    }

    /// The processors that observe spans that start now.
    #[must_use]
    pub fn processors(&self) -> Vec<Arc<dyn SpanProcessor>> {
        let list = self.current_processors();
        let list = list.as_deref().unwrap_or_default();
        let processors = list.iter().filter_map(|one| one.processor.get());
        processors.map(Arc::clone).collect()
    }

    /// Replaces the processors. Started spans keep their processors. The new processors are shut
    /// down with the trace, but their `startup` is not called. The trace keeps its first processors
    /// until its last handle is dropped.
    pub fn set_processors(&self, processors: impl IntoIterator<Item = Arc<dyn SpanProcessor>>) {
        let list = observers(processors);
        if list.is_some() {
            outside_trace::expect_traces();
        }
        let replaced = {
            let place = self.0.replaced.write();
            let mut place = place.unwrap_or_else(PoisonError::into_inner);
            // A thread that sees this waits for the lock.
            self.0.is_replaced.store(true, Ordering::Release);
            std::mem::replace(&mut *place, list)
        };
        // The last handle to a processor runs its drop: not while the lock is held.
        drop(replaced);
    }

    /// A trace that was recorded: active until it is said otherwise, and without a root span of its own.
    pub(crate) fn recorded(
        info: TraceInfo,
        error_policy: ErrorPolicy,
        processors: Processors,
    ) -> Self {
        Self(Arc::new(Inner {
            id: info.id,
            name: info.name.unwrap_or_else(|| "Trace".to_owned()),
            error_policy,
            clock: None,
            shutdown_on_exit: true,
            processors,
            replaced: RwLock::default(),
            is_replaced: AtomicBool::new(false),
            is_active: AtomicBool::new(true),
            is_async: AtomicBool::new(false),
            hook_failures: AtomicU64::new(0),
        }))
    }

    /// The processors that it started with.
    #[inline]
    pub(crate) fn first_processors(&self) -> &[Observer] {
        self.0.processors.as_deref().unwrap_or_default()
    }

    /// The processors that have taken the place of the first ones, if any.
    pub(crate) fn replaced_processors(&self) -> Option<Processors> {
        // Pairs with the release of `set_processors`.
        self.0.is_replaced.load(Ordering::Acquire).then(|| {
            let place = self.0.replaced.read();
            place.unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// Whether there are processors that observe spans that start now.
    #[inline]
    pub(crate) fn is_observed(&self) -> bool {
        match self.replaced_processors() {
            None => self.0.processors.is_some(),
            Some(replaced) => replaced.is_some(),
        }
    }

    fn current_processors(&self) -> Processors {
        self.replaced_processors()
            .unwrap_or_else(|| self.0.processors.clone())
    }

    /// The clock of the trace; `None` stands for the clock of the system.
    pub(crate) fn clock(&self) -> Option<&dyn Clock> {
        let clock = self.0.clock.as_ref()?.get()?;
        Some(&**clock)
    }

    pub(crate) fn count_failure(&self) {
        self.0.hook_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_active(&self, is_active: bool) {
        self.0.is_active.store(is_active, Ordering::Release);
    }

    fn set_async(&self, is_async: bool) {
        self.0.is_async.store(is_async, Ordering::Release);
    }

    /// Calls `startup`, and keeps the processors that came up.
    ///
    /// If one fails under [`ErrorPolicy::Propagate`], those before it are shut down again.
    pub(crate) fn start_up(&self) -> Result<(), TraceError> {
        let mut up = Vec::new();
        for processor in self.processors() {
            let result = contained(|| processor.startup());
            match self.judge(Hook::Startup, &*processor, result) {
                Ok(true) => up.push(processor),
                Ok(false) => {}
                Err(error) => {
                    self.shut_down_after_failure(&up);
                    return Err(error);
                }
            }
        }
        self.keep(up);
        Ok(())
    }

    /// [`start_up`](Self::start_up) in asynchronous code.
    pub(crate) async fn start_up_async(&self) -> Result<(), TraceError> {
        let mut up = ShutDownOnDrop {
            trace: self,
            up: Vec::new(),
        };
        for processor in self.processors() {
            let result = contained_future(|| processor.startup_async()).await;
            match self.judge(Hook::Startup, &*processor, result) {
                Ok(true) => up.up.push(processor),
                Ok(false) => {}
                Err(error) => {
                    self.shut_down_after_failure_async(&std::mem::take(&mut up.up))
                        .await;
                    return Err(error);
                }
            }
        }
        self.keep(std::mem::take(&mut up.up));
        Ok(())
    }

    /// Calls `shutdown`, if the trace is to do so, until one fails that propagates.
    pub(crate) fn shut_down(&self) -> Result<(), TraceError> {
        if self.0.shutdown_on_exit {
            for processor in self.processors() {
                let result = contained(|| processor.shutdown());
                self.judge(Hook::Shutdown, &*processor, result)?;
            }
        }
        Ok(())
    }

    /// [`shut_down`](Self::shut_down) in asynchronous code.
    pub(crate) async fn shut_down_async(&self) -> Result<(), TraceError> {
        if self.0.shutdown_on_exit {
            let mut rest = ShutDownOnDrop {
                trace: self,
                up: self.processors(),
            };
            rest.up.reverse();
            while let Some(processor) = rest.up.pop() {
                let result = contained_future(|| processor.shutdown_async()).await;
                if let Err(error) = self.judge(Hook::Shutdown, &*processor, result) {
                    rest.up.clear();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Shuts down what came up, where no failure can come out of it: the trace cannot start, or its guard is
    /// dropped.
    fn shut_down_after_failure(&self, up: &[Arc<dyn SpanProcessor>]) {
        self.shut_down_each(up, |processor| processor.shutdown());
    }

    /// As [`shut_down_after_failure`](Self::shut_down_after_failure), in a drop that must not wait.
    fn shut_down_on_drop(&self, up: &[Arc<dyn SpanProcessor>]) {
        self.shut_down_each(up, |processor| processor.shutdown_on_drop());
    }

    fn shut_down_each(
        &self,
        up: &[Arc<dyn SpanProcessor>],
        shut_down: fn(&dyn SpanProcessor) -> Result<(), HookError>,
    ) {
        if self.0.shutdown_on_exit {
            for processor in up {
                if let Err(error) = contained(|| shut_down(&**processor)) {
                    report(Some(self), Hook::Shutdown, &**processor, &error);
                }
            }
        }
    }

    async fn shut_down_after_failure_async(&self, up: &[Arc<dyn SpanProcessor>]) {
        if self.0.shutdown_on_exit {
            for processor in up {
                if let Err(error) = contained_future(|| processor.shutdown_async()).await {
                    report(Some(self), Hook::Shutdown, &**processor, &error);
                }
            }
        }
    }

    /// Whether a hook did its work; an error if it did not and that is to be propagated.
    fn judge(
        &self,
        hook: Hook,
        processor: &dyn SpanProcessor,
        result: Result<(), HookError>,
    ) -> Result<bool, TraceError> {
        let Err(source) = result else {
            return Ok(true);
        };
        match self.error_policy() {
            ErrorPolicy::Report => {
                report(Some(self), hook, processor, &source);
                Ok(false)
            }
            ErrorPolicy::Propagate => {
                count(Some(self));
                Err(TraceError::Hook {
                    hook,
                    processor: name_of(processor),
                    source,
                })
            }
        }
    }

    /// Goes on with these processors, if some did not come up.
    fn keep(&self, up: Vec<Arc<dyn SpanProcessor>>) {
        if up.len() != self.current_processors().map_or(0, |list| list.len()) {
            self.set_processors(up);
        }
    }
}

/// Shuts down processors if the future that was to deal with them is dropped.
struct ShutDownOnDrop<'a> {
    trace: &'a Trace,
    /// In the reverse of the order in which they are shut down, if that matters.
    up: Vec<Arc<dyn SpanProcessor>>,
}

impl Drop for ShutDownOnDrop<'_> {
    fn drop(&mut self) {
        self.trace.shut_down_on_drop(&self.up);
    }
}

/// Shows name and id.
impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("name", &self.name())
            .field("id", &self.id().as_str())
            .finish_non_exhaustive()
    }
}
