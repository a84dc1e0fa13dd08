//! Agent Spec spans as OpenTelemetry spans.

mod content;
mod exchange;
mod long;
mod nesting;
mod other_spans;
mod replay;
mod round_trip;
pub(crate) mod story;
mod unfinished;
pub(crate) mod watched;
