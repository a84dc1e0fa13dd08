//! The input: what is done, step by step, and which processors fail when.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Script {
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) processors: Vec<ProcessorInput>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    Sync,
    Async,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessorInput {
    pub(super) name: String,
    #[serde(default)]
    pub(super) raise_on: Vec<RaiseOn>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RaiseOn {
    hook: String,
    span: Option<String>,
    event: Option<String>,
    r#type: String,
    message: String,
}

impl ProcessorInput {
    /// What it raises in this hook, if it does.
    pub(super) fn raises(
        &self,
        hook: &str,
        span: Option<&str>,
        event: Option<&str>,
    ) -> Option<PythonError> {
        let meets = |asked: &Option<String>, found| asked.is_none() || asked.as_deref() == found;
        let raise = self.raise_on.iter().find(|raise| {
            raise.hook == hook && meets(&raise.span, span) && meets(&raise.event, event)
        })?;
        Some(PythonError::raised(&raise.r#type, &raise.message))
    }
}

impl Script {
    /// Whether a processor fails in a hook, for all events or for this one.
    pub(super) fn raises(&self, hook: &str, event: Option<&str>) -> bool {
        let all = self.processors.iter().flat_map(|one| &one.raise_on);
        let mut of_hook = all.filter(|raise| raise.hook == hook);
        of_hook.any(|raise| raise.event.is_none() || raise.event.as_deref() == event)
    }
}

/// An error as the file writes it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{message}")]
pub(super) struct PythonError {
    pub(super) r#type: String,
    pub(super) message: String,
}

impl PythonError {
    /// What an exception of this class with this argument says of itself: a `KeyError` quotes the key.
    fn raised(class: &str, message: &str) -> Self {
        let message = match class {
            "KeyError" => quoted(message),
            _ => message.to_owned(),
        };
        Self {
            r#type: class.to_owned(),
            message,
        }
    }

    pub(super) fn runtime(message: &str) -> Self {
        Self {
            r#type: "RuntimeError".into(),
            message: message.into(),
        }
    }

    /// A trace starts where one is active.
    pub(super) fn nested_trace() -> Self {
        Self::runtime("A Trace already exists. Cannot create two nested Traces.")
    }

    /// A span starts that has been started before. Ours cannot: starting uses the builder up.
    pub(super) fn second_start() -> Self {
        Self::runtime("a span starts once")
    }
}

/// A text as Python's `repr` writes it, but for characters that cannot be printed beyond ASCII.
fn quoted(text: &str) -> String {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            character if character == quote || character == '\\' => {
                quoted.extend(['\\', character]);
            }
            control if control.is_ascii_control() => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push(quote);
    quoted
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) op: Op,
    #[serde(default)]
    trace: String,
    #[serde(default)]
    span: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    pub(super) steps: Vec<Self>,
    pub(super) processors: Option<Vec<String>>,
    pub(super) shutdown_on_exit: Option<bool>,
    pub(super) root_span: Option<String>,
    r#type: Option<String>,
    message: Option<String>,
    r#async: Option<bool>,
    #[serde(default)]
    pub(super) propagate: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Op {
    WithTrace,
    TraceStart,
    TraceEnd,
    WithSpan,
    SpanStart,
    SpanEnd,
    AddEvent,
    Raise,
    SetProcessors,
    InThread,
    InTask,
}

impl Step {
    pub(super) fn is_async(&self, mode: Mode) -> bool {
        self.r#async.unwrap_or(mode == Mode::Async)
    }

    /// Whether a step inside of it ends the trace that it opens.
    pub(super) fn ends_its_trace_inside(&self) -> bool {
        fn ends(steps: &[Step], trace: &str) -> bool {
            steps.iter().any(|step| {
                (step.op == Op::TraceEnd && step.trace == trace) || ends(&step.steps, trace)
            })
        }
        ends(&self.steps, &self.trace)
    }

    pub(super) fn trace(&self) -> &str {
        &self.trace
    }

    pub(super) fn span(&self) -> &str {
        &self.span
    }

    pub(super) fn event(&self) -> &str {
        &self.event
    }

    /// What a `raise` throws.
    pub(super) fn error(&self) -> PythonError {
        PythonError::raised(
            self.r#type.as_deref().unwrap_or_default(),
            self.message.as_deref().unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_error_quotes_its_key() {
        for (key, quoted) in [
            ("k", "'k'"),
            ("", "''"),
            ("it's", "\"it's\""),
            ("it's \"so\"", r#"'it\'s "so"'"#),
            ("a\n\\\u{1}é", r"'a\n\\\x01é'"),
        ] {
            assert_eq!(PythonError::raised("KeyError", key).message, quoted);
            assert_eq!(PythonError::raised("ValueError", key).message, key);
        }
    }
}
