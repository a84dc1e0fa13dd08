//! Runs a call on its own thread, so that the caller can wait with a deadline, or without blocking.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use agentspan_queue::contain::{self, Panicked};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::sync::oneshot;

use super::TelemetryError;

/// A call of the SDK, which has no deadline. Its thread ends when the call returns, possibly after
/// the caller has stopped waiting.
#[derive(Debug)]
pub(super) struct OwnThread(mpsc::Receiver<Result<OTelSdkResult, Panicked>>);

impl OwnThread {
    pub(super) fn start(
        name: &str,
        work: impl FnOnce() -> OTelSdkResult + Send + 'static,
    ) -> io::Result<Self> {
        let (done, result) = mpsc::sync_channel(1);
        spawn(name, move || {
            // Nobody listens any more when the deadline has passed.
            let _ = done.send(contain::call(work));
        })?;
        Ok(Self(result))
    }

    /// Runs the call at once on this thread, for calls that do not block.
    pub(super) fn run_here(work: impl FnOnce() -> OTelSdkResult) -> Self {
        let (done, result) = mpsc::sync_channel(1);
        // It has room for one.
        let _ = done.send(contain::call(work));
        Self(result)
    }

    pub(super) fn wait(self, timeout: Duration) -> OTelSdkResult {
        match self.0.recv_timeout(timeout) {
            Ok(Ok(result)) => result,
            Ok(Err(Panicked { .. })) | Err(RecvTimeoutError::Disconnected) => Err(panicked()),
            Err(RecvTimeoutError::Timeout) => Err(OTelSdkError::Timeout(timeout)),
        }
    }
}

/// Runs a call, then wakes the waiting task. Needs no runtime.
pub(super) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TelemetryError> {
    let (done, result) = oneshot::channel();
    spawn(name, move || {
        // Nobody listens if the future was dropped.
        let _ = done.send(contain::call(work));
    })
    .map_err(TelemetryError::Thread)?;
    match result.await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(Panicked { .. })) | Err(_) => Err(TelemetryError::Processor {
            failures: vec![PANICKED.to_owned()],
        }),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map(drop)
}

fn panicked() -> OTelSdkError {
    OTelSdkError::InternalFailure(PANICKED.to_owned())
}

const PANICKED: &str = "a span processor panicked";
