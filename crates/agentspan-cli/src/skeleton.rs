//! The spans of a trace without contents, for rows, bars and totals.
//!
//! They are written as they are, since ten thousand of them are not worth a tree of values.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::row::{Row, dollars, milliseconds, own_errors};
use crate::span::Span;
use crate::store::Trace;

/// A trace.
#[derive(Debug, Serialize)]
pub(crate) struct Skeletons<'a> {
    #[serde(flatten)]
    row: Map<String, Value>,
    count: usize,
    spans: Vec<Skeleton<'a>>,
}

/// A span. The page's README says what the members mean.
#[derive(Debug, Serialize)]
struct Skeleton<'a> {
    i: &'a str,
    p: Option<&'a str>,
    k: &'static str,
    n: &'a str,
    s: f64,
    e: Option<f64>,
    st: &'static str,
    nev: usize,
    from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    m: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    err: Option<&'a str>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    input: Option<i64>,
    #[serde(rename = "out", skip_serializing_if = "Option::is_none")]
    output: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ev: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nch: Option<usize>,
    #[serde(skip_serializing_if = "is_false")]
    mask: bool,
    #[serde(skip_serializing_if = "is_false")]
    own: bool,
    #[serde(rename = "ref", skip_serializing_if = "is_false")]
    refused: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
fn is_false(truth: &bool) -> bool {
    !truth
}

impl<'a> Skeletons<'a> {
    /// The spans in the order of their start.
    pub(crate) fn of(row: &Row, spans: &'a [Span]) -> Self {
        let own: HashSet<&str> = own_errors(spans)
            .map(|span| span.span_id.as_str())
            .collect();
        let mut sorted: Vec<&Span> = spans.iter().collect();
        sorted.sort_by_key(|span| span.start);
        let skeletons = sorted.into_iter().map(|span| {
            let is_own = own.contains(span.span_id.as_str());
            Skeleton::of(row.start, span, is_own)
        });
        let mut row = match row.to_json() {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        // In its place stand the spans themselves.
        row.remove("spans");
        Self {
            row,
            count: spans.len(),
            spans: skeletons.collect(),
        }
    }
}

/// The spans, as JSON, that differ from `known`, which is updated.
pub(crate) fn changed(trace: &Trace, known: &mut HashMap<String, u64>) -> Vec<String> {
    let spans = trace.spans();
    let skeletons = Skeletons::of(trace.row_of(&spans), &spans).spans;
    let mut changed = Vec::new();
    for skeleton in skeletons {
        let json = serde_json::to_string(&skeleton).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let hash = hasher.finish();
        if known.get(skeleton.i) != Some(&hash) {
            known.insert(skeleton.i.to_owned(), hash);
            changed.push(json);
        }
    }
    changed
}

impl<'a> Skeleton<'a> {
    fn of(start: u64, span: &'a Span, is_own: bool) -> Self {
        let facts = &span.facts;
        let from_start = |time: u64| milliseconds(time.saturating_sub(start));
        let first = facts.first_chunk;
        Self {
            i: &span.span_id,
            p: span.parent_id.as_deref(),
            k: facts.kind.name(),
            n: &span.name,
            s: from_start(span.start),
            e: span.end.map(from_start),
            st: facts.status,
            nev: facts.events,
            from: span.form.name(),
            op: facts.operation.as_deref(),
            m: facts.model.as_deref(),
            tool: facts.tool.as_deref(),
            call: facts.call.as_deref(),
            agent: facts.agent.as_deref(),
            err: facts.error.as_deref(),
            input: facts.usage.input,
            output: facts.usage.output,
            c: facts.cost.map(|cost| dollars(cost.into())),
            note: facts.note.as_deref(),
            ev: facts.event_times.iter().copied().map(from_start).collect(),
            ttft: first.map(|first| milliseconds(first.saturating_sub(span.start))),
            nch: first.map(|_| facts.chunks),
            mask: facts.is_masked,
            own: is_own,
            refused: facts.is_refused,
        }
    }
}
