//! Where an OTLP receiver is, and how it is spoken to.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use agentspan_discovery::{Environment, standard_variables as names};

use crate::install_error::InstallError;

#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;

const NAME: &str = "otlp";

/// Where a receiver of OpenTelemetry's protocol is: a Collector, or a backend that speaks it.
///
/// What is not set here is taken from OpenTelemetry's variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on)
/// and their defaults. `Destination::otlp_http` and
/// `Destination::otlp_grpc`, each behind its feature, make destinations of it.
#[derive(Clone, Default)]
#[must_use = "this is not a destination yet"]
pub struct Otlp {
    endpoint: Option<String>,
    headers: HashMap<String, String>,
    timeout: Option<Duration>,
    /// Whether the proxy that the system names for http is passed by.
    is_direct: bool,
}

/// Why an OTLP exporter cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// A setting cannot be used, in code or in one of OpenTelemetry's variables. The source names it.
    #[error("the otlp exporter cannot be built")]
    Exporter(#[source] Box<dyn Error + Send + Sync>),
    /// There is no HTTP client, runtime or thread for it. The source says what is missing.
    #[error("the client of the otlp exporter cannot be made")]
    Client(#[source] Box<dyn Error + Send + Sync>),
}

impl From<OtlpError> for InstallError {
    fn from(error: OtlpError) -> Self {
        Self::Environment(Box::new(error))
    }
}

impl Otlp {
    /// Everything from the environment, until it is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the whole URL: over HTTP for instance `http://127.0.0.1:4318/v1/traces`, which is the
    /// default, over gRPC `http://127.0.0.1:4317`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Adds a header, for instance an API key. Neither `Debug` nor any log shows its value. Over gRPC it
    /// is an entry of the metadata; what can be none is left out.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets how long an export may take, tries included. The default is 10 seconds.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Otlp {
    /// Passes by the proxy that the system names for http.
    #[cfg(feature = "otlp-http")]
    pub(crate) fn without_proxy(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// What the environment says, with an endpoint that depends on the protocol.
    pub(crate) fn from_environment(
        environment: &Environment,
        endpoint: impl FnOnce(&Environment) -> Option<String>,
    ) -> Self {
        let timeout = environment
            .non_empty(names::OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
            .or_else(|| environment.non_empty(names::OTEL_EXPORTER_OTLP_TIMEOUT));
        let milliseconds = timeout.and_then(|text| text.trim().parse().ok());
        Self {
            endpoint: endpoint(environment),
            headers: HashMap::new(),
            timeout: milliseconds.map(Duration::from_millis),
            is_direct: false,
        }
    }
}

/// Shows the names of headers. Values are secrets, and so may be the query of the URL.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_deref();
        let path = endpoint.map(|url| url.split_once('?').map_or(url, |(path, _)| path));
        f.debug_struct("Otlp")
            .field("endpoint", &path)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .finish()
    }
}
