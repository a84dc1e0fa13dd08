//! The layer of a service whose requests are turns of conversations.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_otel::TurnContext;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::attached::{Attached, attach, current};
use crate::request_context::with_turn;

/// Runs each turn with the baggage of its activity, for services whose requests contain turns.
///
/// The baggage sets the tenant and the agent of the spans, as `BaggageMiddleware` of
/// `microsoft-opentelemetry` 1.5.0 does, except for an asynchronous reply. An
/// [`OutputLayer`](crate::OutputLayer) logs the messages that are sent in the turn.
///
/// ```
/// use agentspan_otel::TurnContext;
/// use agentspan_tower::{Layer as _, TurnLayer};
///
/// struct Turn {
///     context: TurnContext,
/// }
///
/// # fn example<S>(bot: S) {
/// let bot = TurnLayer::new(|turn: &Turn| Some(&turn.context)).layer(bot);
/// # drop(bot);
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is around a service"]
pub struct TurnLayer<F>(F);

impl<F> TurnLayer<F> {
    /// Finds the turn of a request with `turn`.
    pub fn new<R>(turn: F) -> Self
    where
        F: for<'a> Fn(&'a R) -> Option<&'a TurnContext>,
    {
        Self(turn)
    }
}

impl<F> fmt::Debug for TurnLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnLayer").finish_non_exhaustive()
    }
}

impl<S, F: Clone> Layer<S> for TurnLayer<F> {
    type Service = TurnService<S, F>;

    fn layer(&self, inner: S) -> TurnService<S, F> {
        TurnService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service in a [`TurnLayer`].
#[derive(Clone, Debug)]
pub struct TurnService<S, F> {
    inner: S,
    layer: TurnLayer<F>,
}

impl<S, F, R> Service<R> for TurnService<S, F>
where
    S: Service<R>,
    F: for<'a> Fn(&'a R) -> Option<&'a TurnContext>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TurnFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let mut context = current();
        if let Some(turn) = (self.layer.0)(&request) {
            context = with_turn(&context, turn);
        }
        let future = {
            let _active = attach(&context);
            self.inner.call(request)
        };
        TurnFuture {
            future: Attached::new(future, context),
        }
    }
}

pin_project! {
    /// The answer to a request of a [`TurnService`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the service's future, in the context of the turn.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct TurnFuture<F> {
        #[pin]
        future: Attached<F>,
    }
}

impl<F: Future> Future for TurnFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        self.project().future.poll(task)
    }
}
