//! Describes a delivery.

mod opt_in;

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agentspan_discovery::{
    ClusterCategory, DomainOverride, DomainOverrideError, Environment, Switches,
};
use agentspan_model::agent365::contract::{Judge, RuleSet, Wire};
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_queue::contain::{self, Foreign};
use agentspan_record::{Preparation, SpanEnrichers, SpanLimits};
use agentspan_tls::{TrustRoots, crypto_provider};
use tracing::warn;

use crate::build_error::BuildError;
use crate::chunking::Estimate;
use crate::delivery::{Courier, Delivery, Observer, Setup};
use crate::destination::Destinations;
use crate::encode::{BodyEncoder, Truncation};
use crate::longest::LONGEST;
use crate::loopback_endpoint::LoopbackEndpoint;
use crate::per_request::{PerRequestExport, max_concurrent_exports};
use crate::report::ExportReport;
use crate::retry::{Retry, RetryTimer, TokioRetryTimer};
use crate::stats::QueueBounds;
use crate::token_resolver::TokenResolver;
use crate::transport::{Transport, TransportRoute};
use crate::wire_profile::{Host, PathChoice, WireProfile};

/// How much of an answer is read. It holds what the service says of each span of some batches of
/// the default size: about 130 bytes for a span with three destinations, all of which have it.
const LONGEST_ANSWER: usize = 256 * 1024;

/// How many requests may be in flight at most.
const CONCURRENCY: usize = 64;

/// Builds a [`Delivery`], or one of its front ends.
///
/// # Decisions to make
///
/// - Where tokens come from. Only this has no default.
/// - [`with_cluster_category`](Self::with_cluster_category): the cloud. The default is production.
/// - [`with_service_to_service`](Self::with_service_to_service): whether the tokens are those of a
///   service.
///
/// All other settings have defaults for production, which the documentation of each method states.
#[must_use]
pub struct DeliveryBuilder<F = Delivery> {
    resolver: Arc<dyn TokenResolver>,
    profile: Profile,
    cluster: ClusterCategory,
    path: Option<PathChoice>,
    environment_path: Option<PathChoice>,
    timeout: Option<Duration>,
    token_deadline: Duration,
    concurrency: Option<usize>,
    max_spans: usize,
    max_bytes: usize,
    limits: SpanLimits,
    batch_spans: usize,
    batch_delay: Duration,
    per_request: Option<PerRequestExport>,
    max_payload_bytes: Option<usize>,
    truncation: Truncation,
    wire: Option<Wire>,
    enrichers: SpanEnrichers,
    renders: bool,
    agent_spec_identity: Option<Identity>,
    agent_fallback: Option<&'static str>,
    retry_after_dates: bool,
    tenant_header: bool,
    final_refusals: bool,
    reparents: bool,
    contract: Option<RuleSet>,
    domain: Option<DomainOverride>,
    environment_domain: Option<Result<DomainOverride, DomainOverrideError>>,
    loopback: Option<String>,
    connect_to: Option<SocketAddr>,
    roots: Option<Vec<Vec<u8>>>,
    observer: Option<Observer>,
    retry: Retry,
    timer: Arc<dyn RetryTimer>,
    front: PhantomData<fn() -> F>,
}

impl Delivery {
    /// Builds a delivery. The defaults fit production.
    pub fn builder(resolver: impl TokenResolver) -> DeliveryBuilder<Self> {
        DeliveryBuilder::new(resolver)
    }
}

