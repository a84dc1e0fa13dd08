//! What agentspan costs beside its peers: the same work, interleaved in one run.
//!
//! `cargo xtask bench` prints a table for each row; `cargo xtask bench --help` says what can be asked
//! for. Nothing here fails because something was slow: the tables say what was reached.
//!
//! # How it measures
//!
//! - The contenders of a [`Row`] run in turns, each round in another order, and the median counts.
//! - Time is CPU time, of the thread or of the whole process, so that other programs disturb less.
//! - Allocations are counted in another process, because counting costs time.
//! - The clients share one processor where the system allows it, because what it costs to hand work
//!   from thread to thread depends on where the threads are.
//! - The service that spans are sent to is another process too, so that its work is not counted.
//!
//! # What is where
//!
//! - [`Row`], [`Contender`], [`Goal`]: what is compared, and what should come out.
//! - [`Row::NAMES`]: all rows.
//! - [`run`]: the whole program.

mod agentspec_row;
mod children;
mod encode_row;
mod error;
mod export_row;
mod gauge;
mod options;
mod peak;
mod placement;
mod program;
mod reading_row;
mod report;
mod row;
mod scope_row;
mod versions;

pub use crate::children::{Children, count_allocations, run_child};
pub use crate::encode_row::json;
pub use crate::error::{BenchError, exit_code};
pub use crate::program::run;
pub use crate::row::{Contender, Gauge, Goal, Per, Row, Unit};
