//! Isolates a processor from the program: runs its hooks on a separate thread.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use agentspan_model::agentspec::Disclosure;
use agentspan_queue::contain::Foreign;
pub use agentspan_queue::queue::DropPolicy;
use agentspan_queue::queue::{Queue, QueuePace, Settings};
use agentspan_queue::told::counted;
use agentspan_queue::{PerProcess, told};

use crate::{HookError, HookFuture, Span, SpanEvent, SpanProcessor};

mod driver;
mod item;
mod worker;

use item::{HookLoss, Item, LOSSES};

/// Runs the hooks of a processor on a separate thread, so that the program does not wait for them.
///
/// It is a handle: clone it, pass one clone to the trace, and keep the other for
/// [`flush`](Self::flush) and [`stats`](Self::stats).
///
/// **The thread** is named `agentspan-queue`. It starts with the first hook. It ends, once all
/// queued hooks have run, when the trace shuts the queue down or when the last handle is dropped.
/// The next trace starts a new thread. A failing hook is logged and counted, as under
/// [`ErrorPolicy::Report`](crate::ErrorPolicy::Report).
///
/// **Hooks.** The thread calls the asynchronous hooks, whether the program awaits its spans or not,
/// and waits for each before it calls the next. By default, an asynchronous hook calls the
/// synchronous one, so implement one of them. The thread has no runtime, see
/// [`HookFuture`](HookFuture#without-a-runtime).
///
/// **Losses.** The queue is bounded in [hooks](BackgroundQueueBuilder::with_max_hooks) and in
/// [bytes](BackgroundQueueBuilder::with_max_bytes), including hooks in flight. When the queue is
/// full, hooks are dropped and counted; [`DropPolicy`] decides which. The processor never sees a
/// part of a span: if the queue drops the start of a span, it drops all hooks of the span, and for
/// each start that it accepts, it reserves a place for the end. At any time, *accepted = handled +
/// dropped + queued*. A flush or a shutdown reports dropped and failed hooks once. At the deadline
/// of a shutdown, the queued hooks are dropped, and so is the future of an asynchronous hook. The
/// processor is still shut down when the running hook returns.
///
/// **After a fork** without `exec` the child's queue starts empty: the queued hooks belong to the
/// parent. The child's own spans start a new thread. Spans that were open at the fork belong to the
/// parent, too, and processors in the child do not see them.
///
/// A hook sees the state of the span at the time when the hook runs. For example, a span may have
/// ended before its `on_start` runs.
///
/// ```
/// use std::time::Duration;
///
/// use agentspan_processor::{BackgroundQueue, InMemory, Trace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = InMemory::new();
/// let queue = BackgroundQueue::new(memory.clone());
/// let trace = Trace::builder().with_processor(queue.clone()).start()?;
/// queue.flush(Duration::from_secs(5))?;
/// assert_eq!(memory.open_spans(), ["RootSpan"]);
/// trace.end()?;
/// assert_eq!((queue.stats().handled, queue.stats().dropped), (4, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BackgroundQueue(Arc<Handle>);

/// How many hooks may wait or run, if nobody says otherwise.
const MAX_HOOKS: usize = 1 << 18;

/// How many bytes the spans that wait may hold, if nobody says otherwise.
const MAX_BYTES: u64 = 64 << 20;

/// How many hooks wake the thread before the time is over that it lets them gather. More of them
/// would be cold by the time that the thread frees them, and it would fall behind.
const GATHER: usize = 1024;

/// How long the thread lets hooks gather after the first one has woken it.
const GATHER_TIME: Duration = Duration::from_millis(10);

/// How many times the thread looks after that long by itself before it sleeps until somebody wakes
/// it: where there was work, there is more to come.
const NAPS: u32 = 10;

/// The state that a queue shares with its thread, in one process.
struct Shared {
    processor: Foreign<Arc<dyn SpanProcessor>>,
    queue: Queue<Item, LOSSES>,
    /// No trace follows: hooks are refused.
    is_closed: AtomicBool,
}

impl Shared {
    /// `None` only while this is dropped.
    fn processor(&self) -> Option<&dyn SpanProcessor> {
        self.processor.get().map(|processor| &**processor)
    }

    /// Queues an item, or drops some, and sees to it that the thread runs.
    #[inline]
    fn put(self: &Arc<Self>, item: Item) -> Result<(), HookError> {
        // Relaxed: a hook that comes at the same moment may be queued, and is handled then.
        if self.is_closed.load(Ordering::Relaxed) {
            self.queue.refuse(HookLoss::AfterShutdown);
            return Ok(());
        }
        if self.queue.put(item).needs_thread {
            self.start_thread()?;
        }
        Ok(())
    }

