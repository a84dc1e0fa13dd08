//! Row: two producers at full speed for five seconds, to a service that answers after 20 ms, all defaults.

mod counts;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::facade_row::agent365::Agent365;
use crate::goal::Goal;
use crate::metric::{Metric, Readings};
use crate::overload_row::counts::{LogLines, Watch};
use crate::peak;
use crate::peers::replay::Replay;
use crate::peers::sdk::Sdk;
use crate::row::Row;
use crate::site::{Pipeline, Site, nap};

const OURS: &str = "agentspan scopes to Agent 365";
const OTLP: &str = "opentelemetry_sdk batch + OTLP protobuf";

/// How long producers are at full speed.
const WHILE: Duration = Duration::from_secs(5);

pub(crate) fn row() -> Row {
    let title =
        "two producers at full speed for 5 s, the service answers after 20 ms, all defaults";
    let goal = |what, metric| Goal::new(what, metric, OURS).of_figure(9);
    Row::programs("overload", title)
        .rounds(3)
        .program(OURS, ours)
        .program(OTLP, otlp)
        .goal(
            goal(
                "overload, spans delivered while producing",
                Metric::Delivered,
            )
            .over(OTLP)
            .at_least(4.0),
        )
        .goal(
            goal(
                "overload, readings of counts that do not add up",
                Metric::Miscounted,
            )
            .at_most(0.0),
        )
        .goal(goal("overload, log lines in each batch delay", Metric::LogLines).at_most(1.0))
}

fn ours(site: &Site<'_>) -> Result<Readings, BenchError> {
    let lines = LogLines::install();
    let pipeline = Agent365::scopes(site.sink)?;
    let watch = Watch::default();
    let readings = produce(&pipeline, &|| watch.look(pipeline.telemetry()));
    let delays = WHILE.as_secs_f64() / counts::BATCH_DELAY.as_secs_f64();
    Ok(readings
        .with(Metric::Miscounted, watch.miscounted() as f64)
        .with(Metric::LogLines, lines.count() as f64 / delays))
}

fn otlp(site: &Site<'_>) -> Result<Readings, BenchError> {
    Ok(produce(
        &Sdk::otlp(Replay::whole_turn(), site.sink, None)?,
        &|| (),
    ))
}

/// Lets two threads make turns, and looks at the counts meanwhile.
fn produce<P: Pipeline + Sync>(pipeline: &P, look: &dyn Fn()) -> Readings {
    let stop = AtomicBool::new(false);
    let made = AtomicU64::new(0);
    let produce = || {
        let mut turns = 0;
        while !stop.load(Ordering::Relaxed) {
            pipeline.turn();
            turns += 1;
        }
        made.fetch_add(turns * pipeline.spans_per_turn(), Ordering::Relaxed);
    };
    let delivered = std::thread::scope(|scope| {
        let producers = [scope.spawn(produce), scope.spawn(produce)];
        let begin = Instant::now();
        while begin.elapsed() < WHILE {
            look();
            nap(Duration::from_millis(1));
        }
        let delivered = pipeline.delivered();
        stop.store(true, Ordering::Relaxed);
        for producer in producers {
            drop(producer.join());
        }
        delivered
    });
    let made = made.load(Ordering::Relaxed);
    let readings = Readings::default()
        .with(Metric::Delivered, delivered as f64)
        .with(Metric::PerSecond, delivered as f64 / WHILE.as_secs_f64());
    let readings = match peak::most() {
        Some(peak) => readings.with(Metric::Peak, peak as f64),
        None => readings,
    };
    readings.with(Metric::Lost, made.saturating_sub(delivered) as f64)
}
