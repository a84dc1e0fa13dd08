//! Rows: documents and recordings of 1, 10 and 100 MB, to show that reading is linear.
//!
//! Every contender reads 100 MB in a run: a small text as often as it takes. So the times for a byte can be
//! compared, and the peaks of memory are those of one text, without the text itself.

mod texts;

use std::hint::black_box;

use agentspan_model::agentspec::{DocumentReader, Recording};

use crate::gauge::Clock;
use crate::row::{Contender, Goal, Per, Row, Unit};

/// A megabyte.
const MB: usize = 1_000_000;

/// What a run reads.
const ALL: usize = 100 * MB;

const SMALL: &str = "1 MB, 100 times";
const MIDDLE: &str = "10 MB, 10 times";
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
    let sizes = [(SMALL, MB), (MIDDLE, 10 * MB), (LARGE, ALL)];
    let contenders = sizes.map(|(name, size)| -> Box<dyn Contender> {
        Box::new(Reads {
            name,
            size,
            make: text,
            read,
            text: String::new(),
        })
    });
    Row {
        name,
        title,
        spans: ALL,
        runs: 1,
        rounds: 3,
        unit: Unit::NanosPerByte,
        contenders: contenders.into(),
        goals: vec![
            Goal {
                ours: LARGE,
                per: Per::TimeOf(SMALL),
                at_most: 1.5,
            },
            Goal {
                ours: LARGE,
                per: Per::TimeOf(MIDDLE),
                at_most: 1.25,
            },
        ],
        clock: Clock::Thread,
    }
}

/// Reads a text several times, which is made when it is first needed.
struct Reads {
    name: &'static str,
    size: usize,
    make: fn(usize) -> String,
    read: fn(&str) -> bool,
    text: String,
}

impl Contender for Reads {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        if self.text.is_empty() {
            self.text = (self.make)(self.size);
        }
    }

    #[expect(clippy::panic, reason = "a benchmark of nothing must not look fast")]
    fn run(&mut self) {
        for _ in 0..ALL / self.size {
            if !(self.read)(black_box(&self.text)) {
                panic!("{} does not read", self.name);
            }
        }
    }
}
