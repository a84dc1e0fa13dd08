//! What kind of agent it is.

use serde::{Deserialize, Serialize};

/// What kind of agent it is; written as the name of its variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AgentType {
    /// An Entra agent with a user of its own.
    EntraEmbodied,
    /// An Entra agent without a user of its own.
    EntraNonEmbodied,
    /// A Microsoft Copilot agent.
    MicrosoftCopilot,
    /// A declarative agent.
    DeclarativeAgent,
    /// An agent of Azure AI Foundry.
    Foundry,
}

impl AgentType {
    /// The value of `gen_ai.agent.type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EntraEmbodied => "EntraEmbodied",
            Self::EntraNonEmbodied => "EntraNonEmbodied",
            Self::MicrosoftCopilot => "MicrosoftCopilot",
            Self::DeclarativeAgent => "DeclarativeAgent",
            Self::Foundry => "Foundry",
        }
    }
}
