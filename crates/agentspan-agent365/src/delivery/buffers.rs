//! Memory for request bodies, used again.

use std::sync::{Arc, Mutex};

use agentspan_queue::lock;
use bytes::Bytes;

/// How much memory is kept that is not in use. A larger buffer is given back to the system, so that one huge
/// batch does not stay in memory.
const MAX_KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Buffers that are not in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    free: Arc<Mutex<Free>>,
}

#[derive(Debug, Default)]
struct Free {
    list: Vec<Vec<u8>>,
    bytes: usize,
}

/// A body on its way. Comes back when the last copy of its `Bytes` is dropped.
struct Lent {
    body: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// An empty buffer with room for `expected` bytes.
    pub(super) fn take(&self, expected: usize) -> Vec<u8> {
        let mut free = lock(&self.free);
        let mut buffer = free.list.pop().unwrap_or_default();
        free.bytes -= buffer.capacity();
        drop(free);
        buffer.reserve(expected);
        buffer
    }

    /// Shares `body` without copying it. Clones of the result are the same memory.
    pub(super) fn lend(&self, body: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent {
            body,
            home: self.clone(),
        })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut body = std::mem::take(&mut self.body);
        let mut free = lock(&self.home.free);
        if free.bytes + body.capacity() <= MAX_KEPT_BYTES {
            body.clear();
            free.bytes += body.capacity();
            free.list.push(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_copy_is_dropped() {
        let buffers = Buffers::default();
        let mut body = buffers.take(10);
        body.extend_from_slice(b"body");
        let memory = body.as_ptr();
        let lent = buffers.lend(body);
        let copy = lent.clone();
        drop(lent);
        assert_eq!((&copy[..], buffers.take(0).capacity()), (&b"body"[..], 0));
        drop(copy);
        let again = buffers.take(4);
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
    }

    #[test]
    fn more_memory_than_for_a_huge_buffer_is_not_kept() {
        let buffers = Buffers::default();
        let [small, large] = [1, MAX_KEPT_BYTES].map(|bytes| buffers.lend(buffers.take(bytes)));
        drop(small);
        drop(large);
        assert!(buffers.take(0).capacity() < MAX_KEPT_BYTES);
        assert_eq!(buffers.take(0).capacity(), 0);
    }
}
