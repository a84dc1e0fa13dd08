//! The layer of a server.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use agentspan_model::agent365::Identity;
use agentspan_otel::{BaggageBuilder, InvokeAgentScope, Propagation, TurnContext};
use http::request::Parts;
use http::{Request, Response};
use opentelemetry::Context;
use tower_layer::Layer;
use tower_service::Service;

use crate::attached::attach;
use crate::identity_headers::IdentityHeaders;
use crate::request_context::{OfRequest, RequestContext, Source};
use crate::response_future::{Around, ResponseFuture};

/// Runs each request in a context of its own.
///
/// The context continues the trace of the caller's headers: spans that start in it are children of
/// the caller's span, and have the caller's baggage, see [`Propagation`]. If another span is active
/// around the layer, such as that of `tower-http`, they are children of that span.
///
/// A caller's headers never set the tenant, the agent or the user. These come from
/// [`with_identity`](Self::with_identity) and [`with_baggage`](Self::with_baggage), from a gateway's
/// [headers](Self::with_identity_headers) or from the [turn](Self::with_turn) of a conversation.
///
/// Setters apply in call order; a later call overrides an earlier one.
///
/// A malformed header does not fail its request. The first one of each kind is logged as a
/// warning, and all are [counted](Self::malformed_headers). Clones share their counts.
///
/// ```
/// use agentspan_model::agent365::{
///     AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId,
/// };
/// use agentspan_otel::InvokeAgentScope;
/// use agentspan_tower::ServerLayer;
///
/// # fn main() -> Result<(), agentspan_model::agent365::IdentityError> {
/// let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
/// let agent = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse("agent-1")?));
/// // Each such request is an invocation of the agent. The handler gets the scope as an extension.
/// let layer = ServerLayer::new().with_scope(move |request| {
///     (request.uri.path() == "/ask").then(|| InvokeAgentScope::start(&agent, &tenant))
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is around a service"]
pub struct ServerLayer {
    settings: Settings,
}

#[derive(Clone, Default)]
struct Settings {
    context: RequestContext,
    opens: Opens,
}

/// The scope or span that is opened around a request.
#[derive(Clone, Default)]
enum Opens {
    #[default]
    Nothing,
    Scope(OfRequest<Option<InvokeAgentScope>>),
    Span(OfRequest<Option<String>>),
}

impl ServerLayer {
    /// Continues the caller's trace and baggage, and does nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which headers of a caller are read. The default is [`Propagation::new`], which reads
    /// `traceparent`, `tracestate` and `baggage`.
    pub fn with_propagation(mut self, propagation: Propagation) -> Self {
        self.settings.context.propagation = propagation;
        self
    }

    /// Sets the tenant and the agent of a request.
    ///
    /// Take them from your authentication, not from what the caller sends. If the closure returns
    /// `None`, a span belongs to the identity of the enclosing scope, or else to the identity of the
    /// process, if it has one.
    pub fn with_identity(
        self,
        identity: impl Fn(&Parts) -> Option<Identity> + Send + Sync + 'static,
    ) -> Self {
        self.with_source(Source::Identity(Arc::new(identity)))
    }

    /// Takes the tenant and the agent from these two headers. Use it only if callers reach the
    /// service through a gateway that sets both headers and removes those of callers.
    ///
    /// If a header is malformed, repeated, or holds no id, the delivery to Agent 365 refuses and
    /// counts the spans of the request. A request without the headers gets no identity from them.
    pub fn with_identity_headers(
        self,
        tenant: impl Into<String>,
        agent: impl Into<String>,
    ) -> Self {
        self.with_source(Source::Headers(IdentityHeaders {
            tenant: tenant.into(),
            agent: agent.into(),
        }))
    }

    /// Takes the correlation id of a request from this header, such as `x-request-id`. A value that
    /// is not text is ignored.
    ///
    /// The id becomes part of the baggage, and so reaches the services that the request calls. Spans
    /// have it with [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) only, as
    /// `correlation.id`: later generations of the contract have no such attribute.
    pub fn with_correlation_header(self, name: impl Into<String>) -> Self {
        self.with_source(Source::Correlation(name.into()))
    }

    /// Adds baggage to a request, such as a conversation, a session or a user.
    ///
    /// ```
    /// use agentspan_tower::ServerLayer;
    ///
    /// let layer = ServerLayer::new().with_baggage(|request, baggage| {
    ///     let session = request.headers.get("x-session").and_then(|id| id.to_str().ok());
    ///     baggage.with_session_id(session)
    /// });
    /// # drop(layer);
    /// ```
    pub fn with_baggage(
        self,
        add: impl Fn(&Parts, BaggageBuilder) -> BaggageBuilder + Send + Sync + 'static,
    ) -> Self {
        self.with_source(Source::Baggage(Arc::new(add)))
    }

