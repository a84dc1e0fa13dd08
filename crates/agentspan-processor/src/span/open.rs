//! The owners of a span, which end it when they are dropped.

use std::ops::Deref;
use std::thread;

use super::Span;
use crate::context::Pushed;
use crate::dispatch::report_unheard;
use crate::{TraceError, exception};

/// An open span that ends when this value is dropped. Made by
/// [`start_detached`](crate::span::SpanBuilder::start_detached) and
/// [`start_async`](crate::span::SpanBuilder::start_async).
///
/// It may move to other threads, and outlive the task that opened it. [`enter`](Span::enter) and
/// [`wrap`](Span::wrap) make it current. Dropping it calls the synchronous hooks;
/// [`end_async`](Self::end_async) calls the asynchronous hooks. If a panic drops it, it gets an
/// `ExceptionRaised` event first.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct OpenSpan {
    span: Span,
    /// A span that starts while the thread is unwinding is not one that panicked.
    was_panicking: bool,
    /// Dropping this means that the future that it covers was dropped.
    covers_future: bool,
}

impl OpenSpan {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            span,
            was_panicking: thread::panicking(),
            covers_future: false,
        }
    }

    /// Ends the span.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// span has ended in any case.
    pub fn end(mut self) -> Result<(), TraceError> {
        self.span.end_own()
    }

    /// The handle of its own, which hooks may be shown.
    pub(super) fn span_mut(&mut self) -> &mut Span {
        &mut self.span
    }

    /// Ends the span, and waits for the asynchronous hooks. The span is current while they run.
    ///
    /// # Errors
    ///
    /// The same as of [`end`](Self::end).
    ///
    /// # Cancel safety
    ///
    /// The span ends even if the future is dropped at any time. The synchronous hooks of the
    /// remaining processors are then called.
    pub async fn end_async(self) -> Result<(), TraceError> {
        self.span.wrap(self.span.end_async()).await
    }

    /// As [`end_async`](Self::end_async), but the span is not made current for it.
    pub(crate) async fn end_in_place_async(self) -> Result<(), TraceError> {
        self.span.end_async().await
    }

    /// Sets whether dropping this means that the future that it covers was dropped.
    pub(crate) fn set_covers_future(&mut self, covers_future: bool) {
        self.covers_future = covers_future;
    }
}

impl Deref for OpenSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.span
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if self.span.has_begun_to_end() {
            return;
        }
        if thread::panicking() && !self.was_panicking {
            report_unheard(self.span.add_event(exception::from_panic(None)));
        } else if self.covers_future {
            report_unheard(self.span.add_event(exception::from_cancellation()));
        }
        report_unheard(self.span.end_own());
    }
}

/// A span that is current on this thread, and ends when this guard is dropped. Made by
/// [`start`](crate::span::SpanBuilder::start).
///
/// Guards may be dropped in any order: each removes its own span from the stack. If a panic drops
/// the guard, the span gets an `ExceptionRaised` event. To record errors, use
/// [`in_span`](crate::span::SpanBuilder::in_span) or [`record_error`](Span::record_error).
///
/// It cannot leave its thread, so a task that can change threads cannot hold it across an `await`:
///
/// ```compile_fail,E0277
/// # use agentspan_processor::Span;
/// # use agentspan_model::agentspec::SpanDetails;
/// let guard = Span::builder(SpanDetails::Plain).start().unwrap();
/// std::thread::spawn(move || drop(guard));
/// ```
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct SpanGuard {
    // Dropped in this order: the span is still current when the hooks of its end run.
    open: OpenSpan,
    _pushed: Option<Pushed>,
}

impl SpanGuard {
    pub(crate) fn new(open: OpenSpan, pushed: Pushed) -> Self {
        Self {
            open,
            _pushed: Some(pushed),
        }
    }

    /// Of a span that was never made.
    pub(super) fn current_nowhere(open: OpenSpan) -> Self {
        Self {
            open,
            _pushed: None,
        }
    }

    /// Ends the span.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate). The
    /// span has ended in any case.
    pub fn end(mut self) -> Result<(), TraceError> {
        self.open.span.end_own()
    }
}

impl Deref for SpanGuard {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.open
    }
}

/// Keeps a span current on this thread until it is dropped. Made by [`Span::enter`].
#[derive(Debug)]
#[must_use = "the span is current until this is dropped"]
pub struct Entered {
    pub(super) _pushed: Pushed,
}
