//! Turns recordings of Agent Spec Tracing, which are lines of hooks, into spans.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use agentspan_model::agent365::{json_array_text, json_object_text};
use agentspan_model::agentspec::{
    Disclosure, Event, HookCall, Id, MASK, ReadError, RecordedHook, Span as AgentSpecSpan,
    Timestamp, TraceInfo,
};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::conventions::RecordingJudge;
use agentspan_model::keys;
use agentspan_model::mapping::{
    Mapping, Rendering, SpanInTrace, SpanKind, repeated_span_id_bytes, trace_id_bytes,
};
use serde_json::{Value, json};

use crate::group::Group;
use crate::judging::Found;
use crate::place::Place;
use crate::reading::pair;
use crate::span::{Form, Span};

/// How many open spans are remembered. Beyond it all are forgotten, which only costs what a recording
/// without events in its spans says of them.
const MAX_OPEN: usize = 65_536;

/// Spans of recordings that have not ended.
#[derive(Debug)]
pub(super) struct Hooks {
    mapping: Mapping,
    /// The groups of the spans of each run, and of the spans outside of runs.
    groups: HashMap<Option<String>, Arc<Group>>,
    open: HashMap<Ids, Vec<Open>>,
    started: HashMap<Ids, u32>,
    /// The first run of each trace id.
    runs: HashMap<String, String>,
    judge: Option<RecordingJudge>,
    found: Vec<Found>,
}

/// The ids of the trace and the span.
type Ids = (String, String);

#[derive(Debug)]
struct Open {
    trace_id: String,
    span: AgentSpecSpan,
    parent: Option<Id>,
    trace: Option<TraceInfo>,
    group: Arc<Group>,
    /// The events of its own lines. A recording may leave them out of the span, or abridge them there.
    heard: Vec<Arc<Event>>,
    place: Option<Place>,
    /// How many spans of the same id came before.
    repetition: u32,
    is_changed: bool,
}

impl Open {
    fn ids(&self) -> Ids {
        (self.trace_id.clone(), self.span.id.as_str().to_owned())
    }

    /// The span with its events as their own lines have them.
    fn whole(&self) -> AgentSpecSpan {
        let mut span = self.span.clone();
        if span.events.len() < self.heard.len() {
            span.events.clone_from(&self.heard);
            return span;
        }
        let heard = self.heard.iter().map(|event| (event.id.as_str(), event));
        let heard: HashMap<&str, &Arc<Event>> = heard.collect();
        for event in &mut span.events {
            if let Some(heard) = heard.get(event.id.as_str()) {
                *event = Arc::clone(heard);
            }
        }
        span
    }
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            mapping: Mapping::new(Rendering::GenAi).with_capture(Disclosure::Clear.into()),
            groups: HashMap::new(),
            open: HashMap::new(),
            started: HashMap::new(),
            runs: HashMap::new(),
            judge: None,
            found: Vec::new(),
        }
    }
}

impl Hooks {
    /// Judges what is read from now on.
    pub(super) fn judge(&mut self) {
        self.judge = Some(RecordingJudge::default());
    }

    /// Takes the findings of the judge, also in spans that have not ended.
    pub(super) fn take_found(&mut self) -> Vec<Found> {
        let mut found = std::mem::take(&mut self.found);
        let Some(judge) = self.judge.take() else {
            return found;
        };
        let open = self.open.values().flatten();
        let open: HashMap<&str, &Open> = open.map(|open| (open.span.id.as_str(), open)).collect();
        for breach in judge.finish() {
            let open = open.get(breach.span.span_id.as_str());
            let name = open.map(|open| open.span.name.to_string());
            let place = open.and_then(|open| open.place.clone());
            found.push(Found::of_breach(breach, &name.unwrap_or_default(), place));
        }
        found
    }

    /// Judges a call by the rules of Agent Spec Tracing.
    fn check(&mut self, hook: &RecordedHook, place: Option<&Place>) {
        let Some(judge) = &mut self.judge else {
            return;
        };
        let name = match &hook.call {
            HookCall::OnStart(on) | HookCall::OnEvent(on, _) | HookCall::OnEnd(on) => {
                &*on.span.name
            }
            HookCall::Startup | HookCall::Shutdown => "",
        };
        let found = judge.hook(hook).into_iter();
        let found = found.map(|breach| Found::of_breach(breach, name, place.cloned()));
        self.found.extend(found);
    }

