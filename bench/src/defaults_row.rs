//! Row: queues with their defaults, and consumers that discard.
//!
//! What is promised: nothing is lost as long as everything that the consumer has not handled yet fits
//! the limits. A producer whose consumer keeps up on average makes bursts at full speed, each of which
//! fills most of the queue, and goes on when the consumer has caught up. It must lose nothing.
//!
//! A producer at full speed all the time makes spans faster than the consumer handles them, so it loses
//! some whatever the room. Then the counts have to be exact: all that was made was accepted, and what was
//! accepted is exported, dropped or queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agentspan_otel::ExportQueue;
use agentspan_testkit::turn;
use opentelemetry_sdk::trace::SpanData;

use crate::agentspec_row::contenders::Queued;
use crate::agentspec_row::turn::Facts;
use crate::error::BenchError;
use crate::gauge::Clock;
use crate::goal::Goal;
use crate::metric::{Metric, Readings};
use crate::peers::replay::Replay;
use crate::peers::sdk::{Counted, Discard, Sdk};
use crate::row::Row;
use crate::site::{Pipeline, Site, nap};

const BACKGROUND: &str = "agentspan BackgroundQueue, bursts";
const EXPORT: &str = "agentspan ExportQueue, bursts";
const BACKGROUND_FULL: &str = "agentspan BackgroundQueue, without a pause";
const EXPORT_FULL: &str = "agentspan ExportQueue, without a pause";
const SDK: &str = "opentelemetry_sdk batch, without a pause";

/// How long the producer that makes bursts runs.
const IN_BURSTS: Duration = Duration::from_secs(10);

/// How long the producer that makes no pauses runs.
const AT_FULL_SPEED: Duration = Duration::from_secs(5);

/// How many spans a burst has. That is most of what fits the 64 MiB of an [`ExportQueue`].
const BURST: u64 = 18_000;

/// The consumer has caught up when not more spans are left: fewer wait for a batch to fill.
const REST: u64 = 1_000;

/// The room of the SDK's batch processor by default.
const SDK_QUEUE: usize = 2048;

pub(crate) fn row() -> Row {
    let title =
        "queues with their defaults, consumers that discard; bursts for 10 s, or no pause for 5 s";
    let none = |what, metric, ours| Goal::new(what, metric, ours).at_most(0.0);
    let lost = |what, ours| none(what, Metric::Lost, ours);
    let miscounted = |what, ours| none(what, Metric::Miscounted, ours);
    Row::programs("defaults", title)
        .rounds(1)
        .program(BACKGROUND, |site| Ok(in_bursts(&queued()?, site)))
        .program(EXPORT, |site| Ok(in_bursts(&Exported::new()?, site)))
        .program(BACKGROUND_FULL, |site| {
            let queue = queued()?;
            Ok(at_full_speed(&queue, site, &|made| queue.miscounted(made)))
        })
        .program(EXPORT_FULL, |site| {
            let queue = Exported::new()?;
            Ok(at_full_speed(&queue, site, &|made| queue.miscounted(made)))
        })
        .program(SDK, |site| {
            let peer = Sdk::discarding(Replay::whole_turn(), SDK_QUEUE);
            Ok(at_full_speed(&peer, site, &|_| 0))
        })
        .goal(lost(
            "BackgroundQueue with defaults, bursts, lost",
            BACKGROUND,
        ))
        .goal(lost("ExportQueue with defaults, bursts, lost", EXPORT))
        .goal(miscounted(
            "BackgroundQueue with defaults, no pause, readings that do not add up",
            BACKGROUND_FULL,
        ))
        .goal(miscounted(
            "ExportQueue with defaults, no pause, readings that do not add up",
            EXPORT_FULL,
        ))
}

fn queued() -> Result<Queued, BenchError> {
    Queued::new(Facts::OfDefinitions, None)
}

/// Makes bursts, and lets the consumer catch up after each.
fn in_bursts(pipeline: &dyn Pipeline, site: &Site<'_>) -> Readings {
    let begin = Instant::now();
    let mut producer = Producer::new(pipeline);
    while producer.goes_on(site, begin, IN_BURSTS) {
        producer.burst();
        // What is lost never arrives.
        while pipeline.delivered() + REST < producer.made && begin.elapsed() < 2 * IN_BURSTS {
            nap(Duration::from_micros(100));
        }
    }
    producer.readings(begin)
}

