//! What traces, spans, hooks and processors do, through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod allocations;
mod async_spans;
mod background_queue;
mod disclosure;
mod dropped_traces;
mod errors;
mod every_end;
mod executions;
mod filters;
mod foreign_panics;
mod hooks;
mod in_memory;
mod outside_trace;
mod queued_async_hooks;
mod recorder;
mod recordings;
mod runtimes;
mod spans;
mod traces;
mod when_observed;
