//! The tokens of a YAML text.

use super::Place;

/// A piece of a text, and where it begins.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Kind<'t> {
    StreamEnd,
    /// `%YAML` with its major number.
    Version(u64),
    /// `%TAG` with its handle and its prefix.
    TagDirective(&'t str, String),
    /// A directive that means nothing to us.
    OtherDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'t str),
    Anchor(&'t str),
    Tag(Tag<'t>),
    Scalar(Scalar),
}

/// A tag as it is written: a handle, unless it is verbatim, and what follows.
#[derive(Debug)]
pub(super) struct Tag<'t> {
    pub(super) handle: Option<&'t str>,
    pub(super) suffix: String,
}

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Whether it has neither quotes nor an indicator.
    pub(super) is_plain: bool,
}