/// Makes no pause, and looks at the counts all the time.
fn at_full_speed(
    pipeline: &dyn Pipeline,
    site: &Site<'_>,
    miscounted: &dyn Fn(u64) -> u64,
) -> Readings {
    let begin = Instant::now();
    let mut producer = Producer::new(pipeline);
    let mut wrong = 0;
    while producer.goes_on(site, begin, AT_FULL_SPEED) {
        producer.burst();
        wrong += miscounted(producer.made);
    }
    let readings = producer.readings(begin);
    readings.with(
        Metric::Miscounted,
        (wrong + miscounted(producer.made)) as f64,
    )
}

struct Producer<'a> {
    pipeline: &'a dyn Pipeline,
    made: u64,
    /// How long it was at full speed, and the CPU time of it, in nanoseconds.
    busy: Duration,
    caller: u64,
    /// The CPU time of the process and of the caller before, in nanoseconds.
    before: [u64; 2],
}

impl<'a> Producer<'a> {
    fn new(pipeline: &'a dyn Pipeline) -> Self {
        Self {
            pipeline,
            made: 0,
            busy: Duration::ZERO,
            caller: 0,
            before: [Clock::Process, Clock::Thread].map(Clock::read),
        }
    }

    /// Whether the time is not over, or the turns for a profiler are not made.
    fn goes_on(&self, site: &Site<'_>, begin: Instant, time: Duration) -> bool {
        let turns = self.made / self.pipeline.spans_per_turn();
        let is_made = site.turns.map(|most| turns < most);
        is_made.unwrap_or_else(|| begin.elapsed() < time)
    }

    /// Makes turns at full speed.
    fn burst(&mut self) {
        let (begin, caller) = (Instant::now(), Clock::Thread.read());
        for _ in 0..BURST / self.pipeline.spans_per_turn() {
            self.pipeline.turn();
            self.made += self.pipeline.spans_per_turn();
        }
        self.caller += Clock::Thread.read() - caller;
        self.busy += begin.elapsed();
    }

    /// What came of it, once the rest has arrived.
    fn readings(&self, begin: Instant) -> Readings {
        self.pipeline.flush();
        let [process, caller] = [Clock::Process, Clock::Thread].map(Clock::read);
        let [process_before, caller_before] = self.before;
        let worker = (process - process_before).saturating_sub(caller - caller_before);
        let delivered = self.pipeline.delivered();
        Readings::default()
            .with(Metric::Caller, self.caller as f64 / self.made as f64)
            .with(Metric::Worker, worker as f64 / delivered.max(1) as f64)
            .with(Metric::Made, self.made as f64 / self.busy.as_secs_f64())
            .with(
                Metric::PerSecond,
                delivered as f64 / begin.elapsed().as_secs_f64(),
            )
            .with(Metric::Delivered, delivered as f64)
            .with(Metric::Lost, self.made.saturating_sub(delivered) as f64)
    }
}

/// Copies of finished spans to an exporter that throws them away.
struct Exported {
    queue: ExportQueue,
    spans: Vec<SpanData>,
    delivered: Arc<AtomicU64>,
}

impl Exported {
    fn new() -> Result<Self, BenchError> {
        let delivered = Arc::default();
        let exporter = Counted {
            exporter: Discard,
            delivered: Arc::clone(&delivered),
        };
        Ok(Self {
            queue: ExportQueue::builder("discard", exporter).build()?,
            spans: turn::spans(1, 1),
            delivered,
        })
    }

    /// Whether the counts do not add up after so many spans.
    fn miscounted(&self, made: u64) -> u64 {
        let stats = self.queue.stats();
        let adds_up = stats.accepted == stats.exported + stats.dropped() + stats.queued;
        u64::from(!adds_up || stats.accepted != made)
    }
}

impl Pipeline for Exported {
    fn turn(&self) {
        for span in &self.spans {
            self.queue.put(span.clone());
        }
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    fn flush(&self) {
        // What was not exported is seen in the counts.
        let _ = self.queue.flush(Duration::from_secs(60));
    }
}
