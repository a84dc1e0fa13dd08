//! The JSON answers for the page. `page/README.md` describes them.

use std::collections::{HashMap, HashSet};

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{MASK, Sensitive};
use agentspan_model::keys;
use agentspan_model::mapping::normal::{NormalMessage, NormalSpan};
use serde_json::{Value, json};

use crate::facts::is_chunk;
use crate::judging::Judged;
use crate::reading::{Reading, attributes, pairs};
use crate::row::{Row, milliseconds};
use crate::skeleton::Skeletons;
use crate::span::Span;
use crate::store::Trace;

/// A trace without contents, and what is wrong with it.
pub(crate) fn trace(row: &Row, trace: &Trace) -> Value {
    let mut json = serde_json::to_value(Skeletons::of(row, &trace.spans())).unwrap_or_default();
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
            let is_refused = |span: &Span| span.is_refused(&span.value(), package);
            asked = Judged::of(&trace.spans(), package, is_refused);
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

/// The input and the output of a span.
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
    as_request(trace.spans().iter())
}

/// A span as one request, and, if asked, all that is below it. None if it is not here.
pub(crate) fn raw_from(trace: &Trace, span: &str, with_below: bool) -> Option<Value> {
    let root = trace.span(span)?;
    if !with_below {
        return Some(as_request([&*root]));
    }
    let mut kids: HashMap<&str, Vec<&str>> = HashMap::new();
    let spans = trace.spans();
    for span in spans.iter() {
        if let Some(parent) = &span.parent_id {
            kids.entry(parent).or_default().push(&span.span_id);
        }
    }
    let (mut found, mut open) = (HashSet::new(), vec![root.span_id.as_str()]);
    while let Some(id) = open.pop() {
        // Spans may be each other's parents.
        if found.insert(id) {
            open.extend(kids.get(id).into_iter().flatten());
        }
    }
    Some(as_request(
        spans
            .iter()
            .filter(|span| found.contains(span.span_id.as_str())),
    ))
}

fn as_request<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Value {
    let spans = spans.into_iter().map(|span| {
        let scope = json!({"scope": span.group.scope, "spans": [span.value()]});
        json!({"resource": span.group.resource, "scopeSpans": [scope]})
    });
    json!({"resourceSpans": spans.collect::<Vec<_>>()})
}
