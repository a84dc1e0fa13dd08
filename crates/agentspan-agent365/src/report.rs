//! The outcome of one batch, identity by identity.

use std::fmt;
use std::mem::take;
use std::time::Duration;

use agentspan_discovery::ShownValue;
use agentspan_model::agent365::Identity;
use agentspan_queue::told::counted;
use agentspan_record::DropReason;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::export_error::{ExportError, RefusedIdentityError};
pub use crate::missing_permission::MissingPermission;
pub use crate::service_reason::ServiceReason;
use crate::transport::TransportError;

/// The result of one batch of spans.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ExportReport {
    /// One entry per identity, in the order in which the identities first appear in the batch.
    pub identities: Vec<IdentityReport>,
    /// Identities that were refused: nothing was sent for them.
    pub refused: Vec<RefusedIdentity>,
    /// Spans without a tenant or an agent. They are not meant for Agent 365.
    pub no_identity: usize,
    /// Spans of operations that the profile does not send. They are not meant for Agent 365.
    pub other_operation: usize,
}

/// The result for the spans of one identity.
#[derive(Debug)]
#[non_exhaustive]
pub struct IdentityReport {
    /// The identity of the spans.
    pub identity: Identity,
    /// The number of spans.
    pub spans: usize,
    /// Spans that the service accepted, including the `unconfirmed` ones.
    pub exported: usize,
    /// Accepted spans that the answer does not mention: it has no `results`, as older answers, leaves
    /// these spans out, or broke off. They are not sent again.
    pub unconfirmed: usize,
    /// Spans that wait for another try. This happens only with
    /// [`Profile::V3`](agentspan_model::agent365::Profile::V3), whose package has a cooldown, and
    /// [`Retry::reference`](crate::retry::Retry::reference). A later report, about these spans only, has
    /// their outcome.
    pub queued: usize,
    /// The user that the agent acts as, `microsoft.agent.user.id`, where the profile tells such
    /// users apart.
    pub agentic_user: Option<String>,
    /// The number of requests for these spans: one, unless the spans are large, the profile or an option
    /// limits the body, or the service rejected a request as too large. After a lost request, the
    /// requests that would have followed are not made.
    pub requests: usize,
    /// Spans that were cut, because they were longer than the profile allows.
    pub truncated: usize,
    /// The length of the requests' bodies in bytes.
    pub body_bytes: usize,
    /// Every try, in order. Empty when nothing was sent. For spans that were queued, these include the tries
    /// before, as do the three numbers above.
    pub attempts: Vec<Attempt>,
    /// Further notices of the service: remarks about a request, and for spans that one of its
    /// destinations has, the other destinations that do not have them.
    pub notices: Vec<ServiceReason>,
    /// The number of dropped spans, by cause. Empty if the service accepted all spans.
    pub losses: Vec<SpanLoss>,
}

/// Spans of one identity that were dropped for one cause.
#[derive(Debug)]
#[non_exhaustive]
pub struct SpanLoss {
    /// The number of spans.
    pub spans: usize,
    /// The cause.
    pub error: ExportError,
}

/// Spans whose identity was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedIdentity {
    /// The number of spans.
    pub spans: usize,
    /// The reason why the identity was refused.
    pub error: RefusedIdentityError,
    /// The first of the spans, for the log.
    pub(crate) first: FirstSpan,
}

/// What finds a span in the code and in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstSpan {
    pub(crate) name: String,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

impl FirstSpan {
    pub(crate) fn of(span: &SpanData) -> Self {
        Self {
            name: ShownValue(&span.name).to_string(),
            trace_id: span.span_context.trace_id(),
            span_id: span.span_context.span_id(),
        }
    }
}

/// One try to send a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// The pause after this try, if another try followed.
    pub pause: Option<Duration>,
}

/// The outcome of one try.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The service answered.
    #[non_exhaustive]
    Answered {
        /// The status of the answer.
        status: u16,
        /// The header `x-ms-correlation-id`, or else `request-id`, up to 128 characters. `?` replaces
        /// characters that are not printable ASCII, and `…` replaces text of the request.
        correlation_id: Option<String>,
        /// The number of bytes read from the answer's body: at most 256 KiB.
        body_bytes: usize,
        /// Whether the answer's body arrived completely and in time, and was not too long. In either
        /// case, the status decides what the answer means.
        is_whole: bool,
    },
    /// There was no answer.
    Failed(TransportError),
}

