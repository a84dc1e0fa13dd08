//! Where in a list the item is that was added last under a key.

use std::collections::HashMap;
use std::hash::Hash;

/// Finds an item by its key, however many items there are and wherever it is.
#[derive(Debug)]
pub(super) struct Places<K>(HashMap<K, usize>);

impl<K: Eq + Hash> Places<K> {
    /// An item was added at this place.
    pub(super) fn put(&mut self, key: K, place: usize) {
        self.0.insert(key, place);
    }

    /// The place of the item that was added last under the key.
    pub(super) fn of(&self, key: &K) -> Option<usize> {
        self.0.get(key).copied()
    }
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use super::*;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// A key that counts how often it is compared.
    #[derive(Eq)]
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

    #[test]
    fn a14_items_are_found_with_a_comparison_each_in_whatever_order() {
        const ITEMS: usize = 4_096;
        let mut places = Places::default();
        for at in 0..ITEMS {
            places.put(Counted(at), at);
        }
        COMPARED.set(0);
        // The oldest first, which is the farthest from where the last one was added.
        for at in 0..ITEMS {
            assert_eq!(places.of(&Counted(at)), Some(at));
        }
        assert!(COMPARED.get() <= 2 * ITEMS, "{}", COMPARED.get());
        places.put(Counted(7), ITEMS);
        assert_eq!(places.of(&Counted(7)), Some(ITEMS));
        assert_eq!(places.of(&Counted(ITEMS)), None);
    }
}
