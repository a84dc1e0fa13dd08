//! Data model of agent telemetry: the actions of agents, tools and language models, as plain data.
//!
//! This crate does not use clocks, networks or OpenTelemetry. So a viewer, an evaluator or a test
//! can read and write telemetry with a handful of small dependencies.
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
//! - [`agentspec`]: the vocabulary of Agent Spec Tracing: spans, events, components, and their sensitive
//!   fields.
//! - [`attribute`]: how a mapping passes attributes to a visitor, without building a list.
//! - [`mapping`]: spans and events of Agent Spec in other vocabularies: GenAI, Agent 365, OpenInference.
//! - [`escape`]: a fast way to write text into JSON.
//! - [`keys`]: every attribute key, defined once, with the sensitivity of its value.
//! - [`random`]: randomness for ids.
//! - [`received`]: answers of receivers, parsed and made safe to show.
//! - [`terminal`]: the characters that control a terminal.
//! - [`ErrorClass`]: the name of an error, derived from its Rust type.
//!
//! # Features
//!
//! Both are off by default.
//!
//! - `yaml`: Agent Spec documents in YAML, with `DocumentReader::read_yaml` and
//!   `read_referenced_yaml`.
//! - `anyhow`: [`ErrorClass`] looks into an `anyhow::Error`.

#![doc(html_root_url = "https://docs.rs/agentspan-model/latest")]

pub mod agent365;
pub mod agentspec;
pub mod attribute;
pub mod conventions;
mod error_class;
pub mod escape;
mod invisible;
mod json_writer;
pub mod keys;
pub mod mapping;
mod masked;
pub mod mcp;
pub mod random;
pub mod received;
pub mod terminal;

pub use error_class::ErrorClass;
