//! The address of an OTLP receiver, and the settings of the exporter.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use agentspan_agent365::retry::{RetryTimer, TokioRetryTimer};
use agentspan_queue::causes;

use crate::install_error::InstallError;
use crate::shown_url::ShownUrl;

mod authorities;
mod cause;
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

/// An OTLP receiver: a Collector, or a backend that speaks OTLP.
///
/// `Destination::otlp_http` and `Destination::otlp_grpc`, each behind its feature, turn it into a
/// destination. Settings in code take precedence over OpenTelemetry's variables
/// (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on), which take precedence over the defaults.
#[derive(Clone, Default)]
#[must_use = "this is not a destination yet"]
pub struct Otlp {
    endpoint: Option<String>,
    headers: HashMap<String, String>,
    timeout: Option<Duration>,
    /// Whether it is a sidecar, and so not the receiver that the environment describes.
    is_sidecar: bool,
    authorities: Option<Vec<u8>>,
    gzip: bool,
    timer: Timer,
}

/// Waits between tries.
#[derive(Clone)]
struct Timer(Arc<dyn RetryTimer>);

impl Default for Timer {
    fn default() -> Self {
        Self(Arc::new(TokioRetryTimer))
    }
}

/// Why an OTLP exporter cannot be created.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The endpoint, in code or in one of OpenTelemetry's variables, is not a whole URL of http or https. Write it as
    /// `http://127.0.0.1:4318/v1/traces`, or over gRPC as `http://127.0.0.1:4317`. The error does
    /// not show the endpoint, which may hold a password or a key.
    #[error(
        "{setting} is not an http or https url with a host and a valid port, such as {example}"
    )]
    Endpoint {
        /// `Otlp::with_endpoint`, or the name of the variable.
        setting: &'static str,
        /// An endpoint in the form that this setting expects.
        example: &'static str,
    },
    /// A header of [`Otlp::with_header`] is invalid, or the protocol sets it itself. Often the
    /// value ends with a line break, because it was read from a file. Fix the header; no message
    /// shows its value.
    #[error("the header {name:?} of the otlp exporter {problem}")]
    Header {
        /// The name of the header.
        name: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The file that `OTEL_EXPORTER_OTLP_CERTIFICATE` names cannot be read. Fix the variable, or the file's
    /// permissions.
    #[error("cannot read the certificates in {path}, which {variable} names")]
    CertificateFile {
        /// The name of the variable.
        variable: &'static str,
        /// The file, escaped and cut to 100 characters.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The certificates of authorities are invalid. Pass one or several in PEM.
    #[error("cannot use the certificates of the receiver's authorities in {setting}")]
    Certificates {
        /// `Otlp::with_certificate_authorities`, or the name of the variable.
        setting: &'static str,
        /// What is wrong with them.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The exporter got no runtime, or there is no cryptography for https. The source names the
    /// missing part.
    #[error("cannot create the client of the otlp exporter")]
    Client(#[source] Box<dyn Error + Send + Sync>),
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}

impl From<OtlpError> for InstallError {
    fn from(error: OtlpError) -> Self {
        Self::Environment(Box::new(error))
    }
}

impl Otlp {
    /// A receiver with the settings of the environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the whole URL. The default is `http://localhost:4318/v1/traces` over HTTP, and
    /// `http://localhost:4317` over gRPC.
    ///
    /// A user and a password in the URL are sent as the header `authorization`, unless you set this
    /// header. They are removed from the URL first, so that no log, error or `Debug` output shows
    /// them.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Adds a header, for instance an API key. Neither `Debug` nor any log shows its value. Over
    /// gRPC, the header becomes an entry of the metadata. An invalid header causes
    /// [`OtlpError::Header`] when the destination is created.
    ///
    /// It overrides a header of the same name in `OTEL_EXPORTER_OTLP_HEADERS`, whose other headers
    /// are sent as well. A header that the protocol sets itself, such as `content-type`, is an
    /// error, too.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        // Names differ not by case, and of two the last one counts.
        let name = name.into().to_ascii_lowercase();
        self.headers.insert(name, value.into());
        self
    }

    /// Sets how long an export may take: from the lookup of the host to the last byte of the answer,
    /// retries and the pauses between them included. The default is a minute for an export and 10
    /// seconds for each try, so that a receiver can restart. Zero is no limit, as in the variables of
    /// OpenTelemetry.
    ///
    /// The pause after a failed try is random: up to half a second after the first one, then up to
    /// twice as long each time, up to 10 seconds. It is never shorter than the receiver asks for, and
    /// if there is no time for it, the export ends at once. A flush or a shutdown ends a pause that
    /// the receiver did not ask for. Meanwhile, later spans wait in the queue of the destination.
    ///
    /// When the time is over, the batch is dropped, and the next batch is exported. If the head of
    /// an answer arrived in time and accepted the batch, its spans count as exported and as
    /// unconfirmed.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits between tries with `timer`. The default is [`TokioRetryTimer`]. A test puts in its own to
    /// see the pauses without waiting.
    pub fn with_retry_timer(mut self, timer: impl RetryTimer + 'static) -> Self {
        self.timer = Timer(Arc::new(timer));
        self
    }

    /// Sets the certificate authorities for the receiver, in PEM, in place of the system's. Use it
    /// for a receiver with a certificate of a private authority.
    ///
    /// The variable `OTEL_EXPORTER_OTLP_CERTIFICATE` names such a file.
    pub fn with_certificate_authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Compresses requests with gzip. The default is `OTEL_EXPORTER_OTLP_COMPRESSION`, or else no
    /// compression.
    pub fn with_gzip(mut self) -> Self {
        self.gzip = true;
        self
    }
}

impl Otlp {
    /// A sidecar. It gets no headers of the environment, which may be keys of another receiver.
    pub(crate) fn of_sidecar(mut self) -> Self {
        self.is_sidecar = true;
        self
    }
}

/// Shows the names of headers, and the host. The values are secrets, and the rest of the URL may
/// hold some.
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
