//! The trait of span processors.

use std::fmt;
use std::sync::Arc;

use agentspan_model::agentspec::Disclosure;

use crate::{HookError, HookFuture, Span, SpanEvent};

/// Observes the spans and events of a [`Trace`](crate::Trace).
///
/// All hooks have a default that does nothing. By default, each asynchronous hook calls its
/// synchronous counterpart, without an allocation. Code that starts or ends a span synchronously
/// calls the synchronous hook; code that awaits it calls the asynchronous hook. If an asynchronous
/// span is dropped before it ends, the synchronous hooks are called, because a drop cannot be
/// awaited.
///
/// Hooks run one after the other in the order of the processors, on the thread that starts or ends
/// the span, so they should be quick. To run slow hooks on another thread, use
/// [`BackgroundQueue`](crate::BackgroundQueue). No lock is held while a hook runs, so a hook may
/// start spans, add events and read the current span. Its processor also gets the hooks of these spans and
/// events. If they do the same again, the fifth hook of one processor within each other fails. If a
/// hook fails or panics, [`ErrorPolicy`](crate::ErrorPolicy) decides how to continue.
///
/// For each span, a processor gets `on_start`, then any number of `on_event`, then one `on_end`.
/// Events that are added after the end come after `on_end`. Hooks of different spans may run at the
/// same time. If several threads add events to a span at the same time, the hooks may come in
/// another order than the events.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use agentspan_processor::{HookError, Span, SpanProcessor, Trace};
///
/// /// Counts spans.
/// #[derive(Debug, Default)]
/// struct Counter(AtomicUsize);
///
/// impl SpanProcessor for Counter {
///     fn on_end(&self, _span: &Span) -> Result<(), HookError> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), agentspan_processor::TraceError> {
/// let counter = std::sync::Arc::new(Counter::default());
/// let trace = Trace::builder().with_processor(counter.clone()).start()?;
/// trace.end()?;
/// assert_eq!(counter.0.load(Ordering::Relaxed), 1); // the root span
/// # Ok(())
/// # }
/// ```
pub trait SpanProcessor: fmt::Debug + Send + Sync {
    /// The name of this processor in logs and errors. The default is the path of its type.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Whether hooks see sensitive values. By default, they see masks. A trace calls this once.
    ///
    /// The spans and events in hooks follow this setting: with [`Disclosure::Masked`], sensitive
    /// values are [withheld](agentspan_model::agentspec::Sensitive::is_withheld) from the hook.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Masked
    }

    /// Called when a trace starts.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work.
    fn startup(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// Called after a span has started.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work. It then gets no further hooks of
    /// this span.
    fn on_start(&self, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// Called after an event was added to a span.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work.
    fn on_event(&self, _event: &SpanEvent<'_>, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// Like [`on_event`](Self::on_event), with an owned handle and the [index](SpanEvent::index) of
    /// the event. The library calls this hook; its default calls `on_event`.
    ///
    /// Implement it in processors that keep the span of every event, such as a queue, to save a
    /// clone.
    ///
    /// # Errors
    ///
    /// The same as of [`on_event`](Self::on_event).
    fn take_event(&self, index: usize, span: Span) -> Result<(), HookError> {
        match span.event(index) {
            Some(event) => self.on_event(&event, &span),
            None => Ok(()),
        }
    }

    /// Called after a span has ended.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work.
    fn on_end(&self, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// Called after the trace has ended, unless the trace leaves its processors running.
    ///
    /// Another trace with this processor may start later.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work.
    fn shutdown(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// Called instead of [`shutdown`](Self::shutdown) when asynchronous code drops a trace, for
    /// instance because its request was cancelled. The thread belongs to other tasks, too, so this
    /// hook must not wait. The default calls `shutdown`.
    ///
    /// Implement it in processors whose `shutdown` waits, and only start the shutdown. Processors
    /// that pass hooks on to others pass this one on, too.
    ///
    /// # Errors
    ///
    /// Any error that keeps the processor from doing its work.
    fn shutdown_on_drop(&self) -> Result<(), HookError> {
        self.shutdown()
    }

    /// The asynchronous form of [`startup`](Self::startup).
    fn startup_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.startup())
    }

    /// The asynchronous form of [`on_start`](Self::on_start).
    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_start(span))
    }

    /// The asynchronous form of [`on_event`](Self::on_event).
    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_event(event, span))
    }

    /// The asynchronous form of [`on_end`](Self::on_end).
    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_end(span))
    }

    /// The asynchronous form of [`shutdown`](Self::shutdown).
    fn shutdown_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.shutdown())
    }

    /// Lets the processor make its own state current on this thread, while the span is current.
    ///
    /// Called whenever the span becomes current on a thread; in asynchronous code, this is at each
    /// poll. The guard is dropped when the span is no longer current. A bridge uses this hook to
    /// make the span of another telemetry system current. By default, there is no guard.
    fn activate(&self, _span: &Span) -> Option<Box<dyn ActiveGuard>> {
        None
    }

    /// Whether to call [`activate`](Self::activate) at all. A trace calls this once. The default is
    /// `true`.
    ///
    /// Return `false` in processors without an `activate` hook, to save its cost.
    fn activates(&self) -> bool {
        true
    }
}

/// A shared processor is a processor.
impl<P: SpanProcessor + ?Sized> SpanProcessor for Arc<P> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn disclosure(&self) -> Disclosure {
        (**self).disclosure()
    }

    fn startup(&self) -> Result<(), HookError> {
        (**self).startup()
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        (**self).on_start(span)
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        (**self).on_event(event, span)
    }

    fn take_event(&self, index: usize, span: Span) -> Result<(), HookError> {
        (**self).take_event(index, span)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        (**self).on_end(span)
    }

    fn shutdown(&self) -> Result<(), HookError> {
        (**self).shutdown()
    }

    fn shutdown_on_drop(&self) -> Result<(), HookError> {
        (**self).shutdown_on_drop()
    }

    fn startup_async(&self) -> HookFuture<'_> {
        (**self).startup_async()
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        (**self).on_start_async(span)
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        (**self).on_event_async(event, span)
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        (**self).on_end_async(span)
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        (**self).shutdown_async()
    }

    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        (**self).activate(span)
    }

    fn activates(&self) -> bool {
        (**self).activates()
    }
}

/// The guard of [`SpanProcessor::activate`]. Its `Drop` undoes `activate`.
pub trait ActiveGuard: fmt::Debug {}

/// The name of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the hooks of pyagentspec; a new one would be a new trait"
)]
pub enum Hook {
    /// [`SpanProcessor::startup`].
    Startup,
    /// [`SpanProcessor::on_start`].
    OnStart,
    /// [`SpanProcessor::on_event`].
    OnEvent,
    /// [`SpanProcessor::on_end`].
    OnEnd,
    /// [`SpanProcessor::shutdown`].
    Shutdown,
}

impl Hook {
    /// The name as Agent Spec writes it, for instance `on_start`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::OnStart => "on_start",
            Self::OnEvent => "on_event",
            Self::OnEnd => "on_end",
            Self::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
