//! Drives a hook to its end on the thread of the queue, which has no runtime.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use agentspan_queue::contain;

use crate::{HookError, HookFuture};

/// How long a hook that is not needed any more may go unnoticed. Nobody waits for it by then.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Wakes the thread of the queue.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a hook to its end, or until the queue has given it up, when its future is dropped. A panic
/// becomes an error.
pub(super) fn drive<'a>(
    hook: impl FnOnce() -> HookFuture<'a>,
    is_given_up: impl Fn() -> bool,
) -> Result<(), HookError> {
    match contain::call(hook)
        .map_err(HookError::panicked)?
        .into_ready()
    {
        Ok(result) => result,
        Err(mut future) => {
            let result = wait_for(Pin::new(&mut future), is_given_up);
            let dropped = contain::drop(future);
            result?;
            dropped.map_err(HookError::panicked)
        }
    }
}

#[cold]
fn wait_for(
    mut future: Pin<&mut HookFuture<'_>>,
    is_given_up: impl Fn() -> bool,
) -> Result<(), HookError> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = contain::poll(future.as_mut(), &mut context) {
            return result.map_err(HookError::panicked)?;
        }
        thread::park_timeout(LOOK_AGAIN);
        if is_given_up() {
            return Err(HookError::message(
                "the hook was not done at the deadline of the shutdown",
            ));
        }
    }
}
