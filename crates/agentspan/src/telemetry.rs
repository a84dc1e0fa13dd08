//! The guard of installed telemetry.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_agent365::{Delivery, DeliveryStats, DropReason};
use agentspan_otel::{ExportLoss, ExportMetrics, ExportQueue};
use agentspan_processor::TraceBuilder;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::agent_spec::AgentSpec;
use crate::agent365_status::Agent365Status;
use crate::report::TelemetryReport;

/// How much longer than the deadline is waited for processors that keep it, to hear what they say.
const GRACE: Duration = Duration::from_millis(20);

/// The guard of installed telemetry, which [`Configuration::install`](crate::Configuration::install) returns:
/// starts traces, flushes, counts and shuts down.
///
/// Keep it for as long as the program runs, and end the program with [`shutdown`](Self::shutdown). Dropping
/// the guard never blocks: it starts to send what waits, and says in the log how many spans and hooks that are.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = agentspan::configure().with_service_name("weather").install()?;
///
/// let trace = telemetry.trace().with_name("a question").start()?; // a trace of Agent Spec
/// trace.end()?;
///
/// telemetry.flush(Duration::from_secs(5))?; // wait until destinations have what has ended
/// assert_eq!(telemetry.report().destinations[0].exported, 1); // what each has got and lost
/// telemetry.shutdown(Duration::from_secs(5))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "keep the guard and shut it down, or the last spans may be lost"]
pub struct Telemetry {
    provider: SdkTracerProvider,
    agent365: Agent365Status,
    delivery: Option<Delivery>,
    queues: Vec<ExportQueue>,
    agent_spec: AgentSpec,
    is_shut_down: AtomicBool,
    /// Kept for its drop, which ends the metrics of destinations.
    _metrics: Option<ExportMetrics>,
}

