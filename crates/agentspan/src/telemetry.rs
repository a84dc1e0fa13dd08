//! The guard of installed telemetry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_agent365::DeliveryStats;
use agentspan_otel::{ExportMetrics, Feedback, Propagation, SpanRef};
use agentspan_processor::trace::TraceBuilder;
use agentspan_queue::contain;
use opentelemetry::global::BoxedTracer;
use opentelemetry_sdk::trace::SdkTracerProvider;

mod deadline;
mod error;
mod failed;
mod own_thread;
mod pipeline;
#[cfg(feature = "tracing")]
mod tracing_layer;
mod unsent;

pub use self::error::TelemetryError;
use self::failed::Failed;
pub(crate) use self::pipeline::Pipeline;
use self::unsent::Unsent;
use crate::agent365_status::Agent365Status;
use crate::report::TelemetryReport;
use crate::setup_log::Unheard;

/// The guard of installed telemetry, returned by
/// [`Configuration::install`](crate::Configuration::install). It starts traces, flushes, counts and
/// shuts down.
///
/// Keep it in a variable of `main`. End the program with [`shutdown`](Self::shutdown), or in
/// asynchronous code with [`shutdown_async`](Self::shutdown_async), to learn whether the last spans
/// arrived.
///
/// **Dropping the guard** without a shutdown, for instance because `main` returns early with `?` or
/// panics, shuts the telemetry down as well: it blocks the thread until everything is sent, for at
/// most 2 seconds
/// ([`Configuration::with_flush_on_drop`](crate::Configuration::with_flush_on_drop)). If spans or
/// hooks were not sent, one warning in the log counts them by destination. `let _ = …install()?`
/// drops the guard at once; give the guard a name.
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
/// telemetry.flush(Duration::from_secs(5))?; // wait until every finished span has been delivered
/// assert_eq!(telemetry.report().destinations[0].exported, 1); // what each destination got and lost
/// telemetry.shutdown(Duration::from_secs(5))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard shuts the telemetry down"]
pub struct Telemetry {
    /// Shared with the threads that flush and shut down while asynchronous code waits.
    pipeline: Arc<Pipeline>,
    flush_on_drop: Duration,
    propagation: Propagation,
    unheard: Unheard,
    /// Whether a caller already knows which spans a shutdown did not send.
    is_shut_down: AtomicBool,
    /// Kept for its drop, which ends the metrics of destinations.
    _metrics: Option<ExportMetrics>,
}

impl Telemetry {
    pub(crate) fn new(
        pipeline: Pipeline,
        metrics: Option<ExportMetrics>,
        flush_on_drop: Duration,
    ) -> Self {
        Self {
            pipeline: Arc::new(pipeline),
            flush_on_drop,
            propagation: Propagation::new(),
            unheard: Unheard::default(),
            is_shut_down: AtomicBool::new(false),
            _metrics: metrics,
        }
    }