    #[cold]
    fn start_thread(self: &Arc<Self>) -> Result<(), HookError> {
        let shared = Arc::clone(self);
        let named = thread::Builder::new().name("agentspan-queue".to_owned());
        let started = self
            .queue
            .start_thread(|| named.spawn(move || worker::run(&shared)));
        Ok(started?)
    }

    /// The hooks that were lost and that no call has told of which began `before`.
    fn tell(&self, before: [u64; LOSSES]) -> Result<(), FlushError> {
        match self.queue.tell(before) {
            // A hook after the shutdown is in the counts: it is no loss of a flush or of the shutdown.
            [0, 0, 0, 0, 0, _] => Ok(()),
            [
                queue_full,
                failed,
                not_started,
                shutdown_deadline,
                panicked,
                _,
            ] => Err(FlushError::Lost {
                queue_full,
                failed: failed + not_started + panicked,
                shutdown_deadline,
            }),
        }
    }
}

/// Tells the thread when the last handle is gone.
struct Handle {
    shared: PerProcess<Shared>,
    shutdown_timeout: Duration,
}

impl Drop for Handle {
    /// Does not wait.
    fn drop(&mut self) {
        // A child of a fork that did not use it has nothing to close.
        if let Some(shared) = self.shared.known() {
            shared.queue.end_when_empty();
        }
    }
}

/// Counts of the hooks of a [`BackgroundQueue`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// The number of hooks: *handled + dropped + queued*.
    pub accepted: u64,
    /// The number of hooks that the processor ran.
    pub handled: u64,
    /// The number of dropped hooks.
    pub dropped: u64,
    /// The dropped hooks that were queued or in flight at the deadline of a shutdown.
    pub dropped_at_shutdown: u64,
    /// The dropped hooks of spans whose `on_start` failed.
    pub dropped_after_failure: u64,
    /// The dropped hooks that came after the queue was [closed](BackgroundQueue::close).
    pub dropped_after_shutdown: u64,
    /// The number of hooks that are queued or in flight.
    pub queued: u64,
    /// The estimated memory of the queued spans that have ended, in bytes.
    pub queued_bytes: u64,
    /// The handled hooks that failed or panicked.
    pub failed: u64,
    /// The part of `failed` that panicked.
    pub panicked: u64,
}

/// Builds a [`BackgroundQueue`]. See [`BackgroundQueue::builder`].
#[derive(Debug)]
#[must_use = "this is not a processor yet"]
pub struct BackgroundQueueBuilder {
    processor: Arc<dyn SpanProcessor>,
    max_hooks: usize,
    max_bytes: u64,
    drop_policy: DropPolicy,
    shutdown_timeout: Duration,
}

impl BackgroundQueueBuilder {
    /// Sets how many hooks may be queued or in flight, at least 4: a smaller number counts as 4. The
    /// default is 262,144. With spans of usual size, the [limit in bytes](Self::with_max_bytes) is
    /// reached first.
    ///
    /// A span that has started also reserves a place for its end.
    pub fn with_max_hooks(mut self, hooks: usize) -> Self {
        self.max_hooks = hooks.max(4);
        self
    }

    /// Sets how many bytes queued spans may hold, by [estimate](Span::held_bytes). The default is
    /// 64 MiB.
    ///
    /// A span counts, with all of its events, from its end on, because the program holds it while
    /// it is open. If there is no room, and all of its hooks are still queued, they are dropped
    /// together. The end of a span whose start was handled is queued in any case. A larger span is
    /// accepted if no other ended span is queued.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self
    }

    /// Sets which hooks are dropped when the queue is full. The default is [`DropPolicy::Newest`].
    pub fn with_drop_policy(mut self, drop_policy: DropPolicy) -> Self {
        self.drop_policy = drop_policy;
        self
    }

    /// Sets how long a synchronous `shutdown` waits for queued hooks. The default is 5 seconds.
    pub fn with_shutdown_timeout(mut self, shutdown_timeout: Duration) -> Self {
        self.shutdown_timeout = shutdown_timeout;
        self
    }

    /// Builds the queue. Its thread starts later, with the first hook.
    #[must_use]
    pub fn build(self) -> BackgroundQueue {
        BackgroundQueue(Arc::new(Handle {
            shared: PerProcess::new(Shared {
                processor: Foreign::new(self.processor),
                queue: Queue::new(Settings {
                    max_items: self.max_hooks,
                    max_bytes: self.max_bytes,
                    drop_policy: self.drop_policy,
                    gather_items: GATHER.min(self.max_hooks / 4),
                    gather_time: GATHER_TIME,
                    pace: QueuePace::Eager { naps: NAPS },
                }),
                is_closed: AtomicBool::new(false),
            }),
            shutdown_timeout: self.shutdown_timeout,
        }))
    }
}

