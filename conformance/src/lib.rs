//! Runs recorded vectors of the reference packages against agentspan.
//!
//! A vector file holds cases: an input, and what the reference package did with it. For each file
//! that it knows, a [`Runner`] does the same with our crates, and the two are
//! [compared](compare) as JSON. Where we deviate on purpose, a [rule](deviations) says so.
//! How to add a runner is told at [`Runner`].
//!
//! ```
//! use conformance::{Deviations, Suite, runners};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let suite = Suite::new(runners::all(), &Deviations::shipped()?)?;
//! let report = suite.run(conformance::SHIPPED_VECTORS.as_ref())?;
//! report.write(&mut std::io::stdout())?;
//! # Ok(())
//! # }
//! ```

pub mod case;
pub mod compare;
pub mod deviations;
pub mod export_input;
pub mod json;
pub mod live_baggage;
pub mod live_export;
pub mod live_scope;
pub mod mutation;
pub mod own_name;
pub mod report;
pub mod reviewed;
pub mod runner;
pub mod runners;
pub mod suite;
pub mod typed_value;
pub mod vector_span;

pub use case::Case;
pub use compare::Tolerances;
pub use deviations::{Allowance, Deviations, Predicate};
pub use export_input::ExportInput;
pub use json::Json;
pub use live_baggage::BaggageCall;
pub use live_export::{LiveExport, Parents};
pub use live_scope::LiveScope;
pub use mutation::Mutations;
pub use own_name::own_name;
pub use runner::{Failure, Outcome, Runner};
pub use suite::{SHIPPED_VECTORS, Suite};
pub use typed_value::TypedValue;
pub use vector_span::VectorSpan;
