//! Where an OTLP receiver is, and how it is spoken to.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use agentspan_discovery::{Environment, standard_variables as names};
use opentelemetry_otlp::{Compression, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT};

use crate::install_error::InstallError;
use crate::shown_url::ShownUrl;

mod authorities;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;

const NAME: &str = "otlp";

/// Where a receiver of OpenTelemetry's protocol is: a Collector, or a backend that speaks it.
///
/// What is not set here is taken from OpenTelemetry's variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on)
/// of the process and their defaults, when `Destination::otlp_http` or `Destination::otlp_grpc`, each behind
/// its feature, makes a destination of it. What is set here goes before them.
#[derive(Clone, Default)]
#[must_use = "this is not a destination yet"]
pub struct Otlp {
    endpoint: Option<String>,
    headers: HashMap<String, String>,
    timeout: Option<Duration>,
    /// Whether it is beside the program, and not what the environment describes.
    is_sidecar: bool,
    authorities: Option<Vec<u8>>,
    compression: Option<Compression>,
}

/// Where a receiver of one protocol is.
struct Place {
    /// By default.
    endpoint: &'static str,
    /// If the variable for all signals says this.
    of_base: fn(&str) -> String,
    /// Whether an endpoint is one. `opentelemetry-otlp` repeats what it cannot use.
    is_one: fn(&str) -> bool,
}

/// What is known once code and environment were asked.
struct Completed {
    endpoint: String,
    timeout: Duration,
    authorities: Option<Vec<u8>>,
    headers: HeaderMap,
}

/// Why an OTLP exporter cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// A setting cannot be used, in code or in one of OpenTelemetry's variables. The source names it.
    #[error("the otlp exporter cannot be built")]
    Exporter(#[source] Box<dyn Error + Send + Sync>),
    /// The endpoint, in code or in one of OpenTelemetry's variables, is no URL. Write it as
    /// `http://127.0.0.1:4318/v1/traces`, over gRPC as `http://127.0.0.1:4317`. It is not shown, since it may
    /// hold a password or a key.
    #[error("the endpoint of the otlp exporter is not a url of the form http://127.0.0.1:4318")]
    Endpoint,
    /// A name or a value of [`Otlp::with_header`] can be none of a header, for instance since a line break is
    /// at the end of a key that was read from a file. Mend it; no message shows the value.
    #[error(
        "the header {name:?} of the otlp exporter has a name or a value that no header can have"
    )]
    Header {
        /// The name of the header.
        name: String,
    },
    /// The file that `OTEL_EXPORTER_OTLP_CERTIFICATE` names cannot be read. Mend the variable, or the file's
    /// permissions.
    #[error("cannot read the certificates in {path}")]
    CertificateFile {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// What should be certificates of authorities is not. Give one or several in PEM.
    #[error("the certificates of the receiver's authorities cannot be used")]
    Certificates(#[source] Box<dyn Error + Send + Sync>),
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
    /// is an entry of the metadata. What can be no header is an [`OtlpError::Header`] when a destination is
    /// made. It replaces that of the same name in `OTEL_EXPORTER_OTLP_HEADERS`, of which others are sent as well.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        // Names differ not by case, and of two the last one counts.
        let name = name.into().to_ascii_lowercase();
        self.headers.insert(name, value.into());
        self
    }

    /// Sets how long an export may take, tries included. The default is 10 seconds.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the authorities that the receiver's certificate is checked with, in PEM, in place of those of
    /// the system: for a receiver whose certificate is of a private authority.
    ///
    /// The variable for it is `OTEL_EXPORTER_OTLP_CERTIFICATE`, which names a file.
    pub fn with_certificate_authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Compresses requests with gzip. The default is what `OTEL_EXPORTER_OTLP_COMPRESSION` says, and without
    /// it that they are not compressed.
    pub fn with_gzip(mut self) -> Self {
        self.compression = Some(Compression::Gzip);
        self
    }
}

impl Otlp {
    /// A sidecar. It gets no headers of the environment, which may be keys of the receiver that the
    /// environment describes, and the proxy that the system names for http is passed by.
    pub(crate) fn of_sidecar(mut self) -> Self {
        self.is_sidecar = true;
        self
    }

