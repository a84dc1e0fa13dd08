//! A list that has each key once: a key that is set again moves to the end, as in the reference.

use std::collections::HashSet;
use std::hash::Hash;

use opentelemetry::{Key, KeyValue};

/// As long as a list is shorter than this, each new item is compared with those that are there.
const FEW: usize = 64;

/// What has a key.
pub(crate) trait Keyed {
    type Key: Eq + Hash;

    fn key(&self) -> &Self::Key;
}

impl Keyed for KeyValue {
    type Key = Key;

    fn key(&self) -> &Key {
        &self.key
    }
}

/// The latest item of each key.
///
/// A free item gives way to one that is not, be it older or newer. A long list may hold more than one item
/// of a key. They are taken out each time that it has doubled, so that adding is linear in the number of
/// items, all together.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    items: Vec<T>,
    /// Whether each item is free; empty as long as none is.
    free: Vec<bool>,
    settle_at: usize,
}

impl<T: Keyed> Latest<T> {
    /// Items that all have keys of their own.
    pub(crate) fn new(items: Vec<T>) -> Self {
        Self {
            settle_at: 2 * items.len().max(FEW),
            items,
            free: Vec::new(),
        }
    }

    /// No items.
    pub(crate) fn none() -> Self {
        Self::new(Vec::new())
    }

    pub(crate) fn set(&mut self, item: T) {
        self.make_way(&item, false);
        if !self.free.is_empty() {
            self.free.push(false);
        }
        self.items.push(item);
    }

    /// Sets an item that gives way to one of its key that is not free.
    pub(crate) fn set_free(&mut self, item: T) {
        if self.make_way(&item, true) {
            self.free.resize(self.items.len(), false);
            self.free.push(true);
            self.items.push(item);
        }
    }

    /// Takes an older item of the key out of a short list. False if the older item stays.
    fn make_way(&mut self, item: &T, is_free: bool) -> bool {
        if self.items.len() >= FEW {
            if self.items.len() >= self.settle_at {
                self.settle();
            }
            return true;
        }
        let mut items = self.items.iter();
        let Some(at) = items.position(|other| other.key() == item.key()) else {
            return true;
        };
        if is_free && !self.free.get(at).copied().unwrap_or(false) {
            return false;
        }
        self.items.remove(at);
        if at < self.free.len() {
            self.free.remove(at);
        }
        true
    }

    /// The items. A long list may hold more than one of a key, of which the last counts.
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// Takes the items out, each key where it was set last.
    pub(crate) fn take(&mut self) -> Vec<T> {
        if self.items.len() > FEW {
            self.settle();
        }
        self.free.clear();
        std::mem::take(&mut self.items)
    }

    /// Adds items that were there before all others, and such as are missing at the end. Both give way to
    /// items that are not free, and free items give way to both.
    ///
    /// `missing` sees what is not free.
    pub(crate) fn grow(mut self, before: Vec<T>, missing: impl FnOnce(&mut Vec<T>)) -> Self {
        if self.items.len() > FEW {
            self.settle();
        }
        let (mut own, mut free) = (Vec::new(), Vec::new());
        if self.free.is_empty() {
            own = self.items;
        } else {
            for (item, is_free) in self.items.into_iter().zip(self.free) {
                match is_free {
                    true => free.push((own.len(), item)),
                    false => own.push(item),
                }
            }
        }
        let mut items = before;
        if items.is_empty() {
            items = own;
        } else {
            items.retain(|older| own.iter().all(|own| own.key() != older.key()));
            free.iter_mut().for_each(|(at, _)| *at += items.len());
            items.extend(own);
        }
        missing(&mut items);
        Self::joined(items, free)
    }

    /// Items that are not free, and free ones, each with the number of items before it.
    fn joined(own: Vec<T>, mut free: Vec<(usize, T)>) -> Self {
        let taken: HashSet<&T::Key> = match free.is_empty() {
            true => HashSet::new(),
            false => own.iter().map(Keyed::key).collect(),
        };
        free.retain(|(_, item)| !taken.contains(item.key()));
        if free.is_empty() {
            return Self::new(own);
        }
        let mut free = free.into_iter().peekable();
        let mut joined = Self::none();
        let mut push = |item, is_free| {
            joined.items.push(item);
            joined.free.push(is_free);
        };
        for (at, item) in own.into_iter().enumerate() {
            while let Some((_, item)) = free.next_if(|(before, _)| *before <= at) {
                push(item, true);
            }
            push(item, false);
        }
        free.for_each(|(_, item)| push(item, true));
        joined.settle_at = 2 * joined.items.len().max(FEW);
        joined
    }

