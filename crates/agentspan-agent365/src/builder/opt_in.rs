//! Options that go beyond the reference, or change what it would send.

use std::sync::Arc;

use agentspan_model::agent365::Identity;
use agentspan_model::agent365::contract::{RuleSet, Wire};
use agentspan_model::keys;
use agentspan_record::Enrichment;
use opentelemetry_sdk::trace::SpanData;

use super::DeliveryBuilder;
use crate::encode::Truncation;
use crate::per_request::PerRequestExport;
use crate::token_cache::TokenCache;
use crate::wire_profile::PathChoice;

impl<F> DeliveryBuilder<F> {
    /// Sets how spans are cut that are longer than the profile allows. The default is
    /// [`Truncation::Marker`], as in the reference package.
    pub fn with_truncation(mut self, truncation: Truncation) -> Self {
        self.truncation = truncation;
        self
    }

    /// Sets the form of the request bodies. The default depends on the profile: [`Wire::Standard`]
    /// for [`Profile::Direct`](agentspan_model::agent365::Profile::Direct), and [`Wire::Flat`] for
    /// the others. Public sources disagree about the form that the service accepts, so try the
    /// other one if it rejects every request with 400.
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = Some(wire);
        self
    }

    /// Caches tokens, like a [`TokenCache`] with its defaults. By default, the resolver is called
    /// once for each batch and identity, as in the reference package.
    pub fn with_token_cache(mut self) -> Self {
        self.resolver = Arc::new(TokenCache::new(self.resolver));
        self
    }

    /// Holds the spans of a request until the request ends, and then sends them with the
    /// [`ExportToken`](crate::ExportToken) of the request. The resolver is called for requests
    /// without such a token. Without any token, nothing is sent, whatever the profile says. By
    /// default, the spans of all requests are sent together.
    ///
    /// This needs the [span processor](crate::Delivery::span_processor), which sees spans start. It
    /// does not affect batches from an [exporter](crate::Delivery::exporter).
    ///
    /// A flush sends the ended spans of unfinished requests. These requests continue.
    pub fn with_per_request_export(mut self, requests: PerRequestExport) -> Self {
        self.per_request = Some(requests);
        self
    }

    /// Uses `microsoft.a365.agent.platform.id` as the agent of a span without `gen_ai.agent.id`,
    /// like the exporter for .NET (`Microsoft.OpenTelemetry`, April 2026). An id that is present
    /// but blank is not replaced. By default, such a span has no identity.
    ///
    /// The .NET exporter also reads the tenant and both ids of the agent from the baggage of the
    /// span. Here, the `BaggageSpanProcessor` of `agentspan-otel`, which the facade uses, turns the
    /// baggage that this process set into attributes when a span starts, with or without this
    /// option. It ignores these ids in a caller's header. If you use another processor, make sure
    /// that it does not copy these attributes from a header.
    pub fn with_identity_fallbacks(mut self) -> Self {
        self.agent_fallback = Some(keys::MICROSOFT_AGENT_PLATFORM_ID);
        self
    }

    /// Chooses the route by the token. If the token acts for a user (claim `scp`), the route is the
    /// one for delegated tokens, which is `/observability/` since
    /// [`Profile::V2`](agentspan_model::agent365::Profile::V2). Otherwise, it is the route for
    /// service-to-service calls, `/observabilityService/`. This is the default with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct). With other profiles, all
    /// tokens use one route by default, as in the reference packages.
    /// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) has the same two kinds of paths.
    ///
    /// The service rejects a token on the wrong route with 401 or 403. `microsoft-opentelemetry`
    /// 1.5.0 has both routes, and a switch that chooses one of them. Here, the claims of each token
    /// decide, without verification. The last call of this method,
    /// [`with_usual_route`](Self::with_usual_route) or
    /// [`with_service_to_service`](Self::with_service_to_service) takes effect.
    pub fn with_route_by_token(mut self) -> Self {
        self.path = Some(PathChoice::ByToken);
        self
    }

    /// Always uses the usual route of the profile, as the reference packages do. It is
    /// `/observability/`, for delegated tokens, with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3), and `/observabilityService/` with
    /// [`Profile::V2`](agentspan_model::agent365::Profile::V2) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct). This is the default with
    /// `V0_1` and `V2`.
    pub fn with_usual_route(mut self) -> Self {
        self.path = Some(PathChoice::Usual);
        self
    }

    /// Also accepts dates in `Retry-After`, compared with the clock of this machine. By default, a
    /// date counts as no header, as in the reference package 2.0.0.
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) always accept dates. A
    /// profile that ignores the header also ignores dates.
    pub fn with_retry_after_dates(mut self) -> Self {
        self.retry_after_dates = true;
        self
    }

    /// Also sends the tenant's id, in the header `x-ms-tenant-id`, like the reference package for
    /// Node. By default, the header is not sent.
    ///
    /// The id is encoded like a segment of a URL's path. ASCII letters, digits and the other
    /// characters of a segment ([RFC 3986], section 3.3: `-._~!$&'()*+,;=:@`) stay as they are. Every
    /// other byte of its UTF-8 becomes `%` and two hexadecimal digits: `tü x` is sent as
    /// `t%C3%BC%20x`. Ids contain no `%`, so the value can be decoded.
    ///
    /// [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
    pub fn with_tenant_header(mut self) -> Self {
        self.tenant_header = true;
        self
    }

    /// Does not try again after a 401 or a 413, as the reference package does not. By default, the
    /// delivery asks the resolver for another token once after a 401, and sends the request again
    /// if it gets one. After a 413, it divides the spans between two requests, and repeats this
    /// until each request has one span.
    pub fn with_final_refusals(mut self) -> Self {
        self.final_refusals = true;
        self
    }

    /// Keeps the parent of each span, even if the parent is not sent, as the reference package
    /// does.
    ///
    /// By default, with a profile that sends only some operations, a span whose parent in this
    /// process is not sent moves under its nearest ancestor that is sent, or becomes a root. It
    /// keeps a link to its original parent. Microsoft's documentation asks for an `invoke_agent`
    /// span at the root of a run, but that span is often below the span of a web server.
    ///
    /// The [span processor](crate::Delivery::span_processor) sees spans start, and remembers up to
    /// 16,384 spans: open spans, and ended spans that were not sent and have spans below them.
    /// Beyond that, it forgets the oldest ones. A parent that is still open counts as sent, because
    /// it may still get its operation. This does not apply to the first span of its trace in this
    /// process if it is the span of a server or a consumer and has no operation, or if it is an
    /// Agent Spec span of a type without an operation. An [exporter](crate::Delivery::exporter)
    /// only knows the spans of its batch, so it keeps a parent that ends in a later batch.
    pub fn without_reparenting(mut self) -> Self {
        self.reparents = false;
        self
    }

    /// Checks spans against another set of rules of the Agent 365
    /// [contract](agentspan_model::agent365::contract). The default is
    /// [`RuleSet::AttributeReference`].
    ///
    /// With a profile that has the documented keys, the thread of the delivery checks the first
    /// 1,000 spans, and logs one warning for each broken rule. The warning has the rule, the
    /// attribute, the span and the remedy, but no value. The check does not change the spans.
    pub fn with_contract_rules(mut self, rules: RuleSet) -> Self {
        self.contract = Some(rules);
        self
    }

    /// Turns off the check of spans against the rules of the contract, and its warnings.
    pub fn without_contract_warnings(mut self) -> Self {
        self.contract = None;
        self
    }

    /// Renders spans in the vocabulary of the profile, on the thread of the delivery, before the
    /// enrichers: Agent Spec spans, and spans of other frameworks in any convention that
    /// [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. The facade turns this
    /// on.
    ///
    /// By default, a span stays as it is, unless it stands for an Agent Spec span that is delivered
    /// beside it.
    pub fn with_rendering(mut self) -> Self {
        self.renders = true;
        self
    }

    /// Sets the identity of Agent Spec spans that have none, not even from baggage. By default,
    /// these spans have no identity, and are dropped and counted.
    pub fn with_agent_spec_identity(mut self, identity: Identity) -> Self {
        self.agent_spec_identity = Some(identity);
        self
    }

    /// Adds an enricher, which sees each span before it is grouped, and can change its attributes.
    /// Enrichers run in the order in which they were added, and each sees the changes of those
    /// before it. By default, there are none.
    ///
    /// The enricher runs on the thread of the delivery. It must not block, because nothing is sent
    /// while it runs. If it panics, the panic is logged, and the span stays as it was.
    pub fn with_span_enricher(
        mut self,
        enricher: impl Fn(&SpanData) -> Enrichment + Send + Sync + 'static,
    ) -> Self {
        self.enrichers = self.enrichers.with_span_enricher(enricher);
        self
    }

    /// Leaves out the input messages of the spans of invoked agents, which other spans often
    /// repeat. By default, they are sent.
    pub fn without_invoke_agent_input(mut self) -> Self {
        self.enrichers = self.enrichers.without_invoke_agent_input();
        self
    }
}
