//! `agentspec_recordings.json`: recordings as programs write them, whole, cut and broken.

use agentspan_model::agentspec::{
    HookCall, PathSegment, ProblemKind, ReadError, RecordedHook, RecordedSpan, Recording,
    RecordingError, RecordingErrorKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Case, Failure, Json, Outcome, Runner};

pub(super) struct AgentspecRecordings;

/// A text, or its bytes where it is not UTF-8.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    Text(String),
    Hex(String),
}

#[derive(Serialize)]
struct Expected {
    hooks: Vec<Value>,
    errors: Vec<Vec<Value>>,
    cut_off_line: Option<usize>,
}

impl Runner for AgentspecRecordings {
    fn file_stem(&self) -> &'static str {
        "agentspec_recordings"
    }

    fn run(&self, case: &Case) -> Outcome {
        let bytes = match case.input()? {
            Input::Text(text) => text.into_bytes(),
            Input::Hex(digits) => bytes_of(&digits)?,
        };
        let mut recording = Recording::new(bytes.as_slice());
        let mut hooks = Vec::new();
        let mut errors = Vec::new();
        while let Some(read) = recording.next() {
            match read {
                Ok(hook) => hooks.push(shown(recording.line_number(), &hook)),
                Err(error) => errors.push(class_of(&error, &bytes)?),
            }
        }
        Ok(Json::of(&Expected {
            hooks,
            errors,
            cut_off_line: recording.cut_off_line(),
        })?)
    }
}

/// What the file tells of a hook.
fn shown(line: usize, hook: &RecordedHook) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    let (name, on) = match &hook.call {
        HookCall::Startup => ("startup", None),
        HookCall::OnStart(on) => ("on_start", Some(on)),
        HookCall::OnEvent(on, _) => ("on_event", Some(on)),
        HookCall::OnEnd(on) => ("on_end", Some(on)),
        HookCall::Shutdown => ("shutdown", None),
    };
    add("line", json!(line));
    add("hook", json!(name));
    if let Some(trace) = &hook.trace {
        add("trace", json!(trace.id.as_str()));
    }
    if let Some(RecordedSpan {
        span, parent_id, ..
    }) = on
    {
        let events = span.events.iter().map(|event| event.type_name());
        add("span", json!(span.id.as_str()));
        add("type", json!(span.type_name()));
        add("name", json!(span.name));
        add("parent", json!(parent_id.as_ref().map(|id| id.as_str())));
        add("start", json!(span.start_time.map(|t| t.as_unix_nanos())));
        add("end", json!(span.end_time.map(|t| t.as_unix_nanos())));
        add("events_in_span", events.collect());
    }
    if let HookCall::OnEvent(_, event) = &hook.call {
        add("event", json!(event.type_name()));
    }
    Value::Object(members)
}

/// The line, the class and the member of an error.
fn class_of(error: &RecordingError, bytes: &[u8]) -> Result<Vec<Value>, Failure> {
    let (class, member) = match &error.kind {
        RecordingErrorKind::NotUtf8 => ("not_utf8", None),
        RecordingErrorKind::Unreadable(why) => class_of_text(why)?,
        other => return Err(other.to_string().into()),
    };
    let member = match class {
        "unknown_hook" => hook_of(bytes, error.line),
        _ => member.map(Value::String),
    };
    Ok([json!(error.line), json!(class)]
        .into_iter()
        .chain(member)
        .collect())
}

fn class_of_text(error: &ReadError) -> Result<(&'static str, Option<String>), Failure> {
    let problem = error.problems().first().ok_or("an error has a problem")?;
    let member = problem.path.iter().map(|segment| match segment {
        PathSegment::Member(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    let member = member.collect::<Vec<_>>().join(".");
    Ok(match &problem.kind {
        ProblemKind::Syntax { .. } => ("not_json", None),
        ProblemKind::Missing => ("missing_member", Some(member)),
        ProblemKind::WrongType { .. } if member.is_empty() => ("not_an_object", None),
        ProblemKind::WrongType { .. } if member == "hook" => ("unknown_hook", None),
        ProblemKind::WrongType { .. } => ("wrong_type", Some(member)),
        other => return Err(other.to_string().into()),
    })
}

/// The name of a hook that nobody knows, which errors do not show.
fn hook_of(bytes: &[u8], line: usize) -> Option<Value> {
    let line = bytes.split(|byte| *byte == b'\n').nth(line - 1)?;
    let line: Value = serde_json::from_slice(line).ok()?;
    line.get("hook").cloned()
}

fn bytes_of(digits: &str) -> Result<Vec<u8>, Failure> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.ok_or_else(|| Failure::from("the bytes are no hexadecimal digits"))
}
