//! Why there is no token.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use agentspan_agent365::error::{BoxError, TokenUnavailable};
use agentspan_agent365::transport::TransportError;
use agentspan_queue::contain::Foreign;

use crate::hop::Hop;
use crate::refusal::Refusal;

/// Why there is no token. No message holds a secret, an assertion or a token.
/// If several callers wait for the same request, each gets a clone of its error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntraError {
    /// Entra refuses. The [`Refusal`] says why, and often has the remedy: most causes are fixed in Entra,
    /// and then the next request succeeds.
    #[error("entra refused the {hop}: {refusal}")]
    Refused {
        /// The token or assertion that was asked for.
        hop: Hop,
        /// The refusal of Entra.
        refusal: Refusal,
    },
    /// Entra cannot answer now, or asks for a pause. Ask again after it.
    #[error("entra has no {hop} at the moment: {refusal}")]
    Busy {
        /// The token or assertion that was asked for.
        hop: Hop,
        /// The refusal of Entra.
        refusal: Refusal,
        /// The pause that it asks for.
        retry_after: Option<Duration>,
    },
    /// Entra asked for a pause before, which is not over. Nothing was sent.
    #[error("entra asked for a pause")]
    Paused {
        /// The rest of the pause.
        retry_after: Duration,
    },
    /// No answer came. Check that this machine reaches the authority.
    #[error("no answer about the {hop}")]
    Unreachable {
        /// The token or assertion that was asked for.
        hop: Hop,
        /// The error of the transport.
        source: TransportError,
    },
    /// The answer is not from Entra. Check whether something on the way, such as a proxy, answers instead.
    #[error("the answer about the {hop} has {what}")]
    Malformed {
        /// The token or assertion that was asked for.
        hop: Hop,
        /// The problem with the answer.
        what: &'static str,
    },
    /// The source of assertions failed. Its error is the source of this one.
    #[error("the blueprint has no assertion")]
    Assertion(#[source] AssertionError),
    /// The source of assertions panicked. The panic hook of the program has the message.
    #[error("the source of assertions panicked")]
    AssertionPanic,
    /// The requests for the token took too long in total.
    #[error("no token within {deadline:?}")]
    Timeout {
        /// The deadline for all requests that the token needs.
        deadline: Duration,
    },
    /// The tenant cannot be part of a URL. Use its GUID or its domain.
    #[error("the tenant cannot be part of a url")]
    Tenant,
}

impl EntraError {
    /// Whether the same request may succeed later, without a change of the program. A refusal counts, too,
    /// because its causes are fixed in Entra.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Busy { .. }
            | Self::Paused { .. }
            | Self::Unreachable { .. }
            | Self::Malformed { .. }
            | Self::Assertion(_)
            | Self::AssertionPanic
            | Self::Timeout { .. } => true,
            Self::Tenant => false,
        }
    }

    /// The minimum wait before the next request, if Entra or the source of assertions asks for one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            Self::Paused { retry_after } => Some(*retry_after),
            Self::Assertion(error) => error.retry_after(),
            Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Malformed { .. }
            | Self::AssertionPanic
            | Self::Timeout { .. }
            | Self::Tenant => None,
        }
    }

    /// The refusal, if Entra has answered.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } | Self::Busy { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether new assertions may help.
    pub(crate) fn is_of_an_assertion(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.is_of_an_assertion())
    }
}

/// The error of a source of assertions.
///
/// It may hold a secret, so neither `Debug` nor `Display` shows it, and it is never logged.
/// [`source`](std::error::Error::source) returns it.
#[derive(Clone)]
pub struct AssertionError(Foreign<Arc<dyn Error + Send + Sync>>);

impl AssertionError {
    pub(crate) fn new(error: BoxError) -> Self {
        Self(Foreign::new(Arc::from(error)))
    }

    fn retry_after(&self) -> Option<Duration> {
        let unavailable: &TokenUnavailable = self.0.get()?.downcast_ref()?;
        unavailable.retry_after()
    }
}

impl std::fmt::Debug for AssertionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AssertionError(..)")
    }
}

impl std::fmt::Display for AssertionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the source of assertions returned an error")
    }
}

impl Error for AssertionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.0.get()?)
    }
}
