//! Futures that run inside a scope.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_queue::contain::ThreadBound;
use opentelemetry::trace::{FutureExt as _, WithContext};
use opentelemetry::{Context, ContextGuard};
use pin_project_lite::pin_project;

use super::Scope;
use super::core::Core;
use crate::baggage::RequestBaggage;

pin_project! {
    /// A future that runs inside a scope, see [`Scope::run`] and [`ScopeFutureExt`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it is done records a cancellation and ends the scope.
    #[must_use = "futures do nothing unless polled"]
    pub struct ScopedFuture<F>
    where
        F: Future,
    {
        #[pin]
        future: Option<F>,
        running: Running,
        record: fn(&Core, &F::Output),
    }

    impl<F> PinnedDrop for ScopedFuture<F>
    where
        F: Future,
    {
        // What the future holds is dropped inside the scope, as it lived inside it.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let active = this.running.attach();
            this.future.set(None);
            drop(active);
        }
    }
}

impl<F: Future> ScopedFuture<F> {
    pub(crate) fn new(future: F, core: Option<Core>, record: fn(&Core, &F::Output)) -> Self {
        Self {
            future: Some(future),
            running: Running { core },
            record,
        }
    }
}

impl<F: Future> Future for ScopedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Only a drop takes the future out, and nobody polls after it.
            return Poll::Pending;
        };
        let polled = {
            let _active = this.running.attach();
            let unwinding = EndOnPanic(this.running.core.as_ref());
            let polled = future.poll(task);
            unwinding.disarm();
            polled
        };
        if let Poll::Ready(output) = &polled {
            if let Some(core) = this.running.core.take() {
                (this.record)(&core, output);
                core.end();
            }
        }
        polled
    }
}

impl<F: Future> Debug for ScopedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedFuture").finish_non_exhaustive()
    }
}

/// The scope of a future that is not done yet.
struct Running {
    core: Option<Core>,
}

impl Running {
    fn attach(&self) -> Option<ThreadBound<ContextGuard>> {
        self.core.as_ref()?.attach()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            core.record_cancellation();
            core.end();
        }
    }
}

/// Dropped while it is armed only when a panic passes through a poll.
struct EndOnPanic<'a>(Option<&'a Core>);

impl EndOnPanic<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if let Some(core) = self.0 {
            core.record_panic();
            core.end();
        }
    }
}

pub(crate) fn record_if_error<T, E: Display + 'static>(core: &Core, output: &Result<T, E>) {
    if let Err(error) = output {
        core.record_error(error);
    }
}

pub(crate) fn nothing_to_record<T>(_core: &Core, _output: &T) {}

/// Runs futures inside a scope or with baggage.
///
/// ```
/// # use agentspan_otel::{InferenceScope, ScopeFutureExt as _};
/// # async fn chat() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example(scope: InferenceScope) -> Result<(), std::io::Error> {
/// let answer = chat().in_scope(scope).await?;
/// # Ok(())
/// # }
/// ```
pub trait ScopeFutureExt: Future + Sized {
    /// Runs the future inside `scope`, records its `Err`, and ends the scope.
    ///
    /// # Cancel safety
    ///
    /// As [`Scope::run`].
    fn in_scope<K, T, E>(self, scope: Scope<K>) -> ScopedFuture<Self>
    where
        Self: Future<Output = Result<T, E>>,
        E: Display + 'static,
    {
        ScopedFuture::new(self, scope.into_core(), record_if_error)
    }

    /// Runs the future, which cannot fail, inside `scope`, and ends the scope.
    ///
    /// # Cancel safety
    ///
    /// As [`Scope::run`].
    fn in_scope_infallible<K>(self, scope: Scope<K>) -> ScopedFuture<Self> {
        ScopedFuture::new(self, scope.into_core(), nothing_to_record)
    }

    /// Runs the future with `baggage` added to that of the context in which this is called.
    ///
    /// Add it outside of the scopes that it is meant for: a scope keeps the baggage of its start.
    fn with_baggage(self, baggage: &RequestBaggage) -> WithContext<Self> {
        self.with_context(Context::map_current(|current| baggage.to_context(current)))
    }
}

impl<F: Future> ScopeFutureExt for F {}
