//! Finds the differences between two spans of the same step.

use agentspan_model::mapping::normal::NormalSpan;
use serde_json::{Value, json};

use crate::answers;
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
    is_content: bool,
}

impl Change {
    pub(super) fn shown(&self, has_contents: bool) -> String {
        if self.is_content && !has_contents {
            return format!("{} changed", self.what);
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

/// The differences between two spans. Names, ids and times are not compared.
pub(super) fn changes(before: &Span, after: &Span) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = |what, before: Value, after: Value, is_content| {
        if before != after {
            changes.push(Change {
                what,
                before,
                after,
                is_content,
            });
        }
    };
    let (a, b) = (&before.facts, &after.facts);
    compare("state", a.status.into(), b.status.into(), false);
    compare("error", json!(a.error), json!(b.error), false);
    compare("model", json!(a.model), json!(b.model), false);
    compare(
        "input tokens",
        json!(a.usage.input),
        json!(b.usage.input),
        false,
    );
    compare(
        "output tokens",
        json!(a.usage.output),
        json!(b.usage.output),
        false,
    );
    let [a, b] = [before, after].map(|span| Reading::of(&span.value()).normal().map(contents));
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    compare("input", a.input, b.input, true);
    compare("output", a.output, b.output, true);
    changes
}

/// The input and the output of a span.
#[derive(Default)]
struct Contents {
    input: Value,
    output: Value,
}

fn contents(normal: NormalSpan) -> Contents {
    let contents = answers::contents(&normal);
    let of = |messages: &str, of_tool: &str| match &contents[of_tool] {
        Value::Null => contents[messages].clone(),
        value => value.clone(),
    };
    Contents {
        input: of("messages", "arguments"),
        output: of("output", "result"),
    }
}
