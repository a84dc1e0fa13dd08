//! The origins of an agent's work.

use serde::{Deserialize, Serialize};

/// The origin of an agent's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ExecutionType {
    /// Another agent, `Agent2Agent`.
    #[serde(rename = "Agent2Agent")]
    AgentToAgent,
    /// An event, `EventToAgent`.
    EventToAgent,
    /// A person, `HumanToAgent`.
    HumanToAgent,
}

impl ExecutionType {
    /// The value of `gen_ai.execution.type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgentToAgent => "Agent2Agent",
            Self::EventToAgent => "EventToAgent",
            Self::HumanToAgent => "HumanToAgent",
        }
    }
}
