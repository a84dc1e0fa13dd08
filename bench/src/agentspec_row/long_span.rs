//! Row: a span of 100,000 events that carry a definition of a megabyte.

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, AgentExecutionStart, Component, JsonObject,
};
use agentspan_processor::trace::OpenTrace;
use agentspan_processor::{BackgroundQueue, Span};

use crate::agentspec_row::contenders::{Discard, FLUSH, open_trace};
use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};

const LONG: &str = "100,000 events in a span, definition of 1 MB";
const SHORTER: &str = "10,000 events in each of 10 spans, 1 MB";
const SMALL: &str = "100,000 events in a span, definition of 1 KB";

/// How many events one run adds.
const EVENTS: usize = 100_000;

pub(crate) fn row() -> Result<Row, BenchError> {
    let title = "events that carry the agent's definition, to a queue";
    let goal = |what, metric| Goal::new(what, metric, LONG);
    Ok(Row::turns("agentspec-events", title, EVENTS)
        .counting("event")
        .rounds(15)
        .measured(|turns| turns.runs = 1)
        .contender(Long::new(LONG, 1, 1 << 20)?)
        .contender(Long::new(SHORTER, 10, 1 << 20)?)
        .contender(Long::new(SMALL, 1, 1 << 10)?)
        .goal(
            goal("one span beside ten", Metric::Caller)
                .over(SHORTER)
                .at_most(1.5),
        )
        .goal(
            goal("a large definition beside a small", Metric::Caller)
                .over(SMALL)
                .at_most(1.15),
        )
        .goal(goal("allocations of an event", Metric::Allocations).at_most(0.01))
        .goal(goal("bytes of an event", Metric::Bytes).at_most(1024.0)))
}

struct Long {
    name: &'static str,
    spans: usize,
    agent: Agent,
    queue: BackgroundQueue,
    trace: OpenTrace,
}

impl Long {
    fn new(name: &'static str, spans: usize, bytes: usize) -> Result<Self, BenchError> {
        let definition = Component::builder("Agent", "long")
            .with_text("system_prompt", "x".repeat(bytes))
            .build();
        // Room for everything: what is dropped costs less.
        let queue = BackgroundQueue::builder(Discard)
            .with_max_hooks(2 * EVENTS)
            .build();
        Ok(Self {
            name,
            spans,
            agent: Agent::try_from(definition)
                .map_err(|error| BenchError::set_up(name)(error.into()))?,
            trace: open_trace(name, Some(&queue))?,
            queue,
        })
    }
}

impl Contender for Long {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        let _ = self.queue.flush(FLUSH);
    }

    fn run(&mut self) {
        let _entered = self.trace.root().enter();
        for _ in 0..self.spans {
            let details = AgentExecutionSpan::new(self.agent.clone());
            let Ok(span) = Span::builder(details).start() else {
                return;
            };
            for _ in 0..EVENTS / self.spans {
                let event = AgentExecutionStart::new(self.agent.clone(), JsonObject::new());
                drop(span.add_event(event));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_dropped_on_the_way() {
        for spans in [1, 10] {
            let mut long = Long::new(LONG, spans, 1).unwrap();
            for _ in 0..2 {
                long.prepare();
                long.run();
            }
            long.prepare();
            let stats = long.queue.stats();
            // Each span starts and ends beside its events; the trace has started with its root span.
            let handled = 2 * (EVENTS + 2 * spans) + 2;
            assert_eq!(stats.handled, handled as u64, "{spans} spans");
            assert_eq!((stats.dropped, stats.failed), (0, 0), "{spans} spans");
        }
    }
}
