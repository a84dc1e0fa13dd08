//! The requirement levels of attributes.

use std::fmt;

use super::operation::Operation;

/// The requirement level of an attribute for an operation, by one rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Requirement {
    /// Every span of the operation must have it.
    Mandatory,
    /// Every span of the operation must have it, except failed spans: a failed call has no output.
    MandatoryUnlessFailed,
    /// Mandatory for an embodied agent, which has its own Entra user.
    MandatoryIfEmbodied,
    /// Mandatory if an agent calls another agent.
    MandatoryBetweenAgents,
    /// Optional.
    Optional,
    /// Optional, as far as the documentation could be read.
    Unclear,
    /// Allowed on a failed span.
    OnlyOnError,
    /// Only for agents without an Entra registration.
    OnlyWithoutEntra,
    /// Must not be sent.
    NotSent,
}

/// The requirement level of an attribute for each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Requirements {
    /// For `invoke_agent`.
    pub invoke_agent: Requirement,
    /// For `execute_tool`.
    pub execute_tool: Requirement,
    /// For `chat`.
    pub chat: Requirement,
    /// For `output_messages`.
    pub output_messages: Requirement,
}

impl Requirements {
    /// In the order of [`Operation::ALL`].
    pub(super) const fn new(
        invoke_agent: Requirement,
        execute_tool: Requirement,
        chat: Requirement,
        output_messages: Requirement,
    ) -> Self {
        Self {
            invoke_agent,
            execute_tool,
            chat,
            output_messages,
        }
    }

    /// The same for all operations.
    pub(super) const fn all(requirement: Requirement) -> Self {
        Self::new(requirement, requirement, requirement, requirement)
    }

    /// For one operation.
    #[must_use]
    pub const fn of(self, operation: Operation) -> Requirement {
        match operation {
            Operation::InvokeAgent => self.invoke_agent,
            Operation::ExecuteTool => self.execute_tool,
            Operation::Chat => self.chat,
            Operation::OutputMessages => self.output_messages,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mandatory => "mandatory",
            Self::MandatoryUnlessFailed => "mandatory unless failed",
            Self::MandatoryIfEmbodied => "mandatory if embodied",
            Self::MandatoryBetweenAgents => "mandatory between agents",
            Self::Optional => "optional",
            Self::Unclear => "optional?",
            Self::OnlyOnError => "on error",
            Self::OnlyWithoutEntra => "without Entra only",
            Self::NotSent => "–",
        })
    }
}
