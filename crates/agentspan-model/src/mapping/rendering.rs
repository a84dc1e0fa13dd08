//! The vocabularies, and what they have in common.

use crate::agent365::Profile;

/// A vocabulary that spans and events of Agent Spec are shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rendering {
    /// The GenAI semantic conventions of OpenTelemetry, of the version
    /// [`SEMANTIC_CONVENTIONS_VERSION`](super::SEMANTIC_CONVENTIONS_VERSION). The default.
    #[default]
    GenAi,
    /// The GenAI semantic conventions in release 0.1.0 of their own, which succeeds version 1.41.0: a workflow is an
    /// agent, `cache_creation` is `cache_write`, and an agent that runs in the program has neither id, version nor
    /// provider. Receivers that read today's words do not read all of these.
    GenAiV0_1,
    /// Agent 365, in one generation of its contract.
    Agent365(Profile),
    /// OpenInference, which Arize Phoenix and others read.
    OpenInference,
    /// Agent Spec itself: only what is under `agentspec`. Names and kinds are those of the GenAI
    /// conventions. For spans that are rendered later, each time for another reader.
    AgentSpec,
}

impl Rendering {
    /// Whether it is a version of the GenAI semantic conventions.
    #[must_use]
    pub fn is_gen_ai(self) -> bool {
        matches!(self, Self::GenAi | Self::GenAiV0_1)
    }

    pub(super) fn default_fields(self) -> AgentSpecFields {
        match self {
            Self::GenAi | Self::GenAiV0_1 | Self::OpenInference | Self::AgentSpec => {
                AgentSpecFields::All
            }
            Self::Agent365(_) => AgentSpecFields::Identifying,
        }
    }

    pub(super) fn default_noise(self) -> TracingNoise {
        match self {
            Self::GenAi | Self::GenAiV0_1 | Self::OpenInference | Self::AgentSpec => {
                TracingNoise::Kept
            }
            Self::Agent365(_) => TracingNoise::Dropped,
        }
    }
}

/// What becomes of the attributes that say nothing but how `tracing` is used: `code.*`, `thread.*`, `busy_ns`,
/// `idle_ns`, `target`, and what rig keeps for itself.
///
/// It concerns spans of other frameworks that are rendered, see [`NormalSpan`](super::normal::NormalSpan).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TracingNoise {
    /// They stay as they are.
    Kept,
    /// They are left out, and so are the events that `tracing-opentelemetry` makes of log records.
    Dropped,
}

/// How much of a span or an event is shown under `agentspec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentSpecFields {
    /// All of it, so that the span can be rebuilt.
    All,
    /// Ids, type, name and description. Definitions of components, inputs and so on are left out.
    Identifying,
}

/// The kind of a span, as OpenTelemetry has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanKind {
    /// Something remote is called.
    Client,
    /// Something is done inside of the program.
    Internal,
}
