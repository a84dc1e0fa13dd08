//! Where spans go besides Agent 365.

use std::fmt;
use std::io;
use std::time::Duration;

use agentspan_agent365::{Enriched, SpanEnrichers};
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{ConsoleExporter, ExportQueue, Masked, OtlpJsonLines, Receipts, Rendered};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// One place that spans go to, for [`Configuration::with_destination`](crate::Configuration::with_destination).
///
/// Each destination has a name, a queue and a thread of its own, so that one that hangs or fails touches
/// no other; [`Telemetry::report`](crate::Telemetry::report) says what it got and what it lost. It has a
/// filter, sees contents or masks, and gets Agent Spec spans in a vocabulary of its choice.
///
/// There are
///
/// - [`exporter`](Self::exporter): any exporter of OpenTelemetry,
/// - [`console`](Self::console): trees of text, for development,
/// - [`json_lines`](Self::json_lines): a file that OpenTelemetry's Collector reads,
/// - `otlp_http` and `otlp_grpc`, behind features of the same name: a Collector, or a backend that speaks OTLP.
///
/// Agent 365 is none of them: [`Configuration::with_delivery`](crate::Configuration::with_delivery) and
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
    build: Build,
}

type Filter = Box<dyn Fn(&SpanData) -> bool + Send + Sync>;
type Build = Box<dyn FnOnce(&str, Settings) -> io::Result<ExportQueue> + Send>;

struct Settings {
    disclosure: Disclosure,
    rendering: Rendering,
    enrichers: SpanEnrichers,
    receipts: Receipts,
    filter: Option<Filter>,
    delay: Duration,
    max_spans: Option<usize>,
    max_bytes: Option<usize>,
}

impl Destination {
    /// Any exporter of OpenTelemetry, under a name for logs and reports.
    pub fn exporter(name: impl Into<String>, exporter: impl SpanExporter + 'static) -> Self {
        Self {
            name: name.into(),
            settings: Settings {
                disclosure: Disclosure::Masked,
                rendering: Rendering::GenAi,
                enrichers: SpanEnrichers::none(),
                receipts: Receipts::new(),
                filter: None,
                delay: Duration::from_secs(1),
                max_spans: None,
                max_bytes: None,
            },
            build: Box::new(|name, settings| build(name, exporter, settings)),
        }
    }

    /// The console, under the name `console`. What it shows of contents is said by its
    /// [`ConsoleDetail`](agentspan_otel::ConsoleDetail) and by [`with_disclosure`](Self::with_disclosure):
    /// both must allow them.
    pub fn console(console: ConsoleExporter) -> Self {
        // A developer watches: traces are to appear when they end.
        Self::exporter("console", console).with_batch_delay(Duration::ZERO)
    }

    /// A file of OTLP's JSON form, a line for each export, under the name `json_lines`: what OpenTelemetry's
    /// Collector reads, see [`OtlpJsonLines`]. What cannot be written is counted as
    /// [`ExportLoss::Failed`](agentspan_otel::ExportLoss::Failed).
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

    /// Sets another name for logs and reports, for instance where there are several of a kind. If it is taken,
    /// a number is added: the second `otlp` is `otlp/2`.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets whether it sees contents: prompts, answers, arguments. The default is that it sees masks.
    ///
    /// Of Agent Spec spans, also [`Configuration::with_content_capture`](crate::Configuration::with_content_capture)
    /// must allow them.
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.settings.disclosure = disclosure;
        self
    }

    /// Sets the vocabulary of Agent Spec spans, those of [`Telemetry::trace`](crate::Telemetry::trace). The
    /// default is that of the GenAI semantic conventions. Other spans, those of scopes among them, are passed
    /// on as they are.
    pub fn with_rendering(mut self, rendering: Rendering) -> Self {
        self.settings.rendering = rendering;
        self
    }

    /// Sets which spans it gets. The default is all of them. Asked on the thread that ends the span, so it
    /// should be quick. Spans that it refuses are not counted.
    pub fn with_filter(
        mut self,
        condition: impl Fn(&SpanData) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.settings.filter = Some(Box::new(condition));
        self
    }

    /// Sets how long spans wait for others to be exported with. The default is 1 second, and none for the
    /// console. A flush does not wait.
    pub fn with_batch_delay(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// Sets how many spans may wait or be in flight. The default is 8192; what comes when they are reached is
    /// dropped and counted.
    pub fn with_max_queue_spans(mut self, spans: usize) -> Self {
        self.settings.max_spans = Some(spans);
        self
    }

    /// Sets how many bytes the spans that wait or are in flight may hold, as estimated. The default is 64 MiB;
    /// what comes when they are reached is dropped and counted.
    pub fn with_max_queue_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = Some(bytes);
        self
    }

    /// Changes spans when they are rendered and masked.
    pub(crate) fn with_enrichers(mut self, enrichers: SpanEnrichers) -> Self {
        self.settings.enrichers = enrichers;
        self
    }

    /// Sets where the exporter puts what the receiver says of a batch beside taking it, so that spans which
    /// it rejected are counted as such. See [`Receipts`].
    pub fn with_receipts(mut self, receipts: Receipts) -> Self {
        self.settings.receipts = receipts;
        self
    }

    /// Its name in logs and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn start(self) -> io::Result<ExportQueue> {
        (self.build)(&self.name, self.settings)
    }
}

fn build<E: SpanExporter + 'static>(
    name: &str,
    exporter: E,
    settings: Settings,
) -> io::Result<ExportQueue> {
    let disclosure = settings.disclosure;
    let mapping = Mapping::new(settings.rendering).with_capture(ContentCapture::from(disclosure));
    let exporter = Enriched::new(exporter, settings.enrichers);
    let exporter = Rendered::new(Masked::new(exporter, disclosure), mapping);
    let mut queue = ExportQueue::builder(name, exporter)
        .with_disclosure(Disclosure::Clear)
        .with_receipts(settings.receipts)
        .with_batch_delay(settings.delay);
    if let Some(spans) = settings.max_spans {
        queue = queue.with_max_spans(spans);
    }
    if let Some(bytes) = settings.max_bytes {
        queue = queue.with_max_bytes(bytes);
    }
    if let Some(filter) = settings.filter {
        queue = queue.with_filter(filter);
    }
    queue.build()
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .field("disclosure", &self.settings.disclosure)
            .field("rendering", &self.settings.rendering)
            .finish_non_exhaustive()
    }
}
