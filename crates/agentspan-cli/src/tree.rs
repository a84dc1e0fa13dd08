//! Draws a trace as a tree of lines.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use serde_json::Value;

use crate::answers;
use crate::facts::Kind;
use crate::reading::Reading;
use crate::row::Row;
use crate::shown::{counted, shown_cut};
use crate::span::Span;

/// How many characters of a name or an id are shown.
const NAME_CHARACTERS: usize = 300;

/// How many characters of an input or an output are shown.
const CONTENT_CHARACTERS: usize = 160;

/// Deeper spans stand at this depth.
const MAX_DEPTH: usize = 64;

/// Writes a trace as a tree.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    row: &'a Row,
    roots: Vec<&'a Span>,
    children: HashMap<&'a str, Vec<&'a Span>>,
    has_contents: bool,
    colours: Colours,
}

/// Whether what went wrong is in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    None,
    /// The colours of a terminal.
    Ansi,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(row: &'a Row, spans: &'a [Span]) -> Self {
        let ids: HashSet<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
        let mut roots = Vec::new();
        let mut children: HashMap<&str, Vec<&Span>> = HashMap::new();
        for span in spans {
            let parent = span.parent_id.as_deref();
            match parent.filter(|id| ids.contains(id) && *id != span.span_id) {
                Some(parent) => children.entry(parent).or_default().push(span),
                None => roots.push(span),
            }
        }
        for siblings in children.values_mut().chain([&mut roots]) {
            siblings.sort_by_key(|span| span.start);
        }
        Self {
            row,
            roots,
            children,
            has_contents: false,
            colours: Colours::None,
        }
    }

    /// Sets whether the beginning of what was asked and answered is shown.
    pub(crate) fn with_contents(mut self, has_contents: bool) -> Self {
        self.has_contents = has_contents;
        self
    }

    /// Sets whether what went wrong is in colour. The default is that it is not.
    pub(crate) fn with_colours(mut self, colours: Colours) -> Self {
        self.colours = colours;
        self
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.head())?;
        let mut seen = HashSet::new();
        self.branches(out, &self.roots, &mut seen)?;
        // Spans that are each other's parents have no root.
        let all = self.children.values().flatten();
        let mut circle: Vec<_> = all
            .filter(|span| !seen.contains(span.span_id.as_str()))
            .collect();
        circle.sort_by_key(|span| span.start);
        for span in circle {
            if !seen.contains(span.span_id.as_str()) {
                self.branches(out, &[*span], &mut seen)?;
            }
        }
        Ok(())
    }

    /// Writes spans with all below them. A trace may be deeper than a stack.
    fn branches(
        &self,
        out: &mut dyn Write,
        spans: &[&'a Span],
        seen: &mut HashSet<&'a str>,
    ) -> io::Result<()> {
        let mut waiting: Vec<Branch<'a>> = Branch::all(spans, "").collect();
        while let Some(branch) = waiting.pop() {
            if seen.insert(&branch.span.span_id) {
                let children = self.children.get(branch.span.span_id.as_str());
                let children = children.map(Vec::as_slice).unwrap_or_default();
                let below = branch.below();
                self.span(out, &branch, &below, !children.is_empty())?;
                waiting.extend(Branch::all(children, &below));
            }
        }
        Ok(())
    }

    fn head(&self) -> String {
        let row = self.row;
        let mut head = format!(
            "trace {}  {}",
            shown_cut(&row.id, NAME_CHARACTERS),
            counted(row.spans, "span")
        );
        if row.end > row.start {
            head += &format!("  {}", duration(row.end - row.start));
        }
        if row.input > 0 || row.output > 0 {
            head += &format!("  {} → {} tokens", row.input, row.output);
        }
        if row.errors > 0 {
            head += &format!("  {}", counted(row.errors, "error"));
        }
        if row.refused > 0 {
            head += &format!("  {} refused by Agent 365", row.refused);
        }
        if row.is_running {
            head += "  running";
        }
        head
    }

    fn span(
        &self,
        out: &mut dyn Write,
        branch: &Branch<'a>,
        below: &str,
        has_children: bool,
    ) -> io::Result<()> {
        let (indent, span) = (&branch.indent, branch.span);
        let twig = if branch.is_last { "└─" } else { "├─" };
        writeln!(out, "{indent}{twig} {}", line(span, self.colours))?;
        if self.has_contents {
            let bar = if has_children { "│ " } else { "  " };
            for (word, text) in ["in", "out"].into_iter().zip(contents(span)) {
                if let Some(text) = text {
                    let text = shown_cut(&text, CONTENT_CHARACTERS);
                    writeln!(out, "{below}{bar}{word}: {text}")?;
                }
            }
        }
        Ok(())
    }
}

/// A span where it stands in the tree.
struct Branch<'a> {
    span: &'a Span,
    indent: String,
    is_last: bool,
}

impl<'a> Branch<'a> {
    /// Spans that stand below the same one, the last first.
    fn all(spans: &[&'a Span], indent: &str) -> impl Iterator<Item = Self> {
        let last_first = spans.iter().rev().enumerate();
        last_first.map(move |(place, span)| Self {
            span,
            indent: indent.to_owned(),
            is_last: place == 0,
        })
    }

    /// The indent of what stands below it.
    fn below(&self) -> String {
        let indent = &self.indent;
        let is_deep = indent.chars().count() >= 3 * MAX_DEPTH;
        match (is_deep, self.is_last) {
            (true, _) => indent.clone(),
            (false, true) => format!("{indent}   "),
            (false, false) => format!("{indent}│  "),
        }
    }
}

/// What a span was asked, and what it answered: for a tool, these are its arguments and its result.
fn contents(span: &Span) -> [Option<String>; 2] {
    let facts = &span.facts;
    let of_messages = [facts.asked.clone(), facts.answered.clone()];
    if facts.kind != Kind::Tool {
        return of_messages;
    }
    let Some(normal) = Reading::of(&span.value()).normal() else {
        return of_messages;
    };
    let contents = answers::contents(&normal);
    let of_tool = ["arguments", "result"].map(|name| match &contents[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    });
    let [arguments, result] = of_tool;
    let [asked, answered] = of_messages;
    [arguments.or(asked), result.or(answered)]
}

/// The line of a span, without its indent.
fn line(span: &Span, colours: Colours) -> String {
    let mut line = shown_cut(&span.name, NAME_CHARACTERS);
    match span.end {
        Some(end) if end < span.start => line += "  end before start",
        Some(end) => line += &format!("  {}", duration(end - span.start)),
        None => line += "  running",
    }
    let usage = &span.facts.usage;
    if span.facts.kind == Kind::Llm && (usage.input.is_some() || usage.output.is_some()) {
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        line += &format!("  {input} → {output} tokens");
    }
    if span.is_error {
        let error = span.facts.error.as_deref().unwrap_or("error");
        let error = format!("✗ {}", shown_cut(error, NAME_CHARACTERS));
        line += &format!("  {}", colours.paint(RED, &error));
    }
    if span.facts.is_refused {
        line += &format!("  {}", colours.paint(YELLOW, "! refused by Agent 365"));
    }
    line
}

const RED: &str = "31";
const YELLOW: &str = "33";

impl Colours {
    fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Ansi => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        }
    }
}

/// A duration with three digits or so.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn duration(nanoseconds: u64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    match nanoseconds {
        0..1_000_000 => format!("{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        1_000_000_000..60_000_000_000 => format!("{seconds:.2} s"),
        _ => format!(
            "{} min {} s",
            nanoseconds / 60_000_000_000,
            nanoseconds / 1_000_000_000 % 60
        ),
    }
}
