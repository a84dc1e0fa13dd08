//! Why spans were not delivered: for one identity, and for a whole batch.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use agentspan_discovery::TenantEndpointError;
use agentspan_model::agent365::contract::{StatusMeaning, status_meaning};
use agentspan_model::agent365::{Identity, IdentityError};
use agentspan_queue::contain::Foreign;
use agentspan_queue::told::counted;
use agentspan_record::DropReason;

use crate::missing_permission::MissingPermission;
use crate::service_reason::ServiceReason;
use crate::token_resolver::BoxError;
use crate::transport::TransportError;

/// Why the spans of one identity were not delivered.
///
/// Messages name the identity and never hold a token or a body. They give the reasons of the service, see
/// [`ServiceReason`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The token resolver returned an error, which is the cause. Nothing was sent.
    #[error("the token resolver failed for {identity}")]
    Token {
        /// For whom the token was.
        identity: Identity,
        /// The error of the resolver.
        source: ResolverError,
    },
    /// The token resolver gave no token, and the profile sends nothing without one. Give the agent an
    /// identity that can get a token.
    #[error("the token resolver has no token for {identity}")]
    NoToken {
        /// For whom the token was.
        identity: Identity,
    },
    /// The token resolver panicked. Nothing was sent. The panic's message is on standard error unless
    /// the program has set another panic hook.
    #[error("the token resolver panicked for {identity}")]
    TokenPanic {
        /// For whom the token was.
        identity: Identity,
    },
    /// The token resolver gave no answer within the deadline. Nothing was sent. Let it cache tokens,
    /// or set a longer deadline with [`with_token_deadline`](crate::DeliveryBuilder::with_token_deadline).
    #[error("the token resolver gave no answer for {identity} within {deadline:?}")]
    TokenTimeout {
        /// For whom the token was.
        identity: Identity,
        /// The deadline that passed.
        deadline: Duration,
    },
    /// The token resolver had given no answer yet when the spans were given up. Let it cache tokens, or
    /// set a shorter deadline with [`with_token_deadline`](crate::DeliveryBuilder::with_token_deadline).
    #[error("the token resolver has given no answer yet for {identity}")]
    TokenPending {
        /// For whom the token was.
        identity: Identity,
    },
    /// The service had given no answer yet when the spans were given up. Set a shorter
    /// timeout with [`with_timeout`](crate::DeliveryBuilder::with_timeout), or give `shutdown` more time.
    #[error("the service has given no answer yet to try {tries} for {identity}")]
    AnswerPending {
        /// The identity whose spans were sent.
        identity: Identity,
        /// How often the request was tried, this try included.
        tries: u32,
    },
    /// The service refused the spans with a status that is not retried. 401 and 403 mean that the
    /// token is wrong. A 3xx means that something on the way to the service redirects; the delivery
    /// never follows redirects.
    #[error("the service answered {status} for {identity}{}{}", because(permission.as_ref()), listed(reasons))]
    Status {
        /// The identity whose spans were sent.
        identity: Identity,
        /// The status of the answer.
        status: u16,
        /// The service's correlation id. Name it in a request for support.
        correlation_id: Option<String>,
        /// The permission that the token lacks, after a 403.
        permission: Option<MissingPermission>,
        /// The service's reasons: the error and the description of its challenge (`www-authenticate`),
        /// such as `insufficient_scope`, and the reason in the body.
        reasons: Vec<ServiceReason>,
    },
    /// The service accepted the request and rejected these spans, which are not sent again. The
    /// reasons say what to change in them.
    #[error("the service rejected spans of {identity}{}", listed(reasons))]
    Rejected {
        /// The identity whose spans were sent.
        identity: Identity,
        /// The reasons that the service gives, if any.
        reasons: Vec<ServiceReason>,
    },
    /// The service accepted the request and routed these spans to none of its destinations. For
    /// `tenant_not_licensed`, assign a licence of Agent 365 to a user of the tenant.
    #[error("the service did not route spans of {identity}{}", listed(reasons))]
    NotRouted {
        /// The identity whose spans were sent.
        identity: Identity,
        /// The reasons that the service gives, if any.
        reasons: Vec<ServiceReason>,
    },
    /// The service answered 413 to requests with only one of these spans each. Record less in a span,
    /// or cut it with [`Truncation`](crate::encode::Truncation), as some profiles do.
    #[error(
        "the service finds spans of {identity} too large, one of them in a request of {bytes} bytes"
    )]
    TooLarge {
        /// The identity whose spans were sent.
        identity: Identity,
        /// The length of the shortest request that was refused with a single span in it.
        bytes: usize,
    },
    /// Every try failed. With zero tries, the tries of earlier spans of the identity failed. The attempts
    /// of the [`IdentityReport`](crate::report::IdentityReport) say how.
    #[error("{} failed for {identity}{}", in_tries(*tries), listed(reasons))]
    RetriesExhausted {
        /// The identity whose spans were sent.
        identity: Identity,
        /// How often it was tried.
        tries: u32,
        /// The status of the last answer, if the last try was answered.
        last_status: Option<u16>,
        /// Why the last try was not answered.
        source: Option<TransportError>,
        /// The reasons in the service's last answer.
        reasons: Vec<ServiceReason>,
    },
    /// The service answered 5xx to each request with this span, finally to the span alone, and accepted
    /// other requests of the same identity. Look for unusual values in the span.
    #[error(
        "{} failed for a span of {identity}, and others did not{}",
        in_tries(*tries),
        listed(reasons)
    )]
    Poison {
        /// The identity whose span was dropped.
        identity: Identity,
        /// How often the span was sent alone.
        tries: u32,
        /// The status of the last answer.
        last_status: Option<u16>,
        /// The reasons in the service's last answer.
        reasons: Vec<ServiceReason>,
    },
    /// The queue needed the space for spans of other identities. This identity used more than its share,
    /// because the service accepts its spans more slowly than they come.
    #[error("the queue was nearly full and {identity} had more than its share of it")]
    QueueShare {
        /// The identity whose spans were dropped.
        identity: Identity,
        /// The obstacle that they waited for: the token or the last try that failed, if there was
        /// one.
        source: Option<Arc<Self>>,
    },
    /// The deadline of the shutdown passed first. If the source says what the spans waited for, fix
    /// that. Otherwise give `shutdown` more time, or flush before it.
    #[error("the shutdown deadline passed before the spans of {identity} were delivered")]
    ShutdownDeadline {
        /// The identity whose spans were dropped.
        identity: Identity,
        /// The obstacle that they waited for: the token or the last try that failed, or an answer that
        /// had not come yet.
        source: Option<Arc<Self>>,
    },
    /// The delivery panicked. Please report it.
    #[error("the delivery of the spans of {identity} panicked")]
    Internal {
        /// The identity whose spans were dropped.
        identity: Identity,
    },
}

