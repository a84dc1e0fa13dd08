//! Recordings: one line of JSON for every call of a hook.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentspan_model::agentspec::{Detail, Disclosure, EventForm, HookLine, Recording};

use crate::line_sink::LineSink;
use crate::{HookError, HookFuture, Span, SpanEvent, SpanProcessor, current_trace};

mod rotating_file;

pub use rotating_file::RotatingFile;

/// Writes every call of a hook as a line of JSON, which [`Recording`] reads and
/// [`Replay`](crate::replay::Replay) replays.
///
/// Each line is written immediately, so a crash can only lose the last line, and readers ignore an
/// incomplete last line. The line of an event omits the earlier events of the span, so the size is
/// not quadratic. The line of the end has all events.
///
/// ```
/// use agentspan_processor::{JsonLines, Trace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("agentspan-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("trace.jsonl");
/// let recorder = JsonLines::create(&path)?;
/// Trace::builder().with_processor(recorder).start()?.end()?;
///
/// let hooks: Result<Vec<_>, _> = JsonLines::read(&path)?.collect();
/// assert_eq!(hooks?.len(), 4); // startup, start and end of the root span, shutdown
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JsonLines {
    sink: Arc<LineSink<Output>>,
    disclosure: Disclosure,
}

enum Output {
    File(RotatingFile),
    Writer(Box<dyn Write + Send>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Writer(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Writer(writer) => writer.flush(),
        }
    }
}

/// Sets when a file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub(crate) max_bytes: u64,
    pub(crate) kept_files: usize,
}

impl Rotation {
    /// Starts a new file before a line would make the current file larger than `max_bytes`, and
    /// keeps this number of full files. `trace.jsonl.1` is the newest full file. Older files are
    /// deleted.
    ///
    /// A longer line has a file of its own.
    #[must_use]
    pub const fn at_bytes(max_bytes: u64, kept_files: usize) -> Self {
        Self {
            max_bytes,
            kept_files,
        }
    }
}

impl JsonLines {
    /// Writes to a new file, or truncates an existing file.
    ///
    /// # Errors
    ///
    /// The file cannot be created.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self::to(Output::File(RotatingFile::create(
            path.into(),
            None,
        )?)))
    }

    /// Appends to a file, or creates it. If a crash cut off the last line, a line break is added
    /// first.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn append(path: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(Self::to(Output::File(RotatingFile::append(path, None)?)))
    }

    /// Appends to a file like [`append`](Self::append), with rotation.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn rotating(path: impl Into<PathBuf>, rotation: Rotation) -> io::Result<Self> {
        let file = RotatingFile::append(path, Some(rotation))?;
        Ok(Self::to(Output::File(file)))
    }

    /// Writes to any writer. Each write has one or more whole lines.
    #[must_use]
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::to(Output::Writer(Box::new(writer)))
    }

    fn to(output: Output) -> Self {
        Self {
            sink: Arc::new(LineSink::new(output)),
            disclosure: Disclosure::Masked,
        }
    }

    /// Sets whether contents are written in clear text. By default, they are masked.
    ///
    /// Masked lines have less detail than the masked dump of the reference. Besides sensitive
    /// values, they omit prompts and settings of components, descriptions, metadata, and texts
    /// among the parameters of a generation, see [`Detail::Named`]. They can be read back and
    /// replayed.
    #[must_use]
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.disclosure = disclosure;
        self
    }

    /// Reads a file and its rotated files, the oldest first.
    ///
    /// # Errors
    ///
    /// A file cannot be opened.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Recording<Box<dyn BufRead + Send>>> {
        let mut input: Box<dyn BufRead + Send> = Box::new(io::empty());
        for file in rotating_file::files(path.as_ref()) {
            let next = BufReader::new(std::fs::File::open(file)?);
            input = Box::new(io::Read::chain(input, next));
        }
        Ok(Recording::new(input))
    }

    fn write(&self, line: HookLine<'_>, is_async: bool) -> Result<(), HookError> {
        let detail = match self.disclosure {
            Disclosure::Masked => Detail::Named,
            Disclosure::Clear => Detail::Complete,
        };
        let line = line.with_disclosure(self.disclosure).with_detail(detail);
        let line = if is_async { line.with_async() } else { line };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        Ok(self.sink.write(&bytes)?)
    }

    fn trace_starts(&self, is_async: bool) -> Result<(), HookError> {
        match current_trace() {
            Some(trace) => {
                let line = HookLine::startup().with_trace(trace.id(), Some(trace.name()));
                self.write(line, is_async)
            }
            None => self.write(HookLine::startup(), is_async),
        }
    }

    fn span_starts(&self, span: &Span, is_async: bool) -> Result<(), HookError> {
        let record = span.to_record_at_start();
        let line = HookLine::on_start(&record, span.parent_id());
        self.write(of_trace(line, span), is_async)
    }

    fn event_happens(
        &self,
        event: &SpanEvent<'_>,
        span: &Span,
        is_async: bool,
    ) -> Result<(), HookError> {
        let record = span.to_record_without_events();
        let line =
            HookLine::on_event(&record, span.parent_id(), event).with_events(EventForm::Omitted);
        self.write(of_trace(line, span), is_async)
    }

    fn span_ends(&self, span: &Span, is_async: bool) -> Result<(), HookError> {
        // A recording of a recording shows what happened: nobody ended it.
        if span.is_unfinished() {
            return Ok(());
        }
        let record = span.to_record();
        let line = HookLine::on_end(&record, span.parent_id());
        self.write(of_trace(line, span), is_async)
    }

    fn trace_ends(&self, is_async: bool) -> Result<(), HookError> {
        self.write(HookLine::shutdown(), is_async)?;
        Ok(self.sink.flush()?)
    }
}

fn of_trace<'a>(line: HookLine<'a>, span: &'a Span) -> HookLine<'a> {
    match span.trace() {
        Some(trace) => line.with_trace(trace.id(), Some(trace.name())),
        None => line,
    }
}

/// The lines say which form of a hook was called; nothing here waits.
impl SpanProcessor for JsonLines {
    fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    fn startup(&self) -> Result<(), HookError> {
        self.trace_starts(false)
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.span_starts(span, false)
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.event_happens(event, span, false)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.span_ends(span, false)
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.trace_ends(false)
    }

    fn startup_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.trace_starts(true))
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.span_starts(span, true))
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.event_happens(event, span, true))
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.span_ends(span, true))
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.trace_ends(true))
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines")
            .field("disclosure", &self.disclosure)
            .finish_non_exhaustive()
    }
}
