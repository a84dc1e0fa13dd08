//! The rules of Agent Spec Tracing.

use super::ConventionRule;
use crate::agent365::contract::Level;

const TRACING: &str = "Agent Spec 26.2, Tracing";
const HOOKS: &str = "pyagentspec.tracing 26.3.1, span processors";

pub(super) static END_WITHOUT_START: ConventionRule = ConventionRule {
    id: "S01",
    name: "call-without-start",
    level: Level::Error,
    symptom: "The span has no beginning, and what it did before is not known.",
    cause: "`on_event` or `on_end` was called for a span that has not started, or `on_end` for one that has ended.",
    remedy: "Call `on_start` first and `on_end` last, once for each span.",
    source: HOOKS,
};
pub(super) static NEVER_ENDED: ConventionRule = ConventionRule {
    id: "S02",
    name: "never-ended",
    level: Level::Error,
    symptom: "The span runs forever.",
    cause: "`on_end` was not called before the recording ended.",
    remedy: "End spans also when something fails, for instance with a context manager or a guard.",
    source: HOOKS,
};
pub(super) static IMPOSSIBLE_TIMES: ConventionRule = ConventionRule {
    id: "S03",
    name: "impossible-times",
    level: Level::Error,
    symptom: "The span stands in the wrong place.",
    cause: "The span ends before it starts, or has ended and has no times.",
    remedy: "Take all times from one clock, in nanoseconds since the Unix epoch.",
    source: TRACING,
};
pub(super) static UNKNOWN_PARENT: ConventionRule = ConventionRule {
    id: "S04",
    name: "unknown-parent",
    level: Level::Error,
    symptom: "The span stands beside the run to which it belongs.",
    cause: "No span with the id of its parent has started in this trace.",
    remedy: "Start the parent first, and pass on the id under which it was started.",
    source: TRACING,
};
pub(super) static UNKNOWN_TYPE: ConventionRule = ConventionRule {
    id: "S05",
    name: "unknown-type",
    level: Level::Hint,
    symptom: "Viewers show little of it.",
    cause: "Agent Spec knows no span or event of this type.",
    remedy: "Use a type of Agent Spec if one fits.",
    source: TRACING,
};
pub(super) static FOREIGN_EVENT: ConventionRule = ConventionRule {
    id: "S06",
    name: "foreign-event",
    level: Level::Error,
    symptom: "What happened is shown with another span, or not at all.",
    cause: "The event belongs to spans of another type, such as a `ToolExecutionRequest` in an `LlmGenerationSpan`.",
    remedy: "Add the event to the span of what it is about.",
    source: TRACING,
};
pub(super) static MISSING_EVENT: ConventionRule = ConventionRule {
    id: "S07",
    name: "missing-event",
    level: Level::Warning,
    symptom: "Inputs or outputs of the span are missing.",
    cause: "The span ended without the event that says what went in, or what came out, and without an exception.",
    remedy: "Add the pair of events that Agent Spec has for the span, such as `ToolExecutionRequest` and \
             `ToolExecutionResponse`.",
    source: TRACING,
};
pub(super) static UNANSWERED_ID: ConventionRule = ConventionRule {
    id: "S08",
    name: "other-request-id",
    level: Level::Warning,
    symptom: "Answers cannot be joined with what was asked.",
    cause: "The `request_id` of an answer is not that of a request in the same span.",
    remedy: "Give both events the same `request_id`.",
    source: TRACING,
};
pub(super) static NEGATIVE_TOKENS: ConventionRule = ConventionRule {
    id: "S09",
    name: "negative-tokens",
    level: Level::Error,
    symptom: "Totals are too small.",
    cause: "A number of tokens is negative.",
    remedy: "Leave it out if it is not known.",
    source: TRACING,
};
pub(super) static CHANGED_TYPE: ConventionRule = ConventionRule {
    id: "S10",
    name: "changed-type",
    level: Level::Error,
    symptom: "It is not known what the span was.",
    cause: "The span has another type than when it started.",
    remedy: "Give each span an id of its own.",
    source: TRACING,
};
pub(super) static NO_TRACE: ConventionRule = ConventionRule {
    id: "S11",
    name: "no-trace",
    level: Level::Warning,
    symptom: "The span is not shown with others.",
    cause: "The span was made outside of all traces.",
    remedy: "Open a trace around the run.",
    source: TRACING,
};
pub(super) static LATE_EVENT: ConventionRule = ConventionRule {
    id: "S12",
    name: "late-event",
    level: Level::Hint,
    symptom: "The event is not shown by who sends a span when it ends.",
    cause: "`on_event` was called for a span that has ended, as some do who wait for a callback.",
    remedy: "Add the event before the span ends, if it is known by then.",
    source: HOOKS,
};

/// All rules of Agent Spec Tracing, in the order of their ids.
pub static AGENT_SPEC_RULES: [&ConventionRule; 12] = [
    &END_WITHOUT_START,
    &NEVER_ENDED,
    &IMPOSSIBLE_TIMES,
    &UNKNOWN_PARENT,
    &UNKNOWN_TYPE,
    &FOREIGN_EVENT,
    &MISSING_EVENT,
    &UNANSWERED_ID,
    &NEGATIVE_TOKENS,
    &CHANGED_TYPE,
    &NO_TRACE,
    &LATE_EVENT,
];
