//! The ground under the queues and processors of `agentspan`. Programs need not depend on it.
//!
//! - [`contain`] calls code that belongs to somebody else, such as a hook, a filter, an exporter or a
//!   log subscriber, and keeps its panics from the threads of the program and of the queues.
//! - [`fork`] notices that the process is the child of a fork, and [`PerProcess`] keeps what a child does not
//!   share with its parent.
//! - [`queue`] is the bounded queue, with its thread, under all queues of `agentspan`.
//! - [`told`] knows of which losses a flush or a shutdown has told, so that the program hears of each once.
//!
//! The crate knows no runtime, no network and no OpenTelemetry.

pub mod contain;
pub mod fork;
mod per_process;
pub mod queue;
pub mod told;

pub use per_process::PerProcess;
