//! The last so many things that may be asked for again.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many are remembered. When there are more, the oldest ones are forgotten.
const REMEMBERED: usize = 1024;

/// Remembers the last so many values that were put in, and forgets older ones.
pub(super) struct Recent<K, V>(Mutex<Inner<K, V>>);

struct Inner<K, V> {
    values: HashMap<K, (u64, V)>,
    /// The keys in the order in which they were put in, with a number that tells whether the value is
    /// still the one of that time.
    order: VecDeque<(u64, K)>,
    next: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            values: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
        }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    pub(super) fn put(&self, key: K, value: V) {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next = number.wrapping_add(1);
        inner.values.insert(key.clone(), (number, value));
        inner.order.push_back((number, key));
        while inner.order.len() > REMEMBERED {
            if let Some((number, oldest)) = inner.order.pop_front() {
                let is_same = inner.values.get(&oldest).is_some_and(|(n, _)| *n == number);
                if is_same {
                    inner.values.remove(&oldest);
                }
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.lock().values.get(key).map(|(_, value)| value.clone())
    }

    pub(super) fn take(&self, key: &K) -> Option<V> {
        self.lock().values.remove(key).map(|(_, value)| value)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        // Nothing that runs under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_the_last_ones_stay() {
        let recent = Recent::default();
        for n in 0..REMEMBERED + 2 {
            recent.put(n, n);
        }
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&2), Some(2));
        assert_eq!(recent.lock().values.len(), REMEMBERED);
    }

    #[test]
    fn a_key_that_was_put_in_again_is_as_young_as_its_last_value() {
        let recent = Recent::default();
        recent.put(0, "old");
        for n in 1..REMEMBERED {
            recent.put(n, "other");
        }
        recent.put(0, "new");
        recent.put(REMEMBERED, "other");
        assert_eq!(recent.get(&0), Some("new"));
        assert_eq!(recent.take(&0), Some("new"));
        assert_eq!(recent.take(&0), None);
    }

    #[test]
    fn values_that_are_taken_leave_nothing_that_grows() {
        let recent = Recent::default();
        for n in 0..10 * REMEMBERED {
            recent.put(n, n);
            recent.take(&n);
        }
        assert_eq!(recent.lock().values.len(), 0);
        assert!(recent.lock().order.len() <= REMEMBERED);
    }
}
