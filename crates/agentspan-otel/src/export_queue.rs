//! Isolates an exporter from the program, and counts the outcome of its spans.

mod flush;
mod item;
mod process;
mod receipt;
mod sampler;
mod sampling;
mod stats;
mod worker;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_model::agentspec::Disclosure;
use agentspan_model::keys::Sensitivity;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::clock::{Clock, SystemClock};
use agentspan_queue::contain::{self, Foreign};
use agentspan_queue::queue::{DropPolicy, QueuePace, Refused, Settings};
use agentspan_queue::{PerProcess, lock};
use agentspan_record::{
    DropReason, FinishedSpan, Hiding, Preparation, SpanEnrichers, SpanLimits, flush_result,
};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

pub use self::flush::ExportFlush;
use self::item::Item;
use self::process::{Outcome, Process, Start};
pub use self::receipt::{Receipt, Receipts};
use self::sampler::Sampler;
pub use self::sampling::TraceSampling;
use self::sampling::is_local_root;
pub use self::stats::ExportStats;
use self::worker::Worker;

/// The deadline of the SDK's flush and shutdown, which set none themselves.
const SDK_TIMEOUT: Duration = Duration::from_secs(5);

type Condition = dyn Fn(&SpanData) -> bool + Send + Sync;

/// Runs an exporter on its own thread, behind a bounded queue, and counts the outcome of each span.
///
/// It is both a [`SpanProcessor`] of the SDK and a handle: clone it, pass one clone to the
/// provider, and keep the other for [`flush`](Self::flush) and [`stats`](Self::stats). The queues
/// of a provider are isolated from each other: an exporter that hangs or fails does not delay the
/// others.
///
/// **The thread** is named `agentspan-queue`. It starts with the queue and ends with its
/// [`shutdown`](Self::shutdown), which joins it, or when the last handle is dropped. An exporter
/// that is still busy when the deadline of a shutdown passes is left behind with its thread. The
/// exporter's own requests create no telemetry.
///
/// **Losses.** The queue is bounded in spans and in bytes, which include the batch in flight. When
/// the queue is full, the newest spans are dropped. Each lost span is counted under a
/// [`DropReason`]; `accepted = exported + dropped + queued` holds at any time.
///
/// **After a fork** without `exec` the child's queue starts empty and counts from zero: the parent
/// exports the spans that were queued before. The child exports its own spans on its own thread if
/// the queue [can create an exporter](ExportQueueBuilder::with_exporter_after_fork) for it.
/// Otherwise, they are dropped and counted.
///
/// **The exporter's view.** Contents are masked in the exporter's own copy, unless
/// [`with_disclosure`](ExportQueueBuilder::with_disclosure) shows them. Agent Spec spans have the
/// vocabulary of Agent Spec, unless [`with_mapping`](ExportQueueBuilder::with_mapping) sets
/// another.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_otel::{ConsoleExporter, ExportQueue};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = ExportQueue::builder("console", ConsoleExporter::new()).build()?;
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(queue.clone())
///     .build();
/// # drop(provider);
/// queue.shutdown(Duration::from_secs(5))?;
/// assert_eq!(queue.stats().dropped(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ExportQueue(Arc<Handle>);

struct Handle {
    name: Arc<str>,
    process: PerProcess<Process>,
    limits: SpanLimits,
    condition: Option<Foreign<Box<Condition>>>,
    sampling: Option<TraceSampling>,
    /// Starts the thread of a child.
    start: Option<Box<Start>>,
    /// The resource that the exporter was told last.
    resource: Mutex<Option<Resource>>,
}

impl Handle {
    /// The state of this process.
    fn process(&self) -> &Arc<Process> {
        self.process.get(|parent| {
            // Another thread of the parent may have held the lock at the fork.
            let resource = self.resource.try_lock().ok();
            let resource = resource.and_then(|resource| resource.clone());
            Process::of_child(parent, resource)
        })
    }
}

impl Drop for Handle {
    /// Does not wait: the thread exports what is queued and ends.
    fn drop(&mut self) {
        // A child of a fork that did not use it has nothing to close.
        if let Some(process) = self.process.known() {
            process.close();
        }
    }
}

/// Builds an [`ExportQueue`]. See [`ExportQueue::builder`].
#[must_use = "a queue does nothing before `build`"]
pub struct ExportQueueBuilder<E> {
    name: Arc<str>,
    exporter: E,
    settings: Settings,
    limits: SpanLimits,
    preparation: Preparation,
    receipts: Receipts,
    condition: Option<Box<Condition>>,
    sampling: Option<TraceSampling>,
    clock: Arc<dyn Clock>,
    after_fork: Option<Box<AfterFork<E>>>,
}

