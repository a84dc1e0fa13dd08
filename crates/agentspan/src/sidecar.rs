//! Agent 365 through a collector beside the program.

#[cfg(feature = "otlp-grpc")]
#[path = "sidecar/grpc_enabled.rs"]
mod grpc;
#[cfg(not(feature = "otlp-grpc"))]
#[path = "sidecar/grpc_disabled.rs"]
mod grpc;
#[cfg(feature = "otlp-http")]
#[path = "sidecar/http_enabled.rs"]
mod http;
#[cfg(not(feature = "otlp-http"))]
#[path = "sidecar/http_disabled.rs"]
mod http;

mod endpoint;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use agentspan_agent365::Enrichment;
use agentspan_discovery::{Environment, Switches};
use agentspan_model::agent365::{Profile, environment as names};
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::Rendering;
use agentspan_record::SpanEnrichers;
use opentelemetry_sdk::trace::SpanData;

use self::endpoint::Endpoint;
use crate::destination::Destination;
use crate::environment::ignored;
use crate::shown_url::ShownUrl;

/// The batch delay and the size of the queue, as in the reference.
const DELAY: Duration = Duration::from_secs(5);
const MAX_SPANS: usize = 2_048;

/// The timeout of an export, as in the reference.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A collector that runs beside the program, usually as a sidecar container of its pod, and
/// delivers to Agent 365 with its own tokens. Pass it to
/// [`Configuration::with_sidecar`](crate::Configuration::with_sidecar).
///
/// Spans go to the sidecar over OTLP, as `microsoft-agents-a365-observability-core` 2.0.0 sends
/// them with its `SpectraExporterOptions`: over gRPC at `http://localhost:4317`, or over HTTP at
/// `http://localhost:4318/v1/traces`. gRPC needs the feature `otlp-grpc`, HTTP the feature
/// `otlp-http`.
///
/// The sidecar gets all spans with their contents, as the service would. It does not get the
/// headers of `OTEL_EXPORTER_OTLP_HEADERS`, which belong to another receiver.
///
/// ```no_run
/// use agentspan::{Sidecar, SidecarProtocol};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sidecar = Sidecar::new().with_protocol(SidecarProtocol::Http);
/// let telemetry = agentspan::configure().with_sidecar(sidecar).install()?;
/// # drop(telemetry);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "nothing goes there before it is part of a configuration"]
pub struct Sidecar {
    protocol: Option<SidecarProtocol>,
    endpoint: Option<String>,
    plain_http: PlainHttp,
    profile: Option<Profile>,
    enrichers: SpanEnrichers,
}

/// The protocol of a [`Sidecar`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SidecarProtocol {
    /// OTLP over gRPC, port 4317. Needs the feature `otlp-grpc`.
    #[default]
    Grpc,
    /// OTLP as protobuf over HTTP, port 4318. Needs the feature `otlp-http`.
    Http,
}

/// Why a [`Sidecar`] cannot be used. No message shows the endpoint, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// The program was built without the feature that the protocol needs. Enable the feature in
    /// `Cargo.toml`, or choose the other protocol.
    #[error(
        "the sidecar's protocol needs the feature {feature} of agentspan, which is not enabled"
    )]
    MissingFeature {
        /// The feature.
        feature: &'static str,
    },
    /// The endpoint is not a URL. Write it as `http://localhost:4317`.
    #[error(
        "the sidecar's endpoint, with_endpoint or SPECTRA_ENDPOINT, is not an http or https url with a host and a valid port, such as http://localhost:4317"
    )]
    NotAUrl,
    /// The endpoint has another scheme than `http` and `https`.
    #[error(
        "the sidecar's endpoint, with_endpoint or SPECTRA_ENDPOINT, has a scheme other than http or https"
    )]
    Scheme,
    /// The endpoint holds a user name or a password, a query or a fragment. A sidecar needs none.
    #[error(
        "the sidecar's endpoint, with_endpoint or SPECTRA_ENDPOINT, holds credentials, a query or a fragment"
    )]
    MoreThanAPlace,
    /// The endpoint is on another machine, where plain http would expose prompts and answers to the
    /// network. Use `https`, or allow plain http on a safe network with
    /// [`with_plain_http_to_others`](Sidecar::with_plain_http_to_others).
    #[error(
        "the sidecar's endpoint, with_endpoint or SPECTRA_ENDPOINT, is plain http to another machine: use https, or allow it with with_plain_http_to_others"
    )]
    NotLoopback,
    /// The exporter cannot be created; the source says why.
    #[error("cannot create the exporter to the sidecar")]
    Exporter(#[source] Box<dyn Error + Send + Sync>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PlainHttp {
    #[default]
    ToLoopback,
    ToAnybody,
}

