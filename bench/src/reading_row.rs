//! Rows: documents and recordings of 1, 10 and 100 MB, to show that reading is linear.
//!
//! The times for a byte can be compared, and the peaks of memory are those of one text, without the text
//! itself.

mod texts;

use std::hint::black_box;

use agentspan_model::agentspec::{DocumentReader, Recording};

use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};

/// A megabyte.
const MB: usize = 1_000_000;

const SMALL: &str = "1 MB, 10 times";
const MIDDLE: &str = "10 MB";
const LARGE: &str = "100 MB";

/// An agent with many tools and nested flows, in JSON.
pub(crate) fn json() -> Row {
    row("read-json", "a document in JSON", texts::json, |text| {
        DocumentReader::new().read(text).is_ok_and(|component| {
            black_box(component);
            true
        })
    })
}

/// The same document in YAML.
pub(crate) fn yaml() -> Row {
    row("read-yaml", "a document in YAML", texts::yaml, |text| {
        DocumentReader::new()
            .read_yaml(text)
            .is_ok_and(|component| {
                black_box(component);
                true
            })
    })
}

/// A recording of turns, of which each has definitions of its own.
pub(crate) fn recording() -> Row {
    row(
        "read-recording",
        "a recording, line by line",
        texts::recording,
        |text| {
            let mut lines = Recording::new(text.as_bytes());
            lines.all(|line| black_box(line).is_ok())
        },
    )
}

fn row(
    name: &'static str,
    title: &'static str,
    text: fn(usize) -> String,
    read: fn(&str) -> bool,
) -> Row {
    let reads = |name, size, times| Reads {
        name,
        size,
        times,
        make: text,
        read,
        text: String::new(),
    };
    let goal = |what, small| Goal::new(what, Metric::Caller, LARGE).over(small);
    Row::turns(name, title, 100 * MB)
        .counting("byte")
        .rounds(3)
        .measured(|turns| (turns.runs, turns.peaks) = (1, true))
        .contender(reads(SMALL, MB, 10))
        .contender(reads(MIDDLE, 10 * MB, 1))
        .contender(reads(LARGE, 100 * MB, 1))
        .goal(goal("a byte of 100 MB", SMALL).at_most(1.5))
        .goal(goal("a byte of 100 MB", MIDDLE).at_most(1.25))
}

/// Reads a text several times, which is made when it is first needed.
struct Reads {
    name: &'static str,
    size: usize,
    times: usize,
    make: fn(usize) -> String,
    read: fn(&str) -> bool,
    text: String,
}

impl Contender for Reads {
    fn name(&self) -> &'static str {
        self.name
    }

    fn units(&self) -> Option<usize> {
        Some(self.size * self.times)
    }

    fn prepare(&mut self) {
        if self.text.is_empty() {
            self.text = (self.make)(self.size);
        }
    }

    #[expect(clippy::panic, reason = "a benchmark of nothing must not look fast")]
    fn run(&mut self) {
        for _ in 0..self.times {
            if !(self.read)(black_box(&self.text)) {
                panic!("{} does not read", self.name);
            }
        }
    }
}
