//! Tells, once for each rule, that spans break the contract of Agent 365.

use std::collections::HashSet;

use agentspan_model::agent365::contract::{Judge, ObservedSpan, RuleId};
use agentspan_record::source_value;
use opentelemetry::trace::{SpanId, Status};

use opentelemetry_sdk::trace::SpanData;

use super::log;
use crate::encode::unix_nanos;
use crate::grouping::MissingIds;

/// How many spans are looked at. The mistakes of a program show in its first spans, and looking takes time.
const MAX_SPANS: usize = 1_000;

/// The advice given so far, and the number of spans that are still judged.
#[derive(Debug)]
pub(super) struct Advice {
    judge: Option<Judge<'static>>,
    told: HashSet<RuleId>,
    /// The ids that are known to be missing.
    missing: Vec<MissingIds>,
    left: usize,
}

impl Advice {
    /// Advice by this judge; none gives no advice.
    pub(super) fn by(judge: Option<Judge<'static>>) -> Self {
        Self {
            judge,
            told: HashSet::new(),
            missing: Vec::new(),
            left: MAX_SPANS,
        }
    }

    /// Tells that spans are not sent because they do not name these ids.
    pub(super) fn miss(&mut self, missing: &[MissingIds], tenant_key: &str) {
        for missing in missing {
            if !self.missing.contains(missing) {
                self.missing.push(*missing);
                log::no_identity(*missing, tenant_key);
            }
        }
    }

    /// Looks at spans that are about to be sent.
    pub(super) fn look_at(&mut self, spans: &[SpanData]) {
        let Some(judge) = self.judge else {
            return;
        };
        for span in spans.iter().take(self.left) {
            self.left -= 1;
            let trace_id = span.span_context.trace_id().to_string();
            let span_id = span.span_context.span_id().to_string();
            let parent = match span.parent_span_id {
                SpanId::INVALID => String::new(),
                parent => parent.to_string(),
            };
            let mut observed = ObservedSpan::new(&span.name)
                .with_ids(&trace_id, &span_id)
                .with_parent(&parent)
                .with_times(unix_nanos(span.start_time), unix_nanos(span.end_time));
            if matches!(span.status, Status::Error { .. }) {
                observed = observed.with_error();
            }
            for attribute in &span.attributes {
                observed.attribute(attribute.key.as_str(), source_value(&attribute.value));
            }
            for finding in judge.judge_span(&observed) {
                if self.told.insert(finding.rule) {
                    log::breaks_rule(&finding);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use agentspan_testkit::CapturedLogs;

    use super::*;

    #[test]
    fn ids_that_are_missing_are_told_once() {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let mut advice = Advice::by(None);
        let no_agent = MissingIds {
            tenant: false,
            agent: true,
        };
        let neither = MissingIds {
            tenant: true,
            ..no_agent
        };
        for _ in 0..2 {
            advice.miss(&[no_agent, neither], "tenant.id");
        }
        let lines = logs.text();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("missing=\"gen_ai.agent.id\""));
        assert!(lines[1].contains("missing=\"tenant.id, gen_ai.agent.id\""));
    }
}
