//! Takes an exporter off the path of the program, and counts what becomes of its spans.

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
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_model::agentspec::Disclosure;
use agentspan_model::keys::Sensitivity;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::clock::{Clock, SystemClock};
use agentspan_queue::PerProcess;
use agentspan_queue::contain::{self, Foreign};
use agentspan_queue::queue::{DropPolicy, QueuePace, Refused, Settings};
use agentspan_record::{DropReason, FinishedSpan, Hiding, Preparation, SpanEnrichers, SpanLimits};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

pub use self::flush::ExportFlush;
use self::item::Item;
use self::process::{Process, Start};
pub use self::receipt::{Receipt, Receipts};
use self::sampler::Sampler;
pub use self::sampling::TraceSampling;
use self::sampling::is_local_root;
pub use self::stats::ExportStats;
use self::worker::Worker;

/// How long the flush and the shutdown of the SDK wait, which give no time themselves.
const SDK_TIMEOUT: Duration = Duration::from_secs(5);

type Condition = dyn Fn(&SpanData) -> bool + Send + Sync;

/// Runs an exporter on a thread of its own, behind a bounded queue, and counts what becomes of each
/// span.
///
/// A [`SpanProcessor`] of the SDK and a handle: clone it, give one to the provider and keep the
/// other to [flush](Self::flush) and to ask for [`stats`](Self::stats). Several queues of one
/// provider know nothing of each other: one whose exporter hangs or fails holds up none of the
/// others.
///
/// **The thread** is named `agentspan-queue`. It starts with the queue and ends with its
/// [`shutdown`](Self::shutdown), which joins it, or when the last handle is dropped. An exporter that is
/// still busy when the deadline of a shutdown passes is left behind with its thread. What it sends makes
/// no telemetry.
///
/// **What is lost.** The queue is bounded in spans and in bytes, the batch that is being exported
/// included. When it is full, the newest spans are dropped. Each span that is lost is counted under an
/// [`DropReason`]; `accepted = exported + dropped + queued` holds at any time.
///
/// **After a fork** without `exec` the child's queue starts empty and counts from zero: what was queued is the
/// parent's to export. The child's own spans are exported on a thread of its own if the queue
/// [can make an exporter](ExportQueueBuilder::with_exporter_after_fork) for it, and else dropped and counted.
///
/// **What the exporter sees.** Contents masked, unless
/// [`with_disclosure`](ExportQueueBuilder::with_disclosure) says otherwise: its own copy is changed, after
/// it was queued. Agent Spec spans in the vocabulary of Agent Spec, unless
/// [`with_mapping`](ExportQueueBuilder::with_mapping) names another one.
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
    /// What the exporter was told last.
    resource: Mutex<Option<Resource>>,
}

