//! The JSON answers for the page. `page/README.md` describes them.

use std::collections::{BTreeMap, HashMap, HashSet};

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Judge, Level};
use agentspan_model::agentspec::{MASK, Sensitive};
use agentspan_model::keys;
use agentspan_model::mapping::normal::{NormalMessage, NormalSpan};
use serde_json::{Value, json};

use crate::check::{self, Found, Sending};
use crate::reading::{Reading, attributes, pairs};
use crate::row::{Row, milliseconds};
use crate::skeleton::Skeletons;
use crate::span::Span;
use crate::store::Trace;

/// The event of Agent Spec for each piece of a streamed answer.
const CHUNK: &str = "LlmGenerationChunkReceived";

/// A trace without contents, and what is wrong with it.
pub(crate) fn trace(row: &Row, trace: &Trace) -> Value {
    let mut json = serde_json::to_value(Skeletons::of(row, trace)).unwrap_or_default();
    let judged = trace.judged();
    for span in json
        .get_mut("spans")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let of_span = span["i"].as_str().and_then(|id| judged.of_spans.get(id));
        span["f"] = of_span.cloned().unwrap_or_default().into();
    }
    json["findings"] = judged.findings.as_slice().into();
    json
}

/// The findings of a trace by the exporter of a generation, which of them each span has, and which spans it does
/// not send.
pub(crate) fn findings(trace: &Trace, package: Option<Profile>) -> Value {
    let asked;
    let judged = match package {
        Some(package) if package != trace.package() => {
            asked = Judged::of(trace, package);
            &asked
        }
        _ => trace.judged(),
    };
    json!({
        "profile": package.unwrap_or(trace.package()).name(),
        "findings": judged.findings,
        "of": judged.of_spans,
        "unsent": judged.unsent,
    })
}

/// What is wrong with a trace.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The findings, each once.
    findings: Vec<Value>,
    /// Which of them each span has.
    of_spans: BTreeMap<String, Vec<usize>>,
    /// The spans of other operations, of which Agent 365 gets nothing.
    unsent: Vec<String>,
}

impl Judged {
    pub(crate) fn of(trace: &Trace, package: Profile) -> Self {
        let mut judged = Self::default();
        let mut places = HashMap::new();
        if !trace.spans().iter().any(|span| span.is_judged(package)) {
            return judged;
        }
        // Nothing else is documented of the keys of the first generation.
        let is_first = package.tenant_id_key() == keys::TENANT_ID;
        let judge = match is_first {
            true => Judge::of_package(package),
            false => Judge::default(),
        };
        let refused = refused(trace, package);
        if !is_first {
            judged.unsent = unsent(trace, package, &refused);
        }
        for found in check::findings(trace, &judge, Sending::ByAnExporter) {
            let Some(span) = found.span.as_ref() else {
                continue;
            };
            let span_id = span.span_id.to_lowercase();
            let is_refused = refused.contains(span_id.as_str());
            let what = (
                found.about.id,
                found.level,
                found.attribute.clone(),
                is_refused,
            );
            let findings = &mut judged.findings;
            let place = *places.entry(what).or_insert_with(|| {
                findings.push(finding_json(&found, is_refused));
                findings.len() - 1
            });
            judged.of_spans.entry(span_id).or_default().push(place);
        }
        judged
    }
}

/// The spans that the service, or the exporter of a generation, would not take.
fn refused(trace: &Trace, package: Profile) -> HashSet<&str> {
    let is_refused = |span: &&Span| match package == trace.package() {
        true => span.facts.is_refused,
        false => span.is_refused(&span.value(), package),
    };
    let refused = trace.spans().iter().filter(is_refused);
    refused.map(|span| span.span_id.as_str()).collect()
}

/// The spans that ended, and that no exporter of a generation sends, since they are of other operations.
fn unsent(trace: &Trace, package: Profile, refused: &HashSet<&str>) -> Vec<String> {
    let is_unsent = |span: &&Span| {
        span.end.is_some()
            && span.is_judged(package)
            && !refused.contains(span.span_id.as_str())
            && span
                .observed(&span.value())
                .is_some_and(|span| !span.is_sent())
    };
    let unsent = trace.spans().iter().filter(is_unsent);
    unsent.map(|span| span.span_id.clone()).collect()
}

