//! Our contenders: a trace that is handed to a queue, and one that nobody observes.

use std::time::Duration;

#[cfg(test)]
use agentspan_processor::QueueStats;
use agentspan_processor::{BackgroundQueue, OpenTrace, SpanProcessor, Trace};

use crate::agentspec_row::TURNS;
use crate::agentspec_row::turn::{Events, Turn};
use crate::error::BenchError;
use crate::row::Contender;

/// Longer than the queue ever needs.
pub(super) const FLUSH: Duration = Duration::from_secs(60);

/// Throws away what it is told.
#[derive(Debug)]
pub(super) struct Discard;

impl SpanProcessor for Discard {}

/// Makes turns in one trace.
pub(super) struct Turns {
    name: &'static str,
    events: Events,
    queue: Option<BackgroundQueue>,
    trace: OpenTrace,
    turn: Turn,
}

impl Turns {
    /// A queue that throws away what it is given observes the trace.
    pub(super) fn queued(name: &'static str) -> Result<Self, BenchError> {
        Self::new(name, Events::Always, Some(BackgroundQueue::new(Discard)))
    }

    /// Nobody observes the trace.
    pub(super) fn unobserved(name: &'static str, events: Events) -> Result<Self, BenchError> {
        Self::new(name, events, None)
    }

    fn new(
        name: &'static str,
        events: Events,
        queue: Option<BackgroundQueue>,
    ) -> Result<Self, BenchError> {
        Ok(Self {
            name,
            events,
            trace: open_trace(name, queue.as_ref())?,
            queue,
            turn: Turn::new()?,
        })
    }

    #[cfg(test)]
    pub(super) fn stats(&self) -> Option<QueueStats> {
        self.queue.as_ref().map(BackgroundQueue::stats)
    }
}

/// A trace that `queue` observes.
pub(super) fn open_trace(
    name: &'static str,
    queue: Option<&BackgroundQueue>,
) -> Result<OpenTrace, BenchError> {
    let builder = Trace::builder();
    let builder = match queue {
        Some(queue) => builder.with_processor(queue.clone()),
        None => builder,
    };
    builder
        .start_detached()
        .map_err(|error| BenchError::set_up(name)(error.into()))
}

impl Contender for Turns {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until the last run is thrown away, so that nothing is dropped for want of room.
    fn prepare(&mut self) {
        if let Some(queue) = &self.queue {
            let _ = queue.flush(FLUSH);
        }
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn.run(self.trace.root(), self.events);
        }
    }
}
