//! The log lines. No line holds a secret, an assertion or a token.

use agentspan_queue::contain;
use tracing::{debug, warn};

use crate::cache::Fresh;
use crate::error::EntraError;
use crate::hop::Hop;

pub(crate) fn answered(hop: Hop, tenant: &str, fresh: &Fresh) {
    contain::log(|| {
        debug!(
            target: "agentspan::entra",
            %hop,
            tenant,
            lifetime_s = fresh.lifetime.as_secs(),
            "entra has answered"
        );
    });
}

pub(crate) fn failed(hop: Hop, tenant: &str, error: &EntraError) {
    let refusal = error.refusal();
    let known = refusal.and_then(|refusal| refusal.explanation());
    contain::log(|| {
        warn!(
            target: "agentspan::entra",
            %hop,
            tenant,
            error = %error,
            correlation_id = refusal.and_then(|refusal| refusal.correlation_id.as_deref()),
            retry_after_s = error.retry_after().map(|pause| pause.as_secs()),
            remedy = known.map(|known| known.remedy),
            "entra gave no token"
        );
    });
}

pub(crate) fn source_failed(tenant: &str, error: &EntraError) {
    contain::log(|| {
        warn!(
            target: "agentspan::entra",
            tenant,
            error = %error,
            "the blueprint has no assertion"
        );
    });
}
