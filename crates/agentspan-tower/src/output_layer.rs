//! The layer of a client that sends the messages of an agent.

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_otel::scopes::ScopedFuture;
use agentspan_otel::{OutputScope, ScopeFutureExt as _};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::attached::current;
use crate::request_context::CurrentTurn;

/// Records the messages that a client sends in a turn of a conversation as an [`OutputScope`], see
/// [`OutputLog`](agentspan_otel::turn_context::OutputLog).
///
/// A [`TurnLayer`](crate::TurnLayer) or a [`ServerLayer`](crate::ServerLayer::with_turn) around the
/// sending code finds the turn. Without a turn, or if the turn is not for an agent, nothing is
/// recorded.
///
/// ```
/// use agentspan_tower::{Layer as _, OutputLayer};
///
/// struct Reply {
///     text: String,
/// }
///
/// # fn example<S>(connector: S) {
/// let connector = OutputLayer::new(|reply: &Reply| vec![reply.text.clone()]).layer(connector);
/// # drop(connector);
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is around a service"]
pub struct OutputLayer<F>(F);

impl<F> OutputLayer<F> {
    /// Finds the texts of the messages that a request sends with `texts`: none if it sends no
    /// message.
    pub fn new<R>(texts: F) -> Self
    where
        F: Fn(&R) -> Vec<String>,
    {
        Self(texts)
    }
}

impl<F> fmt::Debug for OutputLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputLayer").finish_non_exhaustive()
    }
}

impl<S, F: Clone> Layer<S> for OutputLayer<F> {
    type Service = OutputService<S, F>;

    fn layer(&self, inner: S) -> OutputService<S, F> {
        OutputService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service in an [`OutputLayer`].
#[derive(Clone, Debug)]
pub struct OutputService<S, F> {
    inner: S,
    layer: OutputLayer<F>,
}

impl<S, F, R> Service<R> for OutputService<S, F>
where
    S: Service<R>,
    S::Error: Display + 'static,
    F: Fn(&R) -> Vec<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OutputFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let sending = match self.layer.scope(&request) {
            None => Sending::Unseen {
                future: self.inner.call(request),
            },
            Some(scope) => {
                let future = {
                    let _active = scope.enter();
                    self.inner.call(request)
                };
                Sending::InScope {
                    future: future.in_scope(scope),
                }
            }
        };
        OutputFuture { sending }
    }
}

impl<F> OutputLayer<F> {
    /// The scope of what a request sends.
    fn scope<R>(&self, request: &R) -> Option<OutputScope>
    where
        F: Fn(&R) -> Vec<String>,
    {
        let context = current();
        let log = context.get::<CurrentTurn>()?.log.as_ref()?;
        let texts = (self.0)(request);
        (!texts.is_empty()).then(|| log.start_texts(texts))
    }
}

pin_project! {
    /// The answer to a request of an [`OutputService`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the service's future, records a cancellation and ends the scope.
    #[must_use = "futures do nothing unless polled"]
    pub struct OutputFuture<F>
    where
        F: Future,
    {
        #[pin]
        sending: Sending<F>,
    }
}

pin_project! {
    #[project = Projected]
    enum Sending<F>
    where
        F: Future,
    {
        // A message is sent.
        InScope {
            #[pin]
            future: ScopedFuture<F>,
        },
        // Nothing is logged.
        Unseen {
            #[pin]
            future: F,
        },
    }
}

impl<F: Future> Future for OutputFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        match self.project().sending.project() {
            Projected::InScope { future } => future.poll(task),
            Projected::Unseen { future } => future.poll(task),
        }
    }
}

impl<F: Future> fmt::Debug for OutputFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputFuture").finish_non_exhaustive()
    }
}