impl ExportError {
    /// The reason for which the spans are counted.
    #[must_use]
    pub fn reason(&self) -> DropReason {
        match self {
            Self::Token { .. }
            | Self::NoToken { .. }
            | Self::TokenPanic { .. }
            | Self::TokenTimeout { .. }
            | Self::TokenPending { .. } => DropReason::Token,
            Self::AnswerPending { .. } => DropReason::RetriesExhausted,
            Self::Status { .. } => DropReason::PermanentStatus,
            Self::Rejected { .. } => DropReason::Rejected,
            Self::NotRouted { .. } => DropReason::NotRouted,
            Self::TooLarge { .. } => DropReason::TooLarge,
            Self::RetriesExhausted { .. } => DropReason::RetriesExhausted,
            Self::Poison { .. } => DropReason::Poison,
            Self::QueueShare { .. } => DropReason::QueueShare,
            Self::ShutdownDeadline { .. } => DropReason::ShutdownDeadline,
            Self::Internal { .. } => DropReason::Internal,
        }
    }

    /// The meaning of the service's last status and reasons: the problem, who can fix it, and the
    /// remedy. `None` if the service did not answer, or if the meaning is unknown.
    ///
    /// The meanings are those of the [contract](agentspan_model::agent365::contract) of Agent 365.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static StatusMeaning> {
        let status = match self {
            Self::Status { status, .. } => *status,
            Self::TooLarge { .. } => 413,
            Self::RetriesExhausted { last_status, .. } | Self::Poison { last_status, .. } => {
                (*last_status)?
            }
            _ => return None,
        };
        let words = self.service_reasons().iter();
        let words: Vec<_> = words.map(|reason| reason.text.as_str()).collect();
        status_meaning(status, &words.join(" "))
    }

    /// The obstacle that kept the spans from the service, in one sentence without a secret. For spans
    /// that waited until a deadline or until their queue was full, it says what they waited for.
    /// `None` if they only waited for their turn.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match self {
            Self::QueueShare { source, .. } | Self::ShutdownDeadline { source, .. } => {
                source.as_ref()?.obstacle()
            }
            Self::Token { source, .. } => {
                let reason = source.unavailable().and_then(TokenUnavailable::reason);
                Some(reason.map_or_else(|| self.to_string(), |reason| format!("{self}: {reason}")))
            }
            Self::RetriesExhausted {
                last_status: Some(status),
                ..
            } => Some(format!("{self}, the last with status {status}")),
            Self::RetriesExhausted {
                source: Some(source),
                ..
            } => Some(format!("{self}: {source}")),
            _ => Some(self.to_string()),
        }
    }

    /// The reasons that the service gives for the spans.
    #[must_use]
    pub fn service_reasons(&self) -> &[ServiceReason] {
        match self {
            Self::Status { reasons, .. }
            | Self::Rejected { reasons, .. }
            | Self::NotRouted { reasons, .. }
            | Self::RetriesExhausted { reasons, .. }
            | Self::Poison { reasons, .. } => reasons,
            _ => &[],
        }
    }
}

