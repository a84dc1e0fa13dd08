//! The set of processors that started a span: a set of small numbers without an allocation in the
//! usual case.

use std::sync::atomic::{AtomicU64, Ordering};

/// The indices of the processors whose `on_start` has run.
#[derive(Debug)]
pub(crate) struct StartedSet {
    first: AtomicU64,
    rest: Box<[AtomicU64]>,
}

impl StartedSet {
    /// An empty set for this many processors.
    pub(crate) fn new(processors: usize) -> Self {
        let words = processors.div_ceil(64).saturating_sub(1);
        Self {
            first: AtomicU64::new(0),
            rest: match words {
                0 => Box::default(),
                _ => (0..words).map(|_| AtomicU64::new(0)).collect(),
            },
        }
    }

    /// Only who starts the span inserts, one index after the other.
    pub(crate) fn insert(&self, index: usize) {
        if let Some(word) = self.word(index) {
            // Nobody else writes, so that this need not be one step. The span is handed to other threads by
            // means that publish this too.
            let set = word.load(Ordering::Relaxed) | 1 << (index % 64);
            word.store(set, Ordering::Relaxed);
        }
    }

    /// Whether nothing was inserted.
    pub(crate) fn is_empty(&self) -> bool {
        let mut words = std::iter::once(&self.first).chain(&self.rest);
        words.all(|word| word.load(Ordering::Relaxed) == 0)
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.word(index)
            .is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (index % 64)) != 0)
    }

    fn word(&self, index: usize) -> Option<&AtomicU64> {
        match (index / 64).checked_sub(1) {
            None => Some(&self.first),
            Some(word) => self.rest.get(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_contained_and_nothing_else() {
        let set = StartedSet::new(130);
        assert!(set.is_empty());
        set.insert(129);
        assert!(!set.is_empty());
        for index in [0, 5, 63, 64, 129] {
            set.insert(index);
        }
        let contained: Vec<_> = (0..200).filter(|index| set.contains(*index)).collect();
        assert_eq!(contained, [0, 5, 63, 64, 129]);
    }
}
