//! Row: queues with their defaults and a producer at full speed for ten seconds, whose consumer
//! keeps up on average.
//!
//! It does if the worker needs less CPU time for a span than the caller, and gets as much of it.
//! The row prints both, and how many spans were made and arrived in a second. Who makes more spans
//! than arrive on average loses some whatever the room.

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
use crate::site::Pipeline;

const BACKGROUND: &str = "agentspan BackgroundQueue, defaults";
const EXPORT: &str = "agentspan ExportQueue, defaults";
const SDK: &str = "opentelemetry_sdk batch, defaults";

/// How long the producer is at full speed.
const WHILE: Duration = Duration::from_secs(10);

/// The room of the SDK's batch processor by default.
const SDK_QUEUE: usize = 2048;

pub(crate) fn row() -> Row {
    let title =
        "queues with their defaults, a producer at full speed for 10 s, consumers that discard";
    let none = |what, ours| Goal::new(what, Metric::Lost, ours).at_most(0.0);
    Row::programs("defaults", title)
        .rounds(1)
        .program(BACKGROUND, |_| {
            Ok(produce(&Queued::new(Facts::OfDefinitions, None)?))
        })
        .program(EXPORT, |_| Ok(produce(&Exported::new()?)))
        .program(SDK, |_| {
            Ok(produce(&Sdk::discarding(Replay::whole_turn(), SDK_QUEUE)))
        })
        .goal(none("BackgroundQueue with defaults, lost", BACKGROUND))
        .goal(none("ExportQueue with defaults, lost", EXPORT))
}

fn produce(pipeline: &dyn Pipeline) -> Readings {
    let begin = Instant::now();
    let [caller, process] = [Clock::Thread, Clock::Process].map(Clock::read);
    let mut turns = 0;
    while begin.elapsed() < WHILE {
        pipeline.turn();
        turns += 1;
    }
    let caller = Clock::Thread.read() - caller;
    let made_in = begin.elapsed();
    pipeline.flush();
    let worker = (Clock::Process.read() - process).saturating_sub(caller);
    let wall = begin.elapsed();
    let made = turns * pipeline.spans_per_turn();
    let delivered = pipeline.delivered();
    Readings::default()
        .with(Metric::Caller, caller as f64 / made as f64)
        .with(Metric::Worker, worker as f64 / delivered.max(1) as f64)
        .with(Metric::Made, made as f64 / made_in.as_secs_f64())
        .with(Metric::PerSecond, delivered as f64 / wall.as_secs_f64())
        .with(Metric::Delivered, delivered as f64)
        .with(Metric::Lost, made.saturating_sub(delivered) as f64)
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
