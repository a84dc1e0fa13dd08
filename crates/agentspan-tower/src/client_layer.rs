//! The layer of a client.

use std::task::{Context as TaskContext, Poll};

use agentspan_otel::Propagation;
use agentspan_otel::propagation::HeaderWriter;
use http::Request;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use tower_layer::Layer;
use tower_service::Service;

use crate::attached::current;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Writes the current context into the headers of each request, so that the receiver continues the
/// trace.
///
/// The context is the one in which the service is called. [`Propagation`] lists the baggage that is
/// sent: by default no tenant, no agent and no user. Headers that a request already has, for instance
/// because it is forwarded, are replaced: the trace if a span is current, and all baggage unless the
/// propagation is [without baggage](agentspan_otel::Propagation::without_baggage).
///
/// ```
/// use agentspan_tower::{ClientLayer, Layer as _};
///
/// # fn example<C>(client: C) {
/// // hyper's, or any other service of `http::Request`
/// let client = ClientLayer::new().layer(client);
/// # drop(client);
/// # }
/// ```
///
/// A client with requests of its own, such as `reqwest`, writes them with [`write`](Self::write):
///
/// ```
/// use agentspan_tower::ClientLayer;
/// # struct Request(http::HeaderMap);
/// # impl Request { fn headers_mut(&mut self) -> &mut http::HeaderMap { &mut self.0 } }
/// # let mut request = Request(http::HeaderMap::new());
///
/// ClientLayer::new().write(request.headers_mut());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is around a service"]
pub struct ClientLayer {
    propagation: Propagation,
}

impl ClientLayer {
    /// Writes the trace and the baggage that [`Propagation::new`] sends.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which parts of the context are sent. The default is [`Propagation::new`].
    pub fn with_propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = propagation;
        self
    }

    /// Writes the current context into headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        self.write_context(&current(), headers);
    }

    fn write_context(&self, context: &Context, headers: &mut HeaderMap) {
        if self.propagation.fields().any(|field| field == BAGGAGE) {
            // Whose baggage it is nobody knows, and it is written only where some may leave.
            headers.remove(BAGGAGE);
        }
        let mut writer = HeaderWriter::new(|name: &str, value: String| {
            let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_maybe_shared(value),
            ) else {
                // A propagation writes names and values that headers can have.
                return;
            };
            if name == TRACEPARENT {
                // The state of the previous trace, if this one has none.
                headers.remove(TRACESTATE);
            }
            headers.insert(name, value);
        });
        self.propagation.inject(context, &mut writer);
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service in a [`ClientLayer`].
#[derive(Clone, Debug)]
pub struct ClientService<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        self.layer.write(request.headers_mut());
        self.inner.call(request)
    }
}