/// Why spans are not where they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The deadline passed first. After a flush the spans wait on; after a shutdown they are dropped
    /// and counted. Give more time, or look at [`Telemetry::report`] for the destination that is slow.
    #[error("the deadline of {timeout:?} passed with {unsent} spans or hooks not sent")]
    Deadline {
        /// The time that was given.
        timeout: Duration,
        /// How many spans of all destinations together were not sent in that time, and how many hooks of
        /// processors of Agent Spec have not run.
        unsent: u64,
    },
    /// Some spans were lost, or a processor of the provider failed. [`Telemetry::report`] says which
    /// destination lost them and why.
    #[error("a span processor reports a failure")]
    Processor(#[source] OTelSdkError),
    /// The system refused a thread to wait on. Try again when it has less to do.
    #[error("cannot start a thread to wait for the span processors")]
    Thread(#[source] io::Error),
}

impl Telemetry {
    pub(crate) fn new(
        provider: SdkTracerProvider,
        agent365: Agent365Status,
        delivery: Option<Delivery>,
        queues: Vec<ExportQueue>,
        agent_spec: AgentSpec,
        metrics: Option<ExportMetrics>,
    ) -> Self {
        Self {
            provider,
            agent365,
            delivery,
            queues,
            agent_spec,
            is_shut_down: AtomicBool::new(false),
            _metrics: metrics,
        }
    }

    /// Whether spans go to Agent 365, and if not, why.
    #[must_use]
    pub fn agent365(&self) -> Agent365Status {
        self.agent365
    }

    /// What each destination got and lost so far: the answer to "my spans do not arrive".
    #[must_use]
    pub fn report(&self) -> TelemetryReport {
        let mut report = TelemetryReport::of(self.delivery.as_ref(), &self.queues);
        report.destinations.extend(self.agent_spec.reports());
        report.late_events = self.agent_spec.late_events();
        report
    }

    /// Starts to describe an Agent Spec trace that reaches all destinations.
    ///
    /// Destinations of spans get its spans through a bridge to OpenTelemetry, each in its vocabulary;
    /// processors of Agent Spec observe the trace itself. They are shut down with the telemetry and
    /// not with the trace.
    pub fn trace(&self) -> TraceBuilder {
        self.agent_spec.trace()
    }

    /// The counts of the delivery to Agent 365, with what [`report`](Self::report) does not say of it: tries
    /// and bytes. `None` when spans do not go there, or through a sidecar.
    #[must_use]
    pub fn agent365_stats(&self) -> Option<DeliveryStats> {
        self.delivery.as_ref().map(Delivery::stats)
    }

    /// A tracer for plain OpenTelemetry spans in the same traces, named after the code that makes them.
    #[must_use]
    pub fn tracer(&self, name: &'static str) -> SdkTracer {
        use opentelemetry::trace::TracerProvider as _;
        self.provider.tracer(name)
    }

    /// The provider of OpenTelemetry that makes the spans, for instrumentation that asks for one.
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
    /// were lost, [`TelemetryError::Thread`] when the system refuses one.
    pub fn flush(&self, timeout: Duration) -> Result<(), TelemetryError> {
        let started = Instant::now();
        // Those that are done are to be heard when one before them took all the time.
        let remaining = || timeout.saturating_sub(started.elapsed()).max(GRACE);
        self.queues.iter().for_each(ExportQueue::start_flush);
        let delivered = self.delivery.iter().map(|delivery| delivery.flush(timeout));
        let queues = self.queues.iter().map(|queue| queue.flush(remaining()));
        let destinations = delivered.chain(queues).fold(Ok(()), OTelSdkResult::and);
        // Their processors did not wait for this: each has a thread of its own.
        let observed = self.agent_spec.flush(remaining);
        let late = (!observed).then_some(Err(OTelSdkError::Timeout(timeout)));
        let ours = destinations.and(late.unwrap_or(Ok(())));
        // In any case, since the provider may have processors that nothing of ours concerns; and last, since
        // it flushes our queues, too, for as long as the SDK likes.
        let provider = self.provider.clone();
        let others = Work::start("agentspan-flush", move || provider.force_flush());
        let others = others.map(|work| work.wait(remaining()));
        self.finish(timeout, ours, 0)?;
        self.finish(timeout, others?, 0)
    }

    /// Sends what waits, for at most `timeout`, and ends the delivery. A second call does nothing.
    ///
    /// Blocks the calling thread. Scopes that are started later make no spans that anybody takes.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn shutdown(&self, timeout: Duration) -> Result<(), TelemetryError> {
        let dropped_before = self.dropped_by_deadline();
        let provider = self.provider.clone();
        // Each on its own thread: neither is to use up the other's time.
        let observed = Work::start("agentspan-shutdown", self.agent_spec.shutdown(timeout))?;
        let ended = Work::start("agentspan-shutdown", move || {
            match provider.shutdown_with_timeout(timeout) {
                Err(OTelSdkError::AlreadyShutdown) => Ok(()),
                result => result,
            }
        })?;
        self.is_shut_down.store(true, Ordering::SeqCst);
        let ended = ended.wait(timeout);
        let mut result = ended.and(observed.wait(timeout));
        // The SDK makes one text of what processors say, the deadline included.
        let late = self.dropped_by_deadline().saturating_sub(dropped_before);
        if late > 0 {
            result = Err(OTelSdkError::Timeout(timeout));
        }
        self.finish(timeout, result, late)
    }

    /// How many spans, and hooks of processors of Agent Spec, wait.
    fn unsent(&self) -> u64 {
        let report = self.report();
        report.destinations.iter().map(|it| it.queued).sum()
    }

    /// How many spans were dropped because the deadline of a shutdown passed.
    fn dropped_by_deadline(&self) -> u64 {
        let of_delivery = |stats: DeliveryStats| stats.dropped_for(DropReason::ShutdownDeadline);
        let of_queue =
            |queue: &ExportQueue| queue.stats().dropped_for(ExportLoss::ShutdownDeadline);
        let delivery = self.agent365_stats().map_or(0, of_delivery);
        delivery + self.queues.iter().map(of_queue).sum::<u64>()
    }

    /// Adds to a missed deadline how much was not sent, of which `dropped` waits no more.
    fn finish(
        &self,
        timeout: Duration,
        result: OTelSdkResult,
        dropped: u64,
    ) -> Result<(), TelemetryError> {
        match result {
            Ok(()) => Ok(()),
            Err(OTelSdkError::Timeout(_)) => Err(TelemetryError::Deadline {
                timeout,
                unsent: self.unsent() + dropped,
            }),
            Err(error) => Err(TelemetryError::Processor(error)),
        }
    }
}

/// Something that runs on a thread of its own.
struct Work {
    started: Instant,
    result: mpsc::Receiver<OTelSdkResult>,
}

impl Work {
    fn start(
        name: &str,
        work: impl FnOnce() -> OTelSdkResult + Send + 'static,
    ) -> Result<Self, TelemetryError> {
        let started = Instant::now();
        let (done, result) = mpsc::sync_channel(1);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Nobody listens any more when the deadline has passed.
            let _ = done.send(work());
        });
        spawned.map_err(TelemetryError::Thread)?;
        Ok(Self { started, result })
    }

    /// Waits for at most `timeout` from the start on, and a little longer to hear what it says.
    fn wait(self, timeout: Duration) -> OTelSdkResult {
        let remaining = timeout.saturating_sub(self.started.elapsed());
        let result = self.result.recv_timeout(remaining.saturating_add(GRACE));
        result.unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(OTelSdkError::Timeout(timeout)),
            // The thread ended without a word.
            RecvTimeoutError::Disconnected => {
                let text = "a span processor panicked".to_owned();
                Err(OTelSdkError::InternalFailure(text))
            }
        })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // A shutdown has said what it did not send.
        if self.is_shut_down.load(Ordering::SeqCst) {
            return;
        }
        let unsent = self.unsent();
        if unsent > 0 {
            tracing::warn!(
                target: "agentspan::telemetry",
                unsent,
                "the guard was dropped without a shutdown"
            );
            self.queues.iter().for_each(ExportQueue::start_flush);
            // With no time to wait, this only wakes the delivery.
            let _ = self.delivery.as_ref().map(|it| it.flush(Duration::ZERO));
        }
    }
}

#[cfg(test)]
mod tests;
