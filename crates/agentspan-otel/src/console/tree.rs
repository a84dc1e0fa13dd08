//! Draws the spans of one trace as a tree.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

use agentspan_model::keys;
use agentspan_model::terminal::is_steering;
use agentspan_record::Hiding;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;

use super::ConsoleDetail;

/// How many levels of nesting an indentation shows. What is deeper would cost more to indent than
/// to say.
const DEEPEST: usize = 64;

/// A text that is longer than this is handed over in pieces.
const PIECE_BYTES: usize = 1 << 18;

/// Lines for each span, children under their parents in order of their start. A long tree goes to
/// `write` in pieces, so that no tree needs as much memory again as its spans.
pub(super) fn render(mut spans: Vec<SpanData>, detail: ConsoleDetail, mut write: impl FnMut(&str)) {
    if detail != ConsoleDetail::AttributesWithContents {
        spans
            .iter_mut()
            .for_each(|span| Hiding::Contents.apply(span));
    }
    spans.sort_by_key(|span| span.start_time);
    let mut tree = Tree::new(&spans, detail);
    let mut text = String::new();
    let mut stack: Vec<Row> = tree.roots();
    while let Some(row) = stack.pop() {
        tree.draw(&row, &mut text, &mut write);
        stack.extend(tree.rows_under(&row));
    }
    if !text.is_empty() {
        write(&text);
    }
}

struct Tree<'a> {
    spans: &'a [SpanData],
    /// The spans by their parents. Those that are drawn are taken out: ids that are there twice
    /// must not make a circle.
    children: HashMap<SpanId, Vec<&'a SpanData>>,
    detail: ConsoleDetail,
}

/// A span and where it stands. Rows wait on a stack instead of a recursion, so that no depth of
/// nesting can exhaust the thread's own.
struct Row<'a> {
    span: &'a SpanData,
    depth: usize,
    /// The text in front of the branch, the same for all siblings.
    margin: Rc<str>,
    branch: &'static str,
    indent: Rc<str>,
}

impl<'a> Tree<'a> {
    fn new(spans: &'a [SpanData], detail: ConsoleDetail) -> Self {
        let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
        for span in spans {
            if span.span_context.span_id() != span.parent_span_id {
                children.entry(span.parent_span_id).or_default().push(span);
            }
        }
        Self {
            spans,
            children,
            detail,
        }
    }

    /// The spans without a parent here, last first.
    fn roots(&self) -> Vec<Row<'a>> {
        let ids: HashSet<SpanId> = self
            .spans
            .iter()
            .map(|s| s.span_context.span_id())
            .collect();
        let is_root = |span: &&SpanData| {
            let parent = span.parent_span_id;
            parent == span.span_context.span_id() || !ids.contains(&parent)
        };
        let nothing: Rc<str> = Rc::from("");
        let roots = self.spans.iter().rev().filter(is_root);
        roots
            .map(|span| Row {
                span,
                depth: 0,
                margin: Rc::clone(&nothing),
                branch: "",
                indent: Rc::clone(&nothing),
            })
            .collect()
    }

    /// The children of a span, last first.
    fn rows_under(&mut self, parent: &Row<'a>) -> Vec<Row<'a>> {
        let id = parent.span.span_context.span_id();
        let children = self.children.remove(&id).unwrap_or_default();
        let margin = &parent.indent;
        let below = |text: &str| -> Rc<str> {
            if parent.depth < DEEPEST {
                format!("{margin}{text}").into()
            } else {
                Rc::clone(margin)
            }
        };
        let (below_last, below_others) = (below("   "), below("│  "));
        let children = children.into_iter().rev().enumerate();
        children
            .map(|(from_the_last, span)| {
                let (branch, indent) = match from_the_last {
                    0 => ("└─ ", &below_last),
                    _ => ("├─ ", &below_others),
                };
                Row {
                    span,
                    depth: parent.depth + 1,
                    margin: Rc::clone(margin),
                    branch,
                    indent: Rc::clone(indent),
                }
            })
            .collect()
    }

    fn draw(&self, row: &Row<'_>, text: &mut String, write: &mut impl FnMut(&str)) {
        let span = row.span;
        let head = format!("{}{}{}", row.margin, row.branch, printable(&span.name));
        let duration = span
            .end_time
            .duration_since(span.start_time)
            .unwrap_or_default();
        let error = match &span.status {
            Status::Error { description } => self.error(span, description),
            Status::Ok | Status::Unset => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{head:<46}{:>11}{error}", milliseconds(duration));
        if self.detail != ConsoleDetail::Names {
            for attribute in &span.attributes {
                let key = printable(attribute.key.as_str());
                let _ = write!(text, "{}    {key} = ", row.indent);
                push_printable(text, &attribute.value.as_str());
                text.push('\n');
                hand_over_if_long(text, write);
            }
        }
        hand_over_if_long(text, write);
    }

    /// The type of an error, and its text where contents are shown. Where its text was not captured, the
    /// type stands in its place, too.
    fn error(&self, span: &SpanData, description: &str) -> String {
        let error_type = error_type(span);
        let shows_text = self.detail == ConsoleDetail::AttributesWithContents;
        let text = match description {
            text if shows_text && !text.is_empty() && text != error_type => {
                format!(": {}", printable(text))
            }
            _ => String::new(),
        };
        format!("  error: {}{text}", printable(&error_type))
    }
}

fn hand_over_if_long(text: &mut String, write: &mut impl FnMut(&str)) {
    if text.len() >= PIECE_BYTES {
        write(text);
        text.clear();
        text.shrink_to(PIECE_BYTES);
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

fn error_type(span: &SpanData) -> String {
    let attribute = span
        .attributes
        .iter()
        .rev()
        .find(|a| a.key.as_str() == keys::ERROR_TYPE);
    attribute.map_or_else(
        || keys::ERROR_TYPE_OTHER.to_owned(),
        |a| a.value.as_str().into_owned(),
    )
}

/// Without the characters by which a name could pretend to be another line or text, or colour the terminal.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    push_printable(&mut printable, text);
    printable
}

fn push_printable(to: &mut String, text: &str) {
    to.reserve(text.len());
    for part in text.split_inclusive(is_steering) {
        let plain = part.trim_end_matches(is_steering);
        to.push_str(plain);
        if plain.len() < part.len() {
            to.push('\u{fffd}');
        }
    }
}