fn in_tries(tries: u32) -> String {
    counted(tries.into(), "try", "tries")
}

fn were(spans: usize) -> String {
    counted(spans as u64, "span was", "spans were")
}

fn because(permission: Option<&MissingPermission>) -> String {
    permission.map_or_else(String::new, |missing| format!(": {missing}"))
}

/// The first three of the reasons, in quotes, since they are words of the service, after a colon.
fn listed(reasons: &[ServiceReason]) -> String {
    let mut listed = String::new();
    for reason in reasons.iter().take(3) {
        listed.push_str(if listed.is_empty() { ": " } else { "; " });
        // Writing into a string does not fail.
        let _ = write!(listed, "\"{}\"", reason.text);
        if let Some(sink) = &reason.sink {
            let _ = write!(listed, " ({sink})");
        }
    }
    listed
}

/// The error of a token resolver.
///
/// Such an error may hold a secret, so neither `Debug` nor `Display` shows it, and it is never logged.
/// [`source`](Error::source) returns it.
#[derive(Clone)]
pub struct ResolverError(Foreign<Arc<dyn Error + Send + Sync>>);

impl ResolverError {
    /// One that was shared, as [`TokenCache`](crate::TokenCache) does, stays what it was.
    pub(crate) fn new(error: BoxError) -> Self {
        match error.downcast() {
            Ok(shared) => *shared,
            Err(error) => Self(Foreign::new(Arc::from(error))),
        }
    }

    /// The error, if it says that the resolver may be asked again later.
    #[must_use]
    pub fn unavailable(&self) -> Option<&TokenUnavailable> {
        self.0.get()?.downcast_ref()
    }
}

impl fmt::Debug for ResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResolverError(..)")
    }
}

impl fmt::Display for ResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token resolver returned an error")
    }
}

impl Error for ResolverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let error = self.0.get()?;
        Some(&**error)
    }
}

/// The error of a resolver that may have a token later: the spans wait, and the delivery asks
/// again.
///
/// Any other error of a resolver drops the spans of the batch. With this error, they stay in the queue as
/// long as for a service that fails, see [`Retry`](crate::retry::Retry). The pauses are the same as after
/// a failed request, and at least as long as the resolver asks. Retries with the fixed tries of a
/// reference package drop the spans.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_agent365::error::TokenUnavailable;
///
/// let error = TokenUnavailable::new("the identity provider is busy").with_retry_after(Duration::from_secs(7));
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
/// assert_eq!(error.to_string(), "no token is available at the moment");
/// ```
///
/// The cause may hold a secret: neither `Debug` nor `Display` show it, and it is never logged.
pub struct TokenUnavailable {
    cause: BoxError,
    reason: Option<String>,
    retry_after: Option<Duration>,
}

impl TokenUnavailable {
    /// There is no token now, for this reason.
    #[must_use]
    pub fn new(cause: impl Into<BoxError>) -> Self {
        Self {
            cause: cause.into(),
            reason: None,
            retry_after: None,
        }
    }

    /// Sets a reason that logs and reports show. It must not hold a secret. The default is none, because
    /// only you know whether the cause holds one.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The reason that logs and reports show.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Asks the delivery to pause at least this long. The default is no minimum.
    #[must_use]
    pub fn with_retry_after(mut self, pause: impl Into<Option<Duration>>) -> Self {
        self.retry_after = pause.into();
        self
    }

    /// The pause that it asks for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Debug for TokenUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUnavailable")
            .field("reason", &self.reason)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TokenUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no token is available at the moment")
    }
}

impl Error for TokenUnavailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

/// Why the identity that a span names is refused. The message does not repeat the ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedIdentityError {
    /// One of the two attributes is not a string. Set ids as strings.
    #[error("tenant or agent id is not a string")]
    NotText,
    /// One of the ids breaks a rule. Take ids from a source you trust.
    #[error(transparent)]
    Id(#[from] IdentityError),
    /// The tenant's id cannot become the name of a host. Use the tenant's GUID.
    #[error(transparent)]
    Host(#[from] TenantEndpointError),
    /// No URL can be made from the identity.
    #[error("tenant or agent id cannot be part of a url")]
    Url,
}

/// Why the delivery did not accept a batch. All of its spans are dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The exporter was shut down. Spans that end later are lost.
    #[error("the exporter was shut down")]
    AlreadyShutdown,
    /// The queue is full: the service is slower than the program. Raise the limits with
    /// [`with_max_spans`](crate::DeliveryBuilder::with_max_spans) or
    /// [`with_max_bytes`](crate::DeliveryBuilder::with_max_bytes), or sample.
    #[error("{} dropped because the queue is full", were(*spans))]
    QueueFull {
        /// The spans of the batch.
        spans: usize,
    },
    /// The I/O thread ended first: the deadline of a shutdown passed while the batch waited.
    #[error("the delivery ended before the batch was sent")]
    Stopped,
}
