//! The events of a span: a list that grows while others read it, without locks and without moving.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events that lie in the span itself. Most spans have no more.
const INLINE: usize = 2;

/// How many blocks there are at most; the last would have more places than memory has.
const BLOCKS: usize = 26;

/// A list that only grows. What is in it stays where it is, so that hooks can borrow it while others
/// append, and a background queue can refer to it by its index.
///
/// Appending is linear in the number of items, all together: each block is twice as long as the one
/// before it.
#[derive(Debug)]
pub(crate) struct EventLog<T> {
    /// Places that were given away. Some of the last may not be filled yet.
    length: AtomicUsize,
    inline: [OnceLock<T>; INLINE],
    rest: OnceLock<Box<Blocks<T>>>,
}

type Blocks<T> = [OnceLock<Box<[OnceLock<T>]>>; BLOCKS];

impl<T> EventLog<T> {
    pub(crate) fn new() -> Self {
        Self {
            length: AtomicUsize::new(0),
            inline: [const { OnceLock::new() }; INLINE],
            rest: OnceLock::new(),
        }
    }

    /// Appends an item and returns its index and where it lies. `None` if there is no place left.
    pub(crate) fn push(&self, item: T) -> Option<(usize, &T)> {
        // Nobody else gets this place, so that what it publishes is published by the `OnceLock`.
        let index = self.length.fetch_add(1, Ordering::Relaxed);
        let place = match self.inline.get(index) {
            Some(place) => place,
            None => self.make_place(index)?,
        };
        Some((index, place.get_or_init(|| item)))
    }

    /// The item at an index, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match self.inline.get(index) {
            Some(place) => place.get(),
            None => {
                let (block, offset) = position(index)?;
                self.rest.get()?.get(block)?.get()?.get(offset)?.get()
            }
        }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// The items in order. One that is just being appended may be missing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        (0..self.len()).filter_map(|index| Some((index, self.get(index)?)))
    }

    fn make_place(&self, index: usize) -> Option<&OnceLock<T>> {
        let (block, offset) = position(index)?;
        let blocks = self
            .rest
            .get_or_init(|| Box::new([const { OnceLock::new() }; BLOCKS]));
        let block = blocks.get(block)?.get_or_init(|| {
            let places = (0..block_length(block)).map(|_| OnceLock::new());
            places.collect()
        });
        block.get(offset)
    }
}

/// The first block has 4 places.
const FIRST_BLOCK: usize = 4;

fn block_length(block: usize) -> usize {
    FIRST_BLOCK << block
}

/// In which block an index lies, and where in it.
fn position(index: usize) -> Option<(usize, usize)> {
    let after = index.checked_sub(INLINE)?.checked_add(FIRST_BLOCK)?;
    // The blocks before block b have FIRST_BLOCK * (2^b - 1) places.
    let block = (after / FIRST_BLOCK).ilog2() as usize;
    (block < BLOCKS).then(|| (block, after - block_length(block)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_and_their_place() {
        let log = EventLog::new();
        let first: *const usize = log.push(0).unwrap().1;
        for item in 1..10_000 {
            assert_eq!(log.push(item).unwrap(), (item, &item));
        }
        assert!(log.iter().all(|(index, item)| index == *item));
        assert_eq!((log.len(), log.iter().count()), (10_000, 10_000));
        assert!(std::ptr::eq(first, log.get(0).unwrap()));
        assert_eq!(log.get(10_000), None);
    }

    #[test]
    fn threads_lose_nothing() {
        let log = EventLog::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let log = &log;
                scope.spawn(move || {
                    for item in 0..500 {
                        log.push(thread * 500 + item).unwrap();
                    }
                });
            }
        });
        let mut items: Vec<usize> = log.iter().map(|(_, item)| *item).collect();
        items.sort_unstable();
        assert!(items.into_iter().eq(0..2_000));
    }
}
