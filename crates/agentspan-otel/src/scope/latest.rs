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
/// A long list may hold earlier items too. They are taken out each time that it has doubled, so that
/// adding is linear in the number of items, all together.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    items: Vec<T>,
    settle_at: usize,
}

impl<T: Keyed> Latest<T> {
    /// Items that all have keys of their own.
    pub(crate) fn new(items: Vec<T>) -> Self {
        Self {
            settle_at: 2 * items.len().max(FEW),
            items,
        }
    }

    pub(crate) fn set(&mut self, item: T) {
        if self.items.len() < FEW {
            if let Some(at) = self
                .items
                .iter()
                .position(|other| other.key() == item.key())
            {
                self.items.remove(at);
            }
        } else if self.items.len() >= self.settle_at {
            self.settle();
        }
        self.items.push(item);
    }

    /// Takes the items out, each key where it was set last.
    pub(crate) fn take(&mut self) -> Vec<T> {
        if self.items.len() > FEW {
            self.settle();
        }
        std::mem::take(&mut self.items)
    }

    fn settle(&mut self) {
        let mut seen = HashSet::with_capacity(self.items.len());
        let from_the_end = self.items.iter().rev();
        let is_latest: Vec<bool> = from_the_end.map(|item| seen.insert(item.key())).collect();
        drop(seen);
        let mut is_latest = is_latest.into_iter().rev();
        self.items.retain(|_| is_latest.next().unwrap_or(true));
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

    proptest! {
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
