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
/// The context is that of the caller's headers: spans that start in it are below the caller's span,
/// and its baggage comes with them, see [`Propagation`]. A caller's headers never say for whom the
/// service works, nor who calls: that comes from [`with_identity`](Self::with_identity) and
/// [`with_baggage`](Self::with_baggage), from a gateway's [headers](Self::with_identity_headers) or
/// from the [turn](Self::with_turn) of a conversation. If another span is active around the layer,
/// such as that of `tower-http`, the context is below it.
///
/// The setters are decisions about a request, in the order in which they are called; of two that
/// say the same, the last counts.
///
/// A header that cannot be read breaks no request. The first one of each kind is logged as a
/// warning, and all are [counted](Self::malformed_headers).
///
/// Clones share their counts.
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
    /// Takes up the trace and the baggage of the caller, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which headers of a caller are read. Default: [`Propagation::new`], which reads
    /// `traceparent`, `tracestate` and `baggage`.
    pub fn with_propagation(mut self, propagation: Propagation) -> Self {
        self.settings.context.propagation = propagation;
        self
    }

    /// Says for which tenant and which agent a request is served.
    ///
    /// Take it from what your authentication found out, not from what the caller says. `None` says
    /// nothing: the spans then belong to the identity of the process, if it has one.
    pub fn with_identity(
        self,
        identity: impl Fn(&Parts) -> Option<Identity> + Send + Sync + 'static,
    ) -> Self {
        self.with_source(Source::Identity(Arc::new(identity)))
    }

    /// Takes tenant and agent from these two headers. Only for a service that no caller can reach
    /// but through a gateway, which sets both and removes those of callers.
    ///
    /// The spans of a request whose headers cannot be read, are there twice, or hold no id, belong
    /// to nobody: the delivery to Agent 365 refuses and counts them. Without the headers, nothing
    /// is said.
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

    /// Takes the id that links everything of a request from this header, such as `x-request-id`. A
    /// value that is no text sets nothing.
    ///
    /// It becomes part of the baggage, and so reaches the services that the request calls. Spans
    /// have it with [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) only, as
    /// `correlation.id`: later generations of the contract have no such attribute.
    pub fn with_correlation_header(self, name: impl Into<String>) -> Self {
        self.with_source(Source::Correlation(name.into()))
    }

    /// Adds baggage of a request.
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

    /// Finds the turn of a conversation that a request belongs to. Its
    /// [baggage](TurnContext::to_baggage) is that of the request, below everything else that is
    /// said here, and an [`OutputLayer`](crate::OutputLayer) logs what is sent in it.
    ///
    /// The layer reads no bodies. What has read the activity of a request, such as your
    /// authentication, inserts it into the request's extensions. A handler that reads it itself
    /// runs [`with_baggage(&turn.to_baggage())`](agentspan_otel::ScopeFutureExt::with_baggage).
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

    /// Changes the context of a request at last, for instance with `ExportToken::to_context` of
    /// `agentspan-agent365`.
    pub fn with_context(
        mut self,
        add: impl Fn(&Parts, &Context) -> Context + Send + Sync + 'static,
    ) -> Self {
        self.settings.context.contexts.push(Arc::new(add));
        self
    }

    /// Opens a scope around a request, in the request's context. In place of
    /// [`with_span`](Self::with_span).
    ///
    /// It ends when the head of the answer is there, with an error if the service fails or answers
    /// with a status from 500 on, and with a cancellation if the request's future is dropped
    /// before. The handler finds it among the extensions of its request, to record what was asked
    /// and answered.
    pub fn with_scope(
        mut self,
        open: impl Fn(&Parts) -> Option<InvokeAgentScope> + Send + Sync + 'static,
    ) -> Self {
        self.settings.opens = Opens::Scope(Arc::new(open));
        self
    }

    /// Opens a span of kind `SERVER` around a request, as the conventions for HTTP have it:
    /// `{method} {route}`. In place of [`with_scope`](Self::with_scope).
    ///
    /// `route` gives the pattern that the path matches, such as `/users/{id}`; the path itself is
    /// never written. With axum that is `MatchedPath`, which a layer of [`route_layer`] finds among
    /// the extensions. The span ends when the head of the answer is there.
    ///
    /// The span comes from the global tracer provider of `opentelemetry`. Without one, as in a program that
    /// only calls `into_processor` and `set_default_tracer`, there is none.
    ///
    /// [`route_layer`]: https://docs.rs/axum/latest/axum/struct.Router.html#method.route_layer
    pub fn with_span(
        mut self,
        route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.settings.opens = Opens::Span(Arc::new(route));
        self
    }

    /// How many headers could not be read so far, of a trace or an identity. Entries of baggage
    /// that cannot be read are counted in
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
