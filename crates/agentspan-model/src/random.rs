//! Randomness for ids: a small generator per thread.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use forkguard::Guard;

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// A generator, with what notices that it is a copy: that of a process which this one was forked from, and
/// which goes on with the same bits.
struct Generator {
    random: Xoshiro256PlusPlus,
    fork: Option<Guard>,
}

/// 128 random bits.
///
/// They are not secret: an observer of some of a thread's bits can predict the next ones. Each
/// thread has its own small generator. The operating system seeds it, also again in the child of a
/// fork.
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
        Some(generator.random.bits())
    });
    // The thread is being torn down, and its generator is gone.
    made.ok()
        .flatten()
        .unwrap_or_else(|| Xoshiro256PlusPlus::seeded().bits())
}

impl Generator {
    fn seeded() -> Self {
        Self {
            random: Xoshiro256PlusPlus::seeded(),
            fork: Guard::try_new().ok(),
        }
    }

    fn is_of_this_process(&self) -> bool {
        let fork = self.fork.clone();
        fork.is_none_or(|mut fork| !fork.detected_fork())
    }
}

/// The generator [xoshiro256++] of Blackman and Vigna.
///
/// [xoshiro256++]: https://prng.di.unimi.it/xoshiro256plusplus.c
struct Xoshiro256PlusPlus([u64; 4]);

impl Xoshiro256PlusPlus {
    fn seeded() -> Self {
        let mut seed = [0; 32];
        let words = match getrandom::fill(&mut seed) {
            // A state of zeros would stay as it is.
            Ok(()) if seed != [0; 32] => words(&seed),
            // The standard library seeds its hash maps as well as a system without such a source allows.
            _ => [0_u64, 1, 2, 3].map(|number| RandomState::new().hash_one(number)),
        };
        Self(words)
    }

    #[inline]
    fn bits(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }
}

fn words(seed: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(seed.chunks_exact(8)) {
        *word = bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
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

    /// The first outputs of the authors' program for this state.
    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        let mut random = Xoshiro256PlusPlus([1, 2, 3, 4]);
        let outputs = [(); 5].map(|()| random.next());
        let expected = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
        ];
        assert_eq!(outputs, expected);
    }
}