impl ExportReport {
    /// The number of spans that the service accepted, including the [unconfirmed](Self::unconfirmed) ones.
    #[must_use]
    pub fn exported(&self) -> usize {
        self.identities
            .iter()
            .map(|identity| identity.exported)
            .sum()
    }

    /// The number of spans that, according to the answer, one of the service's destinations has.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        self.identities.iter().map(IdentityReport::confirmed).sum()
    }

    /// The number of accepted spans that the answer does not mention.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        self.identities.iter().map(|one| one.unconfirmed).sum()
    }

    /// The number of spans that wait for another try. A later report has their outcome.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.identities.iter().map(|one| one.queued).sum()
    }

    /// The number of dropped spans, including those that are not meant for Agent 365.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.no_identity + self.other_operation + self.lost()
    }

    /// The number of spans that were dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> usize {
        let refused = || self.refused.iter().map(|refused| refused.spans).sum();
        match reason {
            DropReason::NoIdentity => self.no_identity,
            DropReason::OtherOperation => self.other_operation,
            DropReason::BadIdentity => refused(),
            _ => self
                .identities
                .iter()
                .flat_map(|identity| &identity.losses)
                .filter(|loss| loss.error.reason() == reason)
                .map(|loss| loss.spans)
                .sum(),
        }
    }

    /// Whether the service accepted every span that is meant for Agent 365, or may still accept it.
    ///
    /// Spans without an identity, or of other operations, do not count against it, as in the
    /// reference.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.lost() == 0
    }

    /// The first that the service says: of spans that it did not take, or else beside.
    pub(crate) fn service_reason(&self) -> Option<&ServiceReason> {
        let losses = self.identities.iter().flat_map(|one| &one.losses);
        let mut reasons = losses.flat_map(|loss| loss.error.service_reasons());
        let mut notices = self.identities.iter().flat_map(|one| &one.notices);
        reasons.next().or_else(|| notices.next())
    }

    /// The obstacle that kept the first lost spans from the service, if one is known.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let mut losses = self.identities.iter().flat_map(|one| &one.losses);
        losses.find_map(|loss| loss.error.obstacle())
    }

    /// Spans that were meant for Agent 365 and did not get there.
    pub(crate) fn lost(&self) -> usize {
        let refused: usize = self.refused.iter().map(|refused| refused.spans).sum();
        let undelivered: usize = self.identities.iter().map(IdentityReport::dropped).sum();
        refused + undelivered
    }
}

impl fmt::Display for ExportReport {
    /// For people: how many spans were lost, and the first two causes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = self.lost();
        let all = counted((lost + self.exported()) as u64, "span", "spans");
        write!(
            f,
            "{lost} of {all} {} lost",
            if lost == 1 { "was" } else { "were" }
        )?;
        let refused = self.refused.iter().map(|refused| refused.error.to_string());
        let losses = self.identities.iter().flat_map(|one| &one.losses);
        let failed = losses.map(|loss| loss.error.to_string());
        let mut causes = failed.chain(refused);
        for cause in causes.by_ref().take(2) {
            write!(f, "; {cause}")?;
        }
        match causes.count() {
            0 => Ok(()),
            more => write!(
                f,
                "; and {}",
                counted(more as u64, "more cause", "more causes")
            ),
        }
    }
}

impl IdentityReport {
    /// The number of spans that, according to the answer, one of the service's destinations has: the
    /// exported spans that are not `unconfirmed`.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        self.exported.saturating_sub(self.unconfirmed)
    }

    /// The number of dropped spans.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.spans - self.exported - self.queued
    }

    /// Adds what became later of the spans that were queued.
    pub(crate) fn go_on(&mut self, mut later: Self) {
        let (mut notices, mut losses) = (take(&mut self.notices), take(&mut self.losses));
        notices.append(&mut later.notices);
        losses.append(&mut later.losses);
        *self = Self {
            spans: self.spans,
            exported: self.exported + later.exported,
            unconfirmed: self.unconfirmed + later.unconfirmed,
            notices,
            losses,
            ..later
        };
    }
}

impl Attempt {
    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            AttemptOutcome::Answered { status, .. } => Some(status),
            AttemptOutcome::Failed(_) => None,
        }
    }
}
