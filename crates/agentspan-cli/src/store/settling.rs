//! Packs spans of the traces that have not changed for longest.

use std::io;

use super::pack::{PACK_BYTES, Packer};
use super::{LOOSE_PART, Store};

/// The part of the memory from which the oldest traces are dropped, if need be, to have room for packing. A span that
/// needs more room stays as it is, unless there is room.
const ROOM_PART: usize = 16;

impl Store {
    /// Packs what has settled, and drops neither that nor the trace that arrived under this number.
    pub(super) fn settle(&mut self, growing: u64) {
        let loose_bytes = (self.limit / LOOSE_PART).max(PACK_BYTES);
        let Some(mut packer) = self.packer.take() else {
            return;
        };
        while self.size.loose > packer.loose_spans() || self.size.loose_bytes > loose_bytes {
            match self.pack_oldest(&mut packer, growing) {
                Ok(true) => {}
                Ok(false) => break,
                // To compress into memory does not fail. If it does, all spans stay as they are, now and later.
                Err(_) => return,
            }
        }
        self.packer = Some(packer);
    }

    /// Packs spans of the trace that has not changed for longest, if there is room to do it. Says whether there was
    /// one.
    fn pack_oldest(&mut self, packer: &mut Packer, growing: u64) -> io::Result<bool> {
        let mut changed = self.by_change.range(self.settled.saturating_add(1)..);
        let Some((number, arrived)) = changed.next().map(|(number, arrived)| (*number, *arrived))
        else {
            return Ok(false);
        };
        let spare = self.limit.saturating_sub(self.bytes());
        let shared = self.shared_bytes();
        let Some(trace) = self.traces.get_mut(&arrived) else {
            return Ok(false);
        };
        let before = trace.size();
        if before.loose == 0 {
            self.settled = number;
            return Ok(true);
        }
        let work = trace.work();
        let alone = before.bytes.saturating_add(shared).saturating_add(work);
        if alone > self.limit || work > spare.max(self.limit / ROOM_PART) {
            trace.leave_loose();
            self.size.change(before, trace.size());
            return Ok(true);
        }
        self.make_room(work, &[Some(arrived), Some(growing)]);
        let Some(trace) = self.traces.get_mut(&arrived) else {
            return Ok(false);
        };
        let packed = trace.pack(packer);
        self.size.change(before, trace.size());
        packed.map(|()| true)
    }
}
