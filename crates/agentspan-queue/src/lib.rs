//! The common base of the queues and processors of `agentspan`. Programs need not depend on it.
//!
//! - [`causes`] shows an error with its causes.
//! - [`contain`] calls foreign code, such as a hook, a filter, an exporter or a log subscriber, and
//!   catches its panics, so that they end no thread of the program or of a queue.
//! - [`fork`] notices that the process is the child of a fork. [`PerProcess`] holds the state that a child
//!   does not share with its parent.
//! - [`lock`] locks a mutex, also after a panic.
//! - [`queue`] is the bounded queue, with its thread, that all queues of `agentspan` use.
//! - [`told`] remembers which losses a flush or a shutdown has reported, so that each is reported once.
//!
//! The crate uses no async runtime, no network and no OpenTelemetry.

#![doc(html_root_url = "https://docs.rs/agentspan-queue/latest")]

pub mod causes;
pub mod contain;
pub mod fork;
mod lock;
mod per_process;
pub mod queue;
mod sync;
pub mod told;

pub use lock::lock;
pub use per_process::PerProcess;
