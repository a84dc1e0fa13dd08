//! The guard of installed telemetry.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use agentspan_agent365::{Delivery, DeliveryStats, DropReason};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::processor::Destination;

/// How much longer than the deadline is waited for processors that keep it, to hear what they say.
const GRACE: Duration = Duration::from_millis(20);

/// Installed telemetry: flushes, shuts down, counts.
///
/// End the program with [`shutdown`](Self::shutdown). Dropping the guard never blocks: it starts to
/// send what waits, and says in the log how many spans that are.
#[derive(Debug)]
#[must_use = "keep the guard and shut it down, or the last spans may be lost"]
pub struct Telemetry {
    provider: SdkTracerProvider,
    destination: Destination,
    delivery: Option<Delivery>,
}

/// Why spans are not where they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The deadline passed first. After a flush the spans wait on; after a shutdown they are dropped
    /// and counted. Give more time, or look at the reports for what holds the service up.
    #[error("the deadline of {timeout:?} passed with {unsent} spans not sent")]
    Deadline {
        /// The time that was given.
        timeout: Duration,
        /// How many spans of the delivery to Agent 365 were not sent in that time.
        unsent: u64,
    },
    /// Some spans were lost, or a processor of the provider failed. The counts of
    /// [`Telemetry::stats`] and the reports of the delivery say why.
    #[error("a span processor reports a failure")]
    Processor(#[source] OTelSdkError),
    /// The system refused a thread to wait on. Try again when it has less to do.
    #[error("cannot start a thread to wait for the span processors")]
    Thread(#[source] io::Error),
}

impl Telemetry {
    pub(crate) fn new(
        provider: SdkTracerProvider,
        destination: Destination,
        delivery: Option<Delivery>,
    ) -> Self {
        Self {
            provider,
            destination,
            delivery,
        }
    }

    /// Where the spans go, and why.
    #[must_use]
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// The counts of the delivery to Agent 365: accepted, exported, dropped by reason, queued. `None`
    /// when spans go to the console.
    #[must_use]
    pub fn stats(&self) -> Option<DeliveryStats> {
        self.delivery.as_ref().map(Delivery::stats)
    }

    /// A tracer for spans of your own in the same traces.
    #[must_use]
    pub fn tracer(&self, name: &'static str) -> SdkTracer {
        use opentelemetry::trace::TracerProvider as _;
        self.provider.tracer(name)
    }

    /// The provider behind it all.
    #[must_use]
    pub fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Waits until the spans that have ended are delivered or dropped, for at most `timeout`.
    ///
    /// Blocks the calling thread. The processors of the provider run on a thread of their own,
    /// `agentspan-flush`, since the SDK's flush knows no deadline.
    ///
    /// # Errors
    ///
    /// [`TelemetryError::Deadline`] when the time passed first, [`TelemetryError::Processor`] when spans
    /// were lost.
    pub fn flush(&self, timeout: Duration) -> Result<(), TelemetryError> {
        let deadline = Instant::now() + timeout;
        let delivered = self
            .delivery
            .as_ref()
            .map_or(Ok(()), |delivery| delivery.flush(timeout));
        self.finish(timeout, delivered)?;
        let provider = self.provider.clone();
        let remaining = deadline.saturating_duration_since(Instant::now());
        let flushed = within("agentspan-flush", remaining, move || provider.force_flush())?;
        self.finish(timeout, flushed)
    }

    /// Sends what waits, for at most `timeout`, and ends the delivery. A second call does nothing.
    ///
    /// Blocks the calling thread. Scopes that are started later make no spans that anybody takes.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn shutdown(&self, timeout: Duration) -> Result<(), TelemetryError> {
        let provider = self.provider.clone();
        let ended = within("agentspan-shutdown", timeout, move || {
            match provider.shutdown_with_timeout(timeout) {
                Err(OTelSdkError::AlreadyShutdown) => Ok(()),
                result => result,
            }
        })?;
        self.finish(timeout, ended)
    }

    fn finish(&self, timeout: Duration, result: OTelSdkResult) -> Result<(), TelemetryError> {
        match result {
            Ok(()) => Ok(()),
            Err(OTelSdkError::Timeout(_)) => Err(TelemetryError::Deadline {
                timeout,
                unsent: self.stats().map_or(0, |stats| {
                    stats.queued + stats.dropped_for(DropReason::ShutdownDeadline)
                }),
            }),
            Err(error) => Err(TelemetryError::Processor(error)),
        }
    }
}

/// Runs `work` on a thread named `name` and waits for it for at most `timeout`.
fn within(
    name: &str,
    timeout: Duration,
    work: impl FnOnce() -> OTelSdkResult + Send + 'static,
) -> Result<OTelSdkResult, TelemetryError> {
    let (done, result) = mpsc::sync_channel(1);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody listens any more when the deadline has passed.
        let _ = done.send(work());
    });
    spawned.map_err(TelemetryError::Thread)?;
    let result = result.recv_timeout(timeout + GRACE);
    Ok(result.unwrap_or(Err(OTelSdkError::Timeout(timeout))))
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let Some(delivery) = &self.delivery else {
            return;
        };
        let unsent = delivery.stats().queued;
        if unsent > 0 {
            tracing::warn!(
                target: "agentspan::telemetry",
                unsent,
                "the guard was dropped without a shutdown"
            );
            // With no time to wait, this only wakes the delivery.
            let _ = delivery.flush(Duration::ZERO);
        }
    }
}
