//! Which spans are not sent, for the spans below them.

use std::collections::{BTreeMap, HashMap};

use agentspan_model::keys;
use agentspan_model::mapping::is_agent365_operation;
use agentspan_record::FinishedSpan;
use opentelemetry::Value;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;

use super::parent::{Parent, key};
use crate::receipt::SpanKey;
use crate::wire_profile::WireProfile;

/// No more spans are kept, a hundred bytes or so each. Those that started first go first.
const MAX_SPANS: usize = 16_384;

/// Keeps the spans that run, and those that ended, were not sent, and had spans below them.
#[derive(Debug)]
pub(super) struct Lineage {
    wire: &'static WireProfile,
    spans: HashMap<SpanKey, Known>,
    by_age: BTreeMap<u64, SpanKey>,
    started: u64,
    max_spans: usize,
}

#[derive(Debug)]
struct Known {
    number: u64,
    parent: Parent,
    /// Whether it was not sent, or will not be. A span that runs may still get an operation.
    is_unsent: bool,
    has_children: bool,
}

impl Lineage {
    pub(super) fn new(wire: &'static WireProfile) -> Self {
        Self {
            wire,
            spans: HashMap::new(),
            by_age: BTreeMap::new(),
            started: 0,
            max_spans: MAX_SPANS,
        }
    }

    /// Whether a span that looks like this when it starts will not be sent.
    ///
    /// An operation may be set later, so that its absence alone says nothing. Spans of servers and of
    /// consumers are made by frameworks that know nothing of agents; what spans of Agent Spec become is
    /// decided by their type, and they get their operation only when they leave.
    fn will_not_be_sent(&self, span: &SpanData) -> bool {
        let last = |key: &str| {
            let mut attributes = span.attributes.iter().rev();
            let found = attributes.find(|attribute| attribute.key.as_str() == key)?;
            Some(&found.value)
        };
        if let operation @ Some(_) = last(keys::GEN_AI_OPERATION_NAME) {
            return !self.wire.sends(operation);
        }
        match last(keys::AGENTSPEC_SPAN_TYPE) {
            Some(Value::String(span_type)) => !is_agent365_operation(span_type.as_str()),
            _ => matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer),
        }
    }

    /// A span starts. What it looks like is given for one without a parent in this process: showing it
    /// costs a copy of the span.
    pub(super) fn start(&mut self, span: SpanKey, parent: Parent, looks_like: Option<&SpanData>) {
        let is_unsent = looks_like.is_some_and(|span| self.will_not_be_sent(span));
        if let Parent::Here(parent) = parent {
            if let Some(parent) = self.spans.get_mut(&(span.0, parent)) {
                parent.has_children = true;
            }
        }
        let number = self.started;
        self.started += 1;
        let known = Known {
            number,
            parent,
            is_unsent,
            has_children: false,
        };
        if let Some(before) = self.spans.insert(span, known) {
            self.by_age.remove(&before.number);
        }
        self.by_age.insert(number, span);
        if self.spans.len() > self.max_spans {
            if let Some((_, oldest)) = self.by_age.pop_first() {
                self.spans.remove(&oldest);
            }
        }
    }

    /// A span ends, and is to be sent or not.
    pub(super) fn end(&mut self, span: &FinishedSpan) {
        let key = key(&span.data);
        if !sends(self.wire, span) {
            if let Some(known) = self.spans.get_mut(&key) {
                if known.has_children {
                    known.is_unsent = true;
                    return;
                }
            }
        }
        self.forget(&key);
    }

    /// Forgets a span, which counts as sent from now on.
    pub(super) fn forget(&mut self, span: &SpanKey) {
        if let Some(known) = self.spans.remove(span) {
            self.by_age.remove(&known.number);
        }
    }

    /// The parent of a span that is not sent; `None` for one that is, or of which nothing is known.
    pub(super) fn above_unsent(&self, span: &SpanKey) -> Option<Parent> {
        let known = self.spans.get(span)?;
        known.is_unsent.then_some(known.parent)
    }
}

