//! Writes lines from many threads to one writer, and holds no lock while the writer runs.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that may wait for the writer while another thread uses it.
const MAX_WAITING: usize = 16 << 20;

/// Writes lines to a writer, each at once and in order.
///
/// A thread that comes while another one writes leaves its lines to that one. So nobody holds the lock
/// while the writer runs, which may be anybody's code.
#[derive(Debug)]
pub(crate) struct LineSink<W> {
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    /// None while a thread writes.
    writer: Option<W>,
    waiting: Vec<u8>,
    wants_flush: bool,
    /// Kept for its memory.
    spare: Vec<u8>,
}

impl<W: Write> LineSink<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            state: Mutex::new(State {
                writer: Some(writer),
                waiting: Vec::new(),
                wants_flush: false,
                spare: Vec::new(),
            }),
        }
    }

    /// Writes a line, or leaves it to the thread that is writing.
    ///
    /// The error may be about lines of other threads, which then were lost too.
    pub(crate) fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        if state.waiting.len().saturating_add(line.len()) > MAX_WAITING {
            let message = "the writer does not keep up; the line is lost";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
        }
        state.waiting.extend_from_slice(line);
        self.use_writer(state)
    }

    /// Flushes the writer, or leaves that to the thread that is writing.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.wants_flush = true;
        self.use_writer(state)
    }

    /// Writes what waits, unless another thread does.
    fn use_writer<'a>(&'a self, mut state: MutexGuard<'a, State<W>>) -> io::Result<()> {
        let Some(writer) = state.writer.take() else {
            return Ok(());
        };
        let mut borrowed = Borrowed {
            sink: self,
            writer: Some(writer),
        };
        let mut first_error = Ok(());
        while !state.waiting.is_empty() || state.wants_flush {
            let spare = std::mem::take(&mut state.spare);
            let mut batch = std::mem::replace(&mut state.waiting, spare);
            let wants_flush = std::mem::take(&mut state.wants_flush);
            drop(state);
            let written = borrowed.write(&batch, wants_flush);
            first_error = first_error.and(written);
            batch.clear();
            state = self.lock();
            state.spare = batch;
        }
        state.writer = borrowed.writer.take();
        first_error
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        // Nothing under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the writer back, also if it panics.
struct Borrowed<'a, W: Write> {
    sink: &'a LineSink<W>,
    writer: Option<W>,
}

impl<W: Write> Borrowed<'_, W> {
    fn write(&mut self, bytes: &[u8], wants_flush: bool) -> io::Result<()> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        writer.write_all(bytes)?;
        if wants_flush { writer.flush() } else { Ok(()) }
    }
}

impl<W: Write> Drop for Borrowed<'_, W> {
    fn drop(&mut self) {
        // It is there only if it panicked.
        if let Some(writer) = self.writer.take() {
            self.sink.lock().writer = Some(writer);
        }
    }
}
