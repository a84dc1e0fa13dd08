//! Judges recordings by Agent Spec Tracing.

use std::collections::{HashMap, HashSet};

use super::agent_spec_rules as rules;
use super::{Breach, ConventionRule};
use crate::agent365::contract::SpanIds;
use crate::agentspec::{
    Event, EventDetails, HookCall, Id, RecordedHook, RecordedSpan, SpanDetails,
};

/// How many spans are remembered. Beyond it, all are forgotten, and nothing more is said of them.
const MAX_SPANS: usize = 1 << 20;

/// Judges the hooks of one recording, in the order in which they were called.
///
/// It remembers the ids of up to a million started spans, and the data of open spans that it must
/// compare.
#[derive(Debug, Default)]
pub struct RecordingJudge {
    /// How many spans run under these ids, with what was heard of the last of them.
    open: HashMap<Ids, Vec<Open>>,
    started: HashSet<Ids>,
    has_forgotten: bool,
}

/// The run, the trace and the span.
type Ids = (String, String, String);

#[derive(Debug)]
struct Open {
    type_name: String,
    has_failed: bool,
    heard: HashSet<&'static str>,
    requests: HashSet<String>,
}

impl RecordingJudge {
    /// The findings of one call, given the earlier calls.
    #[must_use]
    pub fn hook(&mut self, hook: &RecordedHook) -> Vec<Breach> {
        let mut breaches = Breaches::of(hook);
        match &hook.call {
            HookCall::Startup | HookCall::Shutdown => {}
            HookCall::OnStart(on) => self.start(hook, on, &mut breaches),
            HookCall::OnEvent(on, event) => self.event(hook, on, event, &mut breaches),
            HookCall::OnEnd(on) => self.end(hook, on, &mut breaches),
        }
        breaches.found
    }

    /// The spans that have not ended.
    #[must_use]
    pub fn finish(self) -> Vec<Breach> {
        let mut ids: Vec<&Ids> = self.open.keys().collect();
        ids.sort();
        let breach = |ids: &Ids| Breach {
            rule: &rules::NEVER_ENDED,
            span: SpanIds::new(&ids.1, &ids.2),
            attribute: None,
        };
        ids.into_iter().map(breach).collect()
    }

    fn start(&mut self, hook: &RecordedHook, on: &RecordedSpan, breaches: &mut Breaches) {
        if self.started.len() >= MAX_SPANS {
            self.started.clear();
            self.open.clear();
            self.has_forgotten = true;
        }
        if hook.trace.is_none() {
            breaches.add(&rules::NO_TRACE, None);
        }
        let details = &on.span.details;
        if details.known_type_name().is_none() {
            breaches.add(&rules::UNKNOWN_TYPE, Some(details.type_name()));
        }
        let is_known = |id: &Id| self.started.contains(&ids(hook, id));
        if !self.has_forgotten && on.parent_id.as_ref().is_some_and(|id| !is_known(id)) {
            breaches.add(&rules::UNKNOWN_PARENT, None);
        }
        let ids = ids(hook, &on.span.id);
        self.started.insert(ids.clone());
        self.open.entry(ids).or_default().push(Open {
            type_name: details.type_name().to_owned(),
            has_failed: false,
            heard: HashSet::new(),
            requests: HashSet::new(),
        });
    }

    fn event(
        &mut self,
        hook: &RecordedHook,
        on: &RecordedSpan,
        event: &Event,
        breaches: &mut Breaches,
    ) {
        let open = self.open.get_mut(&ids(hook, &on.span.id));
        let Some(open) = open.and_then(|open| open.last_mut()) else {
            if self.started.contains(&ids(hook, &on.span.id)) {
                breaches.add(&rules::LATE_EVENT, event.type_name());
            } else if !self.has_forgotten {
                breaches.add(&rules::END_WITHOUT_START, event.type_name());
            }
            return;
        };
        match event.details.known_type_name() {
            Some(name) => {
                open.heard.insert(name);
                if !belongs(name, &on.span.details) {
                    breaches.add(&rules::FOREIGN_EVENT, Some(name));
                }
            }
            None if matches!(event.details, EventDetails::Other(_)) => {
                breaches.add(&rules::UNKNOWN_TYPE, event.type_name());
            }
            None => {}
        }
        open.take(event, breaches);
    }

