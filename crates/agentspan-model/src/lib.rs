//! Data model of agent telemetry: what agents, tools and language models did, as plain data.
//!
//! This crate knows nothing of clocks, networks or OpenTelemetry, so that a viewer, an evaluator or
//! a test can read and write telemetry with a handful of small dependencies.
//!
//! ```
//! use agentspan_model::agent365::{AgentDetails, AgentId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = AgentDetails::new(AgentId::parse("a0000000-0000-0000-0000-00000000000a")?)
//!     .with_name("Weather Bot");
//! assert_eq!(
//!     serde_json::to_string(&agent)?,
//!     r#"{"agent_id":"a0000000-0000-0000-0000-00000000000a","agent_name":"Weather Bot"}"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`agent365`]: the vocabulary of Agent 365: details, identities, the generations of its contract
//!   and the attributes that its scopes write.
//! - [`agentspec`]: the vocabulary of Agent Spec Tracing: spans, events, components and what of them is
//!   sensitive.
//! - [`attribute`]: how a mapping shows attributes to whoever wants them, without building a list.
//! - [`mapping`]: what spans and events of Agent Spec mean in other vocabularies: GenAI, Agent 365,
//!   OpenInference.
//! - [`escape`]: text inside of JSON, written fast.
//! - [`keys`]: every attribute key, each in one place, and what its value may give away.
//! - [`random`]: randomness for ids.
//! - [`received`]: what receivers answer, made fit to be read and to be shown.
//! - [`ErrorClass`]: what an error is called, told by its Rust type.

pub mod agent365;
pub mod agentspec;
pub mod attribute;
mod error_class;
pub mod escape;
mod invisible;
mod json_writer;
pub mod keys;
pub mod mapping;
pub mod random;
pub mod received;

pub use error_class::ErrorClass;