/// Whether the profile sends spans of the operation of `span`. A span of Agent Spec gets its operation when
/// it is prepared.
fn sends(wire: &WireProfile, span: &FinishedSpan) -> bool {
    let mut attributes = span.data.attributes.iter().rev();
    let operation =
        attributes.find(|attribute| attribute.key.as_str() == keys::GEN_AI_OPERATION_NAME);
    if let (None, Some(span_type)) = (operation, span.agent_spec_type()) {
        return is_agent365_operation(span_type);
    }
    wire.sends(operation.map(|attribute| &attribute.value))
}

#[cfg(test)]
mod tests {
    use agentspan_model::agent365::Profile;
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    use super::*;
    use crate::span_of_test::span;

    fn lineage(max_spans: usize) -> Lineage {
        Lineage {
            max_spans,
            ..Lineage::new(WireProfile::of(Profile::V2).unwrap())
        }
    }

    fn at(id: u64) -> SpanKey {
        (TraceId::from(1), SpanId::from(id))
    }

    fn ended(id: u64, attributes: Vec<KeyValue>) -> FinishedSpan {
        let (trace, id) = at(id);
        SpanData {
            span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
            ..span(attributes)
        }
        .into()
    }

    #[test]
    fn only_what_runs_and_unsent_spans_with_children_are_kept() {
        let mut lineage = lineage(10);
        let here = |id| Parent::Here(SpanId::from(id));
        lineage.start(at(1), Parent::Elsewhere, None);
        lineage.start(at(2), here(1), None);
        lineage.start(at(3), here(2), None);
        assert_eq!(
            lineage.above_unsent(&at(2)),
            None,
            "it may get an operation"
        );
        lineage.end(&ended(3, Vec::new()));
        lineage.end(&ended(2, Vec::new()));
        assert_eq!(lineage.above_unsent(&at(3)), None, "nothing is below it");
        assert_eq!(lineage.above_unsent(&at(2)), Some(here(1)));
        lineage.end(&ended(
            1,
            vec![KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat")],
        ));
        assert_eq!(lineage.above_unsent(&at(1)), None, "it is sent");
        assert_eq!((lineage.spans.len(), lineage.by_age.len()), (1, 1));
        lineage.forget(&at(2));
        assert_eq!((lineage.spans.len(), lineage.by_age.len()), (0, 0));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut lineage = lineage(3);
        let web = SpanData {
            span_kind: SpanKind::Server,
            ..span(Vec::new())
        };
        for id in 1..=5 {
            lineage.start(at(id), Parent::Elsewhere, Some(&web));
            // One that starts twice is kept once.
            lineage.start(at(id), Parent::Elsewhere, Some(&web));
        }
        let known = (1..=5).filter(|id| lineage.above_unsent(&at(*id)).is_some());
        assert_eq!(known.collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!((lineage.spans.len(), lineage.by_age.len()), (3, 3));
    }

    /// Whether a span of this kind, with this attribute, will not be sent.
    fn check_start(kind: SpanKind, attribute: (&'static str, &'static str), expected: bool) {
        let span = SpanData {
            span_kind: kind,
            ..span(vec![KeyValue::new(attribute.0, attribute.1)])
        };
        assert_eq!(
            lineage(1).will_not_be_sent(&span),
            expected,
            "{attribute:?}"
        );
    }

    #[test]
    fn what_a_span_says_at_its_start_counts() {
        let nothing = ("k", "v");
        check_start(SpanKind::Server, nothing, true);
        check_start(SpanKind::Consumer, nothing, true);
        check_start(SpanKind::Internal, nothing, false);
        let operation = |name| (keys::GEN_AI_OPERATION_NAME, name);
        check_start(SpanKind::Server, operation("invoke_agent"), false);
        check_start(SpanKind::Internal, operation("embeddings"), true);
        let agent_spec = |name| (keys::AGENTSPEC_SPAN_TYPE, name);
        check_start(SpanKind::Internal, agent_spec("RootSpan"), true);
        check_start(SpanKind::Internal, agent_spec("AgentExecutionSpan"), false);
    }
}