    fn end(&mut self, hook: &RecordedHook, on: &RecordedSpan, breaches: &mut Breaches) {
        let ids = ids(hook, &on.span.id);
        let open = self.open.get_mut(&ids).and_then(Vec::pop);
        if self.open.get(&ids).is_some_and(Vec::is_empty) {
            self.open.remove(&ids);
        }
        let times_are_possible = match (on.span.start_time, on.span.end_time) {
            (Some(start), Some(end)) => start <= end,
            _ => false,
        };
        if !times_are_possible {
            breaches.add(&rules::IMPOSSIBLE_TIMES, None);
        }
        let Some(mut open) = open else {
            if !self.has_forgotten {
                breaches.add(&rules::END_WITHOUT_START, None);
            }
            return;
        };
        if open.type_name != on.span.type_name() {
            breaches.add(&rules::CHANGED_TYPE, None);
        }
        // A recording may have events in the span only, and not as calls of their own.
        let in_span = on.span.events.iter();
        let in_span = in_span.filter_map(|event| event.details.known_type_name());
        open.heard.extend(in_span);
        // Events of an abridged span are not told apart.
        let mut events = on.span.events.iter();
        let is_abridged = events.any(|event| matches!(event.details, EventDetails::Abridged));
        let has_failed = open.has_failed || open.heard.contains(EXCEPTION);
        if has_failed || (is_abridged && open.heard.is_empty()) {
            return;
        }
        for name in pair_of(on.span.type_name()).into_iter().flatten() {
            if !open.heard.contains(name) {
                breaches.add(&rules::MISSING_EVENT, Some(name));
            }
        }
    }
}

const EXCEPTION: &str = "ExceptionRaised";

impl Open {
    /// Remembers requests, and compares answers with them.
    fn take(&mut self, event: &Event, breaches: &mut Breaches) {
        let answered = match &event.details {
            EventDetails::ExceptionRaised(_) => {
                self.has_failed = true;
                None
            }
            EventDetails::LlmGenerationRequest(request) => {
                self.requests.insert(request.request_id.as_str().to_owned());
                None
            }
            EventDetails::ToolExecutionRequest(request) => {
                self.requests.insert(request.request_id.as_str().to_owned());
                None
            }
            EventDetails::LlmGenerationResponse(response) => {
                let tokens = [response.input_tokens, response.output_tokens];
                if tokens.into_iter().flatten().any(|tokens| tokens < 0) {
                    breaches.add(&rules::NEGATIVE_TOKENS, event.type_name());
                }
                Some(&response.request_id)
            }
            EventDetails::ToolExecutionResponse(response) => Some(&response.request_id),
            _ => None,
        };
        if answered.is_some_and(|id| !self.requests.contains(id.as_str())) {
            breaches.add(&rules::UNANSWERED_ID, event.type_name());
        }
    }
}

/// The events that say what went in and what came out.
fn pair_of(span_type: &str) -> Option<[&'static str; 2]> {
    PAIRS
        .iter()
        .find(|(name, _)| *name == span_type)
        .map(|(_, pair)| *pair)
}

const PAIRS: [(&str, [&str; 2]); 7] = [
    (
        "AgentExecutionSpan",
        ["AgentExecutionStart", "AgentExecutionEnd"],
    ),
    (
        "FlowExecutionSpan",
        ["FlowExecutionStart", "FlowExecutionEnd"],
    ),
    (
        "LlmGenerationSpan",
        ["LlmGenerationRequest", "LlmGenerationResponse"],
    ),
    (
        "ManagerWorkersExecutionSpan",
        ["ManagerWorkersExecutionStart", "ManagerWorkersExecutionEnd"],
    ),
    (
        "NodeExecutionSpan",
        ["NodeExecutionStart", "NodeExecutionEnd"],
    ),
    (
        "SwarmExecutionSpan",
        ["SwarmExecutionStart", "SwarmExecutionEnd"],
    ),
    (
        "ToolExecutionSpan",
        ["ToolExecutionRequest", "ToolExecutionResponse"],
    ),
];

/// Whether an event of this type may be in a span. Those in no pair may be in any.
fn belongs(event: &str, span: &SpanDetails) -> bool {
    let owner = PAIRS.iter().find(|(_, pair)| pair.contains(&event));
    let is_known = span.known_type_name().is_some();
    owner.is_none_or(|(name, _)| !is_known || *name == span.type_name())
}

fn ids(hook: &RecordedHook, span: &Id) -> Ids {
    let trace = hook.trace.as_ref().map(|trace| trace.id.as_str());
    (
        hook.run.clone().unwrap_or_default(),
        trace.unwrap_or_default().to_owned(),
        span.as_str().to_owned(),
    )
}

/// The breaches in one call.
struct Breaches {
    span: SpanIds,
    found: Vec<Breach>,
}

impl Breaches {
    fn of(hook: &RecordedHook) -> Self {
        let span = match &hook.call {
            HookCall::OnStart(on) | HookCall::OnEvent(on, _) | HookCall::OnEnd(on) => {
                on.span.id.as_str()
            }
            HookCall::Startup | HookCall::Shutdown => "",
        };
        let trace = hook.trace.as_ref().map(|trace| trace.id.as_str());
        Self {
            span: SpanIds::new(trace.unwrap_or_default(), span),
            found: Vec::new(),
        }
    }

    fn add(&mut self, rule: &'static ConventionRule, attribute: Option<&str>) {
        self.found.push(Breach {
            rule,
            span: self.span.clone(),
            attribute: attribute.map(str::to_owned),
        });
    }
}
