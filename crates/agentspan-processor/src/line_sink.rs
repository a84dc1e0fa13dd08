//! Writes lines from many threads to one writer, and holds no lock while the writer runs.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, TryLockError};

use agentspan_queue::{PerProcess, lock};

/// Bytes that may wait for the writer while another thread uses it.
const MAX_WAITING: usize = 16 << 20;

/// Writes lines to a writer, each at once and in order.
///
/// A thread that comes while another one writes leaves its lines to that one. So nobody holds the lock
/// while the writer runs, which may be anybody's code.
///
/// The child of a fork goes on with the writer, unless a thread of the parent was using it at that moment: that one
/// is not there to give it back, and nothing can be written.
#[derive(Debug)]
pub(crate) struct LineSink<W> {
    state: PerProcess<Mutex<State<W>>>,
}

#[derive(Debug)]
struct State<W> {
    /// None while a thread writes.
    writer: Option<W>,
    waiting: Vec<u8>,
    wants_flush: bool,
    /// Whether the writer stayed with a thread of the process that this one was forked from.
    is_lost: bool,
    /// Kept for its memory.
    spare: Vec<u8>,
}

impl<W: Write> LineSink<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            state: PerProcess::new(Mutex::new(State::new(Some(writer)))),
        }
    }

    /// Writes a line, or leaves it to the thread that is writing.
    ///
    /// The error may be about lines of other threads too, and then says how many lines may be lost.
    pub(crate) fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut state = self.lock_if_not_lost()?;
        if state.waiting.len().saturating_add(line.len()) > MAX_WAITING {
            let message = "the writer does not keep up; the line is lost";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
        }
        state.waiting.extend_from_slice(line);
        self.use_writer(state)
    }

    /// Flushes the writer, or leaves that to the thread that is writing.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.lock_if_not_lost()?;
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
        let mut lost = 0;
        while !state.waiting.is_empty() || state.wants_flush {
            let spare = std::mem::take(&mut state.spare);
            let mut batch = std::mem::replace(&mut state.waiting, spare);
            let wants_flush = std::mem::take(&mut state.wants_flush);
            drop(state);
            let written = borrowed.write(&batch, wants_flush);
            if written.is_err() {
                lost += batch.iter().filter(|&&byte| byte == b'\n').count();
            }
            first_error = first_error.and(written);
            batch.clear();
            state = self.lock();
            state.spare = batch;
        }
        state.give_back(borrowed.writer.take());
        first_error.map_err(|error| with_lost_lines(error, lost))
    }

    fn lock_if_not_lost(&self) -> io::Result<MutexGuard<'_, State<W>>> {
        let state = self.lock();
        if state.is_lost {
            let message =
                "another thread was writing when the process was forked; the line is lost";
            return Err(io::Error::other(message));
        }
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        lock(
            self.state
                .get(|parent| Mutex::new(State::inherited(parent))),
        )
    }
}

impl<W> State<W> {
    fn new(writer: Option<W>) -> Self {
        Self {
            is_lost: writer.is_none(),
            writer,
            waiting: Vec::new(),
            wants_flush: false,
            spare: Vec::new(),
        }
    }

    /// The state of a child. What waits is the parent's to write.
    fn inherited(parent: &Mutex<Self>) -> Self {
        // If another thread held the lock, nobody will ever open it.
        Self::new(match parent.try_lock() {
            Ok(mut parent) => parent.writer.take(),
            Err(TryLockError::Poisoned(parent)) => parent.into_inner().writer.take(),
            Err(TryLockError::WouldBlock) => None,
        })
    }

    fn give_back(&mut self, writer: Option<W>) {
        self.is_lost &= writer.is_none();
        self.writer = writer;
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
        if self.writer.is_some() {
            self.sink.lock().give_back(self.writer.take());
        }
    }
}

/// The error, which names the lines that may be lost if there are more than that of the caller.
fn with_lost_lines(error: io::Error, lost: usize) -> io::Error {
    if lost < 2 {
        return error;
    }
    io::Error::new(
        error.kind(),
        format!("up to {lost} lines are lost: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_lines_of_others_that_are_lost_with_it() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::new(io::ErrorKind::StorageFull, "no space"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sink = LineSink::new(Full);
        assert_eq!(sink.write(b"a\n").unwrap_err().to_string(), "no space");
        sink.lock().waiting = b"b\nc\n".to_vec();
        let error = sink.write(b"d\n").unwrap_err();
        assert_eq!(error.to_string(), "up to 3 lines are lost: no space");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    /// The sink of a child whose parent left this state. Real forks are in the project's tests of processes.
    fn child(parent: &Mutex<State<Vec<u8>>>) -> LineSink<Vec<u8>> {
        LineSink {
            state: PerProcess::new(Mutex::new(State::inherited(parent))),
        }
    }

    fn text(sink: &LineSink<Vec<u8>>) -> String {
        let state = sink.lock();
        String::from_utf8(state.writer.clone().unwrap()).unwrap()
    }

    #[test]
    fn a_child_goes_on_with_the_writer_and_not_with_what_waits() {
        let mut parent = State::new(Some(b"parent\n".to_vec()));
        parent.waiting = b"waits\n".to_vec();
        let sink = child(&Mutex::new(parent));
        sink.write(b"child\n").unwrap();
        sink.flush().unwrap();
        assert_eq!(text(&sink), "parent\nchild\n");
    }

    #[test]
    fn a_child_whose_parent_was_writing_says_that_lines_are_lost() {
        let parent = Mutex::new(State::new(Some(Vec::new())));
        let held = parent.lock().unwrap();
        let locked = child(&parent);
        drop(held);
        parent.lock().unwrap().writer = None;
        for sink in [locked, child(&parent)] {
            for result in [sink.write(b"line\n"), sink.flush()] {
                let error = result.unwrap_err().to_string();
                assert!(error.contains("forked"), "{error}");
            }
        }
    }
}