/// Errors of a [flush](BackgroundQueue::flush) and a [shutdown](BackgroundQueue::wait_for_end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The timeout passed first. The thread continues with the queued hooks; flush again, or allow
    /// more time.
    #[error("{} still queued", counted(*queued, "hook is", "hooks are"))]
    TimedOut {
        /// The number of queued hooks.
        queued: u64,
    },
    /// Hooks were lost that no call has reported before. The log has a line for each failed hook.
    #[error("{}", lost(*queue_full, *failed, *shutdown_deadline))]
    Lost {
        /// The hooks that were dropped because the queue was full. Enlarge the queue, or make the
        /// processor faster.
        queue_full: u64,
        /// The hooks that failed or panicked, and the hooks of spans whose start did.
        failed: u64,
        /// The hooks that were queued or in flight at the deadline of a shutdown. Allow more time.
        shutdown_deadline: u64,
    },
    /// A hook of the processor flushes its own queue, which would wait for itself. Flush from
    /// another thread.
    #[error("the queue cannot be flushed from its own thread")]
    OwnThread,
}

fn lost(queue_full: u64, failed: u64, shutdown_deadline: u64) -> String {
    let losses = [
        ("queue_full", queue_full),
        ("failed", failed),
        ("shutdown_deadline", shutdown_deadline),
    ];
    told::sentence("hook", losses).unwrap_or_default()
}

impl BackgroundQueue {
    /// Creates a queue in front of a processor.
    #[must_use]
    pub fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self::builder(processor).build()
    }

    /// Builds a queue in front of a processor.
    pub fn builder(processor: impl SpanProcessor + 'static) -> BackgroundQueueBuilder {
        BackgroundQueueBuilder {
            processor: Arc::new(processor),
            max_hooks: MAX_HOOKS,
            max_bytes: MAX_BYTES,
            drop_policy: DropPolicy::default(),
            shutdown_timeout: Duration::from_secs(5),
        }
    }

    /// Counts of the hooks so far.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        let counts = self.shared().queue.counts();
        let panicked = counts.lost_for(HookLoss::Panicked);
        let failed = counts.lost_for(HookLoss::Failed) + panicked;
        QueueStats {
            accepted: counts.accepted,
            handled: counts.done + failed,
            dropped: counts.lost.iter().sum::<u64>() - failed,
            dropped_at_shutdown: counts.lost_for(HookLoss::ShutdownDeadline),
            dropped_after_failure: counts.lost_for(HookLoss::NotStarted),
            dropped_after_shutdown: counts.lost_for(HookLoss::AfterShutdown),
            queued: counts.queued,
            queued_bytes: counts.queued_bytes,
            failed,
            panicked,
        }
    }

    /// Waits until all hooks that were queued before this call are handled.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if the wait takes longer than `timeout`, if hooks were lost that no call has
    /// reported, also before this call, or if a hook of the processor calls this.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let shared = self.shared();
        let told = shared.queue.told_so_far();
        match self.wait_for_queued(timeout) {
            // The thread had no time to say so.
            Ok(()) | Err(FlushError::TimedOut { queued: 0 }) => shared.tell(told),
            Err(error) => Err(error),
        }
    }

    fn wait_for_queued(&self, timeout: Duration) -> Result<(), FlushError> {
        let queue = &self.shared().queue;
        if queue.is_own_thread() {
            return Err(FlushError::OwnThread);
        }
        let deadline = Instant::now().checked_add(timeout);
        if queue.wait_for_flush(queue.start_flush(), deadline) {
            return Ok(());
        }
        let queued = queue.counts().queued;
        Err(FlushError::TimedOut { queued })
    }

    /// Starts the shutdown of the processor, which follows the queued hooks, and does not wait.
    ///
    /// To shut down several queues within one deadline, start all of them before you wait for the
    /// [end](Self::wait_for_end) of the first.
    ///
    /// # Errors
    ///
    /// The system refuses a thread. Try again when the system is less busy.
    pub fn start_shutdown(&self) -> Result<(), HookError> {
        self.put(Item::Shutdown)?;
        self.shared().queue.end_when_empty();
        Ok(())
    }

    /// Refuses all further hooks, and counts them as
    /// [`dropped_after_shutdown`](QueueStats::dropped_after_shutdown). By default, the next trace opens a
    /// queue again that was shut down.
    ///
    /// Close the queue after you have [started](Self::start_shutdown) its last shutdown.
    pub fn close(&self) {
        self.shared().is_closed.store(true, Ordering::Relaxed);
    }

    /// Waits until a [started](Self::start_shutdown) shutdown is complete and its thread has ended.
    ///
    /// At the deadline, the queued hooks are dropped, and so is the hook in flight. If several
    /// calls wait, the call with the latest deadline drops them. `wait_for_end(Duration::ZERO)`
    /// succeeds if nothing is queued.
    ///
    /// # Errors
    ///
    /// The same as of [`flush`](Self::flush). Hooks that did not run in time count as
    /// [lost](FlushError::Lost), or as still [queued](FlushError::TimedOut) if another call waits
    /// longer.
    pub fn wait_for_end(&self, timeout: Duration) -> Result<(), FlushError> {
        let shared = self.shared();
        let told = shared.queue.told_so_far();
        let end_wait = shared.queue.start_end_wait();
        match self.wait_for_queued(timeout) {
            Ok(()) => shared.queue.join(),
            Err(FlushError::TimedOut { .. }) if end_wait.give_up(HookLoss::ShutdownDeadline) => {}
            // As in a flush, the thread had no time to say so.
            Err(FlushError::TimedOut { queued: 0 }) => {}
            Err(error) => return Err(error),
        }
        shared.tell(told)
    }

    #[inline]
    fn put(&self, item: Item) -> Result<(), HookError> {
        self.shared().put(item)
    }

    /// The state that the queue shares with its thread in this process. A child of a fork starts
    /// with nothing.
    #[inline]
    fn shared(&self) -> &Arc<Shared> {
        self.0.shared.get(|parent| Shared {
            processor: parent.processor.clone(),
            queue: Queue::new(parent.queue.settings()),
            is_closed: AtomicBool::new(parent.is_closed.load(Ordering::Relaxed)),
        })
    }
}