    pub(crate) fn with_propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = propagation;
        self
    }

    pub(crate) fn with_unheard(mut self, unheard: Unheard) -> Self {
        self.unheard = unheard;
        self
    }

    /// Whether spans go to Agent 365, and if not, why.
    #[must_use]
    pub fn agent365(&self) -> Agent365Status {
        self.pipeline.agent365()
    }

    /// The counts of each destination so far. Look here first if spans do not arrive.
    #[must_use]
    pub fn report(&self) -> TelemetryReport {
        self.pipeline.report()
    }

    /// Builds an Agent Spec trace that reaches all destinations.
    ///
    /// Destinations of spans get its spans through a bridge to OpenTelemetry, each in its own
    /// vocabulary. Agent Spec processors observe the trace directly. They are shut down with the
    /// telemetry, not with the trace.
    pub fn trace(&self) -> TraceBuilder {
        self.pipeline.trace()
    }

    /// The counts of the delivery to Agent 365, including tries and bytes, which
    /// [`report`](Self::report) does not have. `None` if spans do not go to Agent 365, or go
    /// through a sidecar.
    #[must_use]
    pub fn agent365_stats(&self) -> Option<DeliveryStats> {
        self.pipeline.agent365_stats()
    }

    /// A tracer for plain OpenTelemetry spans in the same traces. Name it after the code that
    /// creates the spans.
    #[must_use]
    pub fn tracer(&self, name: &'static str) -> BoxedTracer {
        self.pipeline.tracer(name)
    }

    /// Builds feedback on a span, also long after the span has ended. Store the [`SpanRef`] beside
    /// the answer that the user sees. See [`Feedback`].
    ///
    /// ```
    /// use agentspan::otel::SpanRef;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let telemetry = agentspan::configure().install()?;
    /// let answer: SpanRef = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
    /// telemetry.feedback(&answer).named("helpful").score(1.0).explained("It rained.").record();
    /// # Ok(())
    /// # }
    /// ```
    pub fn feedback(&self, about: &SpanRef) -> Feedback {
        Feedback::new(self.pipeline.provider(), about)
    }

    /// Propagates the context of a trace with requests, in the formats of `OTEL_PROPAGATORS`. The
    /// default is trace and baggage, as with [`Propagation::new`].
    #[must_use]
    pub fn propagation(&self) -> &Propagation {
        &self.propagation
    }

    /// The OpenTelemetry provider of the spans, for instrumentation that needs one.
    ///
    /// With `OTEL_SDK_DISABLED=true`, this provider is shut down: its spans record nothing, and do
    /// not continue the trace of a caller. Spans of [`tracer`](Self::tracer) and of OpenTelemetry's
    /// global provider continue it.
    #[must_use]
    pub fn provider(&self) -> &SdkTracerProvider {
        self.pipeline.provider()
    }

    /// Waits until all ended spans are delivered or dropped, for at most `timeout`.
    ///
    /// All destinations flush at the same time, and share the `timeout`. The call blocks the
    /// thread; asynchronous code calls [`flush_async`](Self::flush_async). If
    /// [`with_provider`](crate::Configuration::with_provider) customised the provider, its
    /// processors run on their own thread, `agentspan-flush`, because the SDK's flush has no
    /// deadline.
    ///
    /// # Errors
    ///
    /// [`TelemetryError::Deadline`] if the time passed first. [`TelemetryError::Processor`] if
    /// spans or hooks were lost, also before this call, and no earlier call has reported them.
    /// [`TelemetryError::Thread`] if the system refuses a thread.
    pub fn flush(&self, timeout: Duration) -> Result<(), TelemetryError> {
        self.pipeline.flush(timeout).map_err(Failed::into_error)
    }

    /// Like [`flush`](Self::flush), without blocking: a thread `agentspan-flush` waits, then wakes
    /// the task. Works in any runtime.
    ///
    /// # Errors
    ///
    /// The same as of [`flush`](Self::flush).
    ///
    /// # Cancel safety
    ///
    /// The flush starts at the first poll. If the future is dropped later, the flush continues, and
    /// only its result is lost.
    pub async fn flush_async(&self, timeout: Duration) -> Result<(), TelemetryError> {
        if self.pipeline.is_disabled() {
            return Ok(());
        }
        let pipeline = Arc::clone(&self.pipeline);
        let flushed = own_thread::run("agentspan-flush", move || pipeline.flush(timeout));
        flushed.await?.map_err(Failed::into_error)
    }

    /// Sends all queued spans, for at most `timeout`, and ends the delivery. A second call does
    /// nothing.
    ///
    /// All destinations shut down at the same time, and share the `timeout`. Spans that are still
    /// queued then are dropped and counted as `shutdown_deadline`. The call blocks the thread;
    /// asynchronous code calls [`shutdown_async`](Self::shutdown_async).
    ///
    /// Spans that end later are dropped and counted as `after_shutdown`, and one warning in the log says
    /// so. If [`with_provider`](crate::Configuration::with_provider) customised the provider, the SDK
    /// drops such spans before anybody can count them.
    ///
    /// Open spans of Agent Spec are ended first. If processors of your own are slow to hear of that, the
    /// destinations shut down after half of the `timeout` all the same.
    ///
    /// The result reports every loss that no flush has reported, however old: a span or hook counts
    /// as a loss if a destination accepted it and dropped it for any reason. That includes spans
    /// of other threads that end while the shutdown runs: they are lost as `after_shutdown`, and the
    /// error of this call counts them. Wait for your threads and tasks first.
    ///
    /// Spans that a destination is not meant to get are no losses: those that sampling leaves out, and
    /// for Agent 365, spans of other operations and spans without an identity. The
    /// [report](Self::report) counts them, too. The telemetry has ended in any case, so a program that
    /// has done its work may log the error and succeed.
    ///
    /// # Errors
    ///
    /// The same as of [`flush`](Self::flush).
    pub fn shutdown(&self, timeout: Duration) -> Result<(), TelemetryError> {
        self.unheard.log();
        let result = self.pipeline.shutdown(timeout);
        self.is_shut_down.store(true, Ordering::SeqCst);
        result.map_err(Failed::into_error)
    }

    /// Like [`shutdown`](Self::shutdown), without blocking: a thread `agentspan-shutdown` waits,
    /// then wakes the task. Works in any runtime.
    ///
    /// # Errors
    ///
    /// The same as of [`flush`](Self::flush).
    ///
    /// # Cancel safety
    ///
    /// The shutdown starts at the first poll. If the future is dropped later, the shutdown
    /// continues, and the drop of the guard waits for it, as it would without a shutdown.
    pub async fn shutdown_async(&self, timeout: Duration) -> Result<(), TelemetryError> {
        self.unheard.log();
        if self.pipeline.is_disabled() {
            return Ok(());
        }
        let pipeline = Arc::clone(&self.pipeline);
        let shutdown = move || pipeline.shutdown(timeout);
        let result = own_thread::run("agentspan-shutdown", shutdown).await?;
        self.is_shut_down.store(true, Ordering::SeqCst);
        result.map_err(Failed::into_error)
    }

    fn end_in_drop(&self) {
        let before = self.report();
        if self.flush_on_drop.is_zero() {
            self.pipeline.start_flush();
            return log_drop(&Unsent::now(&before), Ok(()));
        }
        let result = self.pipeline.shutdown(self.flush_on_drop);
        log_drop(&Unsent::between(&before, &self.report()), result);
    }
}

/// Logs, once, the spans that were not sent and the losses that no call has reported.
fn log_drop(unsent: &Unsent, result: Result<(), Failed>) {
    let said = result.err().map(|failed| failed.to_string());
    if unsent.count() == 0 && said.is_none() {
        return;
    }
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::telemetry",
            unsent = unsent.count(),
            destinations = %unsent,
            // With losses from before the drop that nobody was told of.
            error = said.as_deref(),
            "the guard was dropped before a shutdown had ended, and not everything was sent"
        );
    });
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.unheard.log();
        // A shutdown has told somebody what it did not send.
        if !self.is_shut_down.load(Ordering::SeqCst) {
            // Whatever happens, a drop must not panic: the thread may be unwinding already.
            let _ = contain::call(|| self.end_in_drop());
        }
    }
}

#[cfg(test)]
mod tests;
