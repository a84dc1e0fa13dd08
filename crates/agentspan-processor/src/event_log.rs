//! The events of a span: a list that grows while others read it, without locks and without moving.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events that lie in the span itself: [`EventLog::first`] and [`EventLog::second`]. Most spans have no more.
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
    /// Places in the rest that were given away. Some of the last may not be filled yet.
    rest_length: AtomicUsize,
    // Not an array: a new one would be copied with all the space that is empty yet.
    first: OnceLock<T>,
    second: OnceLock<T>,
    rest: OnceLock<Box<Blocks<T>>>,
}

type Blocks<T> = [OnceLock<Box<[OnceLock<T>]>>; BLOCKS];

impl<T> EventLog<T> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            rest_length: AtomicUsize::new(0),
            first: OnceLock::new(),
            second: OnceLock::new(),
            rest: OnceLock::new(),
        }
    }

    /// Drops all items.
    pub(crate) fn clear(&mut self) {
        self.first.take();
        self.second.take();
        self.rest.take();
        *self.rest_length.get_mut() = 0;
    }

    /// Appends an item and returns its index. `None` if there is no place left.
    pub(crate) fn push(&self, mut item: T) -> Option<usize> {
        for (index, place) in [&self.first, &self.second].into_iter().enumerate() {
            match place.set(item) {
                Ok(()) => return Some(index),
                Err(refused) => item = refused,
            }
        }
        let index = self.next_in_rest()?;
        self.make_place(index)?.get_or_init(|| item);
        Some(index)
    }

    /// As [`push`](Self::push); the item is made where it is to lie. `make` is called at most once.
    pub(crate) fn push_with(&self, mut make: impl FnMut() -> T) -> Option<usize> {
        for (index, place) in [&self.first, &self.second].into_iter().enumerate() {
            let mut is_ours = false;
            if place.get().is_none() {
                place.get_or_init(|| {
                    is_ours = true;
                    make()
                });
            }
            if is_ours {
                return Some(index);
            }
        }
        let index = self.next_in_rest()?;
        self.make_place(index)?.get_or_init(make);
        Some(index)
    }

    /// A place that nobody else gets, so that what it publishes is published by the `OnceLock`.
    fn next_in_rest(&self) -> Option<usize> {
        INLINE.checked_add(self.rest_length.fetch_add(1, Ordering::Relaxed))
    }

    /// The item at an index, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match index {
            0 => self.first.get(),
            1 => self.second.get(),
            _ => {
                let (block, offset) = position(index)?;
                self.rest.get()?.get(block)?.get()?.get(offset)?.get()
            }
        }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        let inline = [&self.first, &self.second];
        let inline = inline.into_iter().filter(|place| place.get().is_some());
        inline.count() + self.rest_length.load(Ordering::Acquire)
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
        assert_eq!(log.push_with(|| 0), Some(0));
        let first: *const usize = log.get(0).unwrap();
        for item in 1..10_000 {
            let pushed = match item % 2 {
                0 => log.push(item),
                _ => log.push_with(|| item),
            };
            assert_eq!((pushed, log.len()), (Some(item), item + 1));
        }
        assert!(log.iter().all(|(index, item)| index == *item));
        assert_eq!((log.len(), log.iter().count()), (10_000, 10_000));
        assert!(std::ptr::eq(first, log.get(0).unwrap()));
        assert_eq!(log.get(10_000), None);
        let mut log = log;
        log.clear();
        assert_eq!((log.len(), log.iter().next()), (0, None));
        assert_eq!(log.push(7), Some(0));
        assert_eq!(log.get(0), Some(&7));
    }

    #[test]
    fn threads_lose_nothing() {
        // Often, because the first two places are the ones that threads fight for.
        (0..50).for_each(|_| fill_from_threads());
    }

    fn fill_from_threads() {
        let log = EventLog::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let log = &log;
                scope.spawn(move || {
                    for item in 0..500 {
                        let item = thread * 500 + item;
                        match item % 2 {
                            0 => log.push(item).unwrap(),
                            _ => log.push_with(|| item).unwrap(),
                        };
                    }
                });
            }
        });
        let mut items: Vec<usize> = log.iter().map(|(_, item)| *item).collect();
        items.sort_unstable();
        assert!(items.into_iter().eq(0..2_000));
    }
}
