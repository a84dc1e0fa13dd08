//! Aligns the spans of two traces.

use std::collections::{HashMap, HashSet};

use super::change::{Change, changes};
use crate::span::Span;

/// A step of one run beside the same step of another.
#[derive(Debug)]
pub(super) struct Aligned<'a> {
    pub(super) before: Option<&'a Span>,
    pub(super) after: Option<&'a Span>,
    pub(super) depth: usize,
    pub(super) changes: Vec<Change>,
}

impl Aligned<'_> {
    /// Whether both runs have the step, with the same inputs and outputs as far as they are shown.
    pub(super) fn is_same(&self) -> bool {
        self.before.is_some() && self.after.is_some() && !self.is_changed()
    }

    /// Whether the step differs between the runs that have it.
    pub(super) fn is_changed(&self) -> bool {
        self.changes.iter().any(Change::is_difference)
    }

    /// How long it took in each run, in nanoseconds.
    pub(super) fn durations(&self) -> (Option<u64>, Option<u64>) {
        let length = |span: Option<&Span>| {
            let span = span?;
            Some(span.end?.saturating_sub(span.start))
        };
        (length(self.before), length(self.after))
    }
}

/// Aligns two traces: below each pair, the first span of a kind and a name goes with the first such span of the other
/// trace, and so on.
pub(super) fn aligned<'a>(before: &'a [Span], after: &'a [Span]) -> Vec<Aligned<'a>> {
    let (before, after) = (Children::of(before), Children::of(after));
    let mut rows = Vec::new();
    // Traces may be deeper than a stack. What is on top comes next.
    let mut waiting: Vec<(Option<&Span>, Option<&Span>, usize)> = Vec::new();
    let push = |waiting: &mut Vec<_>, a: &[&'a Span], b: &[&'a Span], depth| {
        let pairs = pairs(a, b).into_iter().rev();
        waiting.extend(pairs.map(|(a, b)| (a, b, depth)));
    };
    push(&mut waiting, &before.roots, &after.roots, 0);
    while let Some((a, b, depth)) = waiting.pop() {
        push(&mut waiting, before.below(a), after.below(b), depth + 1);
        rows.push(Aligned {
            before: a,
            after: b,
            depth,
            changes: match (a, b) {
                (Some(a), Some(b)) => changes(a, b),
                _ => Vec::new(),
            },
        });
    }
    rows
}

/// Pairs siblings, in the order of the later trace; what it lacks comes after what stood before it.
fn pairs<'a>(a: &[&'a Span], b: &[&'a Span]) -> Vec<(Option<&'a Span>, Option<&'a Span>)> {
    let mut partners: HashMap<(&str, &str), std::collections::VecDeque<usize>> = HashMap::new();
    for (place, span) in b.iter().enumerate() {
        partners.entry(key(span)).or_default().push_back(place);
    }
    let mut partner_of = HashMap::new();
    let mut missing_after: HashMap<Option<usize>, Vec<&Span>> = HashMap::new();
    let mut last = None;
    for span in a {
        match partners
            .get_mut(&key(span))
            .and_then(|places| places.pop_front())
        {
            Some(place) => {
                partner_of.insert(place, *span);
                last = Some(place);
            }
            None => missing_after.entry(last).or_default().push(span),
        }
    }
    let mut pairs = Vec::new();
    let mut missing = |after: Option<usize>, pairs: &mut Vec<_>| {
        let missing = missing_after.remove(&after).unwrap_or_default();
        pairs.extend(missing.into_iter().map(|span| (Some(span), None)));
    };
    missing(None, &mut pairs);
    for (place, span) in b.iter().enumerate() {
        pairs.push((partner_of.get(&place).copied(), Some(*span)));
        missing(Some(place), &mut pairs);
    }
    pairs
}

fn key(span: &Span) -> (&'static str, &str) {
    (span.facts.kind.name(), &span.name)
}

/// The spans of a trace by their parents.
struct Children<'a> {
    roots: Vec<&'a Span>,
    of: HashMap<&'a str, Vec<&'a Span>>,
}

impl<'a> Children<'a> {
    fn of(spans: &'a [Span]) -> Self {
        let mut sorted: Vec<&Span> = spans.iter().collect();
        sorted.sort_by_key(|span| span.start);
        let ids: HashSet<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
        let (mut roots, mut of) = (Vec::new(), HashMap::<&str, Vec<&Span>>::new());
        for span in &sorted {
            match span.parent_id.as_deref().filter(|id| ids.contains(id)) {
                Some(parent) => of.entry(parent).or_default().push(*span),
                None => roots.push(*span),
            }
        }
        // Spans in a circle hang on no root: the first of them stands for one.
        let mut seen = HashSet::new();
        let mut waiting = roots.clone();
        let mut rest = sorted.into_iter();
        loop {
            while let Some(span) = waiting.pop() {
                if seen.insert(span.span_id.as_str()) {
                    waiting.extend(of.get(span.span_id.as_str()).into_iter().flatten());
                }
            }
            let Some(span) = rest.find(|span| !seen.contains(span.span_id.as_str())) else {
                break;
            };
            for siblings in of.values_mut() {
                siblings.retain(|sibling| sibling.span_id != span.span_id);
            }
            roots.push(span);
            waiting.push(span);
        }
        Self { roots, of }
    }

    fn below(&self, span: Option<&Span>) -> &[&'a Span] {
        let children = span.and_then(|span| self.of.get(span.span_id.as_str()));
        children.map(Vec::as_slice).unwrap_or_default()
    }
}
