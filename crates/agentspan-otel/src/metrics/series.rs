//! The attributes of series, made once.

use std::hash::Hash;
use std::sync::{Arc, RwLock};

use hashbrown::{Equivalent, HashMap};

/// How many series are remembered. A program with more of them makes their attributes anew.
const MOST: usize = 1_024;

/// The series to record with, by all the texts that its attributes follow from.
///
/// Nobody waits for it: where another thread adds a series, and in a child that was forked meanwhile, the attributes
/// are made anew.
#[derive(Debug)]
pub(super) struct Remembered<const N: usize, S>(RwLock<HashMap<Texts<N>, Arc<S>>>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Texts<const N: usize>([Option<Box<str>>; N]);

impl<const N: usize> Equivalent<Texts<N>> for [Option<&str>; N] {
    fn equivalent(&self, key: &Texts<N>) -> bool {
        let mut both = self.iter().zip(&key.0);
        both.all(|(text, known)| *text == known.as_deref())
    }
}

impl<const N: usize, S> Remembered<N, S> {
    pub(super) fn new() -> Self {
        Self(RwLock::default())
    }

    /// The series remembered for the texts, or else a new one.
    pub(super) fn get(&self, texts: [Option<&str>; N], make: impl FnOnce() -> S) -> Arc<S> {
        let known = self.0.try_read().ok();
        let known = known.and_then(|known| known.get(&texts).cloned());
        known.unwrap_or_else(|| self.add(texts, make()))
    }

    #[cold]
    fn add(&self, texts: [Option<&str>; N], series: S) -> Arc<S> {
        let series = Arc::new(series);
        if let Ok(mut known) = self.0.try_write() {
            // Texts of today come back soon; others were perhaps seen once.
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(
                Texts(texts.map(|text| text.map(Box::from))),
                Arc::clone(&series),
            );
        }
        series
    }
}
