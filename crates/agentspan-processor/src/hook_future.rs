//! The future of asynchronous hooks, which is free if there is nothing to wait for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::HookError;

/// The future of an asynchronous hook.
///
/// The default hooks of [`SpanProcessor`](crate::SpanProcessor) return a [ready](Self::ready)
/// future, which needs no allocation. A hook that waits puts its code into an `async` block:
///
/// ```
/// use agentspan_processor::{HookFuture, Span, SpanProcessor};
///
/// #[derive(Debug)]
/// struct Sender;
///
/// impl SpanProcessor for Sender {
///     fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
///         HookFuture::new(async move {
///             send(span.name()).await;
///             Ok(())
///         })
///     }
/// }
/// # async fn send(_: &str) {}
/// ```
///
/// # Who calls asynchronous hooks
///
/// Code that awaits its spans does, on its own thread, and a
/// [`BackgroundQueue`](crate::BackgroundQueue) does for all code. Without a queue, code that starts
/// and ends spans synchronously calls synchronous hooks only, and so does the drop of a span. A
/// processor like `Sender` would miss these spans, so put it behind a queue.
///
/// # Without a runtime
///
/// The thread of a queue polls the future outside of any runtime. Sockets and timers of Tokio panic
/// there, which is logged and counted as a failed hook. So spawn such work onto the program's
/// runtime, and await its end:
///
/// ```
/// use agentspan_processor::{HookError, HookFuture, Span, SpanProcessor};
///
/// #[derive(Debug)]
/// struct Sender(tokio::runtime::Handle); // of `Handle::current()`
///
/// impl SpanProcessor for Sender {
///     fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
///         let name = span.name().to_owned();
///         let sent = self.0.spawn(async move { send(&name).await });
///         HookFuture::new(async move { sent.await.map_err(HookError::new) })
///     }
/// }
/// # async fn send(_: &str) {}
/// ```
///
/// If that runtime is shut down, or blocked by the program's wait for the telemetry, nothing is sent.
/// In a program with a single-threaded runtime, await the end of the telemetry (`shutdown_async`).
pub struct HookFuture<'a>(State<'a>);

enum State<'a> {
    Ready(Option<Result<(), HookError>>),
    Boxed(Pin<Box<dyn Future<Output = Result<(), HookError>> + Send + 'a>>),
}

impl<'a> HookFuture<'a> {
    /// Wraps a future, with one allocation.
    #[must_use]
    pub fn new(future: impl Future<Output = Result<(), HookError>> + Send + 'a) -> Self {
        Self(State::Boxed(Box::pin(future)))
    }

    /// Returns the result if it is ready, or else the future.
    pub(crate) fn into_ready(self) -> Result<Result<(), HookError>, Self> {
        match self.0 {
            State::Ready(result) => Ok(result.unwrap_or(Ok(()))),
            State::Boxed(_) => Err(self),
        }
    }

    /// Maps the result. Allocates only if the future is not ready.
    pub(crate) fn and_then(
        self,
        f: impl FnOnce(Result<(), HookError>) -> Result<(), HookError> + Send + 'a,
    ) -> Self {
        match self.into_ready() {
            Ok(result) => Self::ready(f(result)),
            Err(future) => Self::new(async move { f(future.await) }),
        }
    }

    /// A future that is ready with this result.
    #[must_use]
    pub fn ready(result: Result<(), HookError>) -> Self {
        Self(State::Ready(Some(result)))
    }
}

/// Polled again after it was ready, a [ready](HookFuture::ready) one says `Ok`.
impl Future for HookFuture<'_> {
    type Output = Result<(), HookError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(result) => Poll::Ready(result.take().unwrap_or(Ok(()))),
            State::Boxed(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for HookFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Ready(result) => f.debug_tuple("Ready").field(result).finish(),
            State::Boxed(_) => f.write_str("Boxed(..)"),
        }
    }
}
