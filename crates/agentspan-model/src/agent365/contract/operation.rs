//! The operations that Agent 365 documents.

use std::fmt;

use crate::agent365::mapping::{EXECUTE_TOOL, INVOKE_AGENT, OUTPUT_MESSAGES};

/// A documented value of `gen_ai.operation.name`. The service drops spans with other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the attribute reference has one column for each of the four"
)]
pub enum Operation {
    /// `invoke_agent`: the root of a run, and the only operation that the admin center reads.
    InvokeAgent,
    /// `execute_tool`.
    ExecuteTool,
    /// `chat`: a call to a model.
    Chat,
    /// `output_messages`: the answer of an agent.
    OutputMessages,
}

impl Operation {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [
        Self::InvokeAgent,
        Self::ExecuteTool,
        Self::Chat,
        Self::OutputMessages,
    ];

    /// The operation with exactly this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }

    /// The value of `gen_ai.operation.name`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvokeAgent => INVOKE_AGENT,
            Self::ExecuteTool => EXECUTE_TOOL,
            Self::Chat => "chat",
            Self::OutputMessages => OUTPUT_MESSAGES,
        }
    }

    /// The action that Defender's `CloudAppEvents` show for such a span. Observed, and not documented in full.
    #[must_use]
    pub fn audit_action(self) -> &'static str {
        match self {
            Self::InvokeAgent => "InvokeAgent",
            Self::ExecuteTool => "ExecuteToolBySDK",
            Self::Chat => "InferenceCall",
            Self::OutputMessages => "AISpanOutput",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
