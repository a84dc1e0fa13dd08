//! Randomness for ids: a small generator per thread.

use std::cell::RefCell;

use forkguard::Guard;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use uuid::Uuid;

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// A generator, with what notices that it is a copy: that of a process which this one was forked from, and
/// which goes on with the same bits.
struct Generator {
    random: SmallRng,
    fork: Option<Guard>,
}

/// 128 random bits.
///
/// They are no secret: who has seen some of a thread's can tell those that follow. Each thread has a small
/// generator of its own, which the operating system seeds, and seeds anew in the child of a fork.
///
/// # Panics
///
/// When the operating system gives no random bytes, see [`Uuid::new_v4`].
#[must_use]
pub fn bits() -> u128 {
    let made = GENERATOR.try_with(|place| {
        // Seeding it runs nothing that asks for bits.
        let mut place = place.try_borrow_mut().ok()?;
        if place
            .as_ref()
            .is_some_and(|kept| !kept.is_of_this_process())
        {
            *place = None;
        }
        let generator = place.get_or_insert_with(Generator::seeded);
        Some(generator.random.random())
    });
    // The thread is being torn down, and its generator is gone.
    made.ok().flatten().unwrap_or_else(from_system)
}

impl Generator {
    /// One that goes its own way.
    fn seeded() -> Self {
        let mut seed = [0; 32];
        for half in seed.chunks_exact_mut(16) {
            half.copy_from_slice(Uuid::new_v4().as_bytes());
        }
        Self {
            random: SmallRng::from_seed(seed),
            fork: Guard::try_new().ok(),
        }
    }

    fn is_of_this_process(&self) -> bool {
        let fork = self.fork.clone();
        fork.is_none_or(|mut fork| !fork.detected_fork())
    }
}

/// A UUID has six bits that are always the same. Those of the second are elsewhere.
fn from_system() -> u128 {
    Uuid::new_v4().as_u128() ^ Uuid::new_v4().as_u128().rotate_left(32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// That a child does not go on with the bits of its parent is in the project's tests of processes.
    #[test]
    fn bits_are_random_on_each_thread() {
        let some = || (0..500).map(|_| bits()).collect::<Vec<_>>();
        let other = std::thread::spawn(some).join().unwrap();
        let all: HashSet<u128> = some().into_iter().chain(other).collect();
        assert_eq!(all.len(), 1_000);
        let ones: u32 = all.iter().map(|bits| bits.count_ones()).sum();
        assert!((63_000..65_000).contains(&ones), "{ones}");
    }
}
