//! The context that a request is served in.

use std::fmt;
use std::sync::Arc;

use agentspan_model::agent365::Identity;
use agentspan_model::keys;
use agentspan_otel::turn_context::OutputLog;
use agentspan_otel::{BaggageBuilder, Propagation, TurnContext};
use http::request::Parts;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;

use crate::attached::current;
use crate::identity_headers::IdentityHeaders;
use crate::malformed::{Header, Malformed};

const TRACEPARENT: &str = "traceparent";

pub(crate) type OfRequest<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;
type TurnOf = Arc<dyn for<'a> Fn(&'a Parts) -> Option<&'a TurnContext> + Send + Sync>;
type AddBaggage = Arc<dyn Fn(&Parts, BaggageBuilder) -> BaggageBuilder + Send + Sync>;
type AddToContext = Arc<dyn Fn(&Parts, &Context) -> Context + Send + Sync>;

/// How the context of a request is made. What is set later goes over what is set before.
#[derive(Clone, Default)]
pub(crate) struct RequestContext {
    pub(crate) propagation: Propagation,
    pub(crate) malformed: Malformed,
    pub(crate) turn: Option<TurnOf>,
    pub(crate) sources: Vec<Source>,
    pub(crate) contexts: Vec<AddToContext>,
}

/// Where baggage of a request comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Headers(IdentityHeaders),
    Correlation(String),
    Identity(OfRequest<Option<Identity>>),
    Baggage(AddBaggage),
}

/// The turn that a request belongs to, for what is sent in it.
#[derive(Default)]
pub(crate) struct CurrentTurn {
    /// None if it is for no agent: what is sent in it is not sent in the turn around it, which may
    /// be that of another tenant.
    pub(crate) log: Option<OutputLog>,
    tenant: Option<String>,
}

impl CurrentTurn {
    fn of(turn: &TurnContext) -> Self {
        let recipient = turn.activity.as_ref().and_then(|it| it.recipient.as_ref());
        let tenant = recipient.and_then(|recipient| recipient.tenant_id.as_deref());
        Self {
            log: OutputLog::of(turn),
            tenant: tenant.map(|tenant| tenant.trim().to_owned()),
        }
    }

    /// Whether the baggage of `context` names another tenant.
    fn is_of_other_tenant(&self, context: &Context) -> bool {
        let keys = [keys::TENANT_ID, keys::MICROSOFT_TENANT_ID];
        let mut named = keys.iter().filter_map(|key| context.baggage().get(*key));
        let tenant = self.tenant.as_deref();
        tenant.is_some_and(|tenant| named.any(|named| named.as_str() != tenant))
    }
}

impl RequestContext {
    pub(crate) fn of(&self, request: &Parts) -> Context {
        let mut context = self.around_layer(request);
        if let Some(turn) = self.turn.as_ref().and_then(|turn| turn(request)) {
            context = with_turn(&context, turn);
        }
        let sources = self.sources.iter();
        let baggage = sources.fold(BaggageBuilder::new(), |builder, source| {
            self.add(source, builder, request)
        });
        context = baggage.build().to_context(&context);
        let contexts = self.contexts.iter();
        context = contexts.fold(context, |context, add| add(request, &context));
        let turn = context.get::<CurrentTurn>();
        if turn.is_some_and(|turn| turn.is_of_other_tenant(&context)) {
            // What authentication says goes before the turn.
            context = context.with_value(CurrentTurn::default());
        }
        context
    }

    /// The context around the layer, with what the caller's headers say. A span around the layer
    /// has taken up the trace of the caller itself.
    fn around_layer(&self, request: &Parts) -> Context {
        let around = current();
        let span = around.span().span_context().clone();
        if span.is_valid() && !span.is_remote() {
            let baggage = self.propagation.clone().without_trace_context();
            return baggage.extract_headers(&around, &request.headers);
        }
        let context = self.propagation.extract_headers(&around, &request.headers);
        let is_read = self.propagation.fields().any(|field| field == TRACEPARENT);
        let is_sent = is_read && request.headers.contains_key(TRACEPARENT);
        if is_sent && !context.span().span_context().is_valid() {
            self.malformed.add(Header::Trace, TRACEPARENT);
        }
        context
    }

    fn add(&self, source: &Source, builder: BaggageBuilder, request: &Parts) -> BaggageBuilder {
        match source {
            Source::Headers(headers) => headers.add_to(builder, &request.headers, &self.malformed),
            Source::Correlation(name) => {
                let id = request.headers.get(name).and_then(|id| id.to_str().ok());
                builder.with_correlation_id(id)
            }
            Source::Identity(identity) => match identity(request) {
                Some(identity) => builder
                    .with_tenant_id(&identity.tenant)
                    .with_agent_id(&identity.agent),
                None => builder,
            },
            Source::Baggage(add) => add(request, builder),
        }
    }
}

/// `context` with the baggage of a turn, and with the turn itself.
pub(crate) fn with_turn(context: &Context, turn: &TurnContext) -> Context {
    let context = turn.to_baggage().to_context(context);
    context.with_value(CurrentTurn::of(turn))
}

/// Shows what is set, and nothing of closures.
impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("propagation", &self.propagation)
            .field("malformed", &self.malformed.count())
            .field("has_turns", &self.turn.is_some())
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}
