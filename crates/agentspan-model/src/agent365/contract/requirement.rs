//! How necessary an attribute is.

use std::fmt;

use super::operation::Operation;

/// How necessary an attribute is for an operation, by one rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Requirement {
    /// Each span of the operation has it.
    Mandatory,
    /// Each span of the operation has it that did not fail: an output, which a call that failed does not have.
    MandatoryUnlessFailed,
    /// Mandatory for an embodied agent, which is one with an Entra user of its own.
    MandatoryIfEmbodied,
    /// Mandatory where an agent calls another one.
    MandatoryBetweenAgents,
    /// It may be missing.
    Optional,
    /// Optional, as far as the documentation could be read.
    Unclear,
    /// It may be set on a span that failed.
    OnlyOnError,
    /// It is only for agents that have no Entra registration.
    OnlyWithoutEntra,
    /// It is not sent.
    NotSent,
}

/// How necessary an attribute is for each operation.
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
