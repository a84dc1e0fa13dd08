//! Writes spans with the attributes of Agent Spec as a recording.

use std::collections::{HashMap, HashSet};

use agentspan_model::agentspec::{Disclosure, HookLine, Timestamp};
use agentspan_model::attribute::AttributeValue;
use agentspan_model::keys;
use agentspan_model::mapping::{EventRebuilder, PlacedSpan, SpanRebuilder};
use serde_json::{Value, json};

use crate::reading::{Attributes, Reading, attributes};
use crate::span::Span;
use crate::store::Trace;

/// The ids of traces that are in the recording.
#[derive(Debug, Default)]
pub(super) struct KnownTraces(HashSet<String>);

/// The hooks of a trace in their order, and the number of spans that are not of Agent Spec.
pub(super) fn recording(trace: &Trace, known: &mut KnownTraces) -> (Vec<Value>, usize) {
    let all = trace.spans();
    let spans: Vec<PlacedSpan> = all.iter().flat_map(rebuilt).collect();
    let left_out = all.len() - spans.len();
    let id = |span: &PlacedSpan| span.trace.as_ref().map(|trace| trace.id.to_string());
    // A recording of several runs has used the id of the trace before.
    let is_repeated = spans
        .first()
        .and_then(id)
        .is_some_and(|id| !known.0.insert(id));
    let named = all.first().and_then(run_of);
    let run = named
        .as_deref()
        .or_else(|| is_repeated.then_some(trace.id()));
    (lines(&spans, run), left_out)
}

/// The name of the run in the recording that the span comes from.
fn run_of(span: &Span) -> Option<String> {
    let mut of_resource = attributes(span.group.resource.get("attributes")).into_iter();
    let (_, run) = of_resource.find(|(key, _)| key == keys::AGENTSPAN_RECORDING_RUN)?;
    run.as_str().map(str::to_owned)
}

/// A call of a hook, and when it was.
struct Call<'a> {
    time: Timestamp,
    /// Starts come before events, and events before ends.
    rank: u8,
    /// The outer span starts first, and ends last.
    depth: i64,
    line: HookLine<'a>,
}

fn lines(spans: &[PlacedSpan], run: Option<&str>) -> Vec<Value> {
    let depths = depths(spans);
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut opened = Vec::new();
    for placed in spans {
        let mut opening = placed.span.clone();
        opening.end_time = None;
        opening.events.clear();
        opened.push(opening);
    }
    let epoch = Timestamp::from_unix_nanos(0);
    for (placed, opening) in spans.iter().zip(&opened) {
        let (span, parent) = (&placed.span, placed.parent_id.as_ref());
        let depth = depths.get(span.id.as_str()).copied().unwrap_or(0);
        let start = span.start_time.unwrap_or(epoch);
        let end = span.end_time.map(|end| end.max(start));
        calls.push(Call {
            time: start,
            rank: 0,
            depth,
            line: HookLine::on_start(opening, parent),
        });
        for event in &span.events {
            let within = event.timestamp.max(start);
            calls.push(Call {
                time: end.map_or(within, |end| within.min(end)),
                rank: 1,
                depth,
                line: HookLine::on_event(opening, parent, event),
            });
        }
        if let Some(time) = end {
            calls.push(Call {
                time,
                rank: 2,
                depth: -depth,
                line: HookLine::on_end(span, parent),
            });
        }
    }
    calls.sort_by_key(|call| (call.time, call.rank, call.depth));
    let all = [HookLine::startup()]
        .into_iter()
        .chain(calls.into_iter().map(|call| call.line))
        .chain([HookLine::shutdown()]);
    let trace = spans.iter().find_map(|span| span.trace.as_ref());
    let in_trace = all.map(|line| {
        let line = line.with_disclosure(Disclosure::Clear);
        let line = run.map_or(line, |run| line.with_run(run));
        let line = trace.map_or(line, |trace| {
            line.with_trace(&trace.id, trace.name.as_deref())
        });
        serde_json::to_value(line).unwrap_or_else(|error| json!({"error": error.to_string()}))
    });
    match spans.is_empty() {
        true => Vec::new(),
        false => in_trace.collect(),
    }
}

/// How deep each span is, the roots at zero.
fn depths(spans: &[PlacedSpan]) -> HashMap<&str, i64> {
    let ids: HashSet<&str> = spans.iter().map(|span| span.span.id.as_str()).collect();
    let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut waiting = Vec::new();
    for placed in spans {
        let id = placed.span.id.as_str();
        match placed.parent_id.as_ref().map(|parent| parent.as_str()) {
            Some(parent) if ids.contains(parent) => children.entry(parent).or_default().push(id),
            _ => waiting.push((id, 0)),
        }
    }
    let mut depths = HashMap::new();
    while let Some((id, depth)) = waiting.pop() {
        if depths.insert(id, depth).is_none() {
            let below = children.get(id).into_iter().flatten();
            waiting.extend(below.map(|child| (*child, depth + 1)));
        }
    }
    depths
}

/// The span, if its attributes make one of Agent Spec.
fn rebuilt(span: &Span) -> Option<PlacedSpan> {
    let reading = Reading::of(&span.value());
    let time = |nanoseconds: u64| {
        i64::try_from(nanoseconds)
            .map(Timestamp::from_unix_nanos)
            .ok()
    };
    let mut rebuilder = SpanRebuilder::new();
    visit(&reading.attributes, &mut |key, value| {
        rebuilder.attribute(key, value);
    });
    if let Some(start) = time(span.start).filter(|_| span.start > 0) {
        rebuilder.start_time(start);
    }
    if let Some(end) = span.end.and_then(time) {
        rebuilder.end_time(end);
    }
    for event in &reading.events {
        let mut of_event = EventRebuilder::new(time(event.time)?);
        visit(&event.attributes, &mut |key, value| {
            of_event.attribute(key, value);
        });
        rebuilder.event(of_event);
    }
    rebuilder.build().ok().flatten()
}

fn visit(attributes: &Attributes, take: &mut dyn FnMut(&str, AttributeValue<'_>)) {
    for (key, value) in attributes {
        match value {
            Value::String(text) => take(key, AttributeValue::Str(text)),
            Value::Bool(truth) => take(key, AttributeValue::Bool(*truth)),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => take(key, AttributeValue::I64(whole)),
                (None, Some(number)) => take(key, AttributeValue::F64(number)),
                (None, None) => {}
            },
            Value::Array(items) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                if let Some(texts) = texts {
                    take(key, AttributeValue::StrList(&texts));
                }
            }
            Value::Null | Value::Object(_) => {}
        }
    }
}