fn finding_json(found: &Found, is_refused: bool) -> Value {
    // By the attribute reference a span may lack much that the service takes nevertheless.
    let level = match (found.level, is_refused) {
        (Level::Error, true) => "error",
        (Level::Error | Level::Warning, _) => "warning",
        _ => "hint",
    };
    json!({
        "level": level,
        "rule": found.about.id,
        "name": found.about.name,
        "why": found.about.cause,
        "fix": found.about.remedy,
        "source": found.about.sources,
        "attribute": found.attribute,
    })
}

/// Whether an event is a piece of a streamed answer.
pub(crate) fn is_chunk(name: &str) -> bool {
    name == CHUNK
}

/// The contents of one span.
pub(crate) fn span(row: &Row, span: &Span) -> Value {
    let reading = Reading::of(&span.value());
    let from_start = |time: u64| milliseconds(time.saturating_sub(row.start));
    let events = reading.events.iter();
    let events: Vec<Value> = events
        .map(|event| json!({"n": event.name, "t": from_start(event.time), "a": pairs(&event.attributes)}))
        .collect();
    let links = reading.links.iter();
    let links: Vec<Value> = links
        .map(|link| json!({"trace": link.trace_id, "span": link.span_id, "a": pairs(&link.attributes)}))
        .collect();
    let chunks = reading.events.iter().filter(|event| is_chunk(&event.name));
    let chunks: Vec<Value> = chunks
        .map(|event| {
            let mut contents = event.attributes.iter();
            let content = contents.find(|(key, _)| key == keys::AGENTSPEC_CONTENT);
            let text = content
                .and_then(|(_, value)| value.as_str())
                .unwrap_or_default();
            json!([from_start(event.time), text.chars().count()])
        })
        .collect();
    let mut json = json!({
        "attributes": pairs(&reading.attributes),
        "resource": pairs(&attributes(span.group.resource.get("attributes"))),
        "scope": span.group.scope,
        "events": events,
        "links": links,
        "chunks": chunks,
        "status": reading.description,
        "raw": raw_span(span),
    });
    let normal = reading.normal();
    let contents = normal.as_ref().map_or_else(
        || json!({"messages": [], "output": [], "tools": [], "arguments": null, "result": null}),
        contents,
    );
    if let (Value::Object(json), Value::Object(contents)) = (&mut json, contents) {
        json.extend(contents);
    }
    json
}

/// What went in and what came out.
pub(crate) fn contents(normal: &NormalSpan) -> Value {
    let output = normal.output.reveal();
    let output = output.map(Vec::as_slice).unwrap_or_default();
    let tools = normal.tool_definitions.reveal();
    let of_tool = |value: &Option<_>| {
        let value: Option<&Sensitive<Value>> = value.as_ref();
        let masked = || Value::from(MASK);
        let value = value.map(|value| value.reveal().cloned().unwrap_or_else(masked));
        value.unwrap_or_default()
    };
    json!({
        "messages": normal.conversation().iter().map(message).collect::<Vec<_>>(),
        "output": output.iter().map(message).collect::<Vec<_>>(),
        "tools": tools.cloned().unwrap_or_default(),
        "arguments": of_tool(&normal.tool.arguments),
        "result": of_tool(&normal.tool.result),
    })
}

fn message(message: &NormalMessage) -> Value {
    let mut json = json!({"role": message.role.as_str(), "parts": message.parts});
    if let Some(name) = &message.name {
        json["name"] = name.as_str().into();
    }
    if let Some(reason) = &message.finish_reason {
        json["finish"] = reason.as_str().into();
    }
    json
}

/// The span as it arrived.
fn raw_span(span: &Span) -> Value {
    let dump = span
        .dump
        .as_deref()
        .and_then(|dump| serde_json::from_str(dump).ok());
    dump.unwrap_or_else(|| span.value())
}

/// The trace as one request.
pub(crate) fn raw(trace: &Trace) -> Value {
    let spans = trace.spans().iter().map(|span| {
        let scope = json!({"scope": span.group.scope, "spans": [span.value()]});
        json!({"resource": span.group.resource, "scopeSpans": [scope]})
    });
    json!({"resourceSpans": spans.collect::<Vec<_>>()})
}
