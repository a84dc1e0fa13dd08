//! Metrics of the outcome of spans at each destination.

use std::fmt;
use std::sync::{Arc, Weak};

use agentspan_model::keys;
use agentspan_queue::contain;
use agentspan_record::DropReason;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::ExportQueue;
use crate::export_queue::ExportStats;

/// Reports, as metrics, how many spans destinations accepted, exported, dropped and hold, until it
/// is dropped.
///
/// At each collection, it asks each destination for its counts. It records nothing in between, and
/// keeps no counts of its own.
///
/// | Metric | Instrument | Unit | Attributes |
/// |---|---|---|---|
/// | `agentspan.destination.span.accepted` | counter | `{span}` | `otel.component.name` |
/// | `agentspan.destination.span.exported` | counter | `{span}` | `otel.component.name` |
/// | `agentspan.destination.span.dropped` | counter | `{span}` | `otel.component.name`, `error.type` |
/// | `agentspan.destination.span.queue.size` | up-down counter | `{span}` | `otel.component.name` |
/// | `agentspan.destination.span.queue.memory` | up-down counter | `By` | `otel.component.name` |
/// | `agentspan.destination.span.cut` | counter | `{span}` | `otel.component.name` |
/// | `agentspan.span.evicted` | counter | `{span}` | |
///
/// `cut` counts spans that exceeded their [`SpanLimits`](crate::SpanLimits), or the limits of their
/// provider; they are exported or dropped like others. `evicted` counts open spans that held too much memory, see
/// [`with_evicted_spans`](ExportMetricsBuilder::with_evicted_spans).
///
/// *accepted = exported + dropped + queue size*, exactly whenever no span is in flight, because
/// each metric reads the counts a moment after the one before. Agent Spec processors count calls of
/// hooks, in metrics of their own: `agentspan.destination.hook.accepted`, `.exported`, `.dropped`
/// and `.queue.size`, in `{hook}`.
///
/// **Names.** Units, instruments and attributes are those of OpenTelemetry's [metrics of an SDK],
/// where the parts of a pipeline are counted one by one: `otel.sdk.processor.span.processed` ends
/// where the exporter takes over, and `otel.sdk.exporter.span.exported` begins there. A destination
/// is a queue and an exporter in one, and what it drops is dropped by either. So we use our own
/// names.
///
/// **Attributes.** `otel.component.name` is the name of the destination, `error.type` the reason of
/// a loss, such as `queue_full`. Each destination has one series per metric and reason, which
/// starts with a zero, so that the first loss shows as an increase. There are no other attributes:
/// no ids of tenants or agents, and no contents.
///
/// Use one per meter provider: two would report the same series with different counts.
///
/// **Lifetime.** A meter never forgets an instrument, so its instruments hold weak references. When
/// this value is dropped, reporting stops, and the queues and their threads can end.
///
/// ```
/// use agentspan_otel::{ConsoleExporter, ExportMetrics, ExportQueue};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # fn main() -> std::io::Result<()> {
/// let queue = ExportQueue::builder("console", ConsoleExporter::new()).build()?;
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(queue.clone())
///     .build();
/// let metrics = ExportMetrics::builder()
///     .with_queue(&queue)
///     .start(&opentelemetry::global::meter("agentspan"));
/// # drop((provider, metrics));
/// # Ok(())
/// # }
/// ```
///
/// [metrics of an SDK]: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
#[derive(Debug)]
#[must_use = "nothing is reported once it is dropped"]
pub struct ExportMetrics {
    /// The only strong references.
    _sources: Arc<[Source]>,
    _evicted: Arc<[Evicted]>,
}

/// The destinations of [`ExportMetrics`].
#[derive(Debug, Default)]
#[must_use = "nothing is reported before `start`"]
pub struct ExportMetricsBuilder {
    sources: Vec<Source>,
    evicted: Vec<Evicted>,
}

