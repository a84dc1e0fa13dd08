//! What becomes of spans on their way out, as metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use agentspan_otel::DropReason;
use agentspan_otel::export_metrics::{Counted, ExportCounts};
use agentspan_otel::{ExportMetrics, ExportQueue, SpanLimits};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData, SpanExporter};

use crate::meters::Meters;

const WHILE: Duration = Duration::from_secs(30);

/// Fails, and says when it is dropped.
#[derive(Debug)]
struct Failing(#[expect(dead_code, reason = "kept for its drop")] Sender<()>);

impl SpanExporter for Failing {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("refused".to_owned()))
    }
}

/// The series that are not zero, by the end of their names.
fn counted(series: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    series
        .iter()
        .filter(|(_, value)| **value != 0.0)
        .filter_map(|(name, value)| Some((name.strip_prefix("agentspan.destination.")?, *value)))
        .collect()
}

#[test]
fn a_queue_is_measured_for_as_long_as_somebody_wants_it_and_is_not_kept() {
    let meters = Meters::new();
    let (alive, is_dropped) = channel();
    let queue = ExportQueue::builder("failing", Failing(alive))
        .with_max_spans(1)
        .build()
        .unwrap();
    let metrics = ExportMetrics::builder()
        .with_queue(&queue)
        .start(&meters.provider.meter("t"));
    let all = meters.collect();
    assert_eq!(counted(&all), []);
    // Every reason is there before anything is lost.
    assert_eq!(all.len(), 5 + DropReason::OF_QUEUES.len(), "{all:?}");

    let provider = SdkTracerProvider::builder().build();
    let mut span = provider.tracer("t").start("s");
    let data = span.exported_data().unwrap();
    span.end();
    queue.put(data.clone());
    queue.flush(WHILE).unwrap_err();
    assert_eq!(
        counted(&meters.collect()),
        [
            ("span.accepted{otel.component.name=failing}", 1.0),
            (
                "span.dropped{error.type=export_failed,otel.component.name=failing}",
                1.0
            ),
        ]
    );

    drop(metrics);
    assert_eq!(meters.collect(), BTreeMap::new());
    // The meter is still there, and does not keep the queue's thread, which owns the exporter.
    drop(queue);
    assert_eq!(
        is_dropped.recv_timeout(WHILE),
        Err(RecvTimeoutError::Disconnected)
    );
    assert_eq!(meters.collect(), BTreeMap::new());
}

#[test]
fn two_destinations_of_one_name_are_two_series() {
    let meters = Meters::new();
    let counts = |accepted| {
        move || ExportCounts {
            accepted,
            ..ExportCounts::default()
        }
    };
    let metrics = ExportMetrics::builder()
        .with_source("otlp", Counted::Spans, counts(1))
        .with_source("otlp", Counted::Spans, counts(2))
        .with_source("otlp", Counted::Hooks, counts(4))
        .start(&meters.provider.meter("t"));
    assert_eq!(
        counted(&meters.collect()),
        [
            ("hook.accepted{otel.component.name=otlp/3}", 4.0),
            ("span.accepted{otel.component.name=otlp/2}", 2.0),
            ("span.accepted{otel.component.name=otlp}", 1.0),
        ]
    );
    drop(metrics);
}

#[test]
fn cuts_and_evictions_are_measured() {
    let meters = Meters::new();
    let queue = ExportQueue::builder("all", InMemorySpanExporter::default())
        .with_span_limits(SpanLimits::default().with_value_bytes(100))
        .build()
        .unwrap();
    let metrics = ExportMetrics::builder()
        .with_queue(&queue)
        .with_evicted_spans(|| 2)
        .with_evicted_spans(|| panic!("a count panics"))
        .with_evicted_spans(|| 3)
        .start(&meters.provider.meter("t"));
    let provider = SdkTracerProvider::builder().build();
    let mut span = provider.tracer("t").start("s");
    span.set_attribute(KeyValue::new("app.note", "x".repeat(101)));
    queue.put(span.exported_data().unwrap());
    queue.flush(WHILE).unwrap();
    let all = meters.collect();
    let value = |name: &str| all.get(name).copied();
    let cut = "agentspan.destination.span.cut{otel.component.name=all}";
    assert_eq!(value(cut), Some(1.0), "{all:?}");
    assert_eq!(value("agentspan.span.evicted{}"), Some(5.0), "{all:?}");
    drop(metrics);
    assert_eq!(meters.collect(), BTreeMap::new());
}

#[test]
fn each_metric_asks_for_itself_a_moment_after_the_one_before() {
    let meters = Meters::new();
    let asked = AtomicU64::new(0);
    let _metrics = ExportMetrics::builder()
        .with_source("moving", Counted::Hooks, move || {
            let moment = asked.fetch_add(1, SeqCst);
            ExportCounts {
                accepted: moment,
                exported: moment,
                losses: vec![(DropReason::Failed, 0)],
                ..ExportCounts::default()
            }
        })
        .start(&meters.provider.meter("t"));
    let all = meters.collect();
    let value = |name: &str| all[&format!("agentspan.destination.hook.{name}")];
    let of = "{otel.component.name=moving}";
    let [accepted, exported] = ["accepted", "exported"].map(|name| value(&format!("{name}{of}")));
    assert!(accepted < exported, "{all:?}");
}