/// Makes an exporter for a child.
type AfterFork<E> = dyn Fn() -> io::Result<E> + Send + Sync;

impl<E: SpanExporter + 'static> ExportQueueBuilder<E> {
    /// Sets how many spans may be queued or in flight, at least one: 0 counts as 1. The default is
    /// 65,536.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.settings.max_items = spans.max(1);
        self
    }

    /// Sets how many bytes the spans that are queued or in flight may hold, by estimate. The
    /// default is 64 MiB. An empty queue also accepts a larger span, so 0 bytes hold one span at a
    /// time.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self
    }

    /// Sets how large a span may be. A larger span is cut before it is queued, with a note, and the
    /// cuts are counted in [`ExportStats::cuts`]. An Agent Spec span is cut after it is rendered.
    /// The default is [`SpanLimits::default`].
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the maximum number of spans in a batch, at least one: 0 counts as 1. The default is 512,
    /// and never more than the queue holds.
    pub fn with_batch_spans(mut self, spans: usize) -> Self {
        self.settings.gather_items = spans.max(1);
        self
    }

    /// Sets how long a span waits for its batch to fill. The default is 1 second.
    pub fn with_batch_delay(mut self, delay: Duration) -> Self {
        self.settings.gather_time = delay;
        self
    }

    /// Sets whether the exporter gets contents. By default, it gets masks.
    ///
    /// See [`Masked`](crate::Masked). If the exporter is [`Rendered`](crate::Rendered), show it
    /// contents, and mask the exporter inside it.
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.preparation = self.preparation.with_hiding(Hiding::from(disclosure));
        self
    }

    /// Renders the spans of agents with `mapping`, on the queue's thread: spans of Agent Spec, of
    /// scopes, and of other frameworks in any known convention. By default, only Agent Spec spans
    /// without attributes from the bridge are rendered, in the vocabulary of Agent Spec.
    ///
    /// Contents that the mapping captures are masked afterwards, unless
    /// [`with_disclosure`](Self::with_disclosure) shows them.
    pub fn with_mapping(mut self, mapping: Mapping) -> Self {
        self.preparation = self.preparation.with_mapping(mapping);
        self
    }

    /// Sets enrichers, which change each span after it is rendered and before it is masked. By
    /// default, there are none.
    pub fn with_enrichers(mut self, enrichers: SpanEnrichers) -> Self {
        self.preparation = self.preparation.with_enrichers(enrichers);
        self
    }

    /// Passes only attributes that are known to be harmless, see
    /// [`Masked::known_harmless`](crate::Masked::known_harmless). This and
    /// [`with_disclosure`](Self::with_disclosure) override each other: the later call takes effect.
    pub fn with_known_harmless_only(mut self) -> Self {
        self.preparation = self.preparation.with_hiding(Hiding::AllButHarmless);
        self
    }

    /// Sets a filter that selects spans. By default, the exporter gets all spans.
    ///
    /// The filter runs on the thread that ends the span, so it should be quick. Spans that it starts
    /// itself are not recorded. If it panics, the span is dropped and counted as
    /// [`DropReason::Panic`].
    pub fn with_filter(
        mut self,
        condition: impl Fn(&SpanData) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.condition = Some(Box::new(condition));
        self
    }

    /// Sets which traces the exporter gets, see [`TraceSampling`]. By default, it gets all traces.
    pub fn with_sampling(mut self, sampling: TraceSampling) -> Self {
        self.sampling = Some(sampling);
        self
    }

    /// Sets the clock that measures how long a trace waits for its [sampling](Self::with_sampling).
    /// The default is the system's clock. Tests use a manual clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the exporter reports the receiver's answer to a batch. See [`Receipts`].
    pub fn with_receipts(mut self, receipts: Receipts) -> Self {
        self.receipts = receipts;
        self
    }

    /// Sets how to create an exporter in the child of a fork without `exec`. The child starts its
    /// own thread with its first span, and passes the resource to the new exporter.
    ///
    /// Without this, all spans of a child are dropped and counted as [`DropReason::Forked`]: the
    /// exporter runs on the parent's thread, and a copy of its connections would disturb the
    /// parent's. `make` must not use anything of the parent's exporter: no connection, runtime,
    /// thread or lock.
    pub fn with_exporter_after_fork(
        mut self,
        make: impl Fn() -> io::Result<E> + Send + Sync + 'static,
    ) -> Self {
        self.after_fork = Some(Box::new(make));
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system refuses a thread. Try again when the system is less busy.
    pub fn build(mut self) -> io::Result<ExportQueue> {
        // A batch that is never full would be waited for while the queue drops what comes.
        let batch = self.settings.gather_items.min(self.settings.max_items);
        self.settings.gather_items = batch;
        // The table of keys is made once in a process, on the thread that asks first. Were that the
        // thread of the queue, a child that is forked meanwhile would wait for it for ever.
        let _ = Sensitivity::of("");
        let (name, preparation) = (Arc::clone(&self.name), self.preparation);
        let limits = self.limits;
        let (sampling, settings, clock) = (self.sampling, self.settings, self.clock);
        let start = move |process: &Arc<Process>, exporter| {
            let worker = Worker {
                name: Arc::clone(&name),
                process: Arc::clone(process),
                exporter,
                limits,
                preparation: preparation.clone(),
                batch,
                sampler: sampling.map(|sampling| Sampler::new(sampling, settings)),
                clock: Arc::clone(&clock),
                last_loss: None,
            };
            let named = thread::Builder::new().name("agentspan-queue".to_owned());
            process.start_thread(|| named.spawn(move || worker.run()))
        };
        self.receipts.set_queue_name(&self.name);
        let process = Arc::new(Process::new(self.settings, self.receipts));
        start(&process, self.exporter)?;
        let start = self.after_fork.map(|make| -> Box<Start> {
            Box::new(move |process| {
                let made = contain::call(&make).map_err(io::Error::other)??;
                start(process, made)
            })
        });
        Ok(ExportQueue(Arc::new(Handle {
            name: self.name,
            process: PerProcess::new(process),
            limits,
            condition: self.condition.map(Foreign::new),
            sampling,
            start,
            resource: Mutex::default(),
        })))
    }
}

