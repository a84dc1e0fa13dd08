//! Calls foreign code, and catches its panics.
//!
//! Foreign code is all code that a program passes to us: hooks of processors, filters, exporters,
//! token resolvers, observers, enrichers, clocks, guards, and the subscriber that our log lines
//! reach. Its panics must neither end a thread of ours nor unwind into the program. Each caught
//! panic is counted, see [`panics`]; the panic hook of the program has printed its message before.
//!
//! The functions assert unwind safety: the callers' state is consistent whenever foreign code runs.
//!
//! With `panic = "abort"`, a panic ends the program, and cannot be caught.

mod foreign;
mod thread_bound;

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

pub use foreign::Foreign;
pub use thread_bound::ThreadBound;

/// How many panics were contained in this process.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Foreign code panicked, and the panic was caught and counted.
///
/// The message is foreign text that may hold contents, such as a prompt. `Debug` shows only its
/// length.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
#[non_exhaustive]
pub struct Panicked {
    /// The message of the panic, or a placeholder if there was none.
    pub message: String,
}

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panicked")
            .field("message", &format_args!("{} bytes", self.message.len()))
            .finish()
    }
}

/// The number of caught panics in this process so far, including panics in [`log`] and [`drop`].
#[must_use]
pub fn panics() -> u64 {
    // Relaxed: the count guards no other memory.
    PANICS.load(Ordering::Relaxed)
}

/// Calls `call` and turns a panic into an error.
///
/// ```
/// use agentspan_queue::contain;
///
/// assert_eq!(contain::call(|| 1), Ok(1));
/// let panicked = contain::call(|| panic!("on purpose")).unwrap_err();
/// assert_eq!(panicked.message, "on purpose");
/// ```
///
/// # Errors
///
/// [`Panicked`] if `call` panicked.
#[inline]
pub fn call<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(contained)
}

/// Polls the future of `make`, and turns a panic of either into an error.
///
/// A panic in the drop of the future is caught, too, also if this future is dropped first.
///
/// # Errors
///
/// [`Panicked`] if `make` or the future panicked.
///
/// # Cancel safety
///
/// It is as cancel safe as the future.
pub async fn future<F: Future>(make: impl FnOnce() -> F) -> Result<F::Output, Panicked> {
    let slot = pin!(Some(call(make)?));
    let mut slot = Slot(slot);
    poll_fn(|cx| match slot.0.as_mut().as_pin_mut() {
        Some(future) => poll(future, cx),
        // Not polled after it was ready.
        None => Poll::Pending,
    })
    .await
}

/// Polls `future` once, and turns a panic into an error. It must not be polled again after that.
pub fn poll<F: Future + ?Sized>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Panicked>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(payload) => Poll::Ready(Err(contained(payload))),
    }
}

/// Drops a foreign value and turns a panic into an error.
///
/// # Errors
///
/// [`Panicked`] if the drop panicked.
pub fn drop<T>(value: T) -> Result<(), Panicked> {
    call(|| mem::drop(value))
}

/// Runs `line`, which writes a log line, and catches panics of the subscriber and of the `Display`
/// of foreign values.
#[inline]
pub fn log(line: impl FnOnce()) {
    // The panic is counted, and there is nobody else to tell.
    let _ = call(line);
}

/// The message of a panic, or a text that says that there is none.
#[must_use]
pub fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a panic without a message"
    }
}

#[cold]
fn contained(payload: Box<dyn Any + Send>) -> Panicked {
    let message = message(&*payload).to_owned();
    discard(payload);
    Panicked { message }
}

/// Drops the payload of a panic, which may itself panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    // Relaxed: see `panics`.
    PANICS.fetch_add(1, Ordering::Relaxed);
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| mem::drop(payload))) {
        PANICS.fetch_add(1, Ordering::Relaxed);
        // The payload of that panic could go on like this for ever, so nothing drops it.
        mem::forget(second);
    }
}

/// Holds a future and contains a panic of its drop.
struct Slot<'a, F>(Pin<&'a mut Option<F>>);

impl<F> Drop for Slot<'_, F> {
    fn drop(&mut self) {
        // The panic is counted; the future's result, if there is one, is not lost over it.
        let _ = call(|| self.0.set(None));
    }
}

#[cfg(test)]
mod tests;
