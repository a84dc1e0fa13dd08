//! Why a try got no answer.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use agentspan_tls::TlsError;

/// A cause that can be kept in more than one place.
type SharedError = Arc<dyn Error + Send + Sync>;

/// Why one try to send a request got no answer. Each of these is worth another try.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The try took longer than the timeout, from dialling to the end of the answer's head. Whether
    /// the service took the spans is not known.
    #[error("no answer within {timeout:?}")]
    Timeout {
        /// The timeout of one try.
        timeout: Duration,
    },
    /// No connection was made: the host was not found, it refused, or its certificate is not one that
    /// is trusted for its name. Nothing of the request was sent.
    #[error("cannot connect")]
    Connect(#[source] SharedError),
    /// The connection broke, or what came over it is no HTTP answer. Whether the service took the
    /// spans is not known.
    #[error("the connection broke, or the answer is not HTTP")]
    Exchange(#[source] SharedError),
    /// TLS could not be set up on this side.
    #[error("tls is not available")]
    Tls(#[source] SharedError),
    /// The operating system has no root certificates. Install them (often a package named
    /// `ca-certificates`), or give some to the builder.
    #[error("no root certificates were found")]
    NoRootCertificates,
    /// A crate below panicked. Whether the service took the spans is not known. The panic hook of the program has
    /// the message.
    #[error("the exchange panicked")]
    Panicked,
}

impl TransportError {
    pub(super) fn no_host() -> Self {
        Self::Connect(Arc::new(io::Error::other("the url names no host")))
    }

    pub(super) fn no_port() -> Self {
        let what = "the url has a port that is no number up to 65535";
        Self::Connect(Arc::new(io::Error::other(what)))
    }

    pub(super) fn tls(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Tls(Arc::new(error))
    }

    /// The name under which the error appears in logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Connect(_) => "connect",
            Self::Exchange(_) => "exchange",
            Self::Tls(_) => "tls",
            Self::NoRootCertificates => "no_root_certificates",
            Self::Panicked => "panicked",
        }
    }
}

impl From<TlsError> for TransportError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::NoRootCertificates => Self::NoRootCertificates,
            error => Self::tls(error),
        }
    }
}
