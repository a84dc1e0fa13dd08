//! Packs the spans of a trace.
//!
//! Each span is packed a few times at most, in whatever order spans come: packs of about the same size are merged
//! until they are large, and a pack is written again when more than half of it was replaced.

use std::io;
use std::sync::atomic::Ordering;

use super::growing::reserve_one;
use super::size::BARE_BYTES;
use super::{At, Trace};
use crate::span::Span;
use crate::store::pack::{PACK_BYTES, PACK_SPANS, Pack, Packer};

/// How many packs of about the same size become one.
const MERGED: usize = 4;

impl Trace {
    /// How many of the loose spans go into the next pack, those that came first first.
    fn next_pack(&self) -> usize {
        let mut bytes = 0_usize;
        let fit = self.loose.iter().take(PACK_SPANS).take_while(|span| {
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(span.bytes());
            is_first || bytes <= PACK_BYTES
        });
        fit.count()
    }

    /// About how many bytes it takes for a moment to pack the next spans, and to merge packs.
    pub(in crate::store) fn work(&self) -> usize {
        let spans = self.loose.iter().take(self.next_pack());
        spans.map(Span::bytes).sum::<usize>() * 2 + 2 * PACK_BYTES
    }

    /// Packs the first of its loose spans.
    ///
    /// # Errors
    ///
    /// They cannot be compressed. No span is lost.
    pub(in crate::store) fn pack(&mut self, packer: &mut Packer) -> io::Result<()> {
        let count = self.next_pack();
        if self.packs.is_empty() && count == self.loose.len() {
            // All is at hand.
            self.row();
        }
        let spans = self.places.iter().copied().zip(&self.loose).take(count);
        let pack = packer.pack(spans)?;
        self.loose.drain(..count);
        let packed: Vec<u32> = self.places.drain(..count).collect();
        if self.loose.is_empty() {
            (self.loose, self.places) = (Vec::new(), Vec::new());
        }
        self.loose_bytes = self.loose.iter().map(Span::bytes).sum();
        for (at, place) in (0..).zip(&self.places) {
            if let Some(found) = self.at.get_mut(*place as usize) {
                *found = At::Loose(at);
            }
        }
        self.add(pack, packed);
        self.merge(packer)?;
        self.mend(packer)?;
        if self.loose.is_empty() && self.packs.len() == 1 {
            self.row();
        }
        if let Some(row) = self.row.get() {
            self.own_bytes = BARE_BYTES + self.id.len() + row.bytes();
        }
        Ok(())
    }

    /// Adds a pack with the spans at these places.
    fn add(&mut self, pack: Pack, places: impl IntoIterator<Item = u32>) {
        let number = u32::try_from(self.packs.len()).unwrap_or(u32::MAX);
        for place in places {
            if let Some(at) = self.at.get_mut(place as usize) {
                *at = At::Packed(number);
            }
        }
        self.packed_bytes += pack.bytes();
        reserve_one(&mut self.packs);
        self.packs.push(pack);
    }

    /// Merges the last packs, as long as there are several of about the same size.
    fn merge(&mut self, packer: &mut Packer) -> io::Result<()> {
        while let Some(from) = self.packs.len().checked_sub(MERGED) {
            let last = self.packs.get(from..).unwrap_or_default();
            let tier = |pack: &Pack| pack.spans().checked_ilog2().unwrap_or(0) / 2;
            let newest = last.last().map_or(0, tier);
            let is_large = last.iter().map(Pack::plain).sum::<usize>() > PACK_BYTES
                || last.iter().map(Pack::spans).max() >= Some(PACK_SPANS);
            if is_large || last.iter().any(|pack| tier(pack) > newest) {
                return Ok(());
            }
            let spans = (0..).zip(last).map(|(number, pack)| {
                let number = u32::try_from(from + number).ok()?;
                self.living(number, pack)
            });
            // Whoever reads a pack that is broken is told; here, it stays what it is.
            let Some(spans) = spans.collect::<Option<Vec<_>>>() else {
                return Ok(());
            };
            let mut spans: Vec<(u32, Span)> = spans.into_iter().flatten().collect();
            spans.sort_by_key(|(place, _)| *place);
            let merged = packer.pack(spans.iter().map(|(place, span)| (*place, span)))?;
            let freed: usize = last.iter().map(Pack::bytes).sum();
            self.packed_bytes -= freed;
            self.packs.truncate(from);
            self.worn.retain(|number| (*number as usize) < from);
            self.add(merged, spans.into_iter().map(|(place, _)| place));
        }
        Ok(())
    }

