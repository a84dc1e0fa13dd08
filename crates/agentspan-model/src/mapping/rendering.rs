//! The vocabularies, and their common types.

use crate::agent365::Profile;

/// A vocabulary for spans and events of Agent Spec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rendering {
    /// The GenAI semantic conventions of OpenTelemetry, of the version
    /// [`SEMANTIC_CONVENTIONS_VERSION`](super::SEMANTIC_CONVENTIONS_VERSION). The default.
    #[default]
    GenAi,
    /// The GenAI semantic conventions in release 0.1.0 of their own, which succeeds version 1.41.0:
    /// a workflow is an agent, `cache_creation` is `cache_write`, and an agent that runs in the
    /// program has neither id, version nor provider. Receivers of today's conventions do not read
    /// all of these attributes.
    GenAiV0_1,
    /// Agent 365, in a generation of its contract.
    Agent365(Profile),
    /// OpenInference, which Arize Phoenix and others read.
    OpenInference,
    /// Agent Spec itself: only the attributes under `agentspec`, with the names and kinds of the
    /// GenAI conventions. Use it for spans that are rendered later, separately for each
    /// destination.
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

/// Whether to keep attributes that only concern `tracing`: `code.*`, `thread.*`, `busy_ns`,
/// `idle_ns`, `target`, and rig's internal attributes.
///
/// It applies to rendered spans of other frameworks, see [`NormalSpan`](super::normal::NormalSpan).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TracingNoise {
    /// They are kept.
    Kept,
    /// They are removed, and so are the events that `tracing-opentelemetry` creates from log
    /// records.
    Dropped,
}

/// How much of a span or an event is shown under `agentspec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentSpecFields {
    /// All of it, so that the span can be rebuilt.
    All,
    /// Ids, type, name and description. Definitions of components, inputs and so on are omitted.
    Identifying,
}

/// The kind of a span in OpenTelemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanKind {
    /// A call of a remote system.
    Client,
    /// An operation inside the program.
    Internal,
}
