//! Draws the spans of one trace as a tree.

use std::fmt::Write;
use std::time::Duration;

use agentspan_model::agentspec::MASK;
use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;

use super::ConsoleDetail;
use crate::masked::is_content;

/// One text with a line for each span, children under their parents in order of their start.
pub(super) fn render(mut spans: Vec<SpanData>, detail: ConsoleDetail) -> String {
    spans.sort_by_key(|span| span.start_time);
    let tree = Tree {
        spans: &spans,
        detail,
    };
    let mut text = String::new();
    let mut stack: Vec<Row> = tree.rows_under(None, "");
    while let Some(row) = stack.pop() {
        tree.draw(&row, &mut text);
        let id = row.span.span_context.span_id();
        stack.extend(tree.rows_under(Some(id), &row.indent));
    }
    text
}

struct Tree<'a> {
    spans: &'a [SpanData],
    detail: ConsoleDetail,
}

/// A span and where it stands. Rows wait on a stack instead of a recursion, so that no depth of
/// nesting can exhaust the thread's own.
struct Row<'a> {
    span: &'a SpanData,
    branch: String,
    indent: String,
}

impl<'a> Tree<'a> {
    /// The children of `parent` (or the spans without a parent here), last first.
    fn rows_under(&self, parent: Option<SpanId>, indent: &str) -> Vec<Row<'a>> {
        let children = self.spans.iter().filter(|span| match parent {
            Some(parent) => span.parent_span_id == parent && span.span_context.span_id() != parent,
            None => !self.has_parent_here(span),
        });
        children
            .rev()
            .enumerate()
            .map(|(from_the_last, span)| {
                let (branch, below) = match (parent, from_the_last) {
                    (None, _) => ("", ""),
                    (Some(_), 0) => ("└─ ", "   "),
                    (Some(_), _) => ("├─ ", "│  "),
                };
                Row {
                    span,
                    branch: format!("{indent}{branch}"),
                    indent: format!("{indent}{below}"),
                }
            })
            .collect()
    }

    fn has_parent_here(&self, span: &SpanData) -> bool {
        let parent = span.parent_span_id;
        let is_parent = |other: &SpanData| other.span_context.span_id() == parent;
        span.span_context.span_id() != parent && self.spans.iter().any(is_parent)
    }

    fn draw(&self, row: &Row<'_>, text: &mut String) {
        let span = row.span;
        let head = format!("{}{}", row.branch, printable(&span.name));
        let duration = span
            .end_time
            .duration_since(span.start_time)
            .unwrap_or_default();
        let error = match &span.status {
            Status::Error { .. } => format!("  error: {}", printable(&error_type(span))),
            Status::Ok | Status::Unset => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{head:<46}{:>11}{error}", milliseconds(duration));
        if self.detail != ConsoleDetail::Names {
            for attribute in &span.attributes {
                let value = self.shown(attribute);
                let _ = writeln!(
                    text,
                    "{}    {} = {value}",
                    row.indent,
                    printable(attribute.key.as_str())
                );
            }
        }
    }

    fn shown(&self, attribute: &KeyValue) -> String {
        let is_content = is_content(attribute.key.as_str());
        if is_content && self.detail != ConsoleDetail::AttributesWithContents {
            return MASK.to_owned();
        }
        printable(&attribute.value.as_str())
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
    attribute.map_or_else(|| "unknown".to_owned(), |a| a.value.as_str().into_owned())
}

/// Without the characters by which a name could pretend to be another line or colour the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
