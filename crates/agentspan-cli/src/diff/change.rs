//! Finds the differences between two spans of the same step.

use serde_json::{Value, json};

use crate::answers;
use crate::digest::is_hidden;
use crate::reading::Reading;
use crate::shown::shown_cut;
use crate::span::Span;

/// How many characters of a content are shown.
const CONTENT_CHARACTERS: usize = 80;

/// One thing that differs.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) what: &'static str,
    pub(super) before: Value,
    pub(super) after: Value,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fact,
    Content,
    /// A content that one of the runs does not show, so that nobody can compare it.
    Masked,
}

impl Change {
    /// Whether it differs. What is masked may be the same.
    pub(super) fn is_difference(&self) -> bool {
        self.kind != Kind::Masked
    }

    pub(super) fn shown(&self, has_contents: bool) -> String {
        match self.kind {
            Kind::Masked => return format!("{} masked", self.what),
            Kind::Content if !has_contents => return format!("{} changed", self.what),
            Kind::Content | Kind::Fact => {}
        }
        let [before, after] = [&self.before, &self.after].map(|value| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            shown_cut(&text, CONTENT_CHARACTERS)
        });
        format!("{} {before} → {after}", self.what)
    }
}

/// The differences between two spans, and the contents that cannot be compared. Names, ids and times
/// are not compared.
pub(super) fn changes(before: &Span, after: &Span) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = |what, before: Value, after: Value| {
        if before != after {
            let kind = Kind::Fact;
            changes.push(Change {
                what,
                before,
                after,
                kind,
            });
        }
    };
    let (a, b) = (&before.facts, &after.facts);
    compare("state", a.status.into(), b.status.into());
    compare("error", json!(a.error), json!(b.error));
    compare("model", json!(a.model), json!(b.model));
    compare("input tokens", json!(a.usage.input), json!(b.usage.input));
    compare(
        "output tokens",
        json!(a.usage.output),
        json!(b.usage.output),
    );
    let [a, b] = [before, after].map(Contents::of);
    for (what, a, b) in [("input", a.input, b.input), ("output", a.output, b.output)] {
        let kind = match is_hidden(&a, before) || is_hidden(&b, after) {
            true => Kind::Masked,
            false if a == b => continue,
            false => Kind::Content,
        };
        let (before, after) = (a, b);
        changes.push(Change {
            what,
            before,
            after,
            kind,
        });
    }
    changes
}

/// The input and the output of a span.
#[derive(Default)]
struct Contents {
    input: Value,
    output: Value,
}

impl Contents {
    fn of(span: &Span) -> Self {
        let Some(normal) = Reading::of(&span.value()).normal() else {
            return Self::default();
        };
        let contents = answers::contents(&normal);
        let of = |messages: &str, of_tool: &str| match &contents[of_tool] {
            Value::Null => contents[messages].clone(),
            value => value.clone(),
        };
        Self {
            input: of("messages", "arguments"),
            output: of("output", "result"),
        }
    }
}
