//! The trait that whoever wants to observe spans implements.

use std::fmt;
use std::sync::Arc;

use agentspan_model::agentspec::Disclosure;

use crate::{HookError, HookFuture, Span, SpanEvent};

/// Observes the spans and events of a [`Trace`](crate::Trace).
///
/// All hooks have a default that does nothing; each asynchronous hook calls its synchronous sibling by
/// default, without an allocation. Code that starts or ends a span synchronously calls the synchronous
/// hook, code that awaits it the asynchronous one. An asynchronous span that is dropped before it ends
/// calls the synchronous hooks, because nobody awaits a drop.
///
/// Hooks run one after the other in the order of the processors, on the thread that starts or ends the
/// span: they should be quick. [`BackgroundQueue`](crate::BackgroundQueue) makes any processor so. No
/// lock is held while a hook runs: it may start spans, add events and ask for the current span. A
/// hook may fail or panic; [`ErrorPolicy`](crate::ErrorPolicy) says what happens then.
///
/// Per span, a processor hears `on_start`, then any number of `on_event`, then `on_end`, once; events
/// that are added later come after that. Hooks of different spans may run at the same time. Events
/// that threads add to one span at the same time may come in another order than the one they have in it.
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
    /// How logs and errors call this processor. The default is the path of its type.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Whether hooks see sensitive values. The default is that they see masks. A trace asks this once.
    ///
    /// The spans and events that hooks get hold just that: with [`Disclosure::Masked`], sensitive
    /// values are [withheld](agentspan_model::agentspec::Sensitive::is_withheld) from the hook.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Masked
    }

    /// A trace starts.
    ///
    /// # Errors
    ///
    /// Whatever keeps the processor from its work.
    fn startup(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// A span has started.
    ///
    /// # Errors
    ///
    /// Whatever keeps the processor from its work. It hears nothing more of this span then.
    fn on_start(&self, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// An event was added to a span. It is among the span's events already.
    ///
    /// # Errors
    ///
    /// Whatever keeps the processor from its work.
    fn on_event(&self, _event: &SpanEvent<'_>, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// [`on_event`](Self::on_event) with a handle to keep and the [index](SpanEvent::index) of the event. It is what
    /// is called; the default calls `on_event`.
    ///
    /// For processors that keep the span of every event, as a queue does: it saves them a clone.
    ///
    /// # Errors
    ///
    /// As [`on_event`](Self::on_event).
    fn take_event(&self, index: usize, span: Span) -> Result<(), HookError> {
        match span.event(index) {
            Some(event) => self.on_event(&event, &span),
            None => Ok(()),
        }
    }

    /// A span has ended.
    ///
    /// # Errors
    ///
    /// Whatever keeps the processor from its work.
    fn on_end(&self, _span: &Span) -> Result<(), HookError> {
        Ok(())
    }

    /// The trace has ended, unless it was told to leave its processors running.
    ///
    /// Another trace with this processor may start later.
    ///
    /// # Errors
    ///
    /// Whatever keeps the processor from its work.
    fn shutdown(&self) -> Result<(), HookError> {
        Ok(())
    }

    /// [`startup`](Self::startup) in asynchronous code.
    fn startup_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.startup())
    }

    /// [`on_start`](Self::on_start) in asynchronous code.
    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_start(span))
    }

    /// [`on_event`](Self::on_event) in asynchronous code.
    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_event(event, span))
    }

    /// [`on_end`](Self::on_end) in asynchronous code.
    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        HookFuture::ready(self.on_end(span))
    }

    /// [`shutdown`](Self::shutdown) in asynchronous code.
    fn shutdown_async(&self) -> HookFuture<'_> {
        HookFuture::ready(self.shutdown())
    }

    /// Makes something of the processor's own current on this thread while the span is current there.
    ///
    /// Called whenever the span becomes current on a thread, in asynchronous code at each poll; the
    /// guard is dropped when the span ceases to be current. This is how a bridge makes the span of
    /// another telemetry system current. The default has none.
    fn activate(&self, _span: &Span) -> Option<Box<dyn ActiveGuard>> {
        None
    }

    /// Whether [`activate`](Self::activate) is to be called at all. A trace asks this once. The default is that it is.
    ///
    /// For processors that never have anything to make current, and are to cost nothing when a span is made so.
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