    fn settle(&mut self) {
        let free = |at: usize| self.free.get(at).copied().unwrap_or(false);
        let items = || self.items.iter().enumerate();
        let mut own = HashSet::new();
        if !self.free.is_empty() {
            own.extend(
                items()
                    .filter(|(at, _)| !free(*at))
                    .map(|(_, item)| item.key()),
            );
        }
        let mut seen = HashSet::with_capacity(self.items.len());
        let from_the_end = items().rev();
        let stays: Vec<bool> = from_the_end
            .map(|(at, item)| !(free(at) && own.contains(item.key())) && seen.insert(item.key()))
            .collect();
        let (mut of_items, mut of_free) = (stays.iter().rev(), stays.iter().rev());
        self.items.retain(|_| *of_items.next().unwrap_or(&true));
        self.free.retain(|_| *of_free.next().unwrap_or(&true));
        self.settle_at = 2 * self.items.len().max(FEW);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use proptest::prelude::*;

    use super::*;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// A key that counts how often it is compared, and a value.
    #[derive(Clone, Debug, Eq)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    impl Keyed for (Counted, usize) {
        type Key = Counted;

        fn key(&self) -> &Counted {
            &self.0
        }
    }

    fn latest(keys: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
        let mut list = Latest::new(Vec::new());
        for (value, key) in keys.into_iter().enumerate() {
            list.set((Counted(key), value));
        }
        let items = list.take().into_iter();
        items.map(|(key, value)| (key.0, value)).collect()
    }

    #[test]
    fn a14_many_attributes_cost_a_few_comparisons_each() {
        const ITEMS: usize = 16_384;
        COMPARED.set(0);
        assert_eq!(latest(0..ITEMS).len(), ITEMS);
        let of_different = COMPARED.replace(0);
        assert!(of_different < 4 * ITEMS, "{of_different}");
        assert_eq!(latest((0..ITEMS).map(|n| n % 100)).len(), 100);
        let of_same = COMPARED.get();
        assert!(of_same < 8 * ITEMS, "{of_same}");
    }

    /// The items after these calls, of which those that are free say so, and the others.
    fn said(calls: &[(usize, bool)], before: &[usize], missing: &[usize]) -> Vec<(usize, usize)> {
        let item = |key: usize| move |value| (Counted(key), value);
        let mut list = Latest::none();
        for (value, (key, is_free)) in calls.iter().enumerate() {
            match is_free {
                true => list.set_free(item(*key)(value)),
                false => list.set(item(*key)(value)),
            }
        }
        let before = before.iter().map(|key| item(*key)(1_000)).collect();
        let mut list = list.grow(before, |own| {
            for key in missing {
                if own.iter().all(|(known, _)| known.0 != *key) {
                    own.push(item(*key)(2_000));
                }
            }
        });
        let items = list.take().into_iter();
        items.map(|(key, value)| (key.0, value)).collect()
    }

    #[test]
    fn a14_many_free_attributes_cost_a_few_comparisons_each() {
        const ITEMS: usize = 16_384;
        COMPARED.set(0);
        let calls: Vec<_> = (0..ITEMS).map(|n| (n, n % 2 == 0)).collect();
        assert_eq!(said(&calls, &[0, ITEMS], &[]).len(), ITEMS + 1);
        let compared = COMPARED.get();
        assert!(compared < 16 * ITEMS, "{compared}");
    }

    proptest! {
        #[test]
        fn free_items_give_way_and_keep_their_place(
            calls in proptest::collection::vec((0_usize..90, proptest::bool::ANY), 0..300),
            before in proptest::collection::btree_set(0_usize..90, 0..5),
            missing in proptest::collection::btree_set(0_usize..90, 0..3),
        ) {
            let before: Vec<_> = before.into_iter().collect();
            let missing: Vec<_> = missing.into_iter().collect();
            let is_own = |key: &usize| calls.contains(&(*key, false));
            let is_last = |at: usize| {
                let (key, is_free) = calls[at];
                calls[at + 1..].iter().all(|later| *later != (key, is_free))
            };
            let (mut expected, mut later) = (Vec::new(), Vec::new());
            expected.extend(before.iter().filter(|key| !is_own(key)).map(|key| (*key, 1_000)));
            for key in &missing {
                if !is_own(key) && !before.contains(key) {
                    later.push((*key, 2_000));
                }
            }
            let outer: Vec<_> = expected.iter().chain(&later).map(|(key, _)| *key).collect();
            for (value, (key, is_free)) in calls.iter().enumerate() {
                let gives_way = *is_free && (is_own(key) || outer.contains(key));
                if is_last(value) && !gives_way {
                    expected.push((*key, value));
                }
            }
            expected.extend(&later);
            let mut found = said(&calls, &before, &missing);
            // Free items at the end stand before or after what was missing.
            let sorted = |items: &mut Vec<(usize, usize)>| {
                items.sort_by_key(|(_, value)| *value == 2_000);
            };
            sorted(&mut found);
            sorted(&mut expected);
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn each_key_is_there_once_where_it_was_set_last(
            keys in proptest::collection::vec(0_usize..200, 0..600),
        ) {
            let mut expected: Vec<(usize, usize)> = Vec::new();
            for (value, key) in keys.iter().enumerate() {
                expected.retain(|(known, _)| known != key);
                expected.push((*key, value));
            }
            prop_assert_eq!(latest(keys), expected);
        }
    }
}
