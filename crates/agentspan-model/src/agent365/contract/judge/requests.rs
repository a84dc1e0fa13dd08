//! Checks that a request has the route of its spans.

use std::collections::HashSet;

use super::super::answer::{Answer, SinkStatus};
use super::super::finding::Finding;
use super::super::observed::ObservedSpan;
use super::super::route::Route;
use super::super::rule::RuleId;
use super::{Findings, Judge};
use crate::keys;

/// The longest body that the service takes, in bytes.
const MAX_BODY_BYTES: usize = 1_000_000;

/// The reason of a destination for not having the spans of a tenant without a license.
const NOT_LICENSED: &str = "tenant_not_licensed";

impl Judge<'_> {
    /// The findings of a request as a whole: its route, its size, and the identities of its spans.
    /// For findings of the spans, use [`judge_span`](Self::judge_span) and
    /// [`judge_trace`](Self::judge_trace).
    #[must_use]
    pub fn judge_request(&self, body_bytes: usize, spans: &[ObservedSpan<'_>]) -> Vec<Finding> {
        let mut findings = Findings::default();
        if body_bytes > MAX_BODY_BYTES {
            findings.add_at_large(RuleId::R27);
        }
        let identity = |span: &ObservedSpan<'_>| {
            let tenant = span.text(self.package.tenant_id_key())?;
            Some((
                tenant.to_owned(),
                span.text(keys::GEN_AI_AGENT_ID)?.to_owned(),
            ))
        };
        let identities: HashSet<_> = spans.iter().filter_map(identity).collect();
        if identities.len() > 1 {
            findings.add_at_large(RuleId::R29);
        }
        if let Some(route) = self.route.filter(|route| route.kind.is_some()) {
            if !route.has_otlp {
                findings.add_at_large(RuleId::R34);
            }
            if route.api_version.is_none_or(str::is_empty) {
                findings.add_at_large(RuleId::R35);
            }
        }
        findings.0
    }

    /// The findings of a span's route: a tenant or an agent in the path of the request that is not
    /// the span's own. Without a [route](Self::with_route), there are none.
    #[must_use]
    pub fn judge_route(&self, span: &ObservedSpan<'_>) -> Vec<Finding> {
        let mut findings = Findings::default();
        if let Some(route) = self.route {
            self.check_route(span, &route, &mut findings);
        }
        findings.0
    }

    /// Compares a span with the route of its request.
    pub(super) fn check_route(
        &self,
        span: &ObservedSpan<'_>,
        route: &Route<'_>,
        findings: &mut Findings,
    ) {
        let differs = |key: &str, of_route: Option<&str>| match (span.text(key), of_route) {
            (Some(id), Some(of_route)) => is_other(id, of_route),
            _ => false,
        };
        let tenant = self.package.tenant_id_key();
        if differs(tenant, route.tenant) {
            findings.add_attribute(RuleId::R06, span, tenant);
        }
        if !differs(keys::GEN_AI_AGENT_ID, route.agent) {
            return;
        }
        let blueprint = span.text(keys::MICROSOFT_AGENT_BLUEPRINT_ID);
        let is_of_route = |id| route.agent.is_some_and(|of_route| !is_other(id, of_route));
        if blueprint.is_some_and(is_of_route) {
            // The path names the blueprint, and the span does not.
            findings.add_attribute(RuleId::R04, span, keys::GEN_AI_AGENT_ID);
        } else {
            findings.add_attribute(RuleId::R29, span, keys::GEN_AI_AGENT_ID);
        }
    }

    /// The findings of the answer to an accepted request.
    #[must_use]
    pub fn judge_answer(&self, answer: &Answer) -> Vec<Finding> {
        let mut findings = Findings::default();
        let mut sinks = answer.results.iter().flat_map(|result| &result.sinks);
        let is_unlicensed = sinks.any(|sink| {
            sink.status != SinkStatus::Sent && sink.reason.as_deref() == Some(NOT_LICENSED)
        });
        if is_unlicensed {
            findings.add_at_large(RuleId::R45);
        }
        let partial = answer.partial_success.as_ref();
        let rejected = partial.map_or(0, |partial| partial.rejected_spans);
        if answer.results.is_empty() && rejected == 0 {
            findings.add_at_large(RuleId::R46);
        }
        findings.0
    }
}

/// Whether a segment of a path is another id. One that is percent-encoded is not compared.
pub(super) fn is_other(id: &str, of_route: &str) -> bool {
    !of_route.contains('%') && !id.trim().eq_ignore_ascii_case(of_route)
}
