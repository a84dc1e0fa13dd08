//! Runs closures and futures in a span, which ends in any case.

use std::fmt::Display;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Span, SpanBuilder};
use crate::dispatch::{CatchUnwind, report_unheard};
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
    pub async fn run<T, E, F>(self, body: impl FnOnce(Span) -> F) -> Result<T, E>
    where
        E: Display + From<TraceError> + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let mut open = self.start_async().await?;
        open.set_covers_future(true);
        let span = Span::clone(&open);
        let in_span = async move {
            let future = CatchUnwind {
                future: async { body(Span::clone(&open)).await },
            };
            let outcome = future.await;
            open.set_covers_future(false);
            match outcome {
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
        };
        span.wrap(in_span).await
    }
}
