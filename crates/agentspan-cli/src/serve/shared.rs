//! The state that all connections share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::archive::Archive;
use super::fault::Fault;
use super::guard::Access;
use super::parts::Parts;
use crate::store::Store;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
    changes: watch::Sender<u64>,
    unreadable: AtomicUsize,
    archive: Option<Mutex<Archive>>,
    /// How many requests are in no file, and why the last is not.
    unkept: watch::Sender<(usize, String)>,
    faults: Mutex<Vec<Fault>>,
    /// Another number in every process.
    process: u128,
    /// The span of which pieces were asked for last.
    pub(super) parts: Parts,
    pub(crate) access: Access,
}

impl Shared {
    pub(crate) fn new(store: Store, access: Access) -> Arc<Self> {
        Arc::new(Self {
            store: Mutex::new(store),
            changes: watch::Sender::new(0),
            unreadable: AtomicUsize::new(0),
            archive: None,
            unkept: watch::Sender::default(),
            faults: Mutex::default(),
            process: agentspan_model::random::bits(),
            parts: Parts::default(),
            access,
        })
    }

    /// Keeps what is received as files, too.
    pub(super) fn keep_in(&mut self, archive: Archive) {
        self.archive = Some(Mutex::new(archive));
    }

    /// Whether what is received is kept as files.
    pub(super) fn has_archive(&self) -> bool {
        self.archive.is_some()
    }

    /// Answers with these faults, one after the other.
    pub(super) fn fail(&mut self, faults: Vec<Fault>) {
        self.faults = Mutex::new(faults);
    }

    /// Keeps what was received. What cannot be kept is counted. The thread waits for the disk.
    pub(super) fn keep(&self, keep: impl FnOnce(&mut Archive) -> std::io::Result<()>) {
        let Some(archive) = &self.archive else {
            return;
        };
        let kept = keep(&mut archive.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = kept {
            let why = error.to_string();
            self.unkept
                .send_modify(|(count, last)| (*count, *last) = (*count + 1, why));
        }
    }

    /// How many requests could not be kept, and why the last could not.
    pub(super) fn unkept(&self) -> watch::Receiver<(usize, String)> {
        self.unkept.subscribe()
    }

    /// The fault that the next request gets.
    pub(super) fn fault(&self) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faults = faults.iter_mut();
        faults.find_map(|fault| fault.strikes().then(|| fault.clone()))
    }

    /// Looks at the store.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        look(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the store, and wakes those that wait for changes.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let (result, number) = self.look(|store| {
            let result = change(store);
            (result, store.last_change())
        });
        self.changes.send_if_modified(|last| {
            let is_new = *last != number;
            *last = number;
            is_new
        });
        result
    }

    /// The number of the last change, to wait for the next.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The id that this process puts before the numbers of its changes.
    pub(super) fn process(&self) -> u128 {
        self.process
    }

    /// Counts what was sent or appended and cannot be read.
    pub(crate) fn count_unreadable(&self, count: usize) {
        self.unreadable.fetch_add(count, Ordering::SeqCst);
    }

    /// How much could not be read.
    pub(crate) fn unreadable(&self) -> usize {
        self.unreadable.load(Ordering::SeqCst)
    }
}
