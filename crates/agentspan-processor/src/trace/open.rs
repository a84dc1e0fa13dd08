//! The owners of a trace, which end it when they are dropped.

use std::future::Future;

use super::Trace;
use crate::context::{InSpan, Pushed};
use crate::span::{OpenSpan, SpanGuard};
use crate::{Span, TraceError};

/// A trace that is active on this thread, and ends when this guard is dropped. Made by
/// [`start`](crate::trace::TraceBuilder::start).
///
/// It cannot leave its thread. Like [`end`](Self::end), its drop waits for processors whose `shutdown`
/// waits, such as a [`BackgroundQueue`](crate::BackgroundQueue). If a panic drops it, its root span
/// gets an `ExceptionRaised` event.
#[derive(Debug)]
#[must_use = "the trace ends when this is dropped"]
pub struct TraceGuard {
    // Dropped in this order: the root span ends, the processors are shut down, the trace is forgotten.
    root: SpanGuard,
    running: Running,
    _pushed: Pushed,
}

impl TraceGuard {
    pub(super) fn new(root: SpanGuard, mut running: Running, pushed: Pushed) -> Self {
        running.waits_if_dropped = true;
        Self {
            root,
            running,
            _pushed: pushed,
        }
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.running.trace
    }

    /// The span that covers the whole trace.
    #[must_use]
    pub fn root(&self) -> &Span {
        &self.root
    }

    /// Ends the root span and the trace, and shuts down the processors, unless the trace keeps them
    /// running.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// trace has ended in any case.
    pub fn end(self) -> Result<(), TraceError> {
        let Self {
            root,
            running,
            _pushed,
        } = self;
        let root_ended = root.end();
        root_ended.and(running.finish())
    }
}

/// An open trace that ends when this value is dropped. Made by
/// [`start_detached`](crate::trace::TraceBuilder::start_detached) and
/// [`start_async`](crate::trace::TraceBuilder::start_async).
///
/// It is active in a future of [`wrap`](Self::wrap), and while one of its spans is current.
/// Dropping it calls the synchronous hooks; [`end_async`](Self::end_async) calls the asynchronous
/// hooks. The drop does not wait for the processors: see
/// [`shutdown_on_drop`](crate::SpanProcessor::shutdown_on_drop).
#[derive(Debug)]
#[must_use = "the trace ends when this is dropped"]
pub struct OpenTrace {
    // Dropped in this order.
    root: OpenSpan,
    running: Running,
}

impl OpenTrace {
    pub(super) fn new(root: OpenSpan, running: Running) -> Self {
        Self { root, running }
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.running.trace
    }

    /// The span that covers the whole trace.
    #[must_use]
    pub fn root(&self) -> &Span {
        &self.root
    }

    /// Makes the trace active and its root span current in a future. Does not end the trace.
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as `future`, which is dropped while the trace is active.
    pub fn wrap<F: Future>(&self, future: F) -> InSpan<F> {
        self.root.wrap(future)
    }

    /// Ends the root span and the trace, and shuts down the processors, unless the trace keeps them
    /// running.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// trace has ended in any case.
    pub fn end(self) -> Result<(), TraceError> {
        let entered = self.root.enter();
        let root_ended = self.root.end();
        drop(entered);
        root_ended.and(self.running.finish())
    }

    /// Like [`end`](Self::end), and waits for the asynchronous hooks.
    ///
    /// # Errors
    ///
    /// The same as of [`end`](Self::end).
    ///
    /// # Cancel safety
    ///
    /// The trace ends even if the future is dropped at any time. The synchronous hooks of the
    /// remaining processors are then called.
    pub async fn end_async(self) -> Result<(), TraceError> {
        let Self { root, running } = self;
        let root_ended = root.end_async().await;
        root_ended.and(running.finish_async().await)
    }

    /// As [`end_async`](Self::end_async), but the root span is not made current for it.
    pub(super) async fn end_in_place_async(self) -> Result<(), TraceError> {
        let Self { root, running } = self;
        let root_ended = root.end_in_place_async().await;
        root_ended.and(running.finish_async().await)
    }

    /// The root span ends with the synchronous hook, as all spans do after a panic. Only the shutdown is
    /// awaited, which may take long.
    pub(super) async fn end_after_panic(self) -> Result<(), TraceError> {
        let Self { root, running } = self;
        let root_ended = root.end();
        root_ended.and(running.finish_async().await)
    }

    pub(super) fn set_covers_future(&mut self, covers_future: bool) {
        self.root.set_covers_future(covers_future);
    }
}

/// Ends a trace and shuts down its processors when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    trace: Trace,
    /// Processors have come up that are to be shut down.
    is_up: bool,
    /// Its drop may wait for the shutdown: the thread has no other tasks.
    waits_if_dropped: bool,
}

impl Running {
    pub(super) fn new(trace: Trace) -> Self {
        Self {
            trace,
            is_up: false,
            waits_if_dropped: false,
        }
    }

    pub(super) fn has_come_up(&mut self) {
        self.is_up = true;
    }

    fn finish(mut self) -> Result<(), TraceError> {
        self.is_up = false;
        self.deactivate();
        self.trace.shut_down()
    }

    async fn finish_async(mut self) -> Result<(), TraceError> {
        self.is_up = false;
        self.deactivate();
        self.trace.shut_down_async().await
    }

    /// Shuts the processors down because the root span could not start.
    pub(super) async fn give_up_async(mut self) {
        self.is_up = false;
        self.deactivate();
        let up = self.trace.processors();
        self.trace.shut_down_after_failure_async(&up).await;
    }

    fn deactivate(&self) {
        self.trace.set_active(false);
        self.trace.set_async(false);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.deactivate();
        let processors = self.trace.processors();
        match (self.is_up, self.waits_if_dropped) {
            (false, _) => {}
            (true, true) => self.trace.shut_down_after_failure(&processors),
            (true, false) => self.trace.shut_down_on_drop(&processors),
        }
    }
}
