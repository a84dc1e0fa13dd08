//! The log lines of the delivery: statuses, counts, identities, correlation ids and the reasons
//! that the service gives, made fit to be shown, and nothing else.
//!
//! No token, no body of either side, no error text of a token resolver. A subscriber of the program that
//! panics loses what it is told, and costs nothing else.

use agentspan_model::agent365::Identity;
use agentspan_model::agent365::contract::Finding;
use agentspan_model::keys;
use agentspan_queue::contain;
use agentspan_record::DropReason;
use http::Uri;
use tracing::{debug, error, warn};

use crate::export_error::ExportError;
use crate::grouping::MissingIds;
use crate::report::{Attempt, AttemptOutcome, ExportReport, SpanLoss};
use crate::stats::DeliveryStats;
use crate::transport::TransportError;

pub(super) fn no_token(identity: &Identity) {
    contain::log(|| {
        debug!(
            target: "agentspan::agent365::token",
            tenant = identity.tenant.as_str(),
            agent = identity.agent.as_str(),
            "no token is available, so the request has none"
        );
    });
}

pub(super) fn breaks_rule(finding: &Finding) {
    contain::log(|| {
        let span = finding.span.as_ref();
        warn!(
            target: "agentspan::agent365::contract",
            rule = finding.rule.as_str(),
            severity = finding.level.name(),
            attribute = finding.attribute.as_deref(),
            trace_id = span.map(|ids| ids.trace_id.as_str()),
            span_id = span.map(|ids| ids.span_id.as_str()),
            remedy = finding.remedy(),
            "a span breaks a rule of Agent 365, and others may, too"
        );
    });
}

pub(super) fn no_identity(missing: MissingIds, tenant_key: &str) {
    let tenant = missing.tenant.then_some(tenant_key);
    let agent = missing.agent.then_some(keys::GEN_AI_AGENT_ID);
    let missing: Vec<&str> = tenant.into_iter().chain(agent).collect();
    contain::log(|| {
        warn!(
            target: "agentspan::agent365::delivery",
            reason = DropReason::NoIdentity.as_str(),
            missing = missing.join(", "),
            remedy = "set the attributes on the span; with the crate agentspan, also with a scope, with \
                      baggage around the request, or for spans without them with A365_TENANT_ID and \
                      A365_AGENT_ID",
            "a span names no tenant or no agent and is not sent; further ones are counted"
        );
    });
}

pub(super) fn attempt(identity: &Identity, uri: &Uri, number: u32, attempt: &Attempt) {
    contain::log(|| {
        let tenant = identity.tenant.as_str();
        let agent = identity.agent.as_str();
        let host = uri.host().unwrap_or_default();
        match (&attempt.outcome, attempt.pause) {
            (
                AttemptOutcome::Answered {
                    status,
                    correlation_id,
                    body_bytes,
                    is_whole,
                },
                None,
            ) => debug!(
                target: "agentspan::agent365::delivery",
                tenant,
                agent,
                host,
                attempt = number,
                status,
                correlation_id = correlation_id.as_deref(),
                answer_bytes = body_bytes,
                answer_is_whole = is_whole,
                "the service answered"
            ),
            (
                AttemptOutcome::Answered {
                    status,
                    correlation_id,
                    ..
                },
                Some(pause),
            ) => warn!(
                target: "agentspan::agent365::retry",
                tenant,
                agent,
                host,
                attempt = number,
                status,
                correlation_id = correlation_id.as_deref(),
                pause_ms = pause.as_millis(),
                "export failed, retrying"
            ),
            (AttemptOutcome::Failed(failure), pause) => warn!(
                target: "agentspan::agent365::retry",
                tenant,
                agent,
                host,
                attempt = number,
                kind = failure.kind(),
                cause = cause(failure),
                pause_ms = pause.map(|pause| pause.as_millis()),
                "there was no answer"
            ),
        }
    });
}

/// The innermost cause of a transport error, such as `Connection refused (os error 111)`.
fn cause(error: &TransportError) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

