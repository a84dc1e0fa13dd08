//! The beginning of a pack, which is read without the rest.

use prost::Message;

use crate::span::Span;

/// The parts of a span that decide whether a later one takes its place.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Head {
    /// Its place among the spans of its trace.
    #[prost(uint32, tag = "1")]
    pub(super) place: u32,
    #[prost(string, tag = "2")]
    pub(super) id: String,
    #[prost(bool, tag = "3")]
    pub(super) is_running: bool,
    #[prost(bool, tag = "4")]
    pub(super) is_refused: bool,
    /// What it takes when it is not packed.
    #[prost(uint64, tag = "5")]
    pub(super) bytes: u64,
}

impl Head {
    pub(super) fn of(place: u32, span: &Span) -> Self {
        Self {
            place,
            id: span.span_id.clone(),
            is_running: span.end.is_none(),
            is_refused: span.facts.is_refused,
            bytes: span.bytes() as u64,
        }
    }
}

/// The heads of all spans of a pack, which stand before them.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Heads {
    #[prost(message, repeated, tag = "1")]
    pub(super) heads: Vec<Head>,
}
