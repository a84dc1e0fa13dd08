//! Whether the spans of a trace fit together.

use std::collections::{HashMap, HashSet};

use super::super::observed::ObservedSpan;
use super::super::operation::Operation;
use super::super::rule::RuleId;
use super::Findings;
use crate::keys;

/// The spans of all traces, by their ids.
struct Spans<'s, 'a> {
    by_id: HashMap<(&'a str, &'a str), &'s ObservedSpan<'a>>,
    /// In which trace a span with this id is, for parents in another trace.
    traces: HashMap<&'a str, &'a str>,
}

/// The invocation around a span, if any.
#[derive(Clone, Copy)]
enum Around<'s, 'a> {
    Run(&'s ObservedSpan<'a>),
    Nothing,
    Circle,
}

/// Where the parent of a span is.
enum Parent<'s, 'a> {
    None,
    Sent(&'s ObservedSpan<'a>),
    NotSent,
    InAnotherTrace,
    Unknown,
}

pub(super) fn check<'a>(spans: &[ObservedSpan<'a>], findings: &mut Findings) {
    let mut all = Spans {
        by_id: HashMap::new(),
        traces: HashMap::new(),
    };
    let mut traces: Vec<&str> = Vec::new();
    let mut by_trace: HashMap<&str, Vec<&ObservedSpan<'a>>> = HashMap::new();
    for span in spans {
        let before = all.by_id.insert((span.trace_id, span.span_id), span);
        if before.is_some() && span.is_sent() {
            findings.add(RuleId::R49, span);
        }
        all.traces.insert(span.span_id, span.trace_id);
        if span.is_sent() {
            let of_trace = by_trace.entry(span.trace_id).or_default();
            if of_trace.is_empty() {
                traces.push(span.trace_id);
            }
            of_trace.push(span);
        }
    }
    for trace in traces {
        if let Some(of_trace) = by_trace.get(trace) {
            all.check_trace(of_trace, findings);
        }
    }
}

impl<'s, 'a> Spans<'s, 'a> {
    /// All spans of one trace that are sent.
    fn check_trace(&self, spans: &[&'s ObservedSpan<'a>], findings: &mut Findings) {
        let roots = spans.iter().filter(|span| invokes(span));
        let roots: Vec<_> = roots.copied().collect();
        let Some(first) = roots.first() else {
            // Whatever else is wrong with the parents follows from it.
            if let Some(span) = spans.first() {
                findings.add(RuleId::R08, span);
            }
            return;
        };
        let mut identities = HashSet::new();
        for root in roots
            .iter()
            .filter(|root| !identities.insert(identity(root)))
        {
            findings.add(RuleId::R10, root);
        }
        let conversation = first.text(keys::GEN_AI_CONVERSATION_ID);
        let mut around = HashMap::new();
        for span in spans {
            self.check_parent(span, findings);
            self.check_identity(span, &mut around, findings);
            let other = span.text(keys::GEN_AI_CONVERSATION_ID);
            if other.is_some() && conversation.is_some() && other != conversation {
                findings.add_attribute(RuleId::R13, span, keys::GEN_AI_CONVERSATION_ID);
            }
        }
    }

    fn check_parent(&self, span: &ObservedSpan<'a>, findings: &mut Findings) {
        match (self.parent(span), invokes(span)) {
            (Parent::Sent(_), _) | (Parent::None, true) => {}
            (Parent::NotSent, true) => findings.add(RuleId::R09, span),
            // Another program may have sent it.
            (Parent::InAnotherTrace | Parent::Unknown, true) => findings.suspect(RuleId::R09, span),
            (Parent::None | Parent::InAnotherTrace, false) => findings.add(RuleId::R11, span),
            (Parent::NotSent, false) => findings.add(RuleId::R12, span),
            (Parent::Unknown, false) => findings.suspect(RuleId::R12, span),
        }
    }

    /// A span belongs to the agent whose invocation is around it. An invocation may be of another agent.
    fn check_identity(
        &self,
        span: &'s ObservedSpan<'a>,
        known: &mut HashMap<&'a str, Around<'s, 'a>>,
        findings: &mut Findings,
    ) {
        if invokes(span) {
            return;
        }
        match self.around(span, known) {
            Around::Run(run) if identity(run) != identity(span) => {
                findings.add(RuleId::R63, span);
            }
            // None of its ancestors is in a run.
            Around::Circle => findings.add(RuleId::R11, span),
            Around::Run(_) | Around::Nothing => {}
        }
    }

    /// Looks at each ancestor once for all spans of a trace, so that a deep trace takes no longer than a flat one.
    fn around(
        &self,
        span: &'s ObservedSpan<'a>,
        known: &mut HashMap<&'a str, Around<'s, 'a>>,
    ) -> Around<'s, 'a> {
        let mut path = Vec::new();
        let mut at = span;
        let found = loop {
            if let Some(found) = known.get(at.span_id) {
                break *found;
            }
            // A walk that comes here again before it is known has gone in a circle.
            known.insert(at.span_id, Around::Circle);
            path.push(at.span_id);
            match self.parent(at) {
                Parent::Sent(parent) if invokes(parent) => break Around::Run(parent),
                Parent::Sent(parent) => at = parent,
                _ => break Around::Nothing,
            }
        };
        known.extend(path.into_iter().map(|id| (id, found)));
        found
    }

    fn parent(&self, span: &ObservedSpan<'a>) -> Parent<'s, 'a> {
        let Some(id) = span.parent else {
            return Parent::None;
        };
        match self.by_id.get(&(span.trace_id, id)) {
            Some(parent) if parent.is_sent() => Parent::Sent(parent),
            Some(_) => Parent::NotSent,
            None if self.traces.contains_key(id) => Parent::InAnotherTrace,
            None => Parent::Unknown,
        }
    }
}

fn invokes(span: &ObservedSpan<'_>) -> bool {
    span.operation() == Some(Operation::InvokeAgent)
}

fn identity<'a>(span: &ObservedSpan<'a>) -> (Option<&'a str>, Option<&'a str>) {
    (
        span.text(keys::MICROSOFT_TENANT_ID),
        span.text(keys::GEN_AI_AGENT_ID),
    )
}
