//! What became of the spans of a row, as the library counts them and as the other side saw it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The library's own count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) exported: u64,
    pub(crate) queued: u64,
    pub(crate) lost: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(crate) fn new(
        accepted: u64,
        exported: u64,
        lost: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Self {
        Self {
            accepted,
            exported,
            queued: 0,
            lost: lost.into_iter().filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// Whether every span is accounted for.
    pub(crate) fn add_up(&self) -> bool {
        self.accepted == self.exported + self.lost.values().sum::<u64>() + self.queued
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = self.lost.iter();
        let lost: Vec<_> = lost
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let lost = match lost.as_slice() {
            [] => "none lost".to_owned(),
            lost => lost.join(", "),
        };
        f.pad(&format!("{} exported, {lost}", self.exported))
    }
}

/// What a row showed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) expected: Counts,
    pub(crate) counts: Counts,
    /// How many spans the other side took, each counted once.
    pub(crate) seen: u64,
    pub(crate) twice: u64,
    pub(crate) memory_kib: u64,
    pub(crate) most_memory_kib: u64,
    pub(crate) longest: Duration,
    /// What else is not as it should be.
    pub(crate) problems: Vec<String>,
}

/// No call that hands something over waits for a fault: all of their times are longer than this.
const LONGEST_CALL: Duration = Duration::from_millis(250);

impl Outcome {
    /// With nothing else to say.
    pub(crate) fn new(expected: Counts, counts: Counts) -> Self {
        Self {
            expected,
            counts,
            seen: 0,
            twice: 0,
            memory_kib: 0,
            most_memory_kib: 24 * 1024,
            longest: Duration::ZERO,
            problems: Vec::new(),
        }
    }

    /// All that is not as it should be.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        if self.counts != self.expected {
            problems.push(format!("{} instead of {}", self.counts, self.expected));
        }
        if !self.counts.add_up() {
            problems.push(format!("the counts do not add up: {:?}", self.counts));
        }
        if self.memory_kib > self.most_memory_kib {
            problems.push(format!("more memory than {} KiB", self.most_memory_kib));
        }
        if self.longest > LONGEST_CALL {
            problems.push(format!("a call took {:?}", self.longest));
        }
        problems
    }
}
