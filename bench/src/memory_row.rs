//! Row: the memory of bounded queues whose receivers take nothing, over that of the idle process.
//!
//! A producer is at full speed for three seconds, and every tenth span has a text of a megabyte.

mod hung;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use agentspan_otel::{ConsoleExporter, ExportQueue};
use agentspan_testkit::turn;
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

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

const ONE_PLAIN: &str = "Delivery, 1 identity, no answer, plain text";
const ONE_CONTROL: &str = "Delivery, 1 identity, no answer, control characters";
const MANY_PLAIN: &str = "Delivery, 100 identities, no answer, plain text";
const MANY_CONTROL: &str = "Delivery, 100 identities, no answer, control characters";
const EXPORT: &str = "ExportQueue, exporter that hangs";
const CONSOLE: &str = "ExportQueue, console, roots that never end";
const BACKGROUND: &str = "BackgroundQueue, hook that hangs, events of 1 MB";

pub(crate) fn row() -> Row {
    let title = "memory over the idle process, bound 64 MiB, receivers that take nothing, 10 % of spans with 1 MB";
    let row = Row::programs("memory", title)
        .rounds(1)
        .program(ONE_PLAIN, |_| delivering(1, 'x'))
        .program(ONE_CONTROL, |_| delivering(1, '\u{1}'))
        .program(MANY_PLAIN, |_| delivering(100, 'x'))
        .program(MANY_CONTROL, |_| delivering(100, '\u{1}'))
        .program(EXPORT, |_| {
            let queue = ExportQueue::builder("hangs", HungExporter).build()?;
            Ok(exporting(&queue))
        })
        .program(CONSOLE, |_| {
            let console = ConsoleExporter::with_sink(|_| Ok(()));
            let queue = ExportQueue::builder("console", console).build()?;
            Ok(exporting(&queue))
        })
        .program(BACKGROUND, |_| hung::background(&|made| over_idle(made)));
    [
        ONE_PLAIN,
        ONE_CONTROL,
        MANY_PLAIN,
        MANY_CONTROL,
        EXPORT,
        CONSOLE,
        BACKGROUND,
    ]
    .into_iter()
    .fold(row, |row, name| {
        row.goal(Goal::new(name, Metric::PeakOverIdle, name).at_most(MOST))
    })
}

/// Spans of this many identities, of which every tenth is large.
fn spans(identities: usize, letter: char) -> Vec<SpanData> {
    let mut spans = turn::spans(identities.max(5), identities);
    for span in spans.iter_mut().step_by(10) {
        let text = letter.to_string().repeat(1_000_000);
        span.attributes.push(KeyValue::new("large", text));
    }
    spans
}

/// To a port that accepts connections and never answers.
fn delivering(identities: usize, letter: char) -> Result<Readings, BenchError> {
    let port = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", port.local_addr()?);
    let delivery = delivery(&url);
    let delivery = delivery
        .build()
        .map_err(|error| BenchError::set_up("the delivery")(error.into()))?;
    let processor = delivery.span_processor();
    let spans = spans(identities, letter);
    Ok(over_idle(|| {
        for span in &spans {
            processor.on_end(span.clone());
        }
    }))
}

fn exporting(queue: &ExportQueue) -> Readings {
    let mut spans = spans(1, 'x');
    // Their parents are none of them.
    spans.retain(|span| span.name != "invoke_agent Weather Bot");
    over_idle(|| {
        for span in &spans {
            queue.put(span.clone());
        }
    })
}

/// The most memory over that of now while `produce` is repeated.
fn over_idle(produce: impl Fn()) -> Readings {
    let Some(idle) = peak::start() else {
        return Readings::default();
    };
    let begin = Instant::now();
    while begin.elapsed() < WHILE {
        produce();
    }
    peak::most().map_or_else(Readings::default, |most| {
        Readings::default().with(Metric::PeakOverIdle, most.saturating_sub(idle) as f64)
    })
}
