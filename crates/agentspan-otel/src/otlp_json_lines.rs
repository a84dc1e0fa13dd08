//! Writes finished spans to a file, in the format of OpenTelemetry's Collector.

mod any_value;
mod lines;
mod span;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use agentspan_processor::json_lines::{RotatingFile, Rotation};
use agentspan_queue::{contain, lock};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use self::lines::Lines;

/// Writes finished spans as lines of JSON: each line is one `TracesData` of [OTLP's JSON form].
///
/// The file exporter of OpenTelemetry's Collector writes this format, and its `otlpjsonfile`
/// receiver reads it, so a file can be sent to any backend later. Writing needs no Collector, no
/// network and no further dependency. For recordings of Agent Spec traces, see
/// [`JsonLines`](agentspan_processor::JsonLines).
///
/// Each export writes one line, or several if one would be longer than 1,000,000 bytes: the
/// receiver reads lines of up to 1 MiB, unless its `max_log_size` says otherwise. A larger span has
/// a line of its own. An export is written as a whole or not at all: if a full disk cuts it off,
/// the incomplete part is removed.
///
/// **It blocks** the exporting thread while it writes. Put it behind an
/// [`ExportQueue`](crate::ExportQueue), which has its own thread, and counts spans that could not
/// be written.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_otel::{ExportQueue, OtlpJsonLines};
/// use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("agentspan-otlp-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("traces.jsonl");
/// let queue = ExportQueue::builder("file", OtlpJsonLines::append(&path)?).build()?;
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(queue.clone())
///     .build();
/// provider.tracer("example").start("chat").end();
/// queue.shutdown(Duration::from_secs(5))?;
///
/// let line = std::fs::read_to_string(&path)?;
/// assert!(line.starts_with(r#"{"resourceSpans":[{"resource":{"#));
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
///
/// [OTLP's JSON form]: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
pub struct OtlpJsonLines {
    output: Output,
    /// The resource and its schema, as JSON.
    resource: String,
    schema: String,
}

enum Output {
    File {
        path: PathBuf,
        file: Mutex<RotatingFile>,
    },
    Sink(Box<Sink>),
}

/// Takes whole lines.
type Sink = dyn Fn(&str) -> io::Result<()> + Send + Sync;

impl OtlpJsonLines {
    /// The rotation of [`append`](Self::append): it starts a new file at 64 MiB, and keeps four
    /// full files.
    pub const DEFAULT_ROTATION: Rotation = Rotation::at_bytes(64 << 20, 4);

    /// Appends to a file, or creates it, with the [default rotation](Self::DEFAULT_ROTATION), so
    /// that telemetry does not fill the disk.
    ///
    /// # Errors
    ///
    /// The file can be neither opened nor created. Check the path and its permissions.
    pub fn append(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::rotating(path, Self::DEFAULT_ROTATION)
    }

    /// Like [`append`](Self::append), with another rotation. An export is never split between two
    /// files.
    ///
    /// # Errors
    ///
    /// The file can be neither opened nor created. Check the path and its permissions.
    pub fn rotating(path: impl Into<PathBuf>, rotation: Rotation) -> io::Result<Self> {
        let path = path.into();
        let file = RotatingFile::append(&path, Some(rotation))?;
        let file = Mutex::new(file);
        Ok(Self::to(Output::File { path, file }))
    }

    /// Passes each export to `sink`, as one or more lines, each with its line break. Use it for
    /// instance to write to the standard output, if a platform collects it.
    #[must_use]
    pub fn with_sink(sink: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::to(Output::Sink(Box::new(sink)))
    }

    fn to(output: Output) -> Self {
        Self {
            output,
            resource: "{}".to_owned(),
            schema: String::new(),
        }
    }

    fn write(&self, lines: &str) -> io::Result<()> {
        match &self.output {
            Output::File { file, .. } => {
                // Nothing under the lock panics, and nobody else's code runs.
                let mut file = lock(file);
                file.write_lines(lines.as_bytes())
            }
            Output::Sink(sink) => sink(lines),
        }
    }

    fn path(&self) -> Option<&PathBuf> {
        match &self.output {
            Output::File { path, .. } => Some(path),
            Output::Sink(_) => None,
        }
    }

    fn report(&self, error: &io::Error) -> OTelSdkError {
        contain::log(|| {
            tracing::error!(
                target: "agentspan::otel::otlp_json_lines",
                path = self.path().map(tracing::field::debug),
                kind = ?error.kind(),
                code = error.raw_os_error(),
                "spans cannot be written"
            );
        });
        OTelSdkError::InternalFailure(format!("spans cannot be written: {}", error.kind()))
    }
}

impl SpanExporter for OtlpJsonLines {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        if batch.is_empty() {
            return Ok(());
        }
        let written = Lines::of(&batch, &self.resource, &self.schema);
        let written = written.map_err(io::Error::from);
        let written = written.and_then(|lines| self.write(&lines));
        written.map_err(|error| self.report(&error))
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Ok(text) = any_value::resource_json(resource) {
            self.resource = text;
        }
        self.schema = resource.schema_url().unwrap_or_default().to_owned();
    }
}

impl fmt::Debug for OtlpJsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpJsonLines")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
