//! Takes a processor off the path of the program: its hooks run on a thread of their own.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use agentspan_model::agentspec::Disclosure;
use agentspan_queue::contain::Foreign;
pub use agentspan_queue::queue::DropPolicy;
use agentspan_queue::queue::{Queue, QueuePace, Settings};
use agentspan_queue::{PerProcess, told};

use crate::{HookError, HookFuture, Span, SpanEvent, SpanProcessor};

mod item;
mod worker;

use item::{HookLoss, Item, LOSSES};

/// Runs the hooks of a processor on a thread of its own, so that they cost the program next to
/// nothing.
///
/// A handle: clone it, give one to the trace and keep the other to [flush](Self::flush) and to ask
/// for [`stats`](Self::stats).
///
/// **The thread** is named `agentspan-queue`. It starts with the first hook, and ends, after everything
/// that waits was handled, when the trace shuts the queue down or when the last handle is dropped. The
/// next trace starts another one. It calls the processor's synchronous hooks. A failing hook is
/// logged and counted, as under [`ErrorPolicy::Report`](crate::ErrorPolicy::Report).
///
/// **What is lost.** The queue is bounded in [hooks](BackgroundQueueBuilder::with_max_hooks) and in
/// [bytes](BackgroundQueueBuilder::with_max_bytes), those included that the thread is working on. When it
/// is full, hooks are dropped and counted; [`DropPolicy`] says which. The processor is never shown a part
/// of a span: if the queue drops the start of a span, it drops all of its hooks, and for each start that
/// it takes, it keeps a place for the end. At any time, *accepted = handled + dropped + queued*. A flush and
/// a shutdown tell once of hooks that were dropped or failed. What waits when the time of a shutdown is
/// over is dropped; once the hook that is running returns, the processor is shut down all the same.
///
/// **After a fork** without `exec` the child's queue starts empty: what was queued is the parent's. The child's
/// own spans start a thread of its own. Spans that were open at the fork are the parent's, too, and no
/// processor in the child hears of them.
///
/// A hook sees the span as it is when the hook runs, which may be later than when it was called: a
/// span may have ended when its `on_start` runs.
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

/// What a queue shares with its thread, in one process.
struct Shared {
    processor: Foreign<Arc<dyn SpanProcessor>>,
    queue: Queue<Item, LOSSES>,
}

impl Shared {
    /// `None` only while this is dropped.
    fn processor(&self) -> Option<&dyn SpanProcessor> {
        self.processor.get().map(|processor| &**processor)
    }

    /// Queues an item, or drops some, and sees to it that the thread runs.
    #[inline]
    fn put(self: &Arc<Self>, item: Item) -> Result<(), HookError> {
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
            [0, 0, 0, 0] => Ok(()),
            [queue_full, failed, not_started, shutdown_deadline] => Err(FlushError::Lost {
                queue_full,
                failed: failed + not_started,
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
    /// How many hooks there were: the sum of the others.
    pub accepted: u64,
    /// How many of them the processor was called with.
    pub handled: u64,
    /// How many of them were dropped.
    pub dropped: u64,
    /// How many of the dropped ones waited, or ran, when the time of a shutdown was over.
    pub dropped_at_shutdown: u64,
    /// How many of the dropped ones are of spans that the processor failed to start.
    pub dropped_after_failure: u64,
    /// How many of them wait, those included that the thread is working on.
    pub queued: u64,
    /// The memory of the ended spans among those that wait, in bytes, as estimated.
    pub queued_bytes: u64,
    /// How many of the handled ones failed or panicked.
    pub failed: u64,
}

/// Everything that can be said of a [`BackgroundQueue`]. See [`BackgroundQueue::builder`].
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
    /// Sets how many hooks may wait or run, at least 4. The default is 262,144: with usual spans,
    /// the [bound in bytes](Self::with_max_bytes) is reached first.
    ///
    /// A span that has started takes a place for its end as well.
    pub fn with_max_hooks(mut self, hooks: usize) -> Self {
        self.max_hooks = hooks.max(4);
        self
    }

    /// Sets how many bytes the spans that wait may hold, as [estimated](Span::held_bytes). The
    /// default is 64 MiB.
    ///
    /// A span counts from its end on, with all of its events: as long as it is open, the program
    /// holds it. If its hooks were all still waiting, they are dropped together. The end of a span
    /// whose start was handled is queued all the same. A larger span is taken while no other ended
    /// span waits.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self
    }

    /// Sets what is dropped when it is full. The default is [`DropPolicy::Newest`].
    pub fn with_drop_policy(mut self, drop_policy: DropPolicy) -> Self {
        self.drop_policy = drop_policy;
        self
    }

    /// Sets how long a synchronous `shutdown` waits for what is queued. The default is 5 seconds.
    pub fn with_shutdown_timeout(mut self, shutdown_timeout: Duration) -> Self {
        self.shutdown_timeout = shutdown_timeout;
        self
    }

    /// The queue, whose thread is not running yet.
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
            }),
            shutdown_timeout: self.shutdown_timeout,
        }))
    }
}

