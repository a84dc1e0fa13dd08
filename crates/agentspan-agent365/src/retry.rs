//! The pauses between tries.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Waits between the tries of a request.
///
/// The default is [`TokioRetryTimer`]. A test puts in its own to see the pauses without waiting.
pub trait RetryTimer: fmt::Debug + Send + Sync {
    /// Completes after `pause`. It runs on the I/O thread, within its Tokio runtime.
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Waits with Tokio's timer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to set")]
pub struct TokioRetryTimer;

impl RetryTimer for TokioRetryTimer {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }
}
