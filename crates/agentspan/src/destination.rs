//! Destinations of spans besides Agent 365.

use std::fmt;
use std::io;
use std::time::Duration;

use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::normal::Usage;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering, TracingNoise};
use agentspan_otel::export_queue::{Receipts, TraceSampling};
use agentspan_otel::{ConsoleDetail, ConsoleExporter, ExportQueue, OtlpJsonLines, SpanLimits};
use agentspan_record::SpanEnrichers;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::batch_variables::BatchVariables;

/// A destination of spans, for
/// [`Configuration::with_destination`](crate::Configuration::with_destination).
///
/// Each destination has its own name, queue and thread, so that a destination that hangs or fails
/// does not affect the others. [`Telemetry::report`](crate::Telemetry::report) counts the spans
/// that it exported and lost. Each destination also has its own filter, disclosure (contents or
/// masks), and vocabulary for the spans of agents.
///
/// The kinds of destinations are
///
/// - [`exporter`](Self::exporter): any exporter of OpenTelemetry,
/// - [`console`](Self::console): trees of text, for development,
/// - [`json_lines`](Self::json_lines): a file that OpenTelemetry's Collector reads,
/// - `otlp_http` and `otlp_grpc`, behind features of the same name: a Collector, or a backend that speaks OTLP.
///
/// Agent 365 is not a `Destination`:
/// [`Configuration::with_delivery`](crate::Configuration::with_delivery) and
/// [`with_token_resolver`](crate::Configuration::with_token_resolver) configure it.
///
/// ```
/// use agentspan::Destination;
/// use agentspan::model::mapping::Rendering;
/// use agentspan::otel::ConsoleExporter;
///
/// let destination = Destination::exporter("phoenix", ConsoleExporter::new()) // or any exporter
///     .with_rendering(Rendering::OpenInference)
///     .with_filter(|span| span.name != "health check");
/// # drop(destination);
/// ```
#[must_use = "a destination gets spans once it is part of a configuration"]
pub struct Destination {
    name: String,
    settings: Settings,
    is_console: bool,
    build: Build,
}

type Filter = Box<dyn Fn(&SpanData) -> bool + Send + Sync>;
type Build = Box<dyn FnOnce(&str, Settings) -> io::Result<ExportQueue> + Send>;

/// The parts of spans that a destination sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposure {
    Disclosed(Disclosure),
    KnownHarmless,
}

struct Settings {
    exposure: Exposure,
    /// If the code sets it.
    rendering: Option<Rendering>,
    noise: Option<TracingNoise>,
    enrichers: SpanEnrichers,
    receipts: Receipts,
    filter: Option<Filter>,
    sampling: Option<TraceSampling>,
    delay: Option<Duration>,
    max_spans: Option<usize>,
    batch_spans: Option<usize>,
    max_bytes: Option<usize>,
    limits: SpanLimits,
}

impl Destination {
    /// Exports with any exporter of OpenTelemetry. Logs and reports use the name.
    ///
    /// The exporter belongs to the process that installs the telemetry. In the child of a fork
    /// without `exec`, its spans are dropped and counted as
    /// [`DropReason::Forked`](agentspan_otel::DropReason::Forked). The same holds for
    /// [`json_lines`](Self::json_lines), because two processes cannot rotate one file. The console
    /// and OTLP also work in the child.
    pub fn exporter(name: impl Into<String>, exporter: impl SpanExporter + 'static) -> Self {
        Self::of(
            name.into(),
            Box::new(|name, settings| build(name, exporter, None, settings)),
        )
    }

