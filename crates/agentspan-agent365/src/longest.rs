//! The longest time that anything is waited for or kept.

use std::time::Duration;

/// A year. Longer is as good as forever, and an instant that far away may not exist.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
