//! Row: spans inside each other beside spans one after the other.

use agentspan_model::agentspec::{EventDetails, SpanDetails};
use agentspan_processor::{BackgroundQueue, OpenTrace, Span};

use crate::agentspec_row::contenders::{Discard, FLUSH, open_trace};
use crate::error::BenchError;
use crate::gauge::Clock;
use crate::row::{Contender, Goal, Per, Row, Unit};

const DEEP: &str = "64 spans, each inside the one before";
const FLAT: &str = "64 spans, one after the other";

/// How many spans one run makes.
const SPANS: usize = 1024;

pub(crate) fn row() -> Result<Row, BenchError> {
    Ok(Row {
        name: "agentspec-depth",
        title: "spans with one event to a queue, at depth 64 and at depth 1",
        spans: SPANS,
        runs: 2,
        rounds: 101,
        unit: Unit::NanosPerSpan,
        contenders: vec![
            Box::new(Nested::new(DEEP, 64)?),
            Box::new(Nested::new(FLAT, 1)?),
        ],
        goals: vec![
            Goal {
                ours: DEEP,
                per: Per::TimeOf(FLAT),
                at_most: 1.15,
            },
            Goal {
                ours: DEEP,
                per: Per::AllocationsPerSpan,
                at_most: 1.0,
            },
        ],
        clock: Clock::Thread,
    })
}

struct Nested {
    name: &'static str,
    depth: usize,
    queue: BackgroundQueue,
    trace: OpenTrace,
}

impl Nested {
    fn new(name: &'static str, depth: usize) -> Result<Self, BenchError> {
        let queue = BackgroundQueue::new(Discard);
        Ok(Self {
            name,
            depth,
            trace: open_trace(name, Some(&queue))?,
            queue,
        })
    }
}

impl Contender for Nested {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        let _ = self.queue.flush(FLUSH);
    }

    fn run(&mut self) {
        let _entered = self.trace.root().enter();
        for _ in 0..SPANS / self.depth {
            nest(self.depth);
        }
    }
}

fn nest(depth: usize) {
    if depth == 0 {
        return;
    }
    if let Ok(span) = Span::builder(SpanDetails::Plain).start() {
        drop(span.add_event(EventDetails::Plain));
        nest(depth - 1);
        drop(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_dropped_on_the_way() {
        for depth in [64, 1] {
            let mut nested = Nested::new(DEEP, depth).unwrap();
            for _ in 0..3 {
                nested.prepare();
                nested.run();
            }
            nested.prepare();
            let stats = nested.queue.stats();
            // A span starts, has one event and ends; the trace has started with its root span.
            assert_eq!(stats.handled, 3 * 3 * SPANS as u64 + 2, "depth {depth}");
            assert_eq!((stats.dropped, stats.failed), (0, 0), "depth {depth}");
        }
    }
}
