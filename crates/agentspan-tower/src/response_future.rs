//! The answer to a request, in the request's context.

use std::fmt::{self, Display};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_model::keys;
use agentspan_otel::InvokeAgentScope;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};
use pin_project_lite::pin_project;

use crate::attached::attach;

/// The instrumentation scope of the spans around requests.
const SCOPE: &str = "agentspan-tower";

/// The scope, span or context around a request.
#[derive(Debug)]
pub(crate) enum Around {
    /// Its context.
    Context(Context),
    /// A scope, and the context with its span.
    Scope(Context, Box<InvokeAgentScope>),
    /// The context with a span of the layer.
    Span(Context),
}

impl Around {
    /// A span of the server.
    pub(crate) fn span(request: &Parts, route: Option<String>, context: &Context) -> Self {
        let method = known(&request.method);
        let mut name = method.to_owned();
        let mut attributes = vec![KeyValue::new(keys::HTTP_REQUEST_METHOD, method)];
        if let Some(route) = route {
            name = format!("{method} {route}");
            attributes.push(KeyValue::new(keys::HTTP_ROUTE, route));
        }
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let span = global::tracer(SCOPE).build_with_context(builder, context);
        Self::Span(context.with_span(span))
    }

    pub(crate) fn context(&self) -> &Context {
        match self {
            Self::Context(context) | Self::Scope(context, _) | Self::Span(context) => context,
        }
    }

    /// The service answers.
    fn answered(&self, status: StatusCode) {
        let is_error = status.is_server_error();
        match self {
            Self::Context(_) => {}
            Self::Scope(_, scope) => {
                if is_error {
                    scope.record_error_as(status.as_str(), reason(status));
                }
                scope.end();
            }
            Self::Span(context) => {
                let code = i64::from(status.as_u16());
                let span = context.span();
                span.set_attribute(KeyValue::new(keys::HTTP_RESPONSE_STATUS_CODE, code));
                if is_error {
                    self.fail(status.as_str().to_owned(), "");
                }
                span.end();
            }
        }
    }

    /// The service fails.
    fn failed<E: Display + 'static>(&self, error: &E) {
        match self {
            Self::Context(_) => {}
            Self::Scope(_, scope) => {
                scope.record_error(error);
                scope.end();
            }
            Self::Span(context) => {
                // The text of a foreign error may hold contents.
                self.fail(keys::ERROR_TYPE_OTHER.to_owned(), "the service failed");
                context.span().end();
            }
        }
    }

    /// Nobody waits for the answer any more.
    fn dropped(&self) {
        match self {
            Self::Context(_) => {}
            Self::Scope(_, scope) => {
                scope.record_cancellation();
                scope.end();
            }
            Self::Span(context) => {
                self.fail("cancelled".to_owned(), "the request was not answered");
                context.span().end();
            }
        }
    }

    /// The service panicked. Whoever had entered the scope has recorded it.
    fn panicked(&self) {
        match self {
            Self::Context(_) => {}
            Self::Scope(_, scope) => scope.end(),
            Self::Span(context) => {
                self.fail("panic".to_owned(), "the request was not answered");
                context.span().end();
            }
        }
    }

    fn fail(&self, error_type: String, description: &'static str) {
        let span = self.context().span();
        span.set_attribute(KeyValue::new(keys::ERROR_TYPE, error_type));
        span.set_status(Status::error(description));
    }
}

/// The method, or `_OTHER`, so that no caller makes up names of spans.
fn known(method: &Method) -> &'static str {
    let all = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PATCH, "PATCH"),
        (Method::CONNECT, "CONNECT"),
        (Method::TRACE, "TRACE"),
    ];
    let mut all = all.into_iter();
    all.find_map(|(known, name)| (known == *method).then_some(name))
        .unwrap_or(keys::ERROR_TYPE_OTHER)
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("the service failed")
}

pin_project! {
    /// The answer to a request of a [`ServerService`](crate::ServerService).
    ///
    /// # Cancel safety
    ///
    /// Dropping it early drops the service's future, in the context of the request. A scope or a span
    /// around the request records the cancellation, and ends.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        future: Option<F>,
        // None once it has ended.
        around: Option<Around>,
        context: Context,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let active = attach(this.context);
            this.future.set(None);
            drop(active);
            if let Some(around) = this.around.take() {
                around.dropped();
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(future: F, around: Around) -> Self {
        Self {
            future: Some(future),
            context: around.context().clone(),
            around: Some(around),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Only a drop takes the future out, and nobody polls after it.
            return Poll::Pending;
        };
        let unwinding = EndOnPanic(this.around);
        let polled = {
            let _active = attach(this.context);
            // Says so on the scope if a panic unwinds through it.
            let _entered = match &*unwinding.0 {
                Some(Around::Scope(_, scope)) => Some(scope.enter()),
                _ => None,
            };
            future.poll(task)
        };
        unwinding.disarm();
        if let Poll::Ready(output) = &polled {
            if let Some(around) = this.around.take() {
                match output {
                    Ok(response) => around.answered(response.status()),
                    Err(error) => around.failed(error),
                }
            }
        }
        polled
    }
}

/// Ends what is around a request when the service panics. Another panic on this thread may only drop the
/// future, which is a cancellation.
struct EndOnPanic<'a>(&'a mut Option<Around>);

impl EndOnPanic<'_> {
    fn disarm(self) {
        mem::forget(self);
    }
}

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if let Some(around) = self.0.take() {
            around.panicked();
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