    /// What is set, or what `environment` says, or the default: nothing of this is left to `opentelemetry-otlp`,
    /// which would ask the process.
    fn completed_by(
        &self,
        environment: &Environment,
        place: &Place,
    ) -> Result<Completed, OtlpError> {
        let either = |of_traces, of_all| {
            let of_traces = environment.non_empty(of_traces);
            of_traces.or_else(|| environment.non_empty(of_all))
        };
        let in_code = self.endpoint.clone();
        let in_environment = || {
            let whole = environment.non_empty(names::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
            let base = environment.non_empty(names::OTEL_EXPORTER_OTLP_ENDPOINT);
            whole.map(str::to_owned).or(base.map(place.of_base))
        };
        let endpoint = in_code.or_else(in_environment);
        let endpoint = endpoint.unwrap_or_else(|| place.endpoint.to_owned());
        if !(place.is_one)(&endpoint) {
            return Err(OtlpError::Endpoint);
        }
        let in_environment = || {
            let milliseconds = either(
                names::OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
                names::OTEL_EXPORTER_OTLP_TIMEOUT,
            );
            let milliseconds = milliseconds?.trim().parse().ok()?;
            Some(Duration::from_millis(milliseconds))
        };
        let timeout = self.timeout.or_else(in_environment);
        let mut authorities = self.authorities.clone();
        if authorities.is_none() && !endpoint.starts_with("http://") {
            let path = either(
                names::OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
                names::OTEL_EXPORTER_OTLP_CERTIFICATE,
            );
            let read = |path: &str| {
                fs::read(path).map_err(|source| OtlpError::CertificateFile {
                    path: path.to_owned(),
                    source,
                })
            };
            authorities = path.map(read).transpose()?;
        }
        Ok(Completed {
            endpoint,
            timeout: timeout.unwrap_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT),
            authorities,
            headers: self.header_map()?,
        })
    }

    /// The headers that were set in code.
    fn header_map(&self) -> Result<HeaderMap, OtlpError> {
        let headers = self.headers.iter().map(|(text, value)| {
            let unusable = || OtlpError::Header { name: text.clone() };
            let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| unusable())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
            value.set_sensitive(true);
            Ok((name, value))
        });
        headers.collect()
    }
}

/// Shows the names of headers, and the host. Values are secrets, and so may be the rest of the URL.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("endpoint", &self.endpoint.as_deref().map(ShownUrl))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Endpoint and milliseconds of what code and environment say together.
    fn completed(otlp: &Otlp, variables: &[(&str, &str)]) -> (String, u128) {
        let environment = variables.iter().copied().collect();
        let place = Place {
            endpoint: "http://default",
            of_base: |base| format!("{base}/v1/traces"),
            is_one: |_| true,
        };
        let otlp = otlp.completed_by(&environment, &place).unwrap();
        (otlp.endpoint, otlp.timeout.as_millis())
    }

    #[test]
    fn code_goes_before_the_variable_for_spans_and_that_before_the_one_for_all_signals() {
        let all = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "30000"),
        ];
        let both = [
            all[0],
            all[1],
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://spans"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", " 20000 "),
        ];
        let nothing = Otlp::new();
        let by_default = ("http://default".to_owned(), 10_000);
        assert_eq!(completed(&nothing, &[]), by_default);
        let of_all = ("http://all/v1/traces".to_owned(), 30_000);
        assert_eq!(completed(&nothing, &all), of_all);
        let of_spans = ("http://spans".to_owned(), 20_000);
        assert_eq!(completed(&nothing, &both), of_spans);
        let code = Otlp::new()
            .with_endpoint("http://code")
            .with_timeout(Duration::from_secs(1));
        let of_code = ("http://code".to_owned(), 1_000);
        assert_eq!(completed(&code, &both), of_code);
    }

    #[test]
    fn of_headers_whose_names_differ_in_case_only_the_last_one_counts() {
        let mut otlp = Otlp::new();
        for n in 0..32 {
            otlp = otlp.with_header(format!("X-Key-{n}"), "first");
            otlp = otlp.with_header(format!("x-key-{n}"), "last");
        }
        let headers = otlp.header_map().unwrap();
        assert_eq!(headers.len(), 32);
        assert!(headers.values().all(|value| value == "last"));
    }
}
