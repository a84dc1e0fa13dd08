//! Memory for request bodies, used again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A larger buffer is given back to the system, so that one huge batch does not stay in memory.
const MAX_KEPT_BYTES: usize = 2 * 1024 * 1024;

/// What is no waste of memory: a body may wait for long before it is sent.
const SPARE_BYTES: usize = 16 * 1024;

/// Buffers that are not in use.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
    max_kept: usize,
}

/// A body on its way. Comes back when the last copy of its `Bytes` is dropped.
struct Lent {
    body: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    pub(super) fn new(max_kept: usize) -> Self {
        Self {
            free: Arc::default(),
            max_kept,
        }
    }

    /// An empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop().unwrap_or_default()
    }

    /// Shares `body`, without copying it unless it would keep much more memory than it needs. Clones of the
    /// result are the same memory.
    pub(super) fn lend(&self, body: Vec<u8>) -> Bytes {
        let is_spacious = body.len() + body.len() / 2 + SPARE_BYTES < body.capacity();
        let lent = Lent {
            body,
            home: self.clone(),
        };
        if is_spacious {
            return Bytes::copy_from_slice(&lent.body);
        }
        Bytes::from_owner(lent)
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
        if body.capacity() > MAX_KEPT_BYTES {
            return;
        }
        body.clear();
        let mut free = self
            .home
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.home.max_kept {
            free.push(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_copy_is_dropped() {
        let buffers = Buffers::new(1);
        let mut body = buffers.take();
        body.extend_from_slice(b"body");
        let memory = body.as_ptr();
        let lent = buffers.lend(body);
        let copy = lent.clone();
        drop(lent);
        assert_eq!((&copy[..], buffers.take().capacity()), (&b"body"[..], 0));
        drop(copy);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
    }

    #[test]
    fn a_huge_buffer_is_not_kept() {
        let buffers = Buffers::new(1);
        drop(buffers.lend(vec![0; MAX_KEPT_BYTES + 1]));
        assert_eq!(buffers.take().capacity(), 0);
    }
}
