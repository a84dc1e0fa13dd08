//! Agent Spec spans as OpenTelemetry spans.

mod carried;
mod content;
mod entering;
mod exchange;
mod long;
mod nesting;
mod open_bytes;
mod other_spans;
mod records;
mod replay;
mod round_trip;
pub(crate) mod story;
mod unfinished;
pub(crate) mod watched;
