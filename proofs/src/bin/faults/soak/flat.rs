//! Whether memory stays as it is.

use std::fmt;

/// What the last third may need beyond the middle third, both by their medians: a tenth and 16 MiB.
fn most(middle: u64) -> u64 {
    middle + middle / 10 + 16 * 1024
}

/// Samples of the memory of the process, in KiB.
#[derive(Default)]
pub(super) struct Flat(Vec<u64>);

impl Flat {
    pub(super) fn sample(&mut self, kib: u64) {
        self.0.push(kib);
    }

    /// Whether the median of the last third is about that of the middle third. The first third is
    /// left out: caches and arenas fill. A few samples say nothing.
    pub(super) fn is_flat(&self) -> bool {
        let [_, middle, last] = self.medians();
        self.0.len() < 300 || last <= most(middle)
    }

    fn medians(&self) -> [u64; 3] {
        let third = self.0.len() / 3;
        [0, 1, 2].map(|n| {
            let mut part: Vec<_> = self.0.iter().skip(n * third).take(third).collect();
            part.sort_unstable();
            part.get(part.len() / 2).map_or(0, |kib| **kib)
        })
    }
}

impl fmt::Display for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, middle, last] = self.medians().map(|kib| kib / 1024);
        let verdict = if self.is_flat() { "flat" } else { "NOT FLAT" };
        write!(
            f,
            "median memory of the thirds: {first}, {middle}, {last} MiB: {verdict}"
        )
    }
}
