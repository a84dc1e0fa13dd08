//! How much memory a trace takes.

use crate::span::Span;

/// The approximate bytes of a trace beside its spans: its entries in the maps, and its row with the shape, if no text
/// in it is long.
pub(in crate::store) const TRACE_BYTES: usize = 2_048;

/// The same without its row.
pub(super) const BARE_BYTES: usize = 512;

/// What a trace adds to the sums of its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Size {
    pub(in crate::store) bytes: usize,
    /// The spans that are still to be packed, and what they take.
    pub(in crate::store) loose: usize,
    pub(in crate::store) loose_bytes: usize,
}

impl Size {
    /// Of all traces, when one of them changes.
    pub(in crate::store) fn change(&mut self, before: Self, after: Self) {
        let sum = |all: usize, before: usize, after: usize| (all + after).saturating_sub(before);
        self.bytes = sum(self.bytes, before.bytes, after.bytes);
        self.loose = sum(self.loose, before.loose, after.loose);
        self.loose_bytes = sum(self.loose_bytes, before.loose_bytes, after.loose_bytes);
    }
}

/// The lengths of the longest texts that a row may have, but for those that are cut: the row has one of each. The id is
/// beside the row, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lengths([u32; 7]);

impl Lengths {
    pub(super) fn with(self, span: &Span) -> Self {
        let facts = &span.facts;
        let texts = [
            Some(&span.trace_id),
            Some(&span.trace_id),
            Some(&span.name),
            facts.agent.as_ref(),
            facts.agent_id.as_ref(),
            facts.tenant.as_ref(),
            facts.conversation.as_ref(),
        ];
        let mut longest = self.0;
        for (longest, text) in longest.iter_mut().zip(texts) {
            let length = text.map_or(0, String::len);
            *longest = u32::try_from(length).unwrap_or(u32::MAX).max(*longest);
        }
        Self(longest)
    }

    /// What a trace takes beside its spans. For short texts there is room anyway.
    pub(super) fn own_bytes(self) -> usize {
        let sum: usize = self.0.into_iter().map(|length| length as usize).sum();
        TRACE_BYTES + sum.saturating_sub(256)
    }
}
