//! The detail of dumps for components, descriptions and metadata.

use super::{Disclosure, JsonObject};

/// The detail of a dump, besides its [sensitive](super::Sensitive) values.
///
/// The reference masks the words of people, models and tools at run time, but shows components
/// completely: each masked dump of an agent has its system prompt. To hide such contents from a
/// destination, too, choose less detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// All of it, as `pyagentspec` 26.3.1 writes it. The default.
    #[default]
    Complete,
    /// Components as [outlines](super::Component::outline) with descriptions, inputs and outputs: without
    /// prompts, templates, addresses and settings.
    Described,
    /// Components as [outlines](super::Component::outline) of ids, names, types and models. Spans
    /// and events without description and metadata. Only the numbers among the parameters of a
    /// generation.
    Named,
}

impl Detail {
    /// The description of a span or an event.
    pub(crate) fn description(self, description: &str) -> &str {
        match self {
            Self::Complete | Self::Described => description,
            Self::Named => "",
        }
    }

    /// The metadata of a span or an event, if they are shown. A reader takes absent ones for empty.
    pub(crate) fn metadata(self, metadata: &JsonObject) -> Option<&JsonObject> {
        Some(metadata).filter(|_| self != Self::Named)
    }
}

/// The detail that a dump shows of sensitive values, and of all else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) disclosure: Disclosure,
    pub(crate) detail: Detail,
}

impl View {
    pub(crate) const fn of(disclosure: Disclosure) -> Self {
        Self {
            disclosure,
            detail: Detail::Complete,
        }
    }
}
