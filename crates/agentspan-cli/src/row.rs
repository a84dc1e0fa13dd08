//! The row of a trace in the list.

mod shape;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::span::{Form, Span};

/// The forms of spans, in the order of their names.
const SOURCES: [Form; 3] = [Form::Agent365, Form::AgentSpec, Form::Otlp];

/// About what the allocator takes for a text beside its bytes.
const ALLOCATION: usize = 12;

/// The row of a trace in the list.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) id: Box<str>,
    /// Nanoseconds since the Unix epoch.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: Box<str>,
    pub(crate) agent: Option<Box<str>>,
    pub(crate) agent_id: Option<Box<str>>,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) conversation: Option<Box<str>>,
    pub(crate) spans: usize,
    pub(crate) input: i64,
    pub(crate) output: i64,
    /// In billionths of a dollar.
    pub(crate) cost: i64,
    pub(crate) errors: usize,
    pub(crate) refused: usize,
    pub(crate) is_running: bool,
    pub(crate) is_masked: bool,
    pub(crate) asked: Option<Box<str>>,
    pub(crate) answered: Option<Box<str>>,
    /// Whether there are spans of each of [`SOURCES`].
    sources: [bool; 3],
    shape: Box<[shape::Bar]>,
}

impl Row {
    pub(crate) fn of(spans: &[Span]) -> Self {
        let mut sorted: Vec<&Span> = spans.iter().collect();
        sorted.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let ids: HashSet<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
        let is_root = |span: &&&Span| {
            span.parent_id
                .as_ref()
                .is_none_or(|id| !ids.contains(id.as_str()))
        };
        let root = sorted.iter().find(is_root).or(sorted.first());
        let mut row = Self::default();
        let starts = sorted
            .iter()
            .map(|span| span.start)
            .filter(|start| *start > 0);
        row.start = starts.min().unwrap_or(0);
        row.end = row.start;
        row.spans = spans.len();
        if let Some(root) = root {
            row.id = root.trace_id.as_str().into();
            row.name = root.name.as_str().into();
        }
        for span in &sorted {
            row.end = row.end.max(span.end.unwrap_or(0)).max(span.start);
            row.is_running |= span.end.is_none();
            row.is_masked |= span.facts.is_masked;
            row.refused += usize::from(span.facts.is_refused);
            let of_form = SOURCES.iter().zip(&mut row.sources);
            of_form.for_each(|(form, is_there)| *is_there |= span.form == *form);
            let facts = &span.facts;
            keep_first(&mut row.agent, &facts.agent);
            keep_first(&mut row.agent_id, &facts.agent_id);
            keep_first(&mut row.tenant, &facts.tenant);
            keep_first(&mut row.conversation, &facts.conversation);
            keep_first(&mut row.asked, &facts.asked);
        }
        // The outermost span answers last; without one, the last that answered.
        let outermost = root.and_then(|root| root.facts.answered.clone());
        let last = || {
            sorted
                .iter()
                .rev()
                .find_map(|span| span.facts.answered.clone())
        };
        row.answered = outermost.or_else(last).map(Into::into);
        row.errors = own_errors(spans).count();
        (row.input, row.output) = tokens(spans);
        row.cost = cost(spans);
        row.shape = shape::of(&sorted, row.start, row.end);
        row
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.agent,
            &self.agent_id,
            &self.tenant,
            &self.conversation,
            &self.asked,
            &self.answered,
        ];
        let texts = texts.into_iter().flatten().chain([&self.id, &self.name]);
        let texts: usize = texts.map(|text| text.len() + ALLOCATION).sum();
        size_of::<Self>() + texts + size_of_val(&*self.shape)
    }

    pub(crate) fn to_json(&self) -> Value {
        let shape = self.shape.iter();
        let shape: Vec<Value> = shape
            .map(|bar| json!([bar.from, bar.width, bar.kind.name(), u8::from(bar.is_error)]))
            .collect();
        let sources = SOURCES.iter().zip(self.sources);
        let sources = sources.filter(|(_, is_there)| *is_there);
        let sources: Vec<&str> = sources.map(|(form, _)| form.name()).collect();
        let mut json = json!({
            "id": self.id,
            "at": milliseconds(self.start),
            "dur": milliseconds(self.end.saturating_sub(self.start)),
            "name": self.name,
            "spans": self.spans,
            "in": self.input,
            "out": self.output,
            "cost": dollars(self.cost.into()),
            "errs": self.errors,
            "refused": self.refused,
            "running": self.is_running,
            "masked": self.is_masked,
            "sources": sources,
            "shape": shape,
        });
        let texts = [
            ("agent", &self.agent),
            ("agentId", &self.agent_id),
            ("tenant", &self.tenant),
            ("conversation", &self.conversation),
            ("ask", &self.asked),
            ("answer", &self.answered),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                json[name] = (**text).into();
            }
        }
        json
    }
}

fn keep_first(kept: &mut Option<Box<str>>, found: &Option<String>) {
    if kept.is_none() {
        *kept = found.as_deref().map(Into::into);
    }
}

/// Nanoseconds as milliseconds with fractions of a microsecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "a thousandth of a millisecond is not seen"
)]
pub(crate) fn milliseconds(nanoseconds: u64) -> f64 {
    (nanoseconds / 1_000) as f64 / 1_000.0
}

/// Billionths of a dollar as dollars.
#[expect(
    clippy::cast_precision_loss,
    reason = "a part of a billion that small is not seen"
)]
pub(crate) fn dollars(billionths: i128) -> f64 {
    billionths as f64 / 1e9
}

/// The spans in which an error began: no child of theirs failed.
pub(crate) fn own_errors(spans: &[Span]) -> impl Iterator<Item = &Span> {
    let failed = || spans.iter().filter(|span| span.is_error);
    let with_failed_child: HashSet<&str> = failed()
        .filter_map(|span| span.parent_id.as_deref())
        .collect();
    failed().filter(move |span| !with_failed_child.contains(span.span_id.as_str()))
}

/// The tokens of all calls of models.
pub(crate) fn tokens(spans: &[Span]) -> (i64, i64) {
    let says = |span: &&Span| span.facts.usage.input.is_some() || span.facts.usage.output.is_some();
    counted(spans, says).fold((0, 0), |(input, output), span| {
        let usage = &span.facts.usage;
        let add = |sum: i64, part: Option<i64>| sum.saturating_add(part.unwrap_or(0));
        (add(input, usage.input), add(output, usage.output))
    })
}

/// The cost of all calls of models.
fn cost(spans: &[Span]) -> i64 {
    let says = |span: &&Span| span.facts.cost.is_some();
    let costs = counted(spans, says).filter_map(|span| span.facts.cost);
    costs.fold(0, i64::saturating_add)
}

/// The spans that say something, each thing once: what a parent says counts only if nothing below it says anything.
fn counted<'a>(
    spans: &'a [Span],
    says: impl Fn(&&'a Span) -> bool + Copy,
) -> impl Iterator<Item = &'a Span> {
    let parents: HashMap<&str, &str> = spans
        .iter()
        .filter_map(|span| Some((span.span_id.as_str(), span.parent_id.as_deref()?)))
        .collect();
    let mut below: HashSet<&str> = HashSet::new();
    for span in spans.iter().filter(says) {
        let mut at = span.span_id.as_str();
        // An ancestor that is marked has marked its own; so does this end on a circle.
        while let Some(parent) = parents.get(at) {
            if !below.insert(parent) {
                break;
            }
            at = parent;
        }
    }
    let all = spans.iter().filter(says);
    all.filter(move |span| !span.facts.is_sum || !below.contains(span.span_id.as_str()))
}
