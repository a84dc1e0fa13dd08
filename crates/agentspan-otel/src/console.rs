//! Draws traces as trees of text, for development without a backend.

mod pending;
mod tree;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use agentspan_queue::lock;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use self::pending::PendingTraces;

/// Receives the text of one trace.
type Sink = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// The detail in which a [`ConsoleExporter`] shows each span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConsoleDetail {
    /// One line: name, duration, the type of an error.
    Names,
    /// That line, and one line for each attribute, with contents masked. The default.
    #[default]
    Attributes,
    /// Like [`Attributes`](Self::Attributes), with contents in clear text: prompts, answers,
    /// arguments, the texts of errors.
    AttributesWithContents,
}

/// Writes each finished trace as a tree to the standard output.
///
/// The reference falls back to OpenTelemetry's console exporter, which prints contents in clear
/// text. This exporter masks them as [`Masked`](crate::Masked) does, unless you call
/// [`with_contents`](Self::with_contents). It writes a trace when its local root ends, and the
/// waiting spans of other traces at flush and shutdown. It shows names, durations, attributes and
/// errors, but no events and no links. If more than 2,048 spans wait, or if they
/// hold more than 16 MiB, it writes the oldest traces early, and [counts](Self::evicted_traces)
/// them.
///
/// ```
/// use agentspan_otel::{ConsoleDetail, ConsoleExporter};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder()
///     .with_simple_exporter(ConsoleExporter::new().with_detail(ConsoleDetail::Names))
///     .build();
/// # drop(provider);
/// ```
pub struct ConsoleExporter {
    pending: Mutex<PendingTraces>,
    detail: ConsoleDetail,
    sink: Arc<Sink>,
}

impl ConsoleExporter {
    /// Writes to the standard output.
    #[must_use]
    pub fn new() -> Self {
        Self::with_sink(|text| io::stdout().lock().write_all(text.as_bytes()))
    }

    /// Passes each tree to `sink` instead, as a text that ends with a line break. A tree of more
    /// than 256 KiB comes in several texts.
    #[must_use]
    pub fn with_sink(sink: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self {
            pending: Mutex::default(),
            detail: ConsoleDetail::default(),
            sink: Arc::new(sink),
        }
    }

    /// Sets the detail for each span.
    #[must_use]
    pub fn with_detail(mut self, detail: ConsoleDetail) -> Self {
        self.detail = detail;
        self
    }

    /// The detail for each span.
    #[must_use]
    pub fn detail(&self) -> ConsoleDetail {
        self.detail
    }

    /// Shows contents and the texts of errors, as
    /// [`with_detail`](Self::with_detail)`(`[`ConsoleDetail::AttributesWithContents`]`)` does. Use
    /// it for development only.
    #[must_use]
    pub fn with_contents(self) -> Self {
        self.with_detail(ConsoleDetail::AttributesWithContents)
    }

    /// A console with the same settings and output, and without waiting spans, for the child of a
    /// fork. See
    /// [`with_exporter_after_fork`](crate::export_queue::ExportQueueBuilder::with_exporter_after_fork).
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            pending: Mutex::default(),
            detail: self.detail,
            sink: Arc::clone(&self.sink),
        }
    }

    /// The number of traces that were written before their roots ended, because too many spans
    /// waited.
    #[must_use]
    pub fn evicted_traces(&self) -> u64 {
        lock(&self.pending).evicted()
    }

    /// Writes all of them, also after one that cannot be written.
    fn write(&self, traces: Vec<Vec<SpanData>>) -> OTelSdkResult {
        let mut first = Ok(());
        for trace in traces {
            tree::render(trace, self.detail, |text| {
                let written = (self.sink)(text).map_err(|error| {
                    OTelSdkError::InternalFailure(format!("cannot write to the console: {error}"))
                });
                if first.is_ok() {
                    first = written;
                }
            });
        }
        first
    }
}

impl Default for ConsoleExporter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ConsoleExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleExporter")
            .field("detail", &self.detail)
            .finish_non_exhaustive()
    }
}

impl SpanExporter for ConsoleExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let finished = lock(&self.pending).add(batch);
        self.write(finished)
    }

    fn force_flush(&self) -> OTelSdkResult {
        let all = lock(&self.pending).take_all();
        self.write(all)
    }

    fn shutdown_with_timeout(&self, _timeout: std::time::Duration) -> OTelSdkResult {
        self.force_flush()
    }
}

#[cfg(test)]
mod tests;