/// Why a [flush](BackgroundQueue::flush) or a [shutdown](BackgroundQueue::wait_for_end) was no
/// success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The processor is slower than that. What is left goes on being handled; flush again, or give
    /// it longer.
    #[error("{queued} hooks are still queued")]
    TimedOut {
        /// How many hooks are queued.
        queued: u64,
    },
    /// Hooks were lost of which no call has told yet. Which ones, [`stats`](BackgroundQueue::stats)
    /// does not know; the log has a line for each that failed.
    #[error("{}", lost(*queue_full, *failed, *shutdown_deadline))]
    Lost {
        /// How many were dropped because the queue was full. Make it larger, or the processor
        /// faster.
        queue_full: u64,
        /// How many failed or panicked, and how many were left out because the start of their span
        /// did.
        failed: u64,
        /// How many waited, or ran, when the time of a shutdown was over. Give it longer.
        shutdown_deadline: u64,
    },
    /// A hook of the processor flushes the queue that it runs behind, which would wait for itself.
    /// Flush from another thread.
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
    /// Puts a queue in front of a processor.
    #[must_use]
    pub fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self::builder(processor).build()
    }

    /// Starts to build a queue in front of a processor.
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
        let failed = counts.lost_for(HookLoss::Failed);
        QueueStats {
            accepted: counts.accepted,
            handled: counts.done + failed,
            dropped: counts.lost.iter().sum::<u64>() - failed,
            dropped_at_shutdown: counts.lost_for(HookLoss::ShutdownDeadline),
            dropped_after_failure: counts.lost_for(HookLoss::NotStarted),
            queued: counts.queued,
            queued_bytes: counts.queued_bytes,
            failed,
        }
    }

    /// Waits until everything is handled that was queued before this call.
    ///
    /// # Errors
    ///
    /// [`FlushError`] if that takes longer than `timeout`, if hooks were lost of which no call has
    /// told yet, be it before this one, or if this is called from a hook of the processor.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let shared = self.shared();
        let told = shared.queue.told_so_far();
        self.wait_for_queued(timeout)?;
        shared.tell(told)
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

    /// Shuts the processor down after everything that is queued, and does not wait for it.
    ///
    /// Several queues keep one deadline together if all of them start before anybody waits for the
    /// [end](Self::wait_for_end) of the first.
    ///
    /// # Errors
    ///
    /// The system refuses a thread. Try again when it has less to do.
    pub fn start_shutdown(&self) -> Result<(), HookError> {
        self.put(Item::Shutdown)?;
        self.shared().queue.end_when_empty();
        Ok(())
    }

    /// Waits until a shutdown that has [started](Self::start_shutdown) is done and its thread has
    /// ended.
    ///
    /// Hooks that wait when the time is over are dropped, with that which is just running. Of
    /// several calls that wait, the one that waits longest drops them.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush). Hooks that the time was too short for are among the
    /// [lost](FlushError::Lost), or still [queued](FlushError::TimedOut) if another call waits longer.
    pub fn wait_for_end(&self, timeout: Duration) -> Result<(), FlushError> {
        let shared = self.shared();
        let told = shared.queue.told_so_far();
        let end_wait = shared.queue.start_end_wait();
        match self.wait_for_queued(timeout) {
            Ok(()) => shared.queue.join(),
            Err(FlushError::TimedOut { .. }) if end_wait.give_up(HookLoss::ShutdownDeadline) => {}
            Err(error) => return Err(error),
        }
        shared.tell(told)
    }

    #[inline]
    fn put(&self, item: Item) -> Result<(), HookError> {
        self.shared().put(item)
    }

    /// What the queue shares with its thread in this process. A child of a fork starts with
    /// nothing.
    #[inline]
    fn shared(&self) -> &Arc<Shared> {
        self.0.shared.get(|parent| Shared {
            processor: parent.processor.clone(),
            queue: Queue::new(parent.queue.settings()),
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

    /// What is current on the thread of the queue is of no use to the program.
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

    /// Waits until everything that is queued is handled, the processor is shut down and the thread
    /// has ended, or the [timeout](BackgroundQueueBuilder::with_shutdown_timeout) has passed. Fails
    /// with a [`FlushError`] if hooks were lost.
    fn shutdown(&self) -> Result<(), HookError> {
        self.start_shutdown()?;
        let ended = self.wait_for_end(self.0.shutdown_timeout);
        ended.map_err(HookError::new)
    }

    /// Waits as [`shutdown`](SpanProcessor::shutdown) does, but without a timeout and without
    /// blocking the thread.
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
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
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
