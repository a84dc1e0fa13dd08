//! Why a client could not be built.

use std::fmt;

use agentspan_agent365::error::{LoopbackEndpointError, NoCryptoProvider};
use agentspan_queue::causes;
use agentspan_tls::rustls;

/// Why a client could not be built. The message names the setting and shows no secret.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EntraBuildError {
    /// The id of the blueprint is empty. It is the application id that its registration shows.
    #[error("the blueprint has no id")]
    Blueprint,
    /// The secret of the blueprint is empty.
    #[error("the secret of the blueprint is empty")]
    Secret,
    /// The authority is not the URL of a host, such as `https://login.microsoftonline.us`.
    #[error("the authority is not https with a host and nothing else")]
    Authority,
    /// The loopback endpoint is not a plain address of this machine. The cause says what is wrong.
    #[error("cannot use the url of with_loopback_endpoint")]
    LoopbackEndpoint(#[source] LoopbackEndpointError),
    /// The address to connect to is not on this machine. Only tests need this setting.
    #[error("with_connect_to is not a loopback address")]
    ConnectTo,
    /// Two settings exclude each other. Leave one of them out.
    #[error("{one} and {other} exclude each other")]
    Conflict {
        /// One setting.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The setting must be greater than zero.
    #[error("{field} is zero; it must be greater")]
    Zero {
        /// The setting.
        field: &'static str,
    },
    /// A root certificate is not a certificate in DER form. Decode PEM files first.
    #[error("with_root_certificates contains an invalid certificate")]
    RootCertificate(#[source] rustls::Error),
    /// There is no cryptography for https. Enable the feature `aws-lc-rs` or `ring`, or install a crypto
    /// provider for the process before the client is built.
    #[error("cannot set up https")]
    Cryptography(#[source] NoCryptoProvider),
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for EntraBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}
