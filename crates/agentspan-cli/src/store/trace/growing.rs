//! Puts spans into a trace.

use std::sync::OnceLock;

use super::size::{Lengths, TRACE_BYTES};
use super::{At, Earlier, Trace};
use crate::span::Span;
use crate::store::pack::Pack;

impl Earlier {
    fn bytes(&self) -> usize {
        usize::try_from(self.head.bytes).unwrap_or(usize::MAX)
    }

    /// Whether a span that came later says less: a sender that is late must not make a span run again.
    fn is_after(&self, span: &Span) -> bool {
        span.end.is_none() && !self.head.is_running
    }
}

impl Trace {
    /// What a trace takes that has only this span.
    pub(in crate::store) fn size_of_first(span: &Span) -> usize {
        span.bytes() + Lengths::default().with(span).own_bytes()
    }

    /// What it takes with this span, also if none is packed, and how much more than before that is now.
    pub(in crate::store) fn growth(
        &self,
        span: &Span,
        earlier: Option<&Earlier>,
    ) -> (usize, usize) {
        if earlier.is_some_and(|earlier| earlier.is_after(span)) {
            return (self.size().bytes, 0);
        }
        let bytes = span.bytes();
        let replaced = earlier.map_or(0, Earlier::bytes);
        let plain = (TRACE_BYTES + self.plain + bytes).saturating_sub(replaced);
        let is_loose = earlier.is_some_and(|earlier| matches!(earlier.at, At::Loose(_)));
        let freed = if is_loose { replaced } else { 0 };
        let own = self.longest.with(span).own_bytes();
        let more = (bytes + own).saturating_sub(freed + self.own_bytes);
        (plain.max(self.size().bytes + more), more)
    }

    /// Puts a span in its place, or in that of an earlier one: the change with this number.
    pub(in crate::store) fn put(&mut self, number: u64, span: Span, earlier: Option<Earlier>) {
        self.changed = number;
        let bytes = span.bytes();
        if earlier
            .as_ref()
            .is_some_and(|earlier| earlier.is_after(&span))
        {
            return;
        }
        self.is_left = false;
        self.row = OnceLock::new();
        self.judged = OnceLock::new();
        self.longest = self.longest.with(&span);
        self.own_bytes = self.longest.own_bytes();
        self.loose_bytes += bytes;
        self.plain += bytes;
        let Some(earlier) = earlier else {
            let place = u32::try_from(self.at.len()).unwrap_or(u32::MAX);
            self.index.insert((self.common.hash(&span.span_id), place));
            reserve_one(&mut self.at);
            self.at.push(At::Loose(0));
            self.push(place, span);
            return;
        };
        self.plain -= earlier.bytes();
        match earlier.at {
            At::Loose(at) => {
                self.loose_bytes -= earlier.bytes();
                if let Some(loose) = self.loose.get_mut(at as usize) {
                    *loose = span;
                }
            }
            At::Packed(number) => {
                self.push(earlier.head.place, span);
                let pack = self.packs.get_mut(number as usize);
                if pack.is_some_and(Pack::replace) && !self.worn.contains(&number) {
                    self.worn.push(number);
                }
            }
        }
    }

    fn push(&mut self, place: u32, span: Span) {
        let at = u32::try_from(self.loose.len()).unwrap_or(u32::MAX);
        if let Some(found) = self.at.get_mut(place as usize) {
            *found = At::Loose(at);
        }
        reserve_one(&mut self.loose);
        reserve_one(&mut self.places);
        self.loose.push(span);
        self.places.push(place);
    }
}

/// A vector that doubles would leave half of its room empty.
pub(super) fn reserve_one<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 8 + 1);
    }
}