/// The counts of one destination at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever has a destination of their own makes one"
)]
pub struct ExportCounts {
    /// The items that the destination was given.
    pub accepted: u64,
    /// The items that the exporter or the service accepted.
    pub exported: u64,
    /// The lost items, by reason. Include each reason with a zero before its first loss.
    pub losses: Vec<(DropReason, u64)>,
    /// The items that are queued or in flight.
    pub queued: u64,
    /// The estimated memory of the queued items, in bytes. Not reported for hooks.
    pub queued_bytes: u64,
    /// The items that were cut because they exceeded their limits. Not reported for hooks.
    pub cut: u64,
}

/// The kind of item that a destination counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counted {
    /// Finished spans.
    Spans,
    /// Calls of the hooks of an Agent Spec processor.
    Hooks,
}

struct Source {
    name: String,
    counted: Counted,
    counts: Box<dyn Fn() -> ExportCounts + Send + Sync>,
}

/// Returns the number of open spans that were exported as unfinished.
struct Evicted(Box<dyn Fn() -> u64 + Send + Sync>);

impl From<ExportStats> for ExportCounts {
    fn from(stats: ExportStats) -> Self {
        let losses = DropReason::OF_QUEUES.map(|reason| (reason, stats.dropped_for(reason)));
        Self {
            accepted: stats.accepted,
            exported: stats.exported,
            losses: losses.to_vec(),
            queued: stats.queued,
            queued_bytes: stats.queued_bytes,
            cut: stats.cuts.spans,
        }
    }
}

impl ExportMetricsBuilder {
    /// Adds a queue under its own name.
    pub fn with_queue(self, queue: &ExportQueue) -> Self {
        let name = queue.name().to_owned();
        let queue = queue.clone();
        self.with_source(name, Counted::Spans, move || queue.stats().into())
    }

    /// Adds any destination. Each collection calls `counts` once per metric, on the collecting
    /// thread, so it must not block. If it panics, this collection leaves the destination out.
    ///
    /// Choose a fixed name rather than an id, because every name creates a time series. If the name
    /// is taken, a number is added: the second `otlp` is `otlp/2`.
    pub fn with_source(
        mut self,
        name: impl Into<String>,
        counted: Counted,
        counts: impl Fn() -> ExportCounts + Send + Sync + 'static,
    ) -> Self {
        let name = self.unused(name.into());
        let counts = Box::new(counts);
        self.sources.push(Source {
            name,
            counted,
            counts,
        });
        self
    }

    /// Adds a count of open spans that were exported as unfinished, such as
    /// [`OtelBridge::evicted_spans`](crate::OtelBridge::evicted_spans). It is called like the
    /// counts of destinations. The metric is the sum of all such counts.
    pub fn with_evicted_spans(mut self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.evicted.push(Evicted(Box::new(count)));
        self
    }

