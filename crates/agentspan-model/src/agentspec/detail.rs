//! How much a dump tells of components and of what people say about spans.

use super::{Disclosure, JsonObject};

/// How much a dump tells besides its [sensitive](super::Sensitive) values.
///
/// The reference masks what people, models and tools say at run time, and shows components whole: the
/// system prompt of an agent is in each of its masked dumps. Whoever hides contents from a destination
/// wants those hidden, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// Everything, as `pyagentspec` 26.3.1 writes it. The default.
    #[default]
    Complete,
    /// Components as [outlines](super::Component::outline) with descriptions, inputs and outputs: without
    /// prompts, templates, addresses and settings.
    Described,
    /// Components as [outlines](super::Component::outline) of ids, names, types and models. Spans and
    /// events without description and metadata. Of the parameters of a generation, the numbers.
    Named,
}

/// What a dump shows: of sensitive values, and of all else.
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

    /// The description of a span or an event.
    pub(crate) fn description(self, description: &str) -> &str {
        match self.detail {
            Detail::Complete | Detail::Described => description,
            Detail::Named => "",
        }
    }

    /// The metadata of a span or an event, if they are shown. A reader takes absent ones for empty.
    pub(crate) fn metadata(self, metadata: &JsonObject) -> Option<&JsonObject> {
        Some(metadata).filter(|_| self.detail != Detail::Named)
    }
}
