//! The time, and chance.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

/// The source of the time and of random delays. Only tests need another one than [`SystemClock`].
pub trait Clock: fmt::Debug + Send + Sync {
    /// Measures how long tokens are kept.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// The position of the next time in the range of possible times: 0 for the first, 1 for the last.
    fn random(&self) -> f64 {
        // A new state hashes with keys of its own, which the standard library draws at random.
        let bits = RandomState::new().hash_one(0_u8) >> 11;
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are what an f64 holds exactly"
        )]
        let fraction = bits as f64 / (1_u64 << 53) as f64;
        fraction
    }
}

/// The clock of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to set")]
pub struct SystemClock;

impl Clock for SystemClock {}
