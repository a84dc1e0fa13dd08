//! What packs begin with in common: the keys of spans, and the texts that runs of one program repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How long a dictionary is.
const LENGTH: usize = 8 << 10;

/// A new one is made after so many packs, and after fewer at first.
const RENEWED: usize = 256;

/// Bytes that packs need not repeat. They count as long as there is a pack that was made with them.
#[derive(Debug)]
pub(super) struct Dictionary {
    bytes: Box<[u8]>,
    all: Arc<AtomicUsize>,
}

impl Dictionary {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

/// The dictionary of the next packs, which consists of the ends of those before.
#[derive(Debug)]
pub(super) struct Dictionaries {
    nothing: Arc<Dictionary>,
    current: Arc<Dictionary>,
    recent: Vec<u8>,
    packs: usize,
    all: Arc<AtomicUsize>,
}

impl Dictionaries {
    /// None yet. `all` counts how many bytes those take that are still there.
    pub(super) fn new(all: &Arc<AtomicUsize>) -> Self {
        let nothing = Arc::new(Dictionary {
            bytes: Box::default(),
            all: Arc::clone(all),
        });
        Self {
            current: Arc::clone(&nothing),
            nothing,
            recent: Vec::new(),
            packs: 0,
            all: Arc::clone(all),
        }
    }

    /// The dictionary with nothing in it.
    pub(super) fn nothing(&self) -> &Arc<Dictionary> {
        &self.nothing
    }

    pub(super) fn current(&self) -> &Arc<Dictionary> {
        &self.current
    }

    /// Takes in what was packed.
    pub(super) fn learn(&mut self, plain: &[u8]) {
        let end = plain.len().saturating_sub(LENGTH);
        self.recent.extend(plain.get(end..).unwrap_or_default());
        let surplus = self.recent.len().saturating_sub(LENGTH);
        self.recent.drain(..surplus);
        self.packs += 1;
        if self.packs.is_power_of_two() || self.packs % RENEWED == 0 {
            self.all.fetch_add(self.recent.len(), Ordering::SeqCst);
            self.current = Arc::new(Dictionary {
                bytes: self.recent.as_slice().into(),
                all: Arc::clone(&self.all),
            });
        }
    }
}
