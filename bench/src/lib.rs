//! What agentspan costs beside its peers: the same work, interleaved in one run.
//!
//! `cargo xtask bench` prints a table for each row; `cargo xtask bench --help` says what can be asked
//! for. Nothing here fails because something was slow: the tables say what was reached.
//!
//! # How it measures
//!
//! - The contenders of a [`Row`] run in turns, each round in another order, and the median counts.
//! - Time is CPU time, of the thread or of the whole process, so that other programs disturb less.
//! - What is small takes turns in one process, on one processor. What has a worker beside the caller, a
//!   queue to fill or a peak of memory is a process of its own that measures itself; the producer is kept from
//!   being so far ahead of the worker that spans are lost, and what is lost is printed.
//! - Allocations are counted in another process, because counting costs time.
//! - The service that spans are sent to is another process too, so that its work is not counted.
//!
//! # What is where
//!
//! - `rows`: the list of all rows.
//! - [`Row`], [`Contender`], [`Goal`], [`Metric`]: what is compared, what is measured, and what should come out.
//! - `turns` and `site`: how it is measured, in turns or by programs.
//! - `peers`: what others do for the same work.
//! - [`run`]: the whole program.

mod agentspec_row;
mod attributes_row;
mod calls;
mod children;
mod defaults_row;
mod depth_row;
mod encode_row;
mod error;
mod export_row;
mod facade_row;
mod gauge;
mod goal;
mod growth_row;
mod memory_row;
mod metric;
mod metrics_row;
mod off_row;
mod options;
mod overload_row;
mod peak;
mod peers;
mod placement;
mod program;
mod reading_row;
mod render_row;
mod report;
mod roles;
mod row;
mod rows;
mod scope_row;
mod site;
mod start_row;
mod tracing_row;
mod turns;
mod versions;

pub use crate::children::Children;
pub use crate::encode_row::json;
pub use crate::error::{BenchError, exit_code};
pub use crate::goal::Goal;
pub use crate::metric::{Metric, Readings};
pub use crate::program::run;
pub use crate::roles::{count_allocations, run_child};
pub use crate::row::{Contender, Row};
