//! Spans as a tree of text: what a developer sees while no service is configured.

mod pending;
mod tree;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use self::pending::PendingTraces;

/// Takes the text of one trace.
type Sink = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// How much a [`ConsoleExporter`] shows of each span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConsoleDetail {
    /// One line: name, duration, the type of an error.
    Names,
    /// The line, and one more for each attribute, with contents masked. The default.
    #[default]
    Attributes,
    /// As [`Attributes`](Self::Attributes), with contents in clear: prompts, answers, arguments,
    /// the texts of errors.
    AttributesWithContents,
}

/// Writes each finished trace as a tree to the standard output.
///
/// The reference falls back to OpenTelemetry's console exporter, which prints contents in clear.
/// This one masks them as [`Masked`](crate::Masked) does, unless it is asked not to: see
/// [`with_contents`](Self::with_contents). A trace is written once its local root has ended. Spans
/// that still wait are written at flush and shutdown. When more than 2,048 of them wait, or they
/// hold more than 16 MiB, the oldest traces are written as they are, and
/// [counted](Self::evicted_traces).
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

    /// Hands each tree to `sink` instead, as one text that ends with a line break. A tree that is
    /// longer than 256 KiB comes in several.
    #[must_use]
    pub fn with_sink(sink: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self {
            pending: Mutex::default(),
            detail: ConsoleDetail::default(),
            sink: Arc::new(sink),
        }
    }

    /// Sets how much is shown of each span.
    #[must_use]
    pub fn with_detail(mut self, detail: ConsoleDetail) -> Self {
        self.detail = detail;
        self
    }

    /// How much is shown of each span.
    #[must_use]
    pub fn detail(&self) -> ConsoleDetail {
        self.detail
    }

    /// Shows contents and the texts of errors, as
    /// [`with_detail`](Self::with_detail)`(`[`ConsoleDetail::AttributesWithContents`]`)` does. For
    /// development.
    #[must_use]
    pub fn with_contents(self) -> Self {
        self.with_detail(ConsoleDetail::AttributesWithContents)
    }

    /// One that writes the same to the same place, and has no spans that wait for their roots. For
    /// the child of a fork, see
    /// [`with_exporter_after_fork`](crate::export_queue::ExportQueueBuilder::with_exporter_after_fork).
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            pending: Mutex::default(),
            detail: self.detail,
            sink: Arc::clone(&self.sink),
        }
    }

    /// How many traces were written before their roots had ended, since too many spans waited.
    #[must_use]
    pub fn evicted_traces(&self) -> u64 {
        self.pending().evicted()
    }

    fn pending(&self) -> MutexGuard<'_, PendingTraces> {
        // The state stays whole whatever panicked: each change is one push or one removal.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
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
        let finished = self.pending().add(batch);
        self.write(finished)
    }

    fn force_flush(&self) -> OTelSdkResult {
        let all = self.pending().take_all();
        self.write(all)
    }

    fn shutdown_with_timeout(&self, _timeout: std::time::Duration) -> OTelSdkResult {
        self.force_flush()
    }
}

#[cfg(test)]
mod tests;