    /// Finds the turn of a conversation that a request belongs to. The request gets the
    /// [baggage](TurnContext::to_baggage) of the turn, which all other setters override, and an
    /// [`OutputLayer`](crate::OutputLayer) logs the messages that are sent in the turn.
    ///
    /// The layer reads no bodies. The code that reads the activity of a request, such as your
    /// authentication, inserts the turn into the request's extensions. A handler that reads the
    /// activity itself runs
    /// [`with_baggage(&turn.to_baggage())`](agentspan_otel::ScopeFutureExt::with_baggage).
    ///
    /// ```
    /// use agentspan_otel::TurnContext;
    /// use agentspan_tower::ServerLayer;
    ///
    /// let layer = ServerLayer::new().with_turn(|request| request.extensions.get::<TurnContext>());
    /// # drop(layer);
    /// ```
    pub fn with_turn(
        mut self,
        turn: impl for<'a> Fn(&'a Parts) -> Option<&'a TurnContext> + Send + Sync + 'static,
    ) -> Self {
        self.settings.context.turn = Some(Arc::new(turn));
        self
    }

    /// Changes the context of a request, after all other setters, for instance with
    /// `ExportToken::to_context` of `agentspan-agent365`.
    pub fn with_context(
        mut self,
        add: impl Fn(&Parts, &Context) -> Context + Send + Sync + 'static,
    ) -> Self {
        self.settings.context.contexts.push(Arc::new(add));
        self
    }

    /// Opens a scope around a request, in the request's context. It replaces
    /// [`with_span`](Self::with_span).
    ///
    /// The scope ends with the head of the response. It records an error if the service fails or the
    /// status is 500 or above, and a cancellation if the request's future is dropped before. The
    /// handler finds the scope in the extensions of its request, to record the question and the
    /// answer.
    pub fn with_scope(
        mut self,
        open: impl Fn(&Parts) -> Option<InvokeAgentScope> + Send + Sync + 'static,
    ) -> Self {
        self.settings.opens = Opens::Scope(Arc::new(open));
        self
    }

    /// Opens a span of kind `SERVER` around a request, named `{method} {route}` after the conventions
    /// for HTTP. It replaces [`with_scope`](Self::with_scope).
    ///
    /// `route` returns the pattern that the path matches, such as `/users/{id}`; the path itself is
    /// never written. In axum, the pattern is `MatchedPath`, which a layer of [`route_layer`] finds in
    /// the extensions. The span ends with the head of the response.
    ///
    /// The span comes from the global tracer provider of `opentelemetry`. Without a global provider, as
    /// in a program that only calls `into_processor` and `set_default_tracer`, there is no span.
    ///
    /// [`route_layer`]: https://docs.rs/axum/latest/axum/struct.Router.html#method.route_layer
    pub fn with_span(
        mut self,
        route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.settings.opens = Opens::Span(Arc::new(route));
        self
    }

    /// The number of malformed headers so far, of a trace or an identity. Malformed entries of
    /// baggage are counted by
    /// [`dropped_baggage_entries`](agentspan_otel::baggage::dropped_baggage_entries).
    #[must_use]
    pub fn malformed_headers(&self) -> u64 {
        self.settings.context.malformed.count()
    }

    fn with_source(mut self, source: Source) -> Self {
        self.settings.context.sources.push(source);
        self
    }
}

impl Settings {
    /// Opens the scope or span around the request, if any, in its context.
    fn open(&self, request: &Parts, context: Context) -> Around {
        match &self.opens {
            Opens::Nothing => Around::Context(context),
            Opens::Scope(open) => {
                let opened = {
                    let _active = attach(&context);
                    // A scope that is off, or not recorded, has no context but the current one.
                    open(request).map(|scope| (scope.context(), scope))
                };
                match opened {
                    Some((of_scope, scope)) => Around::Scope(of_scope, Box::new(scope)),
                    None => Around::Context(context),
                }
            }
            Opens::Span(route) => Around::span(request, route(request), &context),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opens = match self.opens {
            Opens::Nothing => "nothing",
            Opens::Scope(_) => "a scope",
            Opens::Span(_) => "a span",
        };
        f.debug_struct("Settings")
            .field("context", &self.context)
            .field("opens", &opens)
            .finish()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService {
            inner,
            settings: Arc::new(self.settings.clone()),
        }
    }
}

/// A service in a [`ServerLayer`].
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut request, body) = request.into_parts();
        let context = self.settings.context.of(&request);
        let around = self.settings.open(&request, context);
        if let Around::Scope(_, scope) = &around {
            request.extensions.insert((**scope).clone());
        }
        let future = {
            let _active = attach(around.context());
            self.inner.call(Request::from_parts(request, body))
        };
        ResponseFuture::new(future, around)
    }
}
