//! Exporters of the program behind an `ExportQueue`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentspan::otel::ExportQueue;
use agentspan_model::agent365::Profile;
use agentspan_testkit::Oracle;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SimpleSpanProcessor, SpanData, SpanExporter};

use super::gate::Gate;
use crate::defence::Defence::{self, Bounds, Queue};
use crate::front::EXPORT_QUEUE;
use crate::measure::{Longest, Memory};
use crate::outcome::{Counts, Outcome};
use crate::row::Row;
use crate::stage::queue_counts;
use crate::{Failure, on_purpose};

/// What the exporter does with its first batch. It takes all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Take,
    IsSlow,
    Hang,
    Fail,
    TimeOut,
    Panic,
}

#[derive(Clone, Debug)]
struct Scripted {
    act: Act,
    batches: Arc<AtomicUsize>,
    gate: Gate,
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl SpanExporter for Scripted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let is_first = self.batches.fetch_add(1, SeqCst) == 0;
        match self.act {
            Act::IsSlow if is_first => self.gate.wait(Duration::from_millis(400)),
            Act::Hang if is_first => self.gate.wait(Duration::from_secs(2)),
            Act::Fail if is_first => {
                return Err(OTelSdkError::InternalFailure("on purpose".to_owned()));
            }
            Act::TimeOut if is_first => return Err(OTelSdkError::Timeout(Duration::ZERO)),
            Act::Panic if is_first => on_purpose(),
            _ => {}
        }
        let names = batch.iter().map(|span| span.name.to_string());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(names);
        Ok(())
    }
}

/// A row: what the exporter does, how many spans there are, and how many of them are lost.
struct Case {
    act: Act,
    spans: usize,
    lost: Vec<(&'static str, u64)>,
    filter: fn(&SpanData) -> bool,
}

impl Case {
    /// 60 spans in batches of 20.
    fn new(act: Act, lost: &[(&'static str, u64)]) -> Self {
        Self {
            act,
            spans: 60,
            lost: lost.to_vec(),
            filter: |_| true,
        }
    }

    fn row(self, fault: &'static str, what: &str, defences: &'static [Defence]) -> Row {
        Row {
            fault,
            what: what.to_owned(),
            fronts: EXPORT_QUEUE,
            defences,
            because: None,
            run: Box::new(move |_, without| self.run(without)),
        }
    }

    fn run(&self, without: Option<Defence>) -> Result<Outcome, Failure> {
        let memory = Memory::start();
        let exporter = Scripted {
            act: self.act,
            batches: Arc::default(),
            gate: Gate::default(),
            seen: Arc::default(),
        };
        let most = match without {
            Some(Bounds) => usize::MAX,
            _ => 100,
        };
        let queue = ExportQueue::builder("scripted", exporter.clone())
            .with_batch_spans(20)
            .with_batch_delay(Duration::from_secs(600))
            .with_max_spans(most)
            .with_filter(self.filter)
            .build()?;
        let provider = match without {
            Some(Queue) => SdkTracerProvider::builder()
                .with_span_processor(SimpleSpanProcessor::new(exporter.clone())),
            _ => SdkTracerProvider::builder().with_span_processor(queue.clone()),
        };
        // Dropped at the end, since that waits for the exporter.
        let provider = provider.build();
        let longest = end_spans(&provider, self.spans);
        let deadline = match self.act {
            Act::Hang => Duration::from_millis(100),
            _ => Duration::from_secs(20),
        };
        let _ = queue.shutdown(deadline);
        exporter.gate.open();
        let seen = exporter.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.len() as u64;
        let counts = match without {
            // Nobody counts what such a processor loses.
            Some(Queue) => Counts::new(self.spans as u64, seen, []),
            _ => queue_counts(&queue),
        };
        let spans = self.spans as u64;
        let lost: u64 = self.lost.iter().map(|(_, count)| count).sum();
        let expected = Counts::new(spans, spans - lost, self.lost.iter().copied());
        Ok(Outcome {
            seen,
            memory_kib: memory.peak_kib(),
            longest: longest.0,
            ..Outcome::new(expected, counts)
        })
    }
}

fn end_spans(provider: &SdkTracerProvider, spans: usize) -> Longest {
    let tracer = provider.tracer("faults");
    let oracle = Oracle::new(1);
    let mut longest = Longest::default();
    for number in 0..spans {
        let span = tracer
            .span_builder(oracle.mark(number))
            .with_attributes(oracle.attributes(Profile::V0_1, number))
            .start(&tracer);
        longest.time(|| drop(span));
    }
    longest
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Case::new(Act::IsSlow, &[]).row("F1", "an exporter that is slow", &[Queue]),
        Case::new(Act::Fail, &[("export_failed", 20)]).row(
            "F7",
            "an exporter that fails once",
            &[Queue],
        ),
        Case::new(Act::TimeOut, &[("export_timed_out", 20)]).row(
            "F12",
            "an exporter whose time passes once",
            &[Queue],
        ),
        Case::new(Act::Hang, &[("shutdown_deadline", 60)]).row(
            "F21",
            "a shutdown while the exporter hangs",
            &[Queue],
        ),
        Case::new(Act::Panic, &[("panic", 20)]).row(
            "F19",
            "an exporter that panics once",
            &[Queue],
        ),
        Case {
            filter: |span| match span.name.as_ref() == Oracle::new(1).mark(7) {
                true => on_purpose(),
                false => true,
            },
            ..Case::new(Act::Take, &[("panic", 1)])
        }
        .row("F19", "a filter that panics over one span", &[Queue]),
        Case {
            spans: 5_000,
            ..Case::new(
                Act::Hang,
                &[("queue_full", 4_900), ("shutdown_deadline", 100)],
            )
        }
        .row("F24", "50 times as many spans as fit", &[Bounds]),
    ]
}
