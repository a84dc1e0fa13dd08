//! The ground under the queues and processors of `agentspan`. Programs need not depend on it.
//!
//! - [`contain`] calls code that belongs to somebody else, such as a hook, a filter, an exporter or a
//!   log subscriber, and keeps its panics from the threads of the program and of the queues.
//!
//! The crate knows no runtime, no network and no OpenTelemetry.

pub mod contain;