    /// Reads a line, and gives the spans that changed.
    pub(super) fn line(
        &mut self,
        line: &str,
        place: Option<&Place>,
    ) -> Result<Vec<Span>, ReadError> {
        let hook = RecordedHook::from_json(line)?;
        self.check(&hook, place);
        let (on, event, is_end) = match hook.call {
            HookCall::Startup | HookCall::Shutdown => return Ok(Vec::new()),
            HookCall::OnStart(on) => (on, None, false),
            HookCall::OnEvent(on, event) => (on, Some(event), false),
            HookCall::OnEnd(on) => (on, None, true),
        };
        let group = self.group(hook.run.as_deref());
        let trace_id = match &hook.trace {
            Some(trace) => self.trace_id(hook.run, trace),
            // A span outside of all traces is one.
            None => on.span.id.clone(),
        };
        let open = Open {
            trace_id: hexadecimal(&trace_id_bytes(&trace_id)),
            span: on.span,
            parent: on.parent_id,
            trace: hook.trace,
            group,
            heard: Vec::new(),
            place: place.cloned(),
            repetition: 0,
            is_changed: false,
        };
        Ok(match event {
            Some(event) => {
                self.event(open, event);
                Vec::new()
            }
            None if is_end => vec![self.end(open)],
            None => vec![self.start(open)],
        })
    }

    /// The open spans that changed since they were given last.
    pub(super) fn flush(&mut self) -> Vec<Span> {
        let changed = self.open.values().flatten().filter(|open| open.is_changed);
        let spans = changed.map(|open| self.render(open)).collect();
        let all = self.open.values_mut().flatten();
        all.for_each(|open| open.is_changed = false);
        spans
    }

    /// The group of the spans of a run. It has the run's name, for which other forms have no place.
    fn group(&mut self, run: Option<&str>) -> Arc<Group> {
        let name = run.map(str::to_owned);
        if let Some(group) = self.groups.get(&name) {
            return Arc::clone(group);
        }
        if self.groups.len() >= MAX_OPEN {
            self.groups.clear();
        }
        let resource = run.map_or(Value::Null, |run| {
            let run = attribute(
                keys::AGENTSPAN_RECORDING_RUN.into(),
                AttributeValue::Str(run),
            );
            json!({"attributes": [run]})
        });
        let group = Arc::new(Group::new(resource, Value::Null));
        self.groups.insert(name, Arc::clone(&group));
        group
    }

    /// A recording of several runs may use the ids of a trace again, in the order of a script.
    fn trace_id(&mut self, run: Option<String>, trace: &TraceInfo) -> Id {
        let Some(run) = run else {
            return trace.id.clone();
        };
        if self.runs.len() >= MAX_OPEN {
            self.runs.clear();
        }
        let first = self
            .runs
            .entry(trace.id.as_str().to_owned())
            .or_insert_with(|| run.clone());
        if *first == run {
            return trace.id.clone();
        }
        // No run has a line break in its name by accident.
        Id::from(format!("{run}\n{}", trace.id.as_str()))
    }

    fn start(&mut self, mut open: Open) -> Span {
        if self.open.len() >= MAX_OPEN || self.started.len() >= MAX_OPEN {
            self.open.clear();
            self.started.clear();
        }
        let repetition = self.started.entry(open.ids()).or_insert(0);
        open.repetition = *repetition;
        *repetition += 1;
        let span = self.render(&open);
        self.open.entry(open.ids()).or_default().push(open);
        span
    }

    fn event(&mut self, now: Open, event: Event) {
        let stack = self.open.get_mut(&now.ids());
        if let Some(open) = stack.and_then(|stack| stack.last_mut()) {
            open.span = now.span;
            open.heard.push(Arc::new(event));
            open.is_changed = true;
        }
    }

    fn end(&mut self, mut ended: Open) -> Span {
        let ids = ended.ids();
        let open = self.open.get_mut(&ids).and_then(Vec::pop);
        if self.open.get(&ids).is_some_and(Vec::is_empty) {
            self.open.remove(&ids);
        }
        if let Some(open) = open {
            ended.repetition = open.repetition;
            ended.place = open.place.or(ended.place);
            ended.heard = open.heard;
        }
        self.render(&ended)
    }

    /// The id of the span that is open under this id.
    fn span_id(&self, trace_id: &str, id: &Id) -> String {
        let stack = self
            .open
            .get(&(trace_id.to_owned(), id.as_str().to_owned()));
        let open = stack.and_then(|stack| stack.last());
        hexadecimal(&repeated_span_id_bytes(
            id,
            open.map_or(0, |open| open.repetition),
        ))
    }