impl Handle {
    /// What belongs to this process.
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

/// Everything that can be said of an [`ExportQueue`]. See [`ExportQueue::builder`].
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
    /// Sets how many spans may wait or be in flight. The default is 65,536; at least one may.
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.settings.max_items = spans.max(1);
        self
    }

    /// Sets how many bytes the spans that wait or are in flight may hold, as estimated. The default
    /// is 64 MiB. A span that is larger is taken by an empty queue.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self
    }

    /// Sets how large a span may be. What is over is cut with a note before the span is queued, and
    /// counted in [`ExportStats::cuts`]; an Agent Spec span is cut once it is rendered. Default:
    /// [`SpanLimits::default`].
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many spans the exporter gets at once, at most. The default is 512, and never more
    /// than may wait; it gets one at least.
    pub fn with_batch_spans(mut self, spans: usize) -> Self {
        self.settings.gather_items = spans.max(1);
        self
    }

    /// Sets how long spans wait for a batch to fill. The default is 1 second.
    pub fn with_batch_delay(mut self, delay: Duration) -> Self {
        self.settings.gather_time = delay;
        self
    }

    /// Sets whether the exporter sees contents. The default is that it sees masks.
    ///
    /// See [`Masked`](crate::Masked). An exporter that is [`Rendered`](crate::Rendered) is to see
    /// them, and the one in it to be masked.
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.preparation = self.preparation.with_hiding(Hiding::from(disclosure));
        self
    }

    /// Renders the spans of agents with `mapping`, on the queue's thread: those of Agent Spec,
    /// those of scopes, and those of other frameworks in any known convention. The default is that
    /// only Agent Spec spans whose attributes the bridge did not write are rendered, in the
    /// vocabulary of Agent Spec.
    ///
    /// Contents that the mapping captures are masked afterwards, unless
    /// [`with_disclosure`](Self::with_disclosure) says otherwise.
    pub fn with_mapping(mut self, mapping: Mapping) -> Self {
        self.preparation = self.preparation.with_mapping(mapping);
        self
    }

    /// Sets what is asked about each span once it is rendered, before it is masked. The default is
    /// nothing.
    pub fn with_enrichers(mut self, enrichers: SpanEnrichers) -> Self {
        self.preparation = self.preparation.with_enrichers(enrichers);
        self
    }

    /// Shows the exporter what is known to be harmless, and nothing else, see
    /// [`Masked::known_harmless`](crate::Masked::known_harmless). Of this and
    /// [`with_disclosure`](Self::with_disclosure), the later call counts.
    pub fn with_known_harmless_only(mut self) -> Self {
        self.preparation = self.preparation.with_hiding(Hiding::AllButHarmless);
        self
    }

    /// Sets which spans the exporter gets. The default is all of them.
    ///
    /// Asked on the thread that ends the span: it should be quick. A span that it panics over is
    /// not exported, and counted as [`DropReason::Panic`].
    pub fn with_filter(
        mut self,
        condition: impl Fn(&SpanData) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.condition = Some(Box::new(condition));
        self
    }

    /// Sets which traces the exporter gets, see [`TraceSampling`]. The default is all of them.
    pub fn with_sampling(mut self, sampling: TraceSampling) -> Self {
        self.sampling = Some(sampling);
        self
    }

    /// Sets the clock by which the [sampling](Self::with_sampling) knows how long a trace has waited. The default
    /// is that of the system; a test takes one that moves when it is told to.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the exporter puts what the receiver says of a batch beside taking it.
    pub fn with_receipts(mut self, receipts: Receipts) -> Self {
        self.receipts = receipts;
        self
    }

    /// Sets how the child of a fork without `exec` gets an exporter. It starts a thread of its own
    /// for it with its first span; the exporter is told the resource again.
    ///
    /// Without this, all spans of a child are dropped and counted as [`DropReason::Forked`]: the
    /// exporter is on the parent's thread, and to use a copy of its connections would disturb the
    /// parent's. `make` is to use nothing of the exporter that the parent has: no connection,
    /// runtime, thread or lock.
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
    /// The system refuses a thread. Try again when it has less to do.
    pub fn build(mut self) -> io::Result<ExportQueue> {
        // A batch that is never full would be waited for while the queue drops what comes.
        let batch = self.settings.gather_items.min(self.settings.max_items);
        self.settings.gather_items = batch;
        // The table of keys is made once in a process, on the thread that asks first. Were that the
        // thread of the queue, a child that is forked meanwhile would wait for it for ever.
        let _ = Sensitivity::of("");
        let (name, preparation) = (Arc::clone(&self.name), self.preparation);
        let (receipts, limits) = (self.receipts, self.limits);
        let (sampling, settings, clock) = (self.sampling, self.settings, self.clock);
        let start = move |process: &Arc<Process>, exporter| {
            let worker = Worker {
                name: Arc::clone(&name),
                process: Arc::clone(process),
                exporter,
                limits,
                preparation: preparation.clone(),
                receipts: receipts.clone(),
                batch,
                sampler: sampling.map(|sampling| Sampler::new(sampling, settings)),
                clock: Arc::clone(&clock),
            };
            let named = thread::Builder::new().name("agentspan-queue".to_owned());
            process.start_thread(|| named.spawn(move || worker.run()))
        };
        let process = Arc::new(Process::new(self.settings));
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
    /// Starts to build a queue in front of `exporter`; logs and reports call it `name`.
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

    /// How logs and reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Counts of the spans so far.
    #[must_use]
    pub fn stats(&self) -> ExportStats {
        self.0.process().stats()
    }

    /// The receiver's last message about spans that it rejected, a batch that it refused,
    /// or as a warning: its own words, escaped and cut
    /// to 200 characters. A receiver that sees contents may repeat them.
    #[must_use]
    pub fn receiver_message(&self) -> Option<String> {
        self.0.process().receiver_message()
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
        let is_wanted = contain::call(|| condition(span)).unwrap_or_else(|_| {
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

    fn log_first(&self, refused: Refused<DropReason>) {
        if refused.is_first {
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
        let kept = self.0.resource.lock();
        *kept.unwrap_or_else(PoisonError::into_inner) = Some(resource.clone());
        self.0.process().put_resource(resource.clone());
    }

    /// Starts to export what is queued now, and does not wait for it.
    ///
    /// Several queues keep one deadline together if all of them start before anybody waits for the
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
            ticket: process.queue.start_flush(),
        }
    }

    /// Waits until what is queued now is exported or dropped, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`ExportFlush::wait`].
    pub fn flush(&self, timeout: Duration) -> OTelSdkResult {
        self.start_flush().wait(timeout)
    }

    /// Starts to end the queue: what waits is exported, what comes is dropped. Does not wait.
    pub fn start_shutdown(&self) {
        self.0.process().close();
    }

    /// Exports what waits, for at most `timeout`, and ends the thread. A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`OTelSdkError::Timeout`](opentelemetry_sdk::error::OTelSdkError::Timeout) when the time
    /// passed first. What was not exported is dropped and counted as
    /// [`DropReason::ShutdownDeadline`]. `InternalFailure` when spans were lost for other reasons
    /// of which no call has told yet, the deadline beside them if it passed, and when the exporter
    /// fails to end, which the thread does all the same.
    pub fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        let process = self.0.process();
        let told = process.queue.told_so_far();
        process.close();
        let outcome = process.wait_for_end(Instant::now().checked_add(timeout));
        flush::of_shutdown(&self.0.name, outcome, timeout, process.queue.tell(told))
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