    /// Two series of the same attributes would be one, with the counts of either.
    fn unused(&self, name: String) -> String {
        let is_unused = |name: &String| self.sources.iter().all(|source| source.name != *name);
        let numbered = (2_u64..).map(|number| format!("{name}/{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(is_unused).unwrap_or(name)
    }

    /// Creates the instruments that the destinations need.
    pub fn start(self, meter: &Meter) -> ExportMetrics {
        let sources: Arc<[Source]> = self.sources.into();
        for counted in [Counted::Spans, Counted::Hooks] {
            if sources.iter().any(|source| source.counted == counted) {
                counted.instruments(meter, &sources);
            }
        }
        let evicted: Arc<[Evicted]> = self.evicted.into();
        if !evicted.is_empty() {
            observe_evicted(meter, Arc::downgrade(&evicted));
        }
        ExportMetrics {
            _sources: sources,
            _evicted: evicted,
        }
    }
}

fn observe_evicted(meter: &Meter, evicted: Weak<[Evicted]>) {
    meter
        .u64_observable_counter(keys::METRIC_SPANS_EVICTED)
        .with_unit("{span}")
        .with_description("open spans that were exported as unfinished, to make room")
        .with_callback(move |to| {
            let Some(evicted) = evicted.upgrade() else {
                return;
            };
            // One that panics is left out this time.
            let counts = evicted
                .iter()
                .filter_map(|count| contain::call(&count.0).ok());
            to.observe(counts.sum(), &[]);
        })
        .build();
}

impl ExportMetrics {
    /// Builds the metrics: add the destinations to measure.
    pub fn builder() -> ExportMetricsBuilder {
        ExportMetricsBuilder::default()
    }
}

/// The names of the metrics of what is counted, and their unit.
struct Names {
    accepted: &'static str,
    exported: &'static str,
    dropped: &'static str,
    queue_size: &'static str,
    queue_memory: Option<&'static str>,
    cut: Option<&'static str>,
    unit: &'static str,
}

impl Counted {
    fn names(self) -> Names {
        match self {
            Self::Spans => Names {
                accepted: keys::METRIC_SPANS_ACCEPTED,
                exported: keys::METRIC_SPANS_EXPORTED,
                dropped: keys::METRIC_SPANS_DROPPED,
                queue_size: keys::METRIC_SPANS_QUEUE_SIZE,
                queue_memory: Some(keys::METRIC_SPANS_QUEUE_MEMORY),
                cut: Some(keys::METRIC_SPANS_CUT),
                unit: "{span}",
            },
            Self::Hooks => Names {
                accepted: keys::METRIC_HOOKS_ACCEPTED,
                exported: keys::METRIC_HOOKS_EXPORTED,
                dropped: keys::METRIC_HOOKS_DROPPED,
                queue_size: keys::METRIC_HOOKS_QUEUE_SIZE,
                queue_memory: None,
                cut: None,
                unit: "{hook}",
            },
        }
    }

    fn instruments(self, meter: &Meter, sources: &Arc<[Source]>) {
        let names = self.names();
        let each = |value: fn(&ExportCounts) -> u64| {
            let sources = Arc::downgrade(sources);
            move |observe: &dyn Fn(u64, &[KeyValue])| {
                for_each(&sources, self, |name, counts| {
                    observe(value(counts), &[component(name)]);
                });
            }
        };
        let counter = |name, description: &'static str, value| {
            let each = each(value);
            let builder = meter.u64_observable_counter(name).with_unit(names.unit);
            builder
                .with_description(description)
                .with_callback(move |to| each(&|value, attributes| to.observe(value, attributes)))
                .build();
        };
        let gauge = |name, unit, description: &'static str, value| {
            let each = each(value);
            let builder = meter.i64_observable_up_down_counter(name).with_unit(unit);
            builder
                .with_description(description)
                .with_callback(move |to| {
                    each(&|value, attributes| to.observe(signed(value), attributes));
                })
                .build();
        };
        counter(names.accepted, "what destinations were given", |counts| {
            counts.accepted
        });
        counter(names.exported, "what destinations took", |counts| {
            counts.exported
        });
        if let Some(name) = names.cut {
            let description =
                "spans of which something was cut, because it was beyond their limits";
            counter(name, description, |counts| counts.cut);
        }
        gauge(
            names.queue_size,
            names.unit,
            "what waits or is in flight",
            |counts| counts.queued,
        );
        if let Some(name) = names.queue_memory {
            let description = "the estimated memory of what waits or is in flight";
            gauge(name, "By", description, |counts| counts.queued_bytes);
        }
        let sources = Arc::downgrade(sources);
        meter
            .u64_observable_counter(names.dropped)
            .with_unit(names.unit)
            .with_description("what was lost on the way to destinations, by reason")
            .with_callback(move |to| {
                for_each(&sources, self, |name, counts| {
                    for (reason, count) in &counts.losses {
                        let reason = KeyValue::new(keys::ERROR_TYPE, reason.as_str());
                        to.observe(*count, &[component(name), reason]);
                    }
                });
            })
            .build();
    }
}

/// Asks the destinations, if they are still there.
fn for_each(sources: &Weak<[Source]>, counted: Counted, mut each: impl FnMut(&str, &ExportCounts)) {
    let sources = sources.upgrade();
    let sources = sources.iter().flat_map(|sources| sources.iter());
    for source in sources.filter(|source| source.counted == counted) {
        // A destination that panics is left out this time.
        if let Ok(counts) = contain::call(|| (source.counts)()) {
            each(&source.name, &counts);
        }
    }
}

fn component(name: &str) -> KeyValue {
    KeyValue::new(keys::OTEL_COMPONENT_NAME, name.to_owned())
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl fmt::Debug for Evicted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Evicted").finish_non_exhaustive()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}