    /// Writes packs again of which more than half was replaced.
    fn mend(&mut self, packer: &mut Packer) -> io::Result<()> {
        for number in std::mem::take(&mut self.worn) {
            let Some(pack) = self.packs.get(number as usize) else {
                continue;
            };
            if pack.is_replaced() {
                self.clear(number, packer);
                continue;
            }
            let Some(spans) = self.living(number, pack) else {
                continue;
            };
            let mended = packer.pack(spans.iter().map(|(place, span)| (*place, span)))?;
            if let Some(pack) = self.packs.get_mut(number as usize) {
                self.packed_bytes = self.packed_bytes + mended.bytes() - pack.bytes();
                *pack = mended;
            }
        }
        self.close_ranks();
        Ok(())
    }

    fn clear(&mut self, number: u32, packer: &Packer) {
        if let Some(pack) = self.packs.get_mut(number as usize) {
            self.packed_bytes -= pack.bytes();
            pack.clear(packer.nothing());
            self.packed_bytes += pack.bytes();
        }
    }

    /// Gives the numbers of packs with nothing in them to those after them, when these are more than half.
    fn close_ranks(&mut self) {
        let is_empty = |pack: &Pack| pack.spans() == 0;
        let empty = self.packs.iter().filter(|pack| is_empty(pack));
        if empty.count() * 2 <= self.packs.len() {
            return;
        }
        let mut next = 0;
        let numbers = self.packs.iter().map(|pack| {
            let number = next;
            next += u32::from(!is_empty(pack));
            number
        });
        let numbers: Vec<u32> = numbers.collect();
        for at in &mut self.at {
            if let At::Packed(number) = at {
                *number = numbers.get(*number as usize).copied().unwrap_or(*number);
            }
        }
        self.packs.retain(|pack| !is_empty(pack));
        self.packed_bytes = self.packs.iter().map(Pack::bytes).sum();
    }

    /// The spans of a pack that were not replaced. What cannot be read is counted.
    pub(super) fn unpacked(&self, number: u32, pack: &Pack) -> Vec<(u32, Span)> {
        let living = self.read(pack, |pack| self.living(number, pack));
        living.unwrap_or_default()
    }

    fn living(&self, number: u32, pack: &Pack) -> Option<Vec<(u32, Span)>> {
        if pack.is_replaced() {
            return Some(Vec::new());
        }
        let mut spans = pack.unpacked(&self.id)?;
        spans.retain(|(place, _)| self.at.get(*place as usize) == Some(&At::Packed(number)));
        Some(spans)
    }

    /// What it takes, counted anew.
    #[cfg(test)]
    pub(in crate::store) fn counted(&self) -> super::Size {
        let packed: usize = self.packs.iter().map(Pack::bytes).sum();
        let loose_bytes = self.loose.iter().map(Span::bytes).sum();
        super::Size {
            bytes: self.own_bytes + packed + loose_bytes,
            loose: if self.is_left { 0 } else { self.loose.len() },
            loose_bytes: if self.is_left { 0 } else { loose_bytes },
        }
    }

    /// Spoils what its packs hold.
    #[cfg(test)]
    pub(in crate::store) fn break_packs(&mut self) {
        self.packs.iter_mut().for_each(Pack::spoil);
    }

    /// Reads a pack, and counts its spans as lost if it is broken.
    pub(super) fn read<T>(&self, pack: &Pack, read: impl FnOnce(&Pack) -> Option<T>) -> Option<T> {
        let found = read(pack);
        if found.is_none() && pack.breaks() {
            let spans = pack.spans() as u64;
            self.common.broken.fetch_add(spans, Ordering::SeqCst);
        }
        found
    }
}
