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
    /// How spans are cut that are longer than the profile allows. Default: [`Truncation::Marker`], as
    /// the reference does.
    pub fn with_truncation(mut self, truncation: Truncation) -> Self {
        self.truncation = truncation;
        self
    }

    /// The form of the bodies. Default: that of the profile, [`Wire::Standard`] for
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) and [`Wire::Flat`] for the
    /// others. Public sources disagree about the form that the service takes, so try the other if
    /// it refuses every request with 400.
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = Some(wire);
        self
    }

    /// Keeps tokens as [`TokenCache`] does with its defaults. Default: the resolver is asked once per
    /// batch and identity, as the reference does.
    pub fn with_token_cache(mut self) -> Self {
        self.resolver = Arc::new(TokenCache::new(self.resolver));
        self
    }

    /// Keeps the spans of a request until it is over, and sends them with the
    /// [`ExportToken`](crate::ExportToken) that it was given. The resolver is asked for requests
    /// that were given none; nothing is sent without a token, whatever the profile says. Default:
    /// spans of all requests are sent together.
    ///
    /// It is done by the [span processor](crate::Delivery::span_processor), which sees spans start. Batches
    /// that an [exporter](crate::Delivery::exporter) hands over are sent as ever.
    ///
    /// A flush sends what has ended of the requests that are under way; they go on.
    pub fn with_per_request_export(mut self, requests: PerRequestExport) -> Self {
        self.per_request = Some(requests);
        self
    }

    /// Delivers a span that has no `gen_ai.agent.id` for the agent whose id the platform knows,
    /// `microsoft.a365.agent.platform.id`, as the exporter for .NET does (`Microsoft.OpenTelemetry`, April
    /// 2026). An id that is there, though blank, is not replaced. Default: such a span has no identity.
    ///
    /// That exporter also falls back to the baggage of the span, for the tenant as for both ids of the agent.
    /// Here the baggage that this process set becomes attributes when a span starts, with or without this
    /// option, where the `BaggageSpanProcessor` of `agentspan-otel` stands in front, as it does in the facade.
    /// That processor does not take any of the three from a caller's header. Elsewhere make sure
    /// that no such attribute comes from one.
    pub fn with_identity_fallbacks(mut self) -> Self {
        self.agent_fallback = Some(keys::MICROSOFT_AGENT_PLATFORM_ID);
        self
    }

    /// Sends to the route that takes the token: to that of delegated tokens, `/observability/` since
    /// [`Profile::V2`](agentspan_model::agent365::Profile::V2), if the token says that it acts for
    /// a user (claim `scp`), or else to that for service-to-service calls,
    /// `/observabilityService/`. Default: all tokens go to one route, as in the reference; but with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) this is the default.
    /// [`Profile::V0_1`](agentspan_model::agent365::Profile::V0_1) has the same two kinds of paths.
    ///
    /// The service refuses a token on the other route with 401 or 403. `microsoft-opentelemetry` 1.5.0 has both routes
    /// and leaves the choice to a switch; here each token decides for itself, unverified.
    /// The last call of this, [`with_usual_route`](Self::with_usual_route) and
    /// [`with_service_to_service`](Self::with_service_to_service) counts.
    pub fn with_route_by_token(mut self) -> Self {
        self.path = Some(PathChoice::ByToken);
        self
    }

    /// Sends to the profile's usual route, whatever the token says, as the references do: with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3) that is `/observability/`, for
    /// delegated tokens, and with [`Profile::V2`](agentspan_model::agent365::Profile::V2) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) `/observabilityService/`.
    /// Default of `V0_1` and `V2`.
    pub fn with_usual_route(mut self) -> Self {
        self.path = Some(PathChoice::Usual);
        self
    }

    /// Reads dates in `Retry-After`, too, by this machine's clock. Default: a date is as good as no
    /// header, as in the reference 2.0.0; [`Profile::V3`](agentspan_model::agent365::Profile::V3) and
    /// [`Profile::Direct`](agentspan_model::agent365::Profile::Direct) read them anyway. A profile
    /// that ignores the header ignores dates as well.
    pub fn with_retry_after_dates(mut self) -> Self {
        self.retry_after_dates = true;
        self
    }

    /// Sends the tenant's id in the header `x-ms-tenant-id`, too, as the reference for Node does.
    /// Default: the header is not sent.
    ///
    /// It is written as in the path of a URL: letters and digits of ASCII, and what else may stand in a
    /// segment ([RFC 3986], section 3.3: `-._~!$&'()*+,;=:@`), as they are. Every other byte of the id in
    /// UTF-8, such as a space or a letter beyond ASCII, becomes `%` and two hexadecimal digits: `tü x` is
    /// sent as `t%C3%BC%20x`. No id holds a `%` of its own, so that it can be decoded.
    ///
    /// [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
    pub fn with_tenant_header(mut self) -> Self {
        self.tenant_header = true;
        self
    }

    /// Takes 401 and 413 as the end of a request, as the reference does. Default: after a 401 the resolver
    /// is asked for another token once, and the request is sent again if there is one; after a 413 the
    /// spans are divided between two requests, and again until each has one span.
    pub fn with_final_refusals(mut self) -> Self {
        self.final_refusals = true;
        self
    }

    /// Leaves the parent of a span as it is, though it is not sent, as the reference does.
    ///
    /// Default, for a profile that sends some operations only: a span whose parent in this process is of
    /// another operation is sent under its nearest ancestor that is sent, or else as a root, with a link
    /// to the parent that it had. Microsoft's pages ask for an `invoke_agent` at the root of a run, and the
    /// span of a web server is often above it.
    ///
    /// A [span processor](crate::Delivery::span_processor) sees spans start, and remembers up to 16,384
    /// spans: those that run, and those that ended, were not sent, and had spans below them; those that
    /// started first are forgotten first. A parent that still runs counts as sent, since it may still get
    /// its operation, unless it is the first of its trace in this process and a span of a server or a
    /// consumer without an operation, or a span of Agent Spec of a type without one. An
    /// [exporter](crate::Delivery::exporter) alone knows the spans of its batch, and no others: a parent
    /// that ends in a later batch stays.
    pub fn without_reparenting(mut self) -> Self {
        self.reparents = false;
        self
    }

    /// Looks at spans by other rules of the [contract](agentspan_model::agent365::contract) of Agent 365. Default:
    /// [`RuleSet::AttributeReference`].
    ///
    /// With a profile that knows the documented keys, the delivery's thread looks at the first 1,000 spans, and warns
    /// once for each rule that one of them breaks. The warning names the rule, the attribute, the span and the remedy,
    /// and no value. Spans are sent as they are.
    pub fn with_contract_rules(mut self, rules: RuleSet) -> Self {
        self.contract = Some(rules);
        self
    }

    /// Does not look at spans by the rules of the contract, and warns of none.
    pub fn without_contract_warnings(mut self) -> Self {
        self.contract = None;
        self
    }

    /// Renders the spans of agents in the words of the profile, on the delivery's thread, before enrichers see
    /// them: those of Agent Spec, and those of other frameworks in any convention that
    /// [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. The facade does so.
    ///
    /// Default: a span stays as it is, unless the Agent Spec span that it stands for comes beside it.
    pub fn with_rendering(mut self) -> Self {
        self.renders = true;
        self
    }

    /// Delivers Agent Spec spans for this identity that name none, be it by baggage. Default: such a span has no
    /// identity, and is dropped and counted.
    pub fn with_agent_spec_identity(mut self, identity: Identity) -> Self {
        self.agent_spec_identity = Some(identity);
        self
    }

    /// Asks `enricher` about each span before it is grouped, and changes the span's attributes as it
    /// says. Several are asked in the order in which they were given; each sees what the others did.
    ///
    /// It runs on the delivery's thread: while it runs nothing is sent, so it must not block. If it
    /// panics, the panic is logged, and the span stays as it was. Default: none.
    pub fn with_span_enricher(
        mut self,
        enricher: impl Fn(&SpanData) -> Enrichment + Send + Sync + 'static,
    ) -> Self {
        self.enrichers = self.enrichers.with_span_enricher(enricher);
        self
    }

    /// Leaves the input messages out of the spans of invoked agents, which other spans often repeat.
    /// Default: they are sent.
    pub fn without_invoke_agent_input(mut self) -> Self {
        self.enrichers = self.enrichers.without_invoke_agent_input();
        self
    }
}
