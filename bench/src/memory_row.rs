//! Row: bounded queues whose receivers take nothing: their memory over that of the idle process, how long
//! their callers wait, and whether their counts add up.
//!
//! A producer is at full speed for three seconds, and every tenth span has a text of a megabyte. To copy
//! these texts takes most of the time. Where they share one, which a queue counts for each of them, the
//! producer offers as many spans as it can make.

mod hung;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentspan_otel::{ConsoleExporter, ExportQueue};
use agentspan_testkit::turn;
use opentelemetry::{KeyValue, StringValue};
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use crate::calls::Calls;
use crate::error::BenchError;
use crate::facade_row::agent365::delivery;
use crate::goal::Goal;
use crate::memory_row::hung::HungExporter;
use crate::metric::{Metric, Readings};
use crate::peak;
use crate::row::Row;

/// How long the producer is at full speed.
const WHILE: Duration = Duration::from_secs(3);

/// The bytes that each of them may hold by default.
const BOUND: f64 = 64.0 * 1024.0 * 1024.0;

/// What a process may need besides: a quarter of the bound, and as much as buffers and threads take.
const MOST: f64 = 1.25 * BOUND + 16.0 * 1024.0 * 1024.0;

/// The nanoseconds that a call may take.
const LONG_CALL: f64 = 1e6;

/// One of them, and what should come out of it.
struct Bounded {
    name: &'static str,
    calls: &'static str,
    counts: &'static str,
}

macro_rules! bounded {
    ($name:literal) => {
        Bounded {
            name: $name,
            calls: concat!($name, ": calls but one in a thousand"),
            counts: concat!($name, ": counts that do not add up"),
        }
    };
}

const ONE_PLAIN: Bounded = bounded!("Delivery, 1 identity, no answer, plain text");
const ONE_CONTROL: Bounded = bounded!("Delivery, 1 identity, no answer, control characters");
const ONE_SHARED: Bounded = bounded!("Delivery, 1 identity, nobody listens, one text for all");
const MANY_PLAIN: Bounded = bounded!("Delivery, 100 identities, no answer, plain text");
const MANY_CONTROL: Bounded = bounded!("Delivery, 100 identities, no answer, control characters");
const EXPORT: Bounded = bounded!("ExportQueue, exporter that hangs");
const CONSOLE: Bounded = bounded!("ExportQueue, console, roots that never end");
const BACKGROUND: Bounded = bounded!("BackgroundQueue, hook that hangs, events of 1 MB");

pub(crate) fn row() -> Row {
    let title = "memory over the idle process, bound 64 MiB, receivers that take nothing, 10 % of spans with 1 MB";
    let row = Row::programs("memory", title)
        .rounds(1)
        .program(ONE_PLAIN.name, |_| delivering(1, 'x'))
        .program(ONE_CONTROL.name, |_| delivering(1, '\u{1}'))
        .program(ONE_SHARED.name, |_| refused())
        .program(MANY_PLAIN.name, |_| delivering(100, 'x'))
        .program(MANY_CONTROL.name, |_| delivering(100, '\u{1}'))
        .program(EXPORT.name, |_| {
            let queue = ExportQueue::builder("hangs", HungExporter).build()?;
            Ok(exporting(&queue))
        })
        .program(CONSOLE.name, |_| {
            let console = ConsoleExporter::with_sink(|_| Ok(()));
            let queue = ExportQueue::builder("console", console).build()?;
            Ok(exporting(&queue))
        })
        .program(BACKGROUND.name, |_| hung::background());
    [
        ONE_PLAIN,
        ONE_CONTROL,
        ONE_SHARED,
        MANY_PLAIN,
        MANY_CONTROL,
        EXPORT,
        CONSOLE,
        BACKGROUND,
    ]
    .into_iter()
    .fold(
        row,
        |row,
         Bounded {
             name,
             calls,
             counts,
         }| {
            row.goal(Goal::new(name, Metric::PeakOverIdle, name).at_most(MOST))
                .goal(Goal::new(calls, Metric::LongCall, name).at_most(LONG_CALL))
                .goal(Goal::new(counts, Metric::Miscounted, name).at_most(0.0))
        },
    )
}

/// Spans of this many identities, of which every tenth has a large text.
fn spans(identities: usize, text: &StringValue) -> Vec<SpanData> {
    let mut spans = turn::spans(identities.max(5), identities);
    for span in spans.iter_mut().step_by(10) {
        span.attributes.push(KeyValue::new("large", text.clone()));
    }
    spans
}

/// A megabyte of one letter, which each span copies.
fn text(letter: char) -> StringValue {
    letter.to_string().repeat(1_000_000).into()
}

/// To a port that accepts connections and never answers.
fn delivering(identities: usize, letter: char) -> Result<Readings, BenchError> {
    let port = TcpListener::bind(("127.0.0.1", 0))?;
    deliver(port.local_addr()?, &spans(identities, &text(letter)))
}

/// To a port at which nobody listens.
fn refused() -> Result<Readings, BenchError> {
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let shared: Arc<str> = "x".repeat(1_000_000).into();
    deliver(address, &spans(1, &shared.into()))
}

fn deliver(address: SocketAddr, spans: &[SpanData]) -> Result<Readings, BenchError> {
    let delivery = delivery(&format!("http://{address}"));
    let delivery = delivery
        .build()
        .map_err(|error| BenchError::set_up("the delivery")(error.into()))?;
    let processor = delivery.span_processor();
    let produce = |calls: &mut Calls| {
        for span in spans {
            let span = span.clone();
            calls.time(|| processor.on_end(span));
        }
    };
    Ok(at_full_speed(produce, |made| {
        let stats = delivery.stats();
        stats.accepted == made && made == stats.exported + stats.dropped() + stats.queued
    }))
}

fn exporting(queue: &ExportQueue) -> Readings {
    let mut spans = spans(1, &text('x'));
    // Their parents are none of them.
    spans.retain(|span| span.name != "invoke_agent Weather Bot");
    let produce = |calls: &mut Calls| {
        for span in &spans {
            let span = span.clone();
            calls.time(|| queue.put(span));
        }
    };
    at_full_speed(produce, |made| {
        let stats = queue.stats();
        stats.accepted == made && made == stats.exported + stats.dropped() + stats.queued
    })
}

/// Repeats `produce` at full speed, and looks whether the counts add up after so many calls.
fn at_full_speed(produce: impl Fn(&mut Calls), adds_up: impl Fn(u64) -> bool) -> Readings {
    let idle = peak::start();
    let mut calls = Calls::default();
    let mut wrong = 0_u32;
    let begin = Instant::now();
    while begin.elapsed() < WHILE {
        produce(&mut calls);
        wrong += u32::from(!adds_up(calls.number()));
    }
    let made = calls.number() as f64 / begin.elapsed().as_secs_f64();
    let readings = Readings::default()
        .with(Metric::Made, made)
        .with(Metric::Miscounted, f64::from(wrong));
    let readings = match calls.most_but_one_in_a_thousand() {
        Some(long) => readings.with(Metric::LongCall, long as f64),
        None => readings,
    };
    match idle.zip(peak::most()) {
        Some((idle, most)) => readings.with(Metric::PeakOverIdle, most.saturating_sub(idle) as f64),
        None => readings,
    }
}
