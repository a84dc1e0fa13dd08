//! What comes out: calls of hooks, steps, and the spans as they are in the end.

use serde::Serialize;

use super::script::PythonError;

#[derive(Serialize)]
pub(super) struct LifecycleOutcome {
    pub(super) calls: Vec<CallRecord>,
    pub(super) steps: Vec<StepRecord>,
    pub(super) uncaught: Option<PythonError>,
    pub(super) spans: Vec<SpanState>,
}

/// A call of a hook.
#[derive(Clone, Serialize)]
pub(super) struct CallRecord {
    pub(super) processor: String,
    pub(super) hook: &'static str,
    pub(super) r#async: bool,
    #[serde(flatten)]
    pub(super) span: Option<CalledSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<EventRecord>,
    pub(super) stack_depth: usize,
}

/// The span that a hook was called with.
#[derive(Clone, Serialize)]
pub(super) struct CalledSpan {
    pub(super) span: String,
    pub(super) parent: Option<String>,
    pub(super) started: bool,
    pub(super) ended: bool,
}

#[derive(Clone, Serialize)]
pub(super) struct EventRecord {
    pub(super) name: String,
    pub(super) class: String,
    #[serde(flatten)]
    pub(super) exception: Option<ExceptionRecord>,
}

#[derive(Clone, Serialize)]
pub(super) struct ExceptionRecord {
    pub(super) exception_type: String,
    pub(super) exception_message: String,
    pub(super) has_stacktrace: bool,
}

/// What was seen after a step.
#[derive(Serialize)]
pub(super) struct StepRecord {
    pub(super) step: String,
    pub(super) phase: &'static str,
    pub(super) surfaced: Option<PythonError>,
    #[serde(flatten)]
    pub(super) active: ActiveRecord,
}

/// What is active.
#[derive(Serialize)]
pub(super) struct ActiveRecord {
    pub(super) stack_depth: usize,
    pub(super) current_span: Option<String>,
    pub(super) active_trace: Option<String>,
    pub(super) async_mode: Option<bool>,
}

/// A span in the end.
#[derive(Serialize)]
pub(super) struct SpanState {
    pub(super) name: String,
    pub(super) parent: Option<String>,
    pub(super) started: bool,
    pub(super) ended: bool,
    pub(super) events: Vec<EventRecord>,
}
