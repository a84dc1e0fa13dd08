//! Keeps a panic where it happened.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Something panicked. The panic's message went to the panic hook of the program.
#[derive(Debug)]
pub(crate) struct Panicked;

/// Runs `future` and turns a panic into an error.
///
/// What the future leaves behind must be fit for further use: callers hand over state that stays
/// consistent at every point where foreign code runs.
pub(crate) async fn contain<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => {
                discard(payload);
                Poll::Ready(Err(Panicked))
            }
        },
    )
    .await
}

/// Calls `call` and turns a panic into an error.
pub(crate) fn contain_call<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        discard(payload);
        Panicked
    })
}

/// Drops the payload of a panic, which may itself panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}