/// Masks, and has Agent Spec spans say all that is known of them.
fn default_preparation() -> Preparation {
    let mapping = Mapping::new(Rendering::AgentSpec);
    let mapping = mapping.with_capture(ContentCapture::from(Disclosure::Clear));
    Preparation::of_records(mapping).with_hiding(Hiding::from(Disclosure::Masked))
}

impl<E> fmt::Debug for ExportQueueBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportQueueBuilder")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .field("preparation", &self.preparation)
            .finish_non_exhaustive()
    }
}

impl ExportQueue {
    /// Builds a queue in front of `exporter`. Logs and reports use `name`.
    pub fn builder<E: SpanExporter + 'static>(
        name: impl Into<String>,
        exporter: E,
    ) -> ExportQueueBuilder<E> {
        ExportQueueBuilder {
            name: name.into().into(),
            exporter,
            settings: Settings {
                max_items: 1 << 16,
                max_bytes: 64 << 20,
                drop_policy: DropPolicy::Newest,
                gather_items: 512,
                gather_time: Duration::from_secs(1),
                pace: QueuePace::Batches,
            },
            limits: SpanLimits::default(),
            preparation: default_preparation(),
            receipts: Receipts::new(),
            condition: None,
            sampling: None,
            clock: Arc::new(SystemClock::default()),
            after_fork: None,
        }
    }

    /// The name in logs and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Counts of the spans so far.
    #[must_use]
    pub fn stats(&self) -> ExportStats {
        self.0.process().stats()
    }

    /// The receiver's last message about rejected spans or a refused batch, or its last warning,
    /// escaped and cut to 200 characters. A receiver that sees contents may repeat them.
    #[must_use]
    pub fn receiver_message(&self) -> Option<String> {
        self.0.process().receiver_message()
    }

    /// Why the batch in flight is not exported yet, in the words of an exporter that
    /// [says so](Receipts::put), such as OTLP in `agentspan`: the last try, or that there is no answer
    /// yet. `None` if no batch is in flight, and for other exporters.
    #[must_use]
    pub fn awaited(&self) -> Option<String> {
        self.0.process().receipts.failure()
    }

    /// Why spans were lost last, in the words of an exporter that
    /// [says so](Receipt::with_failure), such as OTLP in `agentspan`. `None` while nothing is lost,
    /// and for other exporters, whose errors may hold texts that no report should show. It holds no
    /// secret and no text from the receiver.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.0.process().last_failure()
    }

    /// Whether a filter looks at spans before they are queued.
    #[must_use]
    pub fn has_filter(&self) -> bool {
        self.0.condition.is_some()
    }

    /// Whether the exporter is to get this span: it is sampled, and meets the filter. What the
    /// filter panics over is counted here.
    #[must_use]
    pub fn wants(&self, span: &SpanData) -> bool {
        if !span.span_context.is_sampled() {
            return false;
        }
        let Some(condition) = self.0.condition.as_ref().and_then(Foreign::get) else {
            return true;
        };
        let is_wanted = contain::call(|| {
            // The end of a span of its own would call it again, without end.
            let _quiet = Context::enter_telemetry_suppressed_scope();
            condition(span)
        })
        .unwrap_or_else(|_| {
            self.log_first(self.0.process().queue.refuse(DropReason::Panic));
            false
        });
        if let Some(sampling) = self
            .0
            .sampling
            .filter(|_| !is_wanted && is_local_root(span))
        {
            let trace = span.span_context.trace_id();
            self.0
                .process()
                .root_has_ended(trace, sampling.decides(span));
        }
        is_wanted
    }

    /// Queues a span without asking the filter. Does not wait.
    pub fn put(&self, span: impl Into<FinishedSpan>) {
        let process = self.0.process();
        let mut span = span.into();
        let (cuts, bytes) = span.cut(&self.0.limits);
        process.has_cut(cuts);
        let put = process.queue.put(Item::new(span, bytes));
        if let Some(refused) = put.refused {
            self.log_first(refused);
        } else if put.needs_thread && process.start_in_child(self.0.start.as_deref()).is_err() {
            self.log_no_thread();
        }
    }

    #[cold]
    fn log_no_thread(&self) {
        contain::log(|| {
            tracing::error!(
                target: "agentspan::otel::export_queue",
                destination = &*self.0.name,
                "there is no exporter after a fork"
            );
        });
    }

    /// A span after the shutdown is only counted: the facade warns of it, once for all of its queues.
    fn log_first(&self, refused: Refused<DropReason>) {
        if refused.is_first && refused.loss != DropReason::AfterShutdown {
            contain::log(|| {
                tracing::error!(
                    target: "agentspan::otel::export_queue",
                    destination = &*self.0.name,
                    reason = refused.loss.as_str(),
                    "a span was dropped; further ones are counted"
                );
            });
        }
    }

    /// Tells the exporter the resource, the facts about the program.
    pub fn put_resource(&self, resource: &Resource) {
        *lock(&self.0.resource) = Some(resource.clone());
        self.0.process().put_resource(resource.clone());
    }

    /// Starts to export the queued spans, and does not wait. An exporter that pauses before its next try
    /// may [end its pause](Receipts::hurried).
    ///
    /// To flush several queues within one deadline, start all flushes before you wait for the
    /// first.
    #[expect(
        clippy::must_use_candidate,
        reason = "it goes on without being waited for"
    )]
    pub fn start_flush(&self) -> ExportFlush {
        let process = self.0.process();
        ExportFlush {
            queue: self.clone(),
            told: process.queue.told_so_far(),
            ticket: process.start_flush(),
        }
    }

    /// Waits until the queued spans are exported or dropped, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// The same as of [`ExportFlush::wait`].
    pub fn flush(&self, timeout: Duration) -> OTelSdkResult {
        self.start_flush().wait(timeout)
    }

    /// Starts the shutdown, and does not wait: queued spans are exported, and new spans are
    /// dropped.
    pub fn start_shutdown(&self) {
        self.0.process().close();
    }

    /// Exports the queued spans, for at most `timeout`, and ends the thread. A second call does
    /// nothing. `shutdown(Duration::ZERO)` succeeds if nothing is queued.
    ///
    /// # Errors
    ///
    /// [`OTelSdkError::Timeout`](opentelemetry_sdk::error::OTelSdkError::Timeout) if the time
    /// passed first. The remaining spans are dropped and counted as
    /// [`DropReason::ShutdownDeadline`]. `InternalFailure` if spans were lost for other reasons
    /// that no call has reported, in addition to the deadline if it passed, and if the shutdown of
    /// the exporter fails. The thread ends in any case. On the queue's own thread, `InternalFailure` at
    /// once: the thread cannot wait for itself, and ends when the remaining spans are exported.
    pub fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        let process = self.0.process();
        let told = process.queue.told_so_far();
        process.close();
        if process.queue.is_own_thread() {
            return Err(flush::own_thread(&self.0.name));
        }
        // As a flush, a shutdown without time does not wait for the exporter.
        let is_done = timeout.is_zero() && process.queue.counts().queued == 0;
        let outcome = match process.wait_for_end(Instant::now().checked_add(timeout)) {
            Outcome::Late if is_done => Outcome::Done,
            outcome => outcome,
        };
        let name = &self.0.name;
        let late = (outcome == Outcome::Late).then_some(timeout);
        let failed = (outcome == Outcome::Failed)
            .then(|| format!("the exporter of {name} cannot be shut down"));
        let losses = process.queue.tell(told);
        let why = process.failure_behind(&losses);
        let why = why.map(|why| format!("{name}: {why}"));
        flush_result(name, losses, late, failed.into_iter().chain(why))
    }
}

impl SpanProcessor for ExportQueue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.wants(&span) {
            self.put(FinishedSpan::received(span));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.flush(SDK_TIMEOUT)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.shutdown(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.put_resource(resource);
    }
}

impl fmt::Debug for ExportQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportQueue")
            .field("name", &self.0.name)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
