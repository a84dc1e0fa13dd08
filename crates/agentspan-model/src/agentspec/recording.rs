//! Reads recordings, line by line.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead},
};

use super::{Problem, ProblemKind, ReadError, RecordedHook, json_text, reader::KnownComponents};

/// Reads a recording in the JSON Lines form: one [`RecordedHook`] per line.
///
/// An iterator over the calls. Blank lines are skipped, and so is a byte order mark at the
/// beginning. Lines end with a line feed; a carriage return before it is white space. Numbers that
/// Python writes but JSON does not support (`NaN`, `Infinity`) become strings, and an unpaired
/// surrogate becomes U+FFFD.
///
/// If the last line has no line break, and more text could make it JSON, it was cut off: the
/// recording ends without an error, and [`cut_off_line`](Self::cut_off_line) returns its number.
/// Every other unreadable line is an error with its number, and the iterator continues with the
/// next line. After an I/O error, the iterator ends.
///
/// Lines share components: a definition that all lines repeat is read and stored once.
///
/// ```
/// use agentspan_model::agentspec::{HookCall, Recording};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{"hook":"startup","async":false,"trace":{"id":"t","name":"trace"}}
/// {"hook":"on_start","async":false,"trace":{"id":"t","na"#;
/// let mut recording = Recording::new(text.as_bytes());
/// let first = recording.next().transpose()?.ok_or("no line")?;
/// assert_eq!(first.call, HookCall::Startup);
/// assert!(recording.next().is_none());
/// assert_eq!(recording.cut_off_line(), Some(2));
/// # Ok(())
/// # }
/// ```
pub struct Recording<R> {
    input: R,
    line: Vec<u8>,
    line_number: usize,
    cut_off_line: Option<usize>,
    is_at_end: bool,
    max_line_bytes: usize,
    known: KnownComponents,
}

/// The mark that editors write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The default of [`Recording::with_max_line_bytes`].
const MAX_LINE_BYTES: usize = 64 << 20;

impl<R: BufRead> Recording<R> {
    /// Reads from the start of a recording.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            line_number: 0,
            cut_off_line: None,
            is_at_end: false,
            max_line_bytes: MAX_LINE_BYTES,
            known: KnownComponents::default(),
        }
    }

    /// Sets the maximum length of a line. The default is 64 MiB. A longer line is an error, and is
    /// skipped.
    #[must_use]
    pub fn with_max_line_bytes(mut self, max_line_bytes: usize) -> Self {
        self.max_line_bytes = max_line_bytes;
        self
    }

    /// The number of the last line that was read, counted from one.
    #[must_use]
    pub fn line_number(&self) -> usize {
        self.line_number
    }

    /// The number of the last line, if it was cut off while it was written.
    #[must_use]
    pub fn cut_off_line(&self) -> Option<usize> {
        self.cut_off_line
    }

    /// Reads the next line into the buffer, at most one byte more than a line may have, and says how it
    /// ended. What is left of a longer line is thrown away.
    fn next_line(&mut self) -> io::Result<LineEnd> {
        self.line.clear();
        let limit = u64::try_from(self.max_line_bytes).unwrap_or(u64::MAX);
        let limit = limit.saturating_add(1);
        let mut limited = io::Read::take(&mut self.input, limit);
        let read = limited.read_until(b'\n', &mut self.line)?;
        let is_full = limited.limit() == 0;
        Ok(if self.line.last() == Some(&b'\n') {
            self.line.pop();
            LineEnd::Break
        } else if read == 0 {
            LineEnd::NoLine
        } else if is_full {
            self.input.skip_until(b'\n')?;
            LineEnd::TooLong
        } else {
            LineEnd::CutOff
        })
    }

    fn read_line(&mut self) -> Result<RecordedHook, RecordingErrorKind> {
        let line = std::str::from_utf8(&self.line).map_err(|_| RecordingErrorKind::NotUtf8)?;
        RecordedHook::from_json_with(line, &mut self.known).map_err(RecordingErrorKind::Unreadable)
    }

    /// The next call, or `None` at the end of the recording.
    fn read_next(&mut self) -> Result<Option<RecordedHook>, RecordingErrorKind> {
        loop {
            let end = self.next_line().map_err(|error| {
                self.is_at_end = true;
                RecordingErrorKind::Input(error)
            })?;
            if end == LineEnd::NoLine {
                self.is_at_end = true;
                return Ok(None);
            }
            self.line_number += 1;
            if self.line_number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if end == LineEnd::TooLong {
                return Err(RecordingErrorKind::TooLong);
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            return match self.read_line() {
                Err(_) if end == LineEnd::CutOff && is_cut_off(&self.line) => {
                    self.cut_off_line = Some(self.line_number);
                    self.is_at_end = true;
                    Ok(None)
                }
                result => result.map(Some),
            };
        }
    }
}

/// Whether more bytes could make a line JSON. A character may be cut in the middle.
fn is_cut_off(line: &[u8]) -> bool {
    match std::str::from_utf8(line) {
        // JSON that says something else was not cut.
        Ok(text) => json_text::read(text).is_err() && json_text::is_cut_off(text),
        Err(error) if error.error_len().is_none() => {
            let (whole, _) = line.split_at(error.valid_up_to());
            let mut text = String::from_utf8_lossy(whole).into_owned();
            text.push(char::REPLACEMENT_CHARACTER);
            json_text::is_cut_off(&text)
        }
        Err(_) => false,
    }
}

/// Shows where it is, and nothing of the line.
impl<R> fmt::Debug for Recording<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("line_number", &self.line_number)
            .field("is_at_end", &self.is_at_end)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Break,
    CutOff,
    TooLong,
    NoLine,
}

impl<R: BufRead> Iterator for Recording<R> {
    type Item = Result<RecordedHook, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_at_end {
            return None;
        }
        let result = self.read_next();
        let line = self.line_number;
        result
            .map_err(|kind| RecordingError { line, kind })
            .transpose()
    }
}

/// An unreadable line of a recording. `Display` shows its place and the problem.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordingError {
    /// The number of the line, counted from one. For [`RecordingErrorKind::Input`], the number of
    /// the last line before the error.
    pub line: usize,
    /// The kind of problem.
    pub kind: RecordingErrorKind,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, kind } = self;
        if let RecordingErrorKind::Unreadable(error) = kind {
            // The reader counts the lines of its text, which is this line alone.
            if let [
                Problem {
                    kind: ProblemKind::Syntax { column, .. },
                    ..
                },
            ] = error.problems()
            {
                return write!(f, "line {line}, column {column}: not JSON");
            }
        }
        write!(f, "line {line}: {kind}")
    }
}

impl Error for RecordingError {
    /// The cause of the kind: `Display` shows the kind itself.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

/// The kinds of problems with a line of a recording.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordingErrorKind {
    /// The line is not a call of a hook. Continue with the next line, or fix the producer.
    Unreadable(ReadError),
    /// The line is not UTF-8. Continue with the next line, or check the file.
    NotUtf8,
    /// The line is too long. Continue with the next line, or allow more with
    /// [`Recording::with_max_line_bytes`].
    TooLong,
    /// The input cannot be read. The iterator ends.
    Input(io::Error),
}

impl fmt::Display for RecordingErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(inner) => write!(f, "not a recorded hook: {inner}"),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::TooLong => f.write_str("longer than allowed"),
            Self::Input(_) => f.write_str("the input cannot be read"),
        }
    }
}

impl Error for RecordingErrorKind {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Input(source) => Some(source),
            _ => None,
        }
    }
}
