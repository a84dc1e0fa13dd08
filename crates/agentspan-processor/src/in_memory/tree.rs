//! Draws spans as a tree of text, and compares it with an expected tree.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use agentspan_model::agentspec::Id;

use super::KeptSpan;
use crate::console_tree::DEEPEST;

/// The tree of the spans differs from the expected tree.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the spans are not the expected tree\nexpected:\n{expected}\nfound:\n{found}")]
#[non_exhaustive]
pub struct TreeMismatchError {
    /// The expected tree.
    pub expected: String,
    /// The actual tree.
    pub found: String,
}

/// As `Display`, because `unwrap` shows this.
impl fmt::Debug for TreeMismatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Starts the line of an event.
const EVENT: char = '·';

#[derive(Clone, Copy, PartialEq, Eq)]
enum Events {
    Shown,
    Hidden,
}

pub(super) fn tree(spans: &[KeptSpan]) -> String {
    Tree::new(spans, Events::Shown).draw()
}

pub(super) fn expect(spans: &[KeptSpan], expected: &str) -> Result<(), TreeMismatchError> {
    let expected = without_margin(expected);
    let names_events = expected
        .lines()
        .any(|line| line.trim_start_matches(['│', ' ']).starts_with(EVENT));
    let events = if names_events {
        Events::Shown
    } else {
        Events::Hidden
    };
    let found = Tree::new(spans, events).draw();
    if found == expected {
        Ok(())
    } else {
        Err(TreeMismatchError { expected, found })
    }
}

/// Removes empty lines around the text, and the white space that all lines but the first share: the first
/// one may follow a quotation mark.
fn without_margin(text: &str) -> String {
    let is_empty = |line: &&str| line.trim().is_empty();
    let lines: Vec<&str> = text.lines().skip_while(is_empty).collect();
    let count = lines.iter().rposition(|line| !is_empty(line));
    let lines = lines
        .get(..count.map_or(0, |last| last + 1))
        .unwrap_or_default();
    let margin_of = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let starts_at_once = text
        .lines()
        .next()
        .is_some_and(|line| !line.trim().is_empty());
    let rest = lines.iter().skip(usize::from(starts_at_once));
    let margin = rest.map(margin_of).min().unwrap_or(0);
    let mut result = String::new();
    for line in lines {
        let margin = margin.min(margin_of(line));
        result.push_str(line.get(margin..).unwrap_or_default().trim_end());
        result.push('\n');
    }
    result
}

struct Tree<'a> {
    spans: &'a [KeptSpan],
    /// Of each span its parent, and of each parent its children, by their places in `spans`.
    parents: Vec<Option<usize>>,
    children: HashMap<usize, Vec<usize>>,
    events: Events,
    text: String,
}

/// The ids of a trace and of a span in it.
type InTrace<'a> = (Option<&'a str>, &'a str);

impl KeptSpan {
    fn in_trace<'a>(&'a self, id: &'a Id) -> InTrace<'a> {
        (self.trace_id.as_ref().map(Id::as_str), id.as_str())
    }
}

/// The place of the parent of each span: ids may come twice, so that the last before the span counts, or the
/// first after it. A span that names itself has none.
fn parents(spans: &[KeptSpan]) -> Vec<Option<usize>> {
    let mut first = HashMap::new();
    for (index, kept) in spans.iter().enumerate() {
        first
            .entry(kept.in_trace(&kept.span.span.id))
            .or_insert(index);
    }
    let mut last = HashMap::new();
    let mut parents = Vec::with_capacity(spans.len());
    for (index, kept) in spans.iter().enumerate() {
        let named = kept.span.parent_id.as_ref().map(|id| kept.in_trace(id));
        let found = named.and_then(|id| last.get(&id).or_else(|| first.get(&id)).copied());
        parents.push(found.filter(|parent| *parent != index));
        last.insert(kept.in_trace(&kept.span.span.id), index);
    }
    parents
}

/// A span that is still to be drawn. Siblings share their margin.
struct Waiting {
    index: usize,
    depth: usize,
    margin: Rc<str>,
    is_last: bool,
}

impl<'a> Tree<'a> {
    fn new(spans: &'a [KeptSpan], events: Events) -> Self {
        let parents = parents(spans);
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children.entry(*parent).or_default().push(index);
            }
        }
        Self {
            spans,
            parents,
            children,
            events,
            text: String::new(),
        }
    }

    fn draw(mut self) -> String {
        let is_root = |parent: &Option<usize>| parent.is_none();
        let roots =
            (0..self.spans.len()).filter(|index| self.parents.get(*index).is_some_and(is_root));
        let roots: Vec<usize> = roots.collect();
        // The spans that are still to be drawn, the next one last: trees may be deeper than the
        // stack allows.
        let mut rest: Vec<Waiting> = Vec::new();
        for root in roots.into_iter().rev() {
            rest.push(Waiting {
                index: root,
                depth: 0,
                margin: Rc::from(""),
                is_last: true,
            });
        }
        while let Some(waiting) = rest.pop() {
            let Waiting {
                index,
                depth,
                margin,
                is_last,
            } = waiting;
            let Some(kept) = self.spans.get(index) else {
                continue;
            };
            let is_root = self.parents.get(index).is_some_and(is_root);
            let branch = match (is_root, is_last) {
                (true, _) => "",
                (false, true) => "└─ ",
                (false, false) => "├─ ",
            };
            self.line(&margin, branch, kept);
            let inner: Rc<str> = match (is_root || depth >= DEEPEST, is_last) {
                (true, _) => margin,
                (false, true) => format!("{margin}   ").into(),
                (false, false) => format!("{margin}│  ").into(),
            };
            self.event_lines(&inner, kept);
            let children = self.children.remove(&index);
            let children = children.unwrap_or_default();
            for (nth, child) in children.iter().enumerate().rev() {
                rest.push(Waiting {
                    index: *child,
                    depth: depth + 1,
                    margin: Rc::clone(&inner),
                    is_last: nth + 1 == children.len(),
                });
            }
        }
        self.text
    }

    fn line(&mut self, margin: &str, branch: &str, kept: &KeptSpan) {
        let span = &kept.span.span;
        self.text.push_str(margin);
        self.text.push_str(branch);
        self.text.push_str(&span.name);
        if span.name != span.type_name() {
            self.text.push_str(&format!(" ({})", span.type_name()));
        }
        if !kept.has_ended {
            self.text.push_str(" [open]");
        }
        self.text.push('\n');
    }

    fn event_lines(&mut self, margin: &str, kept: &KeptSpan) {
        if self.events == Events::Hidden {
            return;
        }
        for event in &kept.span.span.events {
            self.text
                .push_str(&format!("{margin}{EVENT} {}", event.name));
            match event.type_name() {
                Some(type_name) if type_name != event.name => {
                    self.text.push_str(&format!(" ({type_name})\n"));
                }
                _ => self.text.push('\n'),
            }
        }
    }
}
