//! Keeps what other crates log of our connections from the program's subscriber of `tracing`.
//!
//! The crates below us (hyper, h2, rustls) make events of every byte at TRACE. A subscriber that panics over one of
//! them would tear the connection down in the middle of a request, and one that makes spans of them would have
//! more to send with every export. Log lines of our own are written outside of this and reach the subscriber.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use agentspan_queue::contain;
use hyper::rt::Executor;
use tracing::dispatcher::{Dispatch, has_been_set, with_default};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

/// Wants nothing.
///
/// `Dispatch::none()` would do the same and is registered nowhere: where the program has only one subscriber,
/// `tracing` asks the current one about each new place in the code, and remembers its answer for all threads. The
/// program would lose what its own connections log in such places.
struct Silent;

impl Subscriber for Silent {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Together with another subscriber's interest this is "ask each time", or still "never".
        Interest::never()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

static SILENT: OnceLock<Option<Dispatch>> = OnceLock::new();

/// Makes it ready, on a thread of the program: a child that is forked while another thread does it would wait for
/// ever. Registering asks the program's subscriber, which may panic.
pub(super) fn prepare() {
    let _ = SILENT.get_or_init(|| contain::call(|| Dispatch::new(Silent)).ok());
}

/// Runs `call` so that nothing of it is logged.
pub(super) fn silently<T>(call: impl FnOnce() -> T) -> T {
    match SILENT.get() {
        // Where no subscriber was ever set, there is nobody to be kept from it. To set one, be it on this thread,
        // would turn off the records that `tracing` writes for `log` in programs without a subscriber.
        Some(Some(silent)) if has_been_set() => with_default(silent, call),
        _ => call(),
    }
}

/// A future that is polled and dropped silently.
pub(super) struct Silently<F>(Option<Pin<Box<F>>>);

impl<F> Silently<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Silently<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match &mut self.0 {
            Some(future) => silently(|| future.as_mut().poll(cx)),
            // Only while it is dropped.
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Silently<F> {
    fn drop(&mut self) {
        let future = self.0.take();
        silently(|| drop(future));
    }
}

/// Runs the connections in the runtime of the thread.
#[derive(Clone, Debug)]
pub(super) struct SilentExecutor;

impl<F> Executor<F> for SilentExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the runtime is one of ours")]
    fn execute(&self, connection: F) {
        tokio::spawn(Silently::new(connection));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tracing::subscriber::set_default;

    use super::*;

    /// Counts events.
    struct Counting(Arc<AtomicU64>);

    impl Subscriber for Counting {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// As a crate below us does, of its connections and of the program's.
    fn log() {
        tracing::trace!("a byte came");
    }

    struct LogsInDrop;

    impl Drop for LogsInDrop {
        fn drop(&mut self) {
            log();
        }
    }

    #[tokio::test]
    async fn a5_a_silent_future_logs_nothing_and_takes_no_log_line_from_the_program() {
        let seen = Arc::new(AtomicU64::new(0));
        let _guard = set_default(Counting(Arc::clone(&seen)));
        prepare();
        // The first time that the place is come by.
        let logging = LogsInDrop;
        Silently::new(async move {
            let _logging = logging;
            log();
            tokio::task::yield_now().await;
            log();
        })
        .await;
        drop(Silently::new(async move {
            let _never = LogsInDrop;
        }));
        let logging = LogsInDrop;
        drop(Silently::new(async move {
            let _logging = logging;
        }));
        assert_eq!(seen.load(Ordering::SeqCst), 0);
        log();
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
}