pub(super) fn report(report: &ExportReport) {
    contain::log(|| {
        debug!(
            target: "agentspan::agent365::delivery",
            exported = report.exported(),
            unconfirmed = report.unconfirmed(),
            queued = report.queued(),
            dropped = report.dropped(),
            no_identity = report.no_identity,
            other_operation = report.other_operation,
            identities = report.identities.len(),
            "a batch is done"
        );
        for identity in &report.identities {
            if identity.truncated > 0 {
                warn!(
                    target: "agentspan::agent365::delivery",
                    tenant = identity.identity.tenant.as_str(),
                    agent = identity.identity.agent.as_str(),
                    spans = identity.truncated,
                    "spans were longer than the service takes and were cut"
                );
            }
            // Losses beyond a share are logged in sum, as losses beyond the queue are.
            let is_told = |loss: &&SpanLoss| !matches!(loss.error, ExportError::QueueShare { .. });
            for loss in identity.losses.iter().filter(is_told) {
                error!(
                    target: "agentspan::agent365::delivery",
                    tenant = identity.identity.tenant.as_str(),
                    agent = identity.identity.agent.as_str(),
                    spans = loss.spans,
                    reason = loss.error.reason().as_str(),
                    service_reason = service_reason(&loss.error),
                    cause = loss.error.obstacle(),
                    attempts = identity.attempts.len(),
                    last_status = identity.attempts.last().and_then(Attempt::status),
                    "spans were lost"
                );
            }
        }
        for refused in &report.refused {
            error!(
                target: "agentspan::agent365::delivery",
                spans = refused.spans,
                reason = DropReason::BadIdentity.as_str(),
                cause = %refused.error,
                span = refused.first.name,
                trace_id = %refused.first.trace_id,
                span_id = %refused.first.span_id,
                "spans were lost"
            );
        }
    });
}

/// The first reason of the service, if it gave any.
fn service_reason(error: &ExportError) -> Option<&str> {
    let reason = error.service_reasons().first();
    reason.map(|reason| reason.text.as_str())
}

pub(super) fn lost_by_callers(reason: DropReason, dropped: u64) {
    contain::log(|| {
        error!(
            target: "agentspan::agent365::queue",
            reason = reason.as_str(),
            dropped,
            "spans were lost before they were sent"
        );
    });
}

pub(super) fn no_thread() {
    contain::log(|| {
        error!(
            target: "agentspan::agent365::delivery",
            "there is no thread after a fork, and no delivery"
        );
    });
}

pub(super) fn observer_panicked() {
    contain::log(|| {
        error!(target: "agentspan::agent365::delivery", "the observer of reports panicked");
    });
}

pub(super) fn token_refused(identity: &Identity) {
    contain::log(|| {
        debug!(
            target: "agentspan::agent365::token",
            tenant = identity.tenant.as_str(),
            agent = identity.agent.as_str(),
            "the token was refused, the request goes once more with another"
        );
    });
}

pub(super) fn too_large(identity: &Identity, spans: usize, bytes: usize) {
    contain::log(|| {
        debug!(
            target: "agentspan::agent365::delivery",
            tenant = identity.tenant.as_str(),
            agent = identity.agent.as_str(),
            spans,
            bytes,
            "the service finds the request too large"
        );
    });
}

pub(super) fn worker_panicked() {
    contain::log(|| {
        error!(target: "agentspan::agent365::delivery", "the delivery panicked and goes on");
    });
}

pub(super) fn finished(stats: &DeliveryStats) {
    contain::log(|| {
        debug!(
            target: "agentspan::agent365::delivery",
            accepted = stats.accepted,
            exported = stats.exported,
            dropped = stats.dropped(),
            queue_full = stats.dropped_for(DropReason::QueueFull),
            after_shutdown = stats.dropped_for(DropReason::AfterShutdown),
            shutdown_deadline = stats.dropped_for(DropReason::ShutdownDeadline),
            "the delivery has ended"
        );
    });
}
