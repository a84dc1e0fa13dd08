//! Shows a processor only selected spans.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Mutex;

use agentspan_model::agentspec::Disclosure;
use agentspan_queue::lock;

use crate::span::{SpanKey, WeakSpan};
use crate::span_processor::ActiveGuard;
use crate::{HookError, HookFuture, Span, SpanEvent, SpanProcessor};

/// Shows a processor only selected spans.
///
/// A span passes if it meets all conditions. The filter decides at the start of a span, and the
/// decision also applies to the events and the end of the span. Events that are added after the end
/// never pass. Spans keep their parent, even if the parent does not pass.
///
/// ```
/// use agentspan_model::agentspec::SpanDetails;
/// use agentspan_processor::{Filter, InMemory, Span, Trace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = InMemory::new();
/// let filter = Filter::new(memory.clone()).with_types(["Span"]);
/// let trace = Trace::builder().with_processor(filter).start()?;
/// Span::builder(SpanDetails::Plain).with_name("kept").start()?.end()?;
/// trace.end()?;
/// memory.expect_tree("kept (Span)")?; // and not the RootSpan
/// # Ok(())
/// # }
/// ```
pub struct Filter<P> {
    processor: P,
    conditions: Vec<Condition>,
    /// Spans that have started and not ended. Each keeps its key from being that of another.
    shown: Mutex<Shown>,
}

type Shown = HashMap<SpanKey, WeakSpan>;
type Condition = Box<dyn Fn(&Span) -> bool + Send + Sync>;

impl<P: SpanProcessor> Filter<P> {
    /// A filter without conditions, which passes all spans.
    #[must_use]
    pub fn new(processor: P) -> Self {
        Self {
            processor,
            conditions: Vec::new(),
            shown: Mutex::default(),
        }
    }

    /// Passes spans of these types, for instance `ToolExecutionSpan`.
    #[must_use]
    pub fn with_types<T: Into<String>>(self, types: impl IntoIterator<Item = T>) -> Self {
        let types: HashSet<String> = types.into_iter().map(Into::into).collect();
        self.with_predicate(move |span| types.contains(span.type_name()))
    }

    /// Passes spans with these names.
    #[must_use]
    pub fn with_names<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        let names: HashSet<String> = names.into_iter().map(Into::into).collect();
        self.with_predicate(move |span| names.contains(span.name()))
    }

    /// Passes spans for which the closure returns true. The closure sees them as the processor
    /// would.
    #[must_use]
    pub fn with_predicate(
        mut self,
        predicate: impl Fn(&Span) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.conditions.push(Box::new(predicate));
        self
    }

    /// Passes this fraction of all traces: 0 for none, 1 for all. A trace passes as a whole or not
    /// at all.
    ///
    /// The trace's id decides, so that all processes make the same decision about a trace. Spans
    /// without a trace pass.
    #[must_use]
    pub fn with_trace_ratio(self, ratio: f64) -> Self {
        // Not a number counts as none.
        let threshold = ratio.clamp(0.0, 1.0) * HASHES;
        self.with_predicate(move |span| {
            span.trace()
                .is_none_or(|trace| hash(trace.id().as_str()) < threshold)
        })
    }

    fn shows(&self, span: &Span) -> bool {
        self.conditions.iter().all(|condition| condition(span))
    }

    fn starts_to_show(&self, span: &Span) -> bool {
        let shows = self.shows(span);
        if shows {
            lock(&self.shown).insert(span.key(), span.downgrade());
        }
        shows
    }

    fn is_shown(&self, span: &Span) -> bool {
        lock(&self.shown).contains_key(&span.key())
    }

    fn stops_to_show(&self, span: &Span) -> bool {
        lock(&self.shown).remove(&span.key()).is_some()
    }
}

/// A span that the processor is starting. Dropped before that is done, by a panic or with the future of the hook, it
/// is shown no more, as if the processor had failed.
struct Starting<'a, P: SpanProcessor> {
    filter: &'a Filter<P>,
    span: &'a Span,
}