    /// The span in OTLP's JSON, in the words of the GenAI conventions.
    fn render(&self, open: &Open) -> Span {
        let Open { parent, trace, .. } = open;
        let span = &open.whole();
        let mut in_trace = SpanInTrace::new(span).with_parent_id(parent.as_ref());
        if let Some(trace) = trace {
            in_trace = in_trace.with_trace(&trace.id, trace.name.as_deref());
        }
        let mut attributes = Vec::new();
        let mut visitor =
            |key: Key, value: AttributeValue<'_>| attributes.push(attribute(key, value));
        self.mapping.visit_span(&in_trace, &mut visitor);
        let events: Vec<Value> = span
            .events
            .iter()
            .map(|event| self.event_json(event, span))
            .collect();
        let status = match self.mapping.failure(span) {
            Some(failure) => json!({"code": 2, "message": failure.status_description()}),
            None => json!({}),
        };
        let trace_id = open.trace_id.clone();
        let span_id = hexadecimal(&repeated_span_id_bytes(&span.id, open.repetition));
        let parent_id = parent.as_ref().map(|id| self.span_id(&trace_id, id));
        let kind = match self.mapping.span_kind(span) {
            SpanKind::Client => 3,
            // The rest is internal.
            _ => 1,
        };
        let json = json!({
            "traceId": trace_id,
            "spanId": span_id,
            "parentSpanId": parent_id.as_deref().unwrap_or_default(),
            "name": self.mapping.span_name_in_trace(&in_trace),
            "kind": kind,
            "startTimeUnixNano": nanoseconds(span.start_time),
            "endTimeUnixNano": nanoseconds(span.end_time),
            "attributes": attributes,
            "events": events,
            "status": status,
        });
        let dump = serde_json::to_string(&span.dump(Disclosure::Clear)).unwrap_or_default();
        let mut rendered = Span::new(trace_id, span_id, &json, Form::AgentSpec, &open.group);
        rendered.facts.is_masked |= dump.contains(MASK);
        rendered.dump = Some(dump.into_boxed_str());
        rendered.place = open.place.clone();
        rendered
    }

    fn event_json(&self, event: &Event, span: &AgentSpecSpan) -> Value {
        let mut attributes = Vec::new();
        let mut visitor =
            |key: Key, value: AttributeValue<'_>| attributes.push(attribute(key, value));
        self.mapping.visit_event(event, span, &mut visitor);
        json!({
            "name": self.mapping.event_name(event),
            "timeUnixNano": nanoseconds(Some(event.timestamp)),
            "attributes": attributes,
        })
    }
}

fn nanoseconds(time: Option<Timestamp>) -> String {
    time.map_or(0, |time| time.as_unix_nanos().max(0))
        .to_string()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An attribute as plain JSON.
pub(crate) fn plain(key: Key, value: AttributeValue<'_>) -> (String, Value) {
    pair(&attribute(key, value)).unwrap_or_default()
}

fn attribute(key: Key, value: AttributeValue<'_>) -> Value {
    let value = match value {
        AttributeValue::Str(text) => json!({"stringValue": text}),
        AttributeValue::Static(text) => json!({"stringValue": text}),
        AttributeValue::I64(number) => json!({"intValue": number.to_string()}),
        AttributeValue::DecimalText(number) => json!({"stringValue": number.to_string()}),
        AttributeValue::F64(number) => json!({"doubleValue": number}),
        AttributeValue::Bool(truth) => json!({"boolValue": truth}),
        AttributeValue::JsonArrayText(texts) => json!({"stringValue": json_array_text(texts)}),
        AttributeValue::JsonArrayOfStrs(texts) => json!({"stringValue": json_array_text(texts)}),
        AttributeValue::JsonObjectText(object) => json!({"stringValue": json_object_text(object)}),
        AttributeValue::InputMessages(messages) => json!({"stringValue": messages.to_json_text()}),
        AttributeValue::OutputMessages(messages) => json!({"stringValue": messages.to_json_text()}),
        AttributeValue::StrList(texts) => {
            let texts: Vec<Value> = texts
                .iter()
                .map(|text| json!({"stringValue": text}))
                .collect();
            json!({"arrayValue": {"values": texts}})
        }
        // A kind of value that the model has learnt and this crate has not.
        _ => json!({}),
    };
    json!({"key": key.to_string(), "value": value})
}
