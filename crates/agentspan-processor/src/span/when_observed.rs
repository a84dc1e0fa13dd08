//! Spans that are only made if somebody hears of them.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::atomic::Ordering;

use agentspan_model::agentspec::{self, Id, SpanDetails};

use super::builder::Parent;
use super::{ABSENT, Links, OpenSpan, Span, SpanBuilder, SpanGuard};
use crate::clock::Ticks;
use crate::context::is_observed_here;
use crate::{Trace, TraceError};

thread_local! {
    // One for each thread, so that threads do not count their handles in one place.
    static NOT_MADE: Span = Span::not_made();
}

/// A span that is only made if a processor observes the trace that it would belong to. Made by
/// [`Span::when_observed`].
///
/// Without processors, what the span says is not even put together, and nothing is allocated: for programs whose
/// telemetry can be switched off. What starting it returns then stands for a span that does not exist. It can be
/// used like any other: what is recorded is left out, and it has ended. It is not current, so that what runs inside
/// has the parent that it would have without it.
///
/// A span that starts belongs to the trace of its parent. If that is not the current span, say so
/// [here](Self::with_parent) and not in the closure.
#[must_use = "a span does nothing until it is started"]
pub struct WhenObserved<F> {
    make: F,
    parent: Parent,
}

impl<F: FnOnce() -> SpanBuilder> WhenObserved<F> {
    #[inline]
    pub(super) fn new(make: F) -> Self {
        Self {
            make,
            parent: Parent::Current,
        }
    }

    /// As [`SpanBuilder::with_parent`].
    pub fn with_parent(mut self, parent: &Span) -> Self {
        self.parent = Parent::of(parent);
        self
    }

    /// As [`SpanBuilder::without_parent`].
    pub fn without_parent(mut self) -> Self {
        self.parent = Parent::None;
        self
    }

    /// As [`SpanBuilder::start`].
    ///
    /// # Errors
    ///
    /// As [`SpanBuilder::start`].
    #[inline]
    pub fn start(self) -> Result<SpanGuard, TraceError> {
        match self.builder() {
            Some(builder) => builder.start(),
            None => Ok(SpanGuard::not_made()),
        }
    }

    /// As [`SpanBuilder::start_detached`].
    ///
    /// # Errors
    ///
    /// As [`SpanBuilder::start_detached`].
    #[inline]
    pub fn start_detached(self) -> Result<OpenSpan, TraceError> {
        match self.builder() {
            Some(builder) => builder.start_detached(),
            None => Ok(OpenSpan::not_made()),
        }
    }

    /// As [`SpanBuilder::start_async`].
    ///
    /// # Errors
    ///
    /// As [`SpanBuilder::start_async`].
    ///
    /// # Cancel safety
    ///
    /// As [`SpanBuilder::start_async`].
    pub async fn start_async(self) -> Result<OpenSpan, TraceError> {
        match self.builder() {
            Some(builder) => builder.start_async().await,
            None => Ok(OpenSpan::not_made()),
        }
    }

    /// As [`SpanBuilder::in_span`].
    ///
    /// # Errors
    ///
    /// As [`SpanBuilder::in_span`].
    #[inline]
    pub fn in_span<T, E>(self, body: impl FnOnce(&Span) -> Result<T, E>) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
    {
        match self.builder() {
            Some(builder) => builder.in_span(body),
            None => body(&SpanGuard::not_made()),
        }
    }

    /// As [`SpanBuilder::run`].
    ///
    /// # Errors
    ///
    /// As [`SpanBuilder::run`].
    ///
    /// # Cancel safety
    ///
    /// As [`SpanBuilder::run`].
    pub async fn run<T, E, Fut>(self, body: impl FnOnce(Span) -> Fut) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
        Fut: Future<Output = Result<T, E>>,
    {
        match self.builder() {
            Some(builder) => builder.run(body).await,
            None => body(Span::absent()).await,
        }
    }

    /// The builder, if somebody would hear of the span.
    #[inline]
    fn builder(self) -> Option<SpanBuilder> {
        let is_observed = match &self.parent {
            Parent::Current | Parent::None => is_observed_here(),
            Parent::Span(parent) => match parent.trace().filter(|trace| trace.is_active()) {
                Some(trace) => Trace::is_observed(trace),
                None => is_observed_here(),
            },
        };
        is_observed.then(|| (self.make)().with_parent_unless_current(self.parent))
    }
}

impl OpenSpan {
    fn not_made() -> Self {
        Self::new(Span::absent())
    }
}

impl SpanGuard {
    #[inline]
    fn not_made() -> Self {
        Self::current_nowhere(OpenSpan::not_made())
    }
}

impl Span {
    /// Stands for a span that does not exist.
    fn absent() -> Self {
        let kept = NOT_MADE.try_with(Self::clone);
        // The thread is being torn down.
        kept.unwrap_or_else(|_| Self::not_made())
    }

    fn not_made() -> Self {
        let record = agentspec::Span::new(Id::from(""), SpanDetails::Plain);
        let links = Links::new(None, None);
        let span = Self::assemble(record, 0, links, Ticks::read(None));
        // Relaxed: nobody else has it yet.
        span.inner.state.store(ABSENT, Ordering::Relaxed);
        span
    }
}

impl<F> fmt::Debug for WhenObserved<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenObserved")
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}