impl<P: SpanProcessor> Starting<'_, P> {
    /// A processor that fails to start a span hears nothing more of it.
    fn finish(self, result: Result<(), HookError>) -> Result<(), HookError> {
        if result.is_ok() {
            std::mem::forget(self);
        }
        result
    }
}

impl<P: SpanProcessor> Drop for Starting<'_, P> {
    fn drop(&mut self) {
        lock(&self.filter.shown).remove(&self.span.key());
    }
}

/// How many values [`hash`] has.
const HASHES: f64 = 4_294_967_296.0;

/// FNV-1a, mixed and folded to 32 bits, which a `f64` holds exactly.
fn hash(text: &str) -> f64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX))
}

impl<P: SpanProcessor> SpanProcessor for Filter<P> {
    fn name(&self) -> &str {
        self.processor.name()
    }

    fn disclosure(&self) -> Disclosure {
        self.processor.disclosure()
    }

    fn startup(&self) -> Result<(), HookError> {
        self.processor.startup()
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        if self.starts_to_show(span) {
            let starting = Starting { filter: self, span };
            starting.finish(self.processor.on_start(span))
        } else {
            Ok(())
        }
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        if self.is_shown(span) {
            self.processor.on_event(event, span)
        } else {
            Ok(())
        }
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        if self.stops_to_show(span) {
            self.processor.on_end(span)
        } else {
            Ok(())
        }
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.processor.shutdown()
    }

    fn shutdown_on_drop(&self) -> Result<(), HookError> {
        self.processor.shutdown_on_drop()
    }

    fn startup_async(&self) -> HookFuture<'_> {
        self.processor.startup_async()
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        if self.starts_to_show(span) {
            let starting = Starting { filter: self, span };
            let future = self.processor.on_start_async(span);
            future.and_then(move |result| starting.finish(result))
        } else {
            HookFuture::ready(Ok(()))
        }
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        if self.is_shown(span) {
            self.processor.on_event_async(event, span)
        } else {
            HookFuture::ready(Ok(()))
        }
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        if self.stops_to_show(span) {
            self.processor.on_end_async(span)
        } else {
            HookFuture::ready(Ok(()))
        }
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        self.processor.shutdown_async()
    }

    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        if self.is_shown(span) {
            self.processor.activate(span)
        } else {
            None
        }
    }

    fn activates(&self) -> bool {
        self.processor.activates()
    }
}

impl<P: fmt::Debug> fmt::Debug for Filter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("processor", &self.processor)
            .field("conditions", &self.conditions.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use agentspan_model::agentspec::SpanDetails;

    use super::*;
    use crate::Trace;

    #[derive(Debug)]
    struct Bad;

    impl SpanProcessor for Bad {
        fn on_start(&self, span: &Span) -> Result<(), HookError> {
            assert_ne!(span.name(), "panics", "on purpose");
            Ok(())
        }

        fn on_start_async<'a>(&'a self, _: &'a Span) -> HookFuture<'a> {
            HookFuture::new(std::future::pending())
        }
    }

    #[test]
    fn a_span_whose_start_panics_or_is_given_up_is_not_kept() {
        let filter = std::sync::Arc::new(Filter::new(Bad));
        let trace = Trace::builder().with_processor(filter.clone());
        let trace = trace.start().unwrap();
        let span = |name: &'static str| Span::builder(SpanDetails::Plain).with_name(name);
        let good = span("good").start_detached().unwrap();
        drop(span("panics").start_detached());
        let mut given_up = Box::pin(span("given up").start_async());
        let mut context = Context::from_waker(Waker::noop());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        drop(given_up);
        let shown: Vec<_> = lock(&filter.shown).keys().copied().collect();
        assert!(shown.contains(&good.key()));
        // The root span and the good one.
        assert_eq!(shown.len(), 2);
        drop(good);
        trace.end().unwrap();
        assert_eq!(lock(&filter.shown).len(), 0);
    }
}
