//! Our contenders: a trace that is handed to a queue, and one that nobody observes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentspan_model::agentspec::{EventDetails, SpanDetails};
#[cfg(test)]
use agentspan_processor::background_queue::QueueStats;
use agentspan_processor::trace::OpenTrace;
use agentspan_processor::{BackgroundQueue, HookError, Span, SpanEvent, SpanProcessor, Trace};

use crate::agentspec_row::TURNS;
use crate::agentspec_row::turn::{Events as Asked, Facts, Turn};
use crate::error::BenchError;
use crate::row::Contender;
use crate::site::Pipeline;

/// Longer than the queue ever needs.
pub(crate) const FLUSH: Duration = Duration::from_secs(60);

/// Throws away what it is told.
#[derive(Debug)]
pub(crate) struct Discard;

impl SpanProcessor for Discard {}

/// Counts the spans that end.
#[derive(Debug, Default)]
struct Ended(Arc<AtomicU64>);

impl SpanProcessor for Ended {
    fn on_end(&self, _: &Span) -> Result<(), HookError> {
        // Nothing is read through this number.
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Turns in one trace to a queue, whose processor counts spans and throws them away.
pub(crate) struct Queued {
    queue: BackgroundQueue,
    trace: OpenTrace,
    turn: Turn,
    ended: Arc<AtomicU64>,
}

impl Queued {
    /// With room for `hooks` hooks, or with the default.
    pub(crate) fn new(facts: Facts, hooks: Option<usize>) -> Result<Self, BenchError> {
        let ended = Ended::default();
        let count = Arc::clone(&ended.0);
        let queue = BackgroundQueue::builder(ended);
        let queue = match hooks {
            Some(hooks) => queue.with_max_hooks(hooks),
            None => queue,
        };
        let queue = queue.build();
        Ok(Self {
            trace: open_trace("the queue", Some(&queue))?,
            queue,
            turn: Turn::new(facts)?,
            ended: count,
        })
    }

    /// Whether the counts do not add up after so many spans.
    pub(crate) fn miscounted(&self, made: u64) -> u64 {
        /// The start and the end of 4 spans, and 6 events.
        const HOOKS: u64 = 14;
        /// The start of the queue, and that of the root, which goes on.
        const BEFORE: u64 = 2;
        let stats = self.queue.stats();
        let adds_up = stats.accepted == stats.handled + stats.dropped + stats.queued;
        let offered = made / self.spans_per_turn() * HOOKS + BEFORE;
        u64::from(!adds_up || stats.accepted != offered)
    }
}

impl Pipeline for Queued {
    fn turn(&self) {
        self.turn.run(self.trace.root(), Asked::Always);
    }

    fn delivered(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    fn flush(&self) {
        let _ = self.queue.flush(FLUSH);
    }
}

/// Spans with many events, in one trace, to a queue whose processor counts events and throws them away.
pub(crate) struct Events {
    queue: BackgroundQueue,
    trace: OpenTrace,
    events: u64,
    heard: Arc<AtomicU64>,
}

/// Counts the events that it hears of.
#[derive(Debug, Default)]
struct Heard(Arc<AtomicU64>);

impl SpanProcessor for Heard {
    fn on_event(&self, _: &SpanEvent<'_>, _: &Span) -> Result<(), HookError> {
        // Nothing is read through this number.
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Events {
    /// With `events` events in each span.
    pub(crate) fn new(events: u64) -> Result<Self, BenchError> {
        let heard = Heard::default();
        let count = Arc::clone(&heard.0);
        let queue = BackgroundQueue::builder(heard)
            .with_max_hooks(1 << 20)
            .build();
        Ok(Self {
            trace: open_trace("the queue", Some(&queue))?,
            queue,
            events,
            heard: count,
        })
    }
}

impl Pipeline for Events {
    /// One span.
    fn turn(&self) {
        let _entered = self.trace.root().enter();
        if let Ok(span) = Span::builder(SpanDetails::Plain).start() {
            for _ in 0..self.events {
                drop(span.add_event(EventDetails::Plain));
            }
        }
    }

    fn spans_per_turn(&self) -> u64 {
        self.events
    }

    fn delivered(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    fn flush(&self) {
        let _ = self.queue.flush(FLUSH);
    }
}

/// Makes turns in one trace.
pub(super) struct Turns {
    name: &'static str,
    events: Asked,
    queue: Option<BackgroundQueue>,
    trace: OpenTrace,
    turn: Turn,
}

impl Turns {
    /// A queue that throws away what it is given observes the trace.
    pub(super) fn queued(name: &'static str) -> Result<Self, BenchError> {
        Self::new(name, Asked::Always, Some(BackgroundQueue::new(Discard)))
    }

    /// Nobody observes the trace.
    pub(super) fn unobserved(name: &'static str, events: Asked) -> Result<Self, BenchError> {
        Self::new(name, events, None)
    }

    fn new(
        name: &'static str,
        events: Asked,
        queue: Option<BackgroundQueue>,
    ) -> Result<Self, BenchError> {
        Ok(Self {
            name,
            events,
            trace: open_trace(name, queue.as_ref())?,
            queue,
            turn: Turn::new(Facts::OfDefinitions)?,
        })
    }

    #[cfg(test)]
    pub(super) fn stats(&self) -> Option<QueueStats> {
        self.queue.as_ref().map(BackgroundQueue::stats)
    }
}

/// A trace that `queue` observes.
pub(crate) fn open_trace(
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