impl Sidecar {
    /// A sidecar with the settings of the environment, `SPECTRA_PROTOCOL` (`grpc` or `http`) and
    /// `SPECTRA_ENDPOINT`, or else the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the protocol. The default is `SPECTRA_PROTOCOL`, or else gRPC.
    pub fn with_protocol(mut self, protocol: SidecarProtocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Sets the URL. Over HTTP, a URL without a path gets `/v1/traces`. The default is
    /// `SPECTRA_ENDPOINT`, or else the protocol's port on `localhost`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Allows plain http to other machines. By default, plain http only goes to `127.0.0.0/8`,
    /// `[::1]` and `localhost`.
    pub fn with_plain_http_to_others(mut self) -> Self {
        self.plain_http = PlainHttp::ToAnybody;
        self
    }

    /// Sets the generation of the contract, which decides the attributes of spans. The default is
    /// the profile of the configured delivery, or else [`Profile::V2`], because the reference 0.1.0
    /// has no sidecar.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Lets `enricher` change the attributes of each span, as
    /// [`DeliveryBuilder::with_span_enricher`](agentspan_agent365::DeliveryBuilder::with_span_enricher)
    /// does. It runs on the sidecar's thread. By default, there is no enricher.
    pub fn with_span_enricher(
        mut self,
        enricher: impl Fn(&SpanData) -> Enrichment + Send + Sync + 'static,
    ) -> Self {
        self.enrichers = self.enrichers.with_span_enricher(enricher);
        self
    }

    /// Removes the input messages from spans of invoked agents. Other spans often repeat them. By
    /// default, they are sent.
    pub fn without_invoke_agent_input(mut self) -> Self {
        self.enrichers = self.enrichers.without_invoke_agent_input();
        self
    }

    /// The sidecar from the configuration, or else from `ENABLE_A365_OBSERVABILITY_SIDECAR`.
    pub(crate) fn asked_for(
        configured: Option<Self>,
        profile: Option<Profile>,
        environment: &Environment,
    ) -> Option<Self> {
        let switches = Switches::read(environment);
        let asked_for = switches.sidecar_enabled().then(Self::new);
        let mut sidecar = configured.or(asked_for)?;
        if switches.without_invoke_agent_input() {
            sidecar = sidecar.without_invoke_agent_input();
        }
        let endpoint = environment.non_blank(names::SPECTRA_ENDPOINT);
        let protocol = || {
            let value = environment.non_blank(names::SPECTRA_PROTOCOL);
            value.and_then(protocol_of)
        };
        Some(Self {
            protocol: sidecar.protocol.or_else(protocol),
            endpoint: sidecar.endpoint.or_else(|| endpoint.map(str::to_owned)),
            plain_http: sidecar.plain_http,
            profile: sidecar.profile.or(profile),
            enrichers: sidecar.enrichers,
        })
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile.unwrap_or(Profile::V2)
    }

    /// A destination that gets all spans in the vocabulary of Agent 365.
    pub(crate) fn into_destination(
        self,
        environment: &Environment,
    ) -> Result<Destination, SidecarError> {
        let profile = self.profile();
        let endpoint = self.endpoint.as_deref();
        let parse = |default| Endpoint::parse(endpoint.unwrap_or(default), self.plain_http);
        let destination = match self.protocol.unwrap_or_default() {
            SidecarProtocol::Grpc => {
                let url = parse("http://localhost:4317")?.into_url("");
                grpc::destination(url, TIMEOUT, environment)?
            }
            SidecarProtocol::Http => {
                let url = parse("http://localhost:4318")?.into_url("/v1/traces");
                http::destination(url, TIMEOUT, environment)?
            }
        };
        Ok(destination
            .with_name("sidecar")
            .with_rendering(Rendering::Agent365(profile))
            .with_disclosure(Disclosure::Clear)
            .with_enrichers(self.enrichers)
            .with_batch_delay(DELAY)
            .with_max_spans(MAX_SPANS))
    }
}

fn protocol_of(value: &str) -> Option<SidecarProtocol> {
    match value.trim().to_ascii_lowercase().as_str() {
        "grpc" => Some(SidecarProtocol::Grpc),
        "http" => Some(SidecarProtocol::Http),
        _ => {
            ignored(names::SPECTRA_PROTOCOL, value, "grpc or http");
            None
        }
    }
}

/// Shows only the host of the endpoint, which may hold a password.
impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint.as_deref().map(ShownUrl))
            .field("plain_http", &self.plain_http)
            .field("profile", &self.profile)
            .field("enrichers", &self.enrichers)
            .finish()
    }
}