    /// Like [`exporter`](Self::exporter), with a closure that creates an exporter for the child of
    /// a fork.
    pub(crate) fn exporter_of_each_process<E: SpanExporter + 'static>(
        name: impl Into<String>,
        exporter: E,
        after_fork: impl Fn() -> io::Result<E> + Send + Sync + 'static,
    ) -> Self {
        let another: Option<Box<AfterFork<E>>> = Some(Box::new(after_fork));
        Self::of(
            name.into(),
            Box::new(|name, settings| build(name, exporter, another, settings)),
        )
    }

    fn of(name: String, build: Build) -> Self {
        Self {
            name,
            settings: Settings {
                exposure: Exposure::Disclosed(Disclosure::Masked),
                rendering: None,
                noise: None,
                enrichers: SpanEnrichers::none(),
                receipts: Receipts::new(),
                filter: None,
                sampling: None,
                delay: None,
                max_spans: None,
                batch_spans: None,
                max_bytes: None,
                limits: SpanLimits::default(),
            },
            is_console: false,
            build,
        }
    }

    /// Draws traces on the console, under the name `console`. It shows contents if the exporter
    /// does, see [`ConsoleExporter::with_contents`]; a later
    /// [`with_disclosure`](Self::with_disclosure) can still mask them.
    ///
    /// The contents of Agent Spec spans must also be captured, see
    /// [`Configuration::with_content_capture`](crate::Configuration::with_content_capture). By
    /// default, they are captured if this console is the only destination.
    pub fn console(console: ConsoleExporter) -> Self {
        let disclosure = match console.detail() {
            ConsoleDetail::AttributesWithContents => Disclosure::Clear,
            _ => Disclosure::Masked,
        };
        // A developer watches: traces are to appear when they end.
        let first = console.another();
        let another = move || Ok(console.another());
        let mut destination = Self::exporter_of_each_process("console", first, another)
            .with_batch_delay(Duration::ZERO)
            .with_disclosure(disclosure);
        destination.is_console = true;
        destination
    }

    /// Writes a file of OTLP JSON, one line for each export, under the name `json_lines`.
    /// OpenTelemetry's Collector reads such files, see [`OtlpJsonLines`]. Spans that cannot be
    /// written are counted as [`DropReason::Failed`](agentspan_otel::DropReason::Failed).
    ///
    /// ```
    /// use agentspan::Destination;
    /// use agentspan::otel::OtlpJsonLines;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = std::env::temp_dir().join(format!("agentspan-lines-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let path = directory.join("traces.jsonl");
    /// let file = Destination::json_lines(OtlpJsonLines::append(path)?);
    /// # drop(file);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn json_lines(file: OtlpJsonLines) -> Self {
        Self::exporter("json_lines", file)
    }

    /// Sets the name for logs and reports, for instance to tell apart several destinations of a
    /// kind. If the name is taken, a number is added: the second `otlp` is `otlp/2`. A name that is
    /// blank, longer than 100 characters, or holds characters that cannot be shown, such as a line
    /// break, causes [`InstallError::Name`](crate::InstallError::Name).
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets whether the destination gets contents: prompts, answers, arguments. By default, it gets
    /// masks, see [`Masked`](agentspan_otel::Masked).
    ///
    /// For Agent Spec spans,
    /// [`Configuration::with_content_capture`](crate::Configuration::with_content_capture) must
    /// allow contents, too.
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.settings.exposure = Exposure::Disclosed(disclosure);
        self
    }

    /// Passes only attributes that are known to be harmless: numbers, ids and names under keys that
    /// a convention defines as such. This is stricter than masks, which hide values that are known
    /// or suspected to be contents.
    /// [`Masked::known_harmless`](agentspan_otel::Masked::known_harmless) says which parts of a
    /// span remain.
    ///
    /// This and [`with_disclosure`](Self::with_disclosure) override each other: the later call
    /// takes effect.
    ///
    /// ```
    /// use agentspan::Destination;
    /// use agentspan::otel::ConsoleExporter;
    ///
    /// let destination = Destination::exporter("vendor", ConsoleExporter::new()) // or any exporter
    ///     .with_known_harmless_only();
    /// # drop(destination);
    /// ```
    pub fn with_known_harmless_only(mut self) -> Self {
        self.settings.exposure = Exposure::KnownHarmless;
        self
    }

    /// Sets the vocabulary. The default is
    /// [`Configuration::with_default_rendering`](crate::Configuration::with_default_rendering): the
    /// GenAI semantic conventions, independent of the [profile](crate::Configuration::with_profile)
    /// of Agent 365.
    ///
    /// It applies to all spans of agents: spans of scopes, spans of
    /// [`Telemetry::trace`](crate::Telemetry::trace), and spans of other frameworks in any
    /// convention that [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. All
    /// other spans, and attributes of no known convention, pass unchanged. With
    /// [`Rendering::AgentSpec`], spans of scopes and of other frameworks pass unchanged, too.
    pub fn with_rendering(mut self, rendering: Rendering) -> Self {
        self.settings.rendering = Some(rendering);
        self
    }

    /// Sets whether spans of other frameworks keep attributes that only concern `tracing`, such as
    /// `code.line.number` and `busy_ns`. By default, they are kept; Agent 365 does not get them.
    pub fn with_tracing_noise(mut self, noise: TracingNoise) -> Self {
        self.settings.noise = Some(noise);
        self
    }

    /// Sets your prices of model calls. The destination gets the cost as `gen_ai.usage.cost` or
    /// `llm.cost.total`. By default, there is no cost, because we have no list of prices.
    ///
    /// `price` runs on the thread of the destination's queue. It gets the tokens of a call and the
    /// model that answered, and returns the cost in the currency that the backend expects, or
    /// `None` for an unknown model.
    ///
    /// ```
    /// use agentspan::Destination;
    /// use agentspan::otel::ConsoleExporter;
    ///
    /// let destination = Destination::console(ConsoleExporter::new()).with_price(|usage, model| {
    ///     let (input, output) = match model {
    ///         "gpt-4o" => (2.5e-6, 10e-6),
    ///         _ => return None,
    ///     };
    ///     Some(usage.input? as f64 * input + usage.output? as f64 * output)
    /// });
    /// # drop(destination);
    /// ```
    pub fn with_price(
        mut self,
        price: impl Fn(&Usage, &str) -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        self.settings.enrichers = self.settings.enrichers.with_price(price);
        self
    }

    /// Sets a filter that selects spans. By default, the destination gets all spans. The filter
    /// runs on the thread that ends the span, so it should be quick. Rejected spans are not
    /// counted.
    pub fn with_filter(
        mut self,
        condition: impl Fn(&SpanData) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.settings.filter = Some(Box::new(condition));
        self
    }

    /// Samples whole traces, for a backend that costs money: keeps traces that failed, were slow or
    /// used many tokens, and one in N of the rest. By default, the destination gets all traces.
    /// Sampling does not affect Agent 365, its sidecar or other destinations.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use agentspan::Destination;
    /// use agentspan::otel::ConsoleExporter;
    /// use agentspan::otel::export_queue::TraceSampling;
    ///
    /// let destination = Destination::exporter("vendor", ConsoleExporter::new()) // or any exporter
    ///     .with_sampling(TraceSampling::one_in(100).with_slow(Duration::from_secs(30)));
    /// # drop(destination);
    /// ```
    pub fn with_sampling(mut self, sampling: TraceSampling) -> Self {
        self.settings.sampling = Some(sampling);
        self
    }

    /// Sets the batch delay: how long a span waits for others before it is exported. The default is
    /// zero for the console; for other destinations, it is `OTEL_BSP_SCHEDULE_DELAY`, or else 1
    /// second. A flush does not wait.
    pub fn with_batch_delay(mut self, delay: Duration) -> Self {
        self.settings.delay = Some(delay);
        self
    }

    /// Sets how many spans may be queued or in flight, at least one: 0 counts as 1. The default is
    /// `OTEL_BSP_MAX_QUEUE_SIZE`, or else 65,536. When the queue is full, new spans are dropped and
    /// counted.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.settings.max_spans = Some(spans);
        self
    }

    /// Sets the maximum number of spans in a batch, at least one: 0 counts as 1. The default is
    /// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, or else 512, and never more than the queue holds.
    pub fn with_batch_spans(mut self, spans: usize) -> Self {
        self.settings.batch_spans = Some(spans);
        self
    }

    /// Sets how many bytes the spans that are queued or in flight may hold, by estimate. The
    /// default is 64 MiB. When the queue is full, new spans are dropped and counted. An empty queue
    /// accepts any span, so 0 bytes hold one span at a time.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = Some(bytes);
        self
    }

    /// Sets how large a span may be, as [`ExportQueueBuilder::with_span_limits`] does. A larger
    /// span is cut, with a note, and the cuts are counted in
    /// [`DestinationReport::cuts`](crate::DestinationReport::cuts). Default:
    /// [`SpanLimits::default`].
    ///
    /// [`ExportQueueBuilder::with_span_limits`]: agentspan_otel::export_queue::ExportQueueBuilder::with_span_limits
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets the vocabulary, if the code does not.
    pub(crate) fn with_default_rendering(mut self, rendering: Rendering) -> Self {
        self.settings.rendering.get_or_insert(rendering);
        self
    }

    /// Applies the environment to the queue settings that the code does not set.
    pub(crate) fn with_batch_variables(mut self, variables: BatchVariables) -> Self {
        let settings = &mut self.settings;
        settings.delay = settings.delay.or(variables.delay);
        settings.max_spans = settings.max_spans.or(variables.max_spans);
        settings.batch_spans = settings.batch_spans.or(variables.batch_spans);
        self
    }

    /// Changes spans before they are masked, once they are rendered.
    pub(crate) fn with_enrichers(mut self, enrichers: SpanEnrichers) -> Self {
        self.settings.enrichers = enrichers;
        self
    }

    /// Sets where the exporter reports the receiver's answer to a batch, so that rejected spans are
    /// counted as such. See [`Receipts`].
    pub fn with_receipts(mut self, receipts: Receipts) -> Self {
        self.settings.receipts = receipts;
        self
    }

    /// Its name in logs and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a console that shows contents.
    pub(crate) fn is_console_with_contents(&self) -> bool {
        self.is_console && self.settings.exposure == Exposure::Disclosed(Disclosure::Clear)
    }

    pub(crate) fn start(self) -> io::Result<ExportQueue> {
        (self.build)(&self.name, self.settings)
    }
}

