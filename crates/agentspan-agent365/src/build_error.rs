//! Why a delivery could not be built.

use std::fmt;
use std::io;

use agentspan_discovery::DomainOverrideError;
use agentspan_model::agent365::Profile;
use agentspan_queue::causes;
use agentspan_tls::NoCryptoProvider;

use crate::loopback_endpoint::LoopbackEndpointError;

/// Why a delivery could not be built. The message names the setting, and shows no part of an endpoint.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// This version of the crate does not know the wire of the profile. Choose another profile or
    /// update the crate.
    #[error("profile {0:?} has no wire in this version")]
    Profile(Profile),
    /// The environment asks to send to a place that would show tokens to others. The cause says what is
    /// wrong with it. Correct the variable `A365_OBSERVABILITY_DOMAIN_OVERRIDE`, or unset it.
    #[error("A365_OBSERVABILITY_DOMAIN_OVERRIDE names no usable host")]
    DomainOverride(#[source] DomainOverrideError),
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
    RootCertificate(#[source] io::Error),
    /// There is no cryptography for https. Enable the feature `aws-lc-rs` or `ring`, or install a crypto
    /// provider for the process before the delivery is built.
    #[error("cannot set up https")]
    Cryptography(#[source] NoCryptoProvider),
    /// The I/O thread could not be started: the process has reached a limit of the system.
    #[error("thread agentspan-export could not be started")]
    Thread(#[source] io::Error),
}

/// Shows the message and its causes, since `main` prints this of an error that it returns.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        causes::debug(self, f)
    }
}
