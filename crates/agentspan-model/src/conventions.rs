//! The requirements of the GenAI conventions and of Agent Spec Tracing, as rules with remedies.
//!
//! The GenAI conventions have the pinned version of
//! [`Rendering::GenAi`](crate::mapping::Rendering); [`judge_gen_ai`] judges a span in OTLP's JSON.
//! [`RecordingJudge`] judges the hooks of an Agent Spec recording in order. For the requirements of
//! Agent 365, see [`contract`](crate::agent365::contract).
//!
//! ```
//! use agentspan_model::conventions::judge_gen_ai;
//! use serde_json::json;
//!
//! let span = json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
//!     "name": "execute_tool weather", "kind": 1, "startTimeUnixNano": "1765000000000000000",
//!     "endTimeUnixNano": "1765000001000000000", "attributes": [
//!     {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}}]});
//! let breaches = judge_gen_ai(&span);
//! assert_eq!(breaches[0].rule.name, "missing-tool-name");
//! ```

mod agent_spec;
mod agent_spec_rules;
mod gen_ai;
mod gen_ai_rules;

pub use agent_spec::RecordingJudge;
pub use agent_spec_rules::AGENT_SPEC_RULES;
pub use gen_ai::judge_gen_ai;
pub use gen_ai_rules::GEN_AI_RULES;

use crate::agent365::contract::{Level, SpanIds};

/// A requirement of a convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConventionRule {
    /// A stable id: `G01` and so on for the GenAI conventions, `S01` and so on for Agent Spec.
    pub id: &'static str,
    /// A stable name that describes the rule.
    pub name: &'static str,
    /// The severity of a broken rule.
    pub level: Level,
    /// The symptom.
    pub symptom: &'static str,
    /// The cause.
    pub cause: &'static str,
    /// The remedy.
    pub remedy: &'static str,
    /// The sources.
    pub source: &'static str,
}

/// A rule that a span breaks. It holds no values of attributes, because they may be contents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breach {
    /// The rule.
    pub rule: &'static ConventionRule,
    /// The span, with its original ids.
    pub span: SpanIds,
    /// The key of the wrong or missing attribute, or the type of the event, if there is one.
    pub attribute: Option<String>,
}