/// Makes an exporter for the child of a fork.
type AfterFork<E> = dyn Fn() -> io::Result<E> + Send + Sync;

fn build<E: SpanExporter + 'static>(
    name: &str,
    exporter: E,
    after_fork: Option<Box<AfterFork<E>>>,
    settings: Settings,
) -> io::Result<ExportQueue> {
    let queue = ExportQueue::builder(name, exporter);
    let (queue, disclosure) = match settings.exposure {
        Exposure::Disclosed(disclosure) => (queue.with_disclosure(disclosure), disclosure),
        Exposure::KnownHarmless => (queue.with_known_harmless_only(), Disclosure::Masked),
    };
    let capture = ContentCapture::from(disclosure);
    let rendering = settings.rendering.unwrap_or_default();
    let mut mapping = Mapping::new(rendering).with_capture(capture);
    if let Some(noise) = settings.noise {
        mapping = mapping.with_tracing_noise(noise);
    }
    let mut queue = queue
        .with_mapping(mapping)
        .with_enrichers(settings.enrichers)
        .with_receipts(settings.receipts)
        .with_span_limits(settings.limits);
    if let Some(delay) = settings.delay {
        queue = queue.with_batch_delay(delay);
    }
    if let Some(spans) = settings.batch_spans {
        queue = queue.with_batch_spans(spans);
    }
    if let Some(spans) = settings.max_spans {
        queue = queue.with_max_spans(spans);
    }
    if let Some(bytes) = settings.max_bytes {
        queue = queue.with_max_bytes(bytes);
    }
    if let Some(make) = after_fork {
        queue = queue.with_exporter_after_fork(make);
    }
    if let Some(filter) = settings.filter {
        queue = queue.with_filter(filter);
    }
    if let Some(sampling) = settings.sampling {
        queue = queue.with_sampling(sampling);
    }
    queue.build()
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .field("exposure", &self.settings.exposure)
            .field("rendering", &self.settings.rendering)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    fn settings(destination: Destination) -> (Option<Duration>, Option<usize>, Option<usize>) {
        let variables = BatchVariables {
            delay: Some(Duration::from_secs(9)),
            max_spans: Some(9),
            batch_spans: Some(9),
        };
        let settings = destination.with_batch_variables(variables).settings;
        (settings.delay, settings.max_spans, settings.batch_spans)
    }

    #[test]
    fn a_destination_cuts_spans_to_its_own_limits() {
        let limits = SpanLimits::default().with_value_bytes(100);
        let queue = Destination::exporter("any", InMemorySpanExporter::default())
            .with_span_limits(limits)
            .start()
            .unwrap();
        let provider = SdkTracerProvider::builder().build();
        let mut span = provider.tracer("t").start("s");
        span.set_attribute(KeyValue::new("app.note", "x".repeat(101)));
        queue.put(span.exported_data().unwrap());
        let cuts = queue.stats().cuts;
        assert_eq!((cuts.spans, cuts.values), (1, 1));
    }

    #[test]
    fn code_takes_precedence_over_the_variables_of_batches_and_the_console_never_waits() {
        let of = || Destination::exporter("any", ConsoleExporter::new());
        let nine = Some(Duration::from_secs(9));
        assert_eq!(settings(of()), (nine, Some(9), Some(9)));
        let in_code = of()
            .with_batch_delay(Duration::ZERO)
            .with_max_spans(1)
            .with_batch_spans(1);
        let zero = Some(Duration::ZERO);
        assert_eq!(settings(in_code), (zero, Some(1), Some(1)));
        let console = Destination::console(ConsoleExporter::new());
        assert_eq!(settings(console), (zero, Some(9), Some(9)));
    }
}
