//! Runs closures and futures in a span, which ends in any case.

use std::fmt::Display;
use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{OpenSpan, Span, SpanBuilder};
use crate::dispatch::report_unheard;
use crate::run_future::{self, Outcome, Started};
use crate::{TraceError, exception};

impl SpanBuilder {
    /// Runs a closure in the span, which ends when the closure returns, fails or panics.
    ///
    /// An `Err` or a panic becomes an `ExceptionRaised` event of the span, and reaches the caller.
    ///
    /// ```
    /// use agentspan_model::agentspec::SpanDetails;
    /// use agentspan_processor::{Span, TraceError};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sum = Span::builder(SpanDetails::Plain)
    ///     .with_name("sum")
    ///     .in_span(|_span| Ok::<_, TraceError>(1 + 1))?;
    /// assert_eq!(sum, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the closure, or [`TraceError::Hook`] under
    /// [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate) if the closure returned `Ok`.
    pub fn in_span<T, E>(self, body: impl FnOnce(&Span) -> Result<T, E>) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
    {
        let guard = self.start()?;
        match catch_unwind(AssertUnwindSafe(|| body(&guard))) {
            Ok(Ok(value)) => {
                guard.end()?;
                Ok(value)
            }
            Ok(Err(error)) => {
                report_unheard(guard.add_event(exception::from_error(&error)));
                report_unheard(guard.end());
                Err(error)
            }
            Err(payload) => {
                report_unheard(guard.add_event(exception::from_panic(Some(&*payload))));
                report_unheard(guard.end());
                resume_unwind(payload)
            }
        }
    }

    /// Runs a future in the span, which ends when the future returns, fails, panics or is dropped.
    ///
    /// An `Err`, a panic or the drop becomes an `ExceptionRaised` event of the span. An `Err` and a
    /// panic reach the caller. The asynchronous hooks are called, except after a drop or a panic,
    /// which cannot be awaited: then the synchronous hooks are called.
    ///
    /// ```
    /// use agentspan_model::agentspec::{EventDetails, SpanDetails};
    /// use agentspan_processor::{Span, TraceError};
    ///
    /// # fn main() -> Result<(), TraceError> {
    /// # futures_executor::block_on(async {
    /// Span::builder(SpanDetails::Plain)
    ///     .run(|span| async move {
    ///         span.add_event_async(EventDetails::Plain).await?;
    ///         Ok::<_, TraceError>(())
    ///     })
    ///     .await
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the future, or [`TraceError::Hook`] under
    /// [`ErrorPolicy::Propagate`](crate::ErrorPolicy::Propagate) if the future returned `Ok`.
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as the future. The span ends with the synchronous hooks.
    pub fn run<T, E, F>(self, body: impl FnOnce(Span) -> F) -> impl Future<Output = Result<T, E>>
    where
        E: Display + From<TraceError> + 'static,
        F: Future<Output = Result<T, E>>,
    {
        run_started(self.start_async(), body)
    }
}

/// Runs a future in the span that `start` starts.
pub(super) fn run_started<T, E, F>(
    start: impl Future<Output = Result<OpenSpan, TraceError>>,
    body: impl FnOnce(Span) -> F,
) -> impl Future<Output = Result<T, E>>
where
    E: Display + From<TraceError> + 'static,
    F: Future<Output = Result<T, E>>,
{
    run_future::run(
        async { Ok(started(start.await?, ())) },
        |(), span| ready(Ok(span)),
        |span: &Span| body(span.clone()),
        |open, _, outcome| end(open, outcome),
    )
}

/// The span of a future has started. `state` is for the next step.
pub(crate) fn started<S>(mut open: OpenSpan, state: S) -> Started<OpenSpan, S> {
    open.set_covers_future(true);
    let span = Span::clone(&open);
    Started { open, span, state }
}

/// Ends the span of a future after a last step, which gets the value of the future. There is no
/// last step if the first step failed.
pub(crate) async fn end_after<K, T, E, L>(
    open: OpenSpan,
    kept: Option<K>,
    outcome: Outcome<T, E>,
    last: impl FnOnce(K, T) -> L,
) -> Result<T, E>
where
    E: Display + From<TraceError> + 'static,
    L: Future<Output = Result<T, E>>,
{
    let outcome = match (kept, outcome) {
        (Some(kept), Ok(Ok(value))) => Ok(last(kept, value).await),
        (_, outcome) => outcome,
    };
    end(open, outcome).await
}

/// Ends the span of a future.
async fn end<T, E>(mut open: OpenSpan, outcome: Outcome<T, E>) -> Result<T, E>
where
    E: Display + From<TraceError> + 'static,
{
    open.set_covers_future(false);
    match outcome {
        Ok(result) if open.is_absent() => result,
        Ok(Ok(value)) => {
            open.end_in_place_async().await?;
            Ok(value)
        }
        Ok(Err(error)) => {
            let event = exception::from_error(&error);
            report_unheard(open.add_event_async(event).await);
            report_unheard(open.end_in_place_async().await);
            Err(error)
        }
        Err(payload) => {
            report_unheard(open.add_event(exception::from_panic(Some(&*payload))));
            report_unheard(open.end());
            resume_unwind(payload)
        }
    }
}