impl<F> DeliveryBuilder<F> {
    pub(crate) fn new(resolver: impl TokenResolver) -> Self {
        Self {
            resolver: Arc::new(resolver),
            profile: Profile::default(),
            cluster: ClusterCategory::default(),
            path: None,
            environment_path: None,
            timeout: None,
            token_deadline: Duration::from_secs(30),
            concurrency: None,
            max_spans: 65_536,
            max_bytes: 64 * 1024 * 1024,
            limits: SpanLimits::default(),
            batch_spans: 512,
            batch_delay: Duration::from_secs(5),
            per_request: None,
            max_payload_bytes: None,
            truncation: Truncation::default(),
            wire: None,
            enrichers: SpanEnrichers::none(),
            renders: false,
            agent_spec_identity: None,
            agent_fallback: None,
            retry_after_dates: false,
            tenant_header: false,
            final_refusals: false,
            reparents: true,
            contract: Some(RuleSet::default()),
            domain: None,
            environment_domain: None,
            loopback: None,
            connect_to: None,
            roots: None,
            observer: None,
            retry: Retry::default(),
            timer: Arc::new(TokioRetryTimer),
            front: PhantomData,
        }
    }

    /// Sets the generation of the contract. The default is [`Profile::V0_1`].
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The generation of the contract, for code that makes spans for this delivery.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Sets the cloud of the tenants. The default is [`ClusterCategory::Prod`].
    ///
    /// Only [`Profile::V0_1`] has a host for each cloud. Later profiles ignore the setting, as the
    /// reference packages do.
    pub fn with_cluster_category(mut self, cluster: ClusterCategory) -> Self {
        self.cluster = cluster;
        self
    }

    /// Sends to the path for service-to-service calls. The default is the path for agents or, with
    /// [`Profile::V3`] and [`Profile::Direct`], the path that [accepts the
    /// token](Self::with_route_by_token).
    ///
    /// [`Profile::V2`] has a single path and ignores the setting, as the reference package does.
    pub fn with_service_to_service(mut self) -> Self {
        self.path = Some(PathChoice::Service);
        self
    }

    /// Sets the timeout of one attempt, from the start of the connection to the end of the answer.
    /// The default is the timeout of the profile, which is 30 seconds for all profiles.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the deadline of the token resolver for one identity. The default is 30 seconds.
    ///
    /// While the resolver has not answered for 1,024 identities, no spans of others are sent. Set a
    /// shorter deadline for a resolver that may hang.
    pub fn with_token_deadline(mut self, deadline: Duration) -> Self {
        self.token_deadline = deadline;
        self
    }

