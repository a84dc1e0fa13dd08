//! Where an OTLP receiver is, and how it is spoken to.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::install_error::InstallError;
use crate::shown_url::ShownUrl;

mod authorities;
mod endpoint;
mod exporter;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod headers;
#[cfg(feature = "otlp-http")]
mod http;
mod log;
mod partial_success;
mod pause;
mod secrets;
mod settings;
mod verdict;

const NAME: &str = "otlp";

/// Where a receiver of OpenTelemetry's protocol is: a Collector, or a backend that speaks it.
///
/// What is not set here is taken from OpenTelemetry's variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on)
/// of the process and their defaults, when `Destination::otlp_http` or `Destination::otlp_grpc`, each behind
/// its feature, makes a destination of it. What is set here takes precedence over them.
#[derive(Clone, Default)]
#[must_use = "this is not a destination yet"]
pub struct Otlp {
    endpoint: Option<String>,
    headers: HashMap<String, String>,
    timeout: Option<Duration>,
    /// Whether it is beside the program, and not what the environment describes.
    is_sidecar: bool,
    authorities: Option<Vec<u8>>,
    gzip: bool,
}

/// Why an OTLP exporter cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The endpoint, in code or in one of OpenTelemetry's variables, is no URL. Write it as
    /// `http://127.0.0.1:4318/v1/traces`, over gRPC as `http://127.0.0.1:4317`. It is not shown, since it may
    /// hold a password or a key.
    #[error("the endpoint of the otlp exporter is not a url of the form http://127.0.0.1:4318")]
    Endpoint,
    /// A name or a value of [`Otlp::with_header`] cannot be that of a header, for instance because a line break
    /// is at the end of a key that was read from a file; or the protocol sets this header itself. Fix it; no
    /// message shows the value.
    #[error("the header {name:?} of the otlp exporter has a name or a value that it cannot have")]
    Header {
        /// The name of the header.
        name: String,
    },
    /// The file that `OTEL_EXPORTER_OTLP_CERTIFICATE` names cannot be read. Fix the variable, or the file's
    /// permissions.
    #[error("cannot read the certificates in {path}")]
    CertificateFile {
        /// The file, escaped and cut to 100 characters.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// What should be certificates of authorities is not. Give one or several in PEM.
    #[error("the certificates of the receiver's authorities cannot be used")]
    Certificates(#[source] Box<dyn Error + Send + Sync>),
    /// There is no runtime for it, or no cryptography for https. The source says what is missing.
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
    ///
    /// A user and a password in the URL are sent as the header `authorization`, unless another one is set. They
    /// are taken out of the URL first, so that no log, error or `Debug` shows them.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Adds a header, for instance an API key. Neither `Debug` nor any log shows its value. Over gRPC it
    /// is an entry of the metadata. What can be no header is an [`OtlpError::Header`] when a destination is
    /// made.
    ///
    /// It replaces the header of the same name in `OTEL_EXPORTER_OTLP_HEADERS`, whose other headers are sent as
    /// well. A header that the protocol sets itself, such as `content-type`, is an error, too.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        // Names differ not by case, and of two the last one counts.
        let name = name.into().to_ascii_lowercase();
        self.headers.insert(name, value.into());
        self
    }

    /// Sets how long an export may take: from the lookup of the host to the last byte of the answer, retries
    /// and the pauses between them included. The default is 10 seconds.
    ///
    /// A batch whose time passes is dropped, and the next one is exported. If the head of an answer said in time
    /// that the receiver took the batch, it counts as exported and as unconfirmed.
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
        self.gzip = true;
        self
    }
}

impl Otlp {
    /// A sidecar. It gets no headers of the environment, which may be keys of the receiver that the
    /// environment describes.
    pub(crate) fn of_sidecar(mut self) -> Self {
        self.is_sidecar = true;
        self
    }
}

/// Shows the names of headers, and the host. Values are secrets, and so may be the rest of the URL.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("endpoint", &self.endpoint.as_deref().map(ShownUrl))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}