impl SpanProcessor for BackgroundQueue {
    fn name(&self) -> &str {
        self.shared().processor().map_or("", SpanProcessor::name)
    }

    fn disclosure(&self) -> Disclosure {
        let processor = self.shared().processor();
        processor.map_or(Disclosure::Masked, SpanProcessor::disclosure)
    }

    fn startup(&self) -> Result<(), HookError> {
        self.put(Item::Startup)
    }

    /// A span that is current on the thread of the queue is of no use to the program.
    fn activates(&self) -> bool {
        false
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.put(Item::Start(span.clone()))
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.put(Item::Event(span.clone(), event.index()))
    }

    fn take_event(&self, index: usize, span: Span) -> Result<(), HookError> {
        self.put(Item::Event(span, index))
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.put(Item::End(span.clone(), span.held_bytes()))
    }

    /// Waits until all queued hooks are handled, the processor is shut down and the thread has
    /// ended, or until the [timeout](BackgroundQueueBuilder::with_shutdown_timeout) has passed.
    /// Fails with a [`FlushError`] if hooks were lost.
    fn shutdown(&self) -> Result<(), HookError> {
        self.start_shutdown()?;
        let ended = self.wait_for_end(self.0.shutdown_timeout);
        ended.map_err(HookError::new)
    }

    /// Starts the shutdown and does not wait. The thread handles what is queued, without a deadline.
    /// Fails with a [`FlushError`] if hooks were lost by now.
    fn shutdown_on_drop(&self) -> Result<(), HookError> {
        let shared = self.shared();
        let told = shared.queue.told_so_far();
        self.start_shutdown()?;
        shared.tell(told).map_err(HookError::new)
    }

    /// Waits like [`shutdown`](SpanProcessor::shutdown), but without a timeout, and without
    /// blocking the thread. On the thread of the queue, it fails with [`FlushError::OwnThread`], too.
    fn shutdown_async(&self) -> HookFuture<'_> {
        let shared = self.shared();
        if let Err(error) = self.start_shutdown() {
            return HookFuture::ready(Err(error));
        }
        let (ticket, told) = (shared.queue.start_flush(), shared.queue.told_so_far());
        let end_wait = shared.queue.start_end_wait();
        HookFuture::new(async move {
            let _end_wait = end_wait;
            poll_fn(|cx| {
                if shared.queue.is_flushed_or_wakes(ticket, cx.waker()) {
                    Poll::Ready(Ok(()))
                } else if shared.queue.is_own_thread() {
                    Poll::Ready(Err(HookError::new(FlushError::OwnThread)))
                } else {
                    Poll::Pending
                }
            })
            .await?;
            shared.queue.join();
            shared.tell(told).map_err(HookError::new)
        })
    }
}

impl fmt::Debug for BackgroundQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundQueue")
            .field("processor", &self.shared().processor())
            .field("stats", &self.stats())
            .finish()
    }
}