    /// Sets the maximum number of requests in flight. The default is 64.
    ///
    /// The delivery starts with four requests in flight. It adds one after each full round of
    /// answers, and reduces the number if answers take much longer than usual, time out, or are
    /// 503, or 429 without `Retry-After`. Identities take turns. A request that is unanswered after
    /// one second, and after four times the usual time, is no longer counted, so it does not delay
    /// other identities; its own identity starts no other request until the answer arrives. With 1,
    /// requests are sent one after the other. With [`Retry::reference`], they are also in the order
    /// of the reference package.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// Sets when failed requests are retried, and for how long. By default, they are retried until
    /// their spans have waited for 15 minutes, see [`Retry::for_at_most`].
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the maximum number of spans that are queued or in flight. The default is 65,536. When
    /// the queue is full, new spans are dropped and counted. An empty queue accepts one batch of an
    /// exporter even if the batch is larger.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.max_spans = spans;
        self
    }

    /// Sets the maximum memory of the spans that are queued or in flight, by estimate. The default
    /// is 64 MiB. Request bodies count too, and may take up to an eighth.
    ///
    /// If most of the memory is long texts, the process needs at most a quarter more than this,
    /// plus 16 MiB for the rest of the delivery. For many small spans, the estimate does not
    /// include the overhead of the allocator: a queue full of such spans has needed up to three
    /// times the limit.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the maximum size of a span. Larger spans are cut when they are queued. A note in the
    /// span says so, and [`DeliveryStats::cuts`](crate::DeliveryStats::cuts) counts them. The
    /// default is [`SpanLimits::default`].
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the number of spans in a batch of a span processor, which is also the maximum of a
    /// request. The default is 512.
    ///
    /// If spans belong to several identities, or if requests wait for their turn, batches grow to
    /// 16 times this number, but at most to a quarter of the queue, so that each identity needs few
    /// requests.
    pub fn with_batch_spans(mut self, spans: usize) -> Self {
        self.batch_spans = spans;
        self
    }

    /// Sets how long a span processor waits for more spans before it sends a batch. The default is
    /// 5 seconds, and the maximum is one year.
    pub fn with_batch_delay(mut self, delay: Duration) -> Self {
        self.batch_delay = delay;
        self
    }

    /// Sets the maximum size of a request body, in bytes. The default depends on the profile:
    /// 900,000 since [`Profile::V2`], and no limit for [`Profile::V0_1`].
    ///
    /// The spans of an identity are divided into as many requests as necessary. The requests are
    /// sent in order, with the same token. If one is lost, the rest are not sent. If the service
    /// rejects a request as too large, the request is divided.
    ///
    /// The sizes of spans are estimates, as in the reference package 2.0.0. A body that still
    /// exceeds the limit is divided again, so only a single span can exceed the limit.
    pub fn with_max_payload_bytes(mut self, bytes: usize) -> Self {
        self.max_payload_bytes = Some(bytes);
        self
    }

    /// Reads these variables of the environment:
    ///
    /// - `A365_OBSERVABILITY_DOMAIN_OVERRIDE`: the host to send to. If the value is not a URL, a
    ///   warning is logged and the variable is ignored, as in the reference package 2.0.0. If the
    ///   value would expose tokens, for instance with `http`, [`build`](Self::build) returns an
    ///   error. [`Profile::V0_1`] ignores the variable, as the reference package 0.1.0 does.
    /// - The variables of [`PerRequestExport::read`], unless
    ///   [`with_per_request_export`](Self::with_per_request_export) was called. With per-request
    ///   export, `A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS` is the maximum number of requests in
    ///   flight, unless [`with_concurrency`](Self::with_concurrency) was called.
    /// - `A365_SUPPRESS_INVOKE_AGENT_INPUT`: whether to leave out the input messages of invoked
    ///   agents.
    /// - `A365_USE_S2S_ENDPOINT`, with [`Profile::V3`] or [`Profile::Direct`]: the path for all
    ///   tokens, unless a method of this builder sets it.
    pub fn with_environment(mut self, environment: &Environment) -> Self {
        self.environment_domain = DomainOverride::read(environment).transpose();
        self.per_request = self
            .per_request
            .or_else(|| PerRequestExport::read(environment));
        if self.per_request.is_some() {
            self.concurrency = self
                .concurrency
                .or_else(|| max_concurrent_exports(environment));
        }
        let switches = Switches::read(environment);
        self.environment_path = switches
            .service_to_service()
            .map(|is_service| match is_service {
                true => PathChoice::Service,
                false => PathChoice::Usual,
            });
        if switches.without_invoke_agent_input() {
            self = self.without_invoke_agent_input();
        }
        self
    }

    /// Sends to this host instead of the host of the service. Takes precedence over the
    /// environment. [`Profile::V0_1`] ignores it, because each tenant has its own host there.
    pub fn with_domain_override(mut self, domain: DomainOverride) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Sends to a service on this machine, such as `http://127.0.0.1:4318`, over plain HTTP instead
    /// of to Agent 365. That service also gets the tokens.
    ///
    /// The URL must have a loopback address or `localhost` as its host, and no credentials, path or
    /// query.
    pub fn with_loopback_endpoint(mut self, url: impl Into<String>) -> Self {
        self.loopback = Some(url.into());
        self
    }

    /// Connects to this loopback address instead of the host of the URL. The URL, the `host` header
    /// and the name in the server's certificate are still those of Agent 365, so a test covers the
    /// whole path.
    pub fn with_connect_to(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self
    }

    /// Trusts these root certificates, in DER form, instead of those of the operating system.
    pub fn with_root_certificates<C: AsRef<[u8]>>(
        mut self,
        certificates: impl IntoIterator<Item = C>,
    ) -> Self {
        let certificates = certificates.into_iter();
        self.roots = Some(certificates.map(|der| der.as_ref().to_vec()).collect());
        self
    }

    /// Calls `observer` with the report of each batch, on the thread of the delivery. The observer
    /// must not block, because nothing is sent while it runs. If it panics, the panic is logged and
    /// has no other effect.
    pub fn with_on_report(
        mut self,
        observer: impl Fn(&ExportReport) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the timer for the pauses between attempts. The default is [`TokioRetryTimer`].
    pub fn with_retry_timer(mut self, timer: impl RetryTimer + 'static) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Checks the settings and starts the thread `agentspan-export`.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the setting that cannot be used.
    pub fn build(self) -> Result<F, BuildError>
    where
        F: From<Delivery>,
    {
        let wire = WireProfile::of(self.profile).ok_or(BuildError::Profile(self.profile))?;
        let concurrency = non_zero("with_concurrency", self.concurrency.unwrap_or(CONCURRENCY))?;
        let max_spans = non_zero("with_max_spans", self.max_spans)?;
        let max_bytes = non_zero("with_max_bytes", self.max_bytes)?;
        let batch_spans = non_zero("with_batch_spans", self.batch_spans)?;
        let timeout = non_zero("with_timeout", self.timeout.unwrap_or(wire.timeout))?;
        let token_deadline = non_zero("with_token_deadline", self.token_deadline)?;
        let batch_delay = non_zero("with_batch_delay", self.batch_delay)?.min(LONGEST);
        let loopback = self.loopback.as_deref().map(str::parse::<LoopbackEndpoint>);
        let loopback = loopback.transpose().map_err(BuildError::LoopbackEndpoint)?;
        let max_payload_bytes = match self.max_payload_bytes {
            Some(bytes) => Some(non_zero("max_payload_bytes", bytes)?),
            None => wire.max_payload_bytes,
        };
        let domain = self.domain_override(wire)?;
        let route = self.route(loopback.as_ref())?;
        if !matches!(route, TransportRoute::Loopback(_)) {
            crypto_provider().map_err(BuildError::Cryptography)?;
        }
        let roots = self.roots()?;
        let transport =
            Transport::new(route, roots, concurrency).with_longest_answer(LONGEST_ANSWER);
        let per_request = self.per_request.map(checked).transpose()?;
        let (resolver, timer) = (Foreign::new(self.resolver), Foreign::new(self.timer));
        let observer = self.observer.map(Foreign::new);
        // A profile that sends all operations leaves no span without its parent.
        let reparents = self.reparents && wire.operations.is_some();
        let mapping = mapping(self.profile, self.agent_spec_identity);
        let preparation = match self.renders {
            true => Preparation::new(mapping),
            false => Preparation::of_records(mapping),
        };
        let preparation = preparation.with_enrichers(self.enrichers);
        let rules = self.contract.filter(|_| wire.has_contract);
        let judge = rules.map(|rules| Judge::new(rules).with_scopes_of(self.profile));
        let setup = move || Setup {
            bounds: QueueBounds {
                spans: max_spans as u64,
                bytes: max_bytes as u64,
            },
            limits: self.limits,
            // A batch that the queue cannot hold would never be full.
            batch_spans: batch_spans.min(max_spans),
            batch_delay,
            per_request: per_request.clone(),
            concurrency,
            max_payload_bytes,
            preparation: preparation.clone(),
            reparents,
            judge,
            destinations: Destinations {
                wire,
                tenant_key: self.profile.tenant_id_key(),
                agent_fallback: self.agent_fallback,
                cluster: self.cluster,
                path: chosen_path(self.path, self.environment_path, wire),
                loopback: loopback.clone(),
                domain: domain.clone(),
            },
            estimate: Estimate::of(self.profile),
            encoder: BodyEncoder::new(self.profile)
                .with_truncation(self.truncation)
                .with_wire(self.wire.unwrap_or(wire.form)),
            courier: Courier {
                wire,
                // Without a connection that the process it was forked from has.
                transport: transport.unconnected(),
                resolver: resolver.clone(),
                token_deadline,
                timeout,
                retry: self.retry.policy(&wire.retry),
                timer: timer.clone(),
                retry_after_dates: self.retry_after_dates,
                tenant_header: self.tenant_header,
                final_refusals: self.final_refusals,
            },
            observer: observer.clone(),
        };
        Delivery::start(Box::new(setup))
            .map(F::from)
            .map_err(BuildError::Thread)
    }

    /// The override, for a profile that knows such a thing.
    fn domain_override(&self, wire: &WireProfile) -> Result<Option<DomainOverride>, BuildError> {
        let Host::Common(host) = wire.host else {
            return Ok(None);
        };
        match (&self.domain, &self.environment_domain) {
            (Some(domain), _) | (None, Some(Ok(domain))) => Ok(Some(domain.clone())),
            (None, None) => Ok(None),
            (None, Some(Err(error))) if error.is_ignored() => {
                contain::log(|| {
                    warn!(
                        target: "agentspan::agent365::build",
                        cause = %error,
                        host,
                        "the domain override of the environment is ignored"
                    );
                });
                Ok(None)
            }
            (None, Some(Err(error))) => Err(BuildError::DomainOverride(*error)),
        }
    }

    fn route(&self, loopback: Option<&LoopbackEndpoint>) -> Result<TransportRoute, BuildError> {
        match (loopback, self.connect_to) {
            (Some(_), Some(_)) => Err(BuildError::Conflict {
                one: "with_loopback_endpoint",
                other: "with_connect_to",
            }),
            (Some(endpoint), None) => Ok(TransportRoute::Loopback(endpoint.address)),
            (None, Some(address)) if address.ip().is_loopback() => {
                Ok(TransportRoute::HttpsTo(address))
            }
            (None, Some(_)) => Err(BuildError::ConnectTo),
            (None, None) => Ok(TransportRoute::Https),
        }
    }

    fn roots(&self) -> Result<TrustRoots, BuildError> {
        let Some(certificates) = &self.roots else {
            return Ok(TrustRoots::Platform);
        };
        let certificates = certificates.iter().map(|der| der.as_slice().into());
        TrustRoots::given(certificates)
            .map_err(|error| BuildError::RootCertificate(std::io::Error::other(error)))
    }
}

/// The path that the program asks for, or the environment, or else that of the profile.
fn chosen_path(
    asked: Option<PathChoice>,
    of_environment: Option<PathChoice>,
    wire: &WireProfile,
) -> PathChoice {
    let of_environment = of_environment.filter(|_| wire.reads_route);
    asked.or(of_environment).unwrap_or(wire.route)
}

/// The words of the profile, with contents.
fn mapping(profile: Profile, identity: Option<Identity>) -> Mapping {
    let mapping = Mapping::new(Rendering::Agent365(profile))
        .with_capture(ContentCapture::from(Disclosure::Clear));
    match identity {
        Some(identity) => mapping.with_identity(identity),
        None => mapping,
    }
}

fn checked(mut requests: PerRequestExport) -> Result<PerRequestExport, BuildError> {
    requests.max_requests = non_zero("with_max_requests", requests.max_requests)?;
    requests.max_spans = non_zero("with_max_spans", requests.max_spans)?;
    requests.max_age = non_zero("with_max_age", requests.max_age)?.min(LONGEST);
    requests.grace = requests.grace.min(LONGEST);
    Ok(requests)
}

fn non_zero<T: Default + PartialEq>(field: &'static str, value: T) -> Result<T, BuildError> {
    match value == T::default() {
        true => Err(BuildError::Zero { field }),
        false => Ok(value),
    }
}

impl<F> fmt::Debug for DeliveryBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryBuilder")
            .field("profile", &self.profile)
            .field("cluster_category", &self.cluster)
            .field("concurrency", &self.concurrency)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
