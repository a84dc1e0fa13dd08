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

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use futures_executor::block_on;

    use super::*;

    /// What a panic may carry.
    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic_any("dropped on purpose");
        }
    }

    #[test]
    fn what_does_not_panic_gives_its_result() {
        assert!(matches!(contain_call(|| 1), Ok(1)));
        assert!(matches!(block_on(contain(async { 1 })), Ok(1)));
    }

    #[test]
    fn a_panic_ends_where_it_happened_even_if_its_payload_panics_too() {
        let panics = || -> u8 { panic_any(PanicsWhenDropped) };
        assert!(matches!(contain_call(panics), Err(Panicked)));
        let panics_later = async {
            std::future::ready(()).await;
            panics()
        };
        assert!(matches!(block_on(contain(panics_later)), Err(Panicked)));
    }
}
