//! The combined outcome of destinations that are flushed or shut down together.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_agent365::Delivery;
use agentspan_otel::ExportQueue;
use agentspan_processor::background_queue::FlushError;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::counts;

/// All failures. None hides another, because each destination reports its losses only once.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// At least one destination missed the deadline.
    pub(crate) is_late: bool,
    /// The names and the messages of the destinations that lost spans or failed.
    pub(crate) failures: Vec<String>,
    /// The destinations whose messages say what they lost.
    pub(crate) told: Vec<String>,
}

impl Outcome {
    /// Adds the result of a flush of the delivery.
    pub(crate) fn add_flush_of(&mut self, delivery: &Delivery, result: OTelSdkResult) {
        let is_late = matches!(result, Err(OTelSdkError::Timeout(_)));
        self.add(counts::AGENT365, result);
        self.failures
            .extend(is_late.then(|| delivery.awaited()).flatten());
    }

    /// Adds the result of a shutdown of the delivery.
    pub(crate) fn add_shutdown_of(&mut self, delivery: &Delivery, result: OTelSdkResult) {
        let is_told = result.is_err();
        self.add(counts::AGENT365, result);
        self.failures
            .extend(is_told.then(|| delivery.last_failure()).flatten());
    }

    /// Adds the result of a flush of a destination.
    pub(crate) fn add_flush(&mut self, queue: &ExportQueue, result: OTelSdkResult) {
        let is_late = matches!(result, Err(OTelSdkError::Timeout(_)));
        self.add(queue.name(), result);
        self.explain(queue, is_late.then(|| queue.awaited()).flatten());
    }

    /// Adds the result of a shutdown of a destination.
    pub(crate) fn add_shutdown(&mut self, queue: &ExportQueue, result: OTelSdkResult) {
        // Other errors say themselves what the spans were lost by.
        let is_late = matches!(result, Err(OTelSdkError::Timeout(_)));
        self.add(queue.name(), result);
        self.explain(queue, is_late.then(|| queue.last_failure()).flatten());
    }

    fn explain(&mut self, queue: &ExportQueue, failure: Option<String>) {
        let text = failure.map(|failure| format!("{}: {failure}", queue.name()));
        self.failures.extend(text);
    }

    fn add(&mut self, destination: &str, result: OTelSdkResult) {
        match result {
            Ok(()) => {}
            Err(OTelSdkError::Timeout(_)) => self.is_late = true,
            // It begins with the name.
            Err(OTelSdkError::InternalFailure(text)) => {
                self.failures.push(text);
                self.told.push(destination.to_owned());
            }
            Err(OTelSdkError::AlreadyShutdown) => {
                let text = format!("{destination} was shut down before");
                self.failures.push(text);
            }
        }
    }

    pub(crate) fn add_agent_spec(&mut self, destination: &str, result: Result<(), FlushError>) {
        match result {
            Ok(()) => {}
            Err(FlushError::TimedOut { .. }) => self.is_late = true,
            Err(error) => self.failures.push(format!("{destination}: {error}")),
        }
    }

    /// Converts to the SDK's error, which has a single text.
    pub(crate) fn into_sdk(mut self, timeout: Duration) -> OTelSdkResult {
        if self.failures.is_empty() {
            return if self.is_late {
                Err(OTelSdkError::Timeout(timeout))
            } else {
                Ok(())
            };
        }
        if self.is_late {
            let late = format!("the deadline of {timeout:?} passed");
            self.failures.insert(0, late);
        }
        Err(OTelSdkError::InternalFailure(self.failures.join("; ")))
    }
}

thread_local! {
    static DONE_FOR: Cell<usize> = const { Cell::new(0) };
}

/// Marks calls of the guard, which flushes and shuts down destinations itself. While the guard
/// calls the provider for the rest, our span processor does nothing, and leaves the report of
/// losses to the guard. Holds whether the guard has shut the destinations down.
#[derive(Clone, Debug, Default)]
pub(crate) struct DoneByGuard(Arc<AtomicBool>);

impl DoneByGuard {
    /// Calls the provider, on this thread.
    pub(crate) fn call<T>(&self, provider: impl FnOnce() -> T) -> T {
        let before = DONE_FOR.replace(self.address());
        let result = provider();
        DONE_FOR.set(before);
        result
    }

    /// Whether the current call comes from the guard.
    pub(crate) fn is_calling(&self) -> bool {
        DONE_FOR.get() == self.address()
    }

    pub(crate) fn set_shut_down(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the destinations refuse spans, for the log. They know it themselves.
    pub(crate) fn is_shut_down(&self) -> bool {
        // Relaxed: it guards nothing.
        self.0.load(Ordering::Relaxed)
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}
