//! Spans that are only created if a processor observes them.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::atomic::Ordering;

use agentspan_model::agentspec::{self, Id, SpanDetails};

use super::builder::Parent;
use super::run::run_started;
use super::{ABSENT, Links, OpenSpan, Span, SpanBuilder, SpanGuard};
use crate::clock::Ticks;
use crate::context::observed_here;
use crate::{TraceError, outside_trace};

thread_local! {
    // One for each thread, so that threads do not count their handles in one place.
    static NOT_MADE: Span = Span::not_made();
}

/// Builds a span only if a processor observes its trace. Made by [`Span::when_observed`].
///
/// Without processors, the details of the span are not built, and nothing is allocated. Use it if
/// telemetry can be switched off. The returned handle then stands for a span that does not exist.
/// You can use it like any other handle: it ignores recordings, and counts as ended. It is not
/// current, so spans inside keep their outer parent.
///
/// A span belongs to the trace of its parent. If the parent is not the current span, set it
/// [here](Self::with_parent), not in the closure.
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

    /// Like [`SpanBuilder::with_parent`].
    pub fn with_parent(mut self, parent: &Span) -> Self {
        self.parent = Parent::of(parent);
        self
    }

    /// Like [`SpanBuilder::without_parent`].
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
    pub fn run<T, E, Fut>(
        self,
        body: impl FnOnce(Span) -> Fut,
    ) -> impl Future<Output = Result<T, E>>
    where
        E: Display + From<TraceError> + 'static,
        Fut: Future<Output = Result<T, E>>,
    {
        run_started(self.start_async(), body)
    }

    /// The builder, if somebody would hear of the span.
    #[inline]
    fn builder(self) -> Option<SpanBuilder> {
        let of_parent = match &self.parent {
            Parent::Current | Parent::None => None,
            Parent::Span(parent) => parent.trace().filter(|trace| trace.is_active()),
        };
        let observed = match of_parent {
            Some(trace) => Some(trace.is_observed()),
            None => observed_here(),
        };
        if observed != Some(true) {
            outside_trace::notice(|| observed.is_none());
            return None;
        }
        Some((self.make)().with_parent_unless_current(self.parent))
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
