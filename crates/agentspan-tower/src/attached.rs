//! The context of a request, current while the request is worked on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_queue::contain::{self, ThreadBound};
use opentelemetry::{Context, ContextGuard};
use pin_project_lite::pin_project;

/// The context that is current on this thread. While the thread is torn down there may be none.
pub(crate) fn current() -> Context {
    contain::call(Context::current).unwrap_or_default()
}

/// Makes `context` current on this thread, until the guard is dropped.
pub(crate) fn attach(context: &Context) -> Option<ThreadBound<ContextGuard>> {
    ThreadBound::make(|| context.clone().attach()).ok()
}

pin_project! {
    /// A future that is polled, and dropped, in a context.
    #[derive(Debug)]
    pub(crate) struct Attached<F> {
        #[pin]
        future: Option<F>,
        context: Context,
    }

    impl<F> PinnedDrop for Attached<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let active = attach(this.context);
            this.future.set(None);
            drop(active);
        }
    }
}

impl<F> Attached<F> {
    pub(crate) fn new(future: F, context: Context) -> Self {
        Self {
            future: Some(future),
            context,
        }
    }
}

impl<F: Future> Future for Attached<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Only a drop takes the future out, and nobody polls after it.
            return Poll::Pending;
        };
        let _active = attach(this.context);
        future.poll(task)
    }
}
