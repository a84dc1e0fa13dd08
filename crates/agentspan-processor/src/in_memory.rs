//! Keeps spans in memory, for tests.

use std::fmt;
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{Disclosure, Event, Id, RecordedSpan};
use agentspan_queue::lock;

use crate::span::SpanKey;
use crate::{HookError, Span, SpanEvent, SpanProcessor};

mod places;
mod tree;

use places::Places;
pub use tree::TreeMismatchError;

/// Keeps all spans in memory, for tests.
///
/// It is a handle: clone it, pass one clone to the trace, and query the other. It grows with every
/// span until [`clear`](Self::clear), so do not use it for long runs.
///
/// ```
/// use agentspan_model::agentspec::SpanDetails;
/// use agentspan_processor::{InMemory, Span, Trace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = InMemory::new();
/// let trace = Trace::builder().with_processor(memory.clone()).start()?;
/// Span::builder(SpanDetails::Plain).with_name("collect").start()?.end()?;
/// trace.end()?;
/// memory.expect_tree(
///     "RootSpan
///      └─ collect (Span)",
/// )?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct InMemory {
    kept: Arc<Mutex<Kept>>,
    disclosure: Disclosure,
}

#[derive(Default)]
struct Kept {
    /// In the order of their starts.
    spans: Vec<KeptSpan>,
    /// Where each span is. A key may be that of several spans, of which all but the last are gone.
    places: Places<SpanKey>,
    startups: usize,
    shutdowns: usize,
}

struct KeptSpan {
    span: RecordedSpan,
    /// Two traces may have spans of one id.
    trace_id: Option<Id>,
    has_ended: bool,
}

impl InMemory {
    /// Keeps spans without their sensitive values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps spans with this disclosure.
    #[must_use]
    pub fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.disclosure = disclosure;
        self
    }

    /// All spans, including open spans, in the order of their starts.
    #[must_use]
    pub fn spans(&self) -> Vec<RecordedSpan> {
        let kept = lock(&self.kept);
        kept.spans.iter().map(|kept| kept.span.clone()).collect()
    }

    /// The first span with this name.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<RecordedSpan> {
        let kept = lock(&self.kept);
        let found = kept.spans.iter().find(|kept| kept.span.span.name == name);
        found.map(|kept| kept.span.clone())
    }

    /// The names of open spans.
    #[must_use]
    pub fn open_spans(&self) -> Vec<String> {
        let kept = lock(&self.kept);
        let open = kept.spans.iter().filter(|kept| !kept.has_ended);
        open.map(|kept| kept.span.span.name.to_string()).collect()
    }

    /// The numbers of started and ended traces, from calls of `startup` and `shutdown`.
    #[must_use]
    pub fn traces(&self) -> (usize, usize) {
        let kept = lock(&self.kept);
        (kept.startups, kept.shutdowns)
    }

    /// Removes all spans and counts.
    pub fn clear(&self) {
        let forgotten = std::mem::take(&mut *lock(&self.kept));
        drop(forgotten);
    }

    /// The spans as a tree: one line per span, and below it one line per event.
    ///
    /// ```text
    /// RootSpan
    /// └─ weather agent (AgentExecutionSpan)
    ///    · AgentExecutionStart
    ///    └─ forecast (ToolExecutionSpan) [open]
    /// ```
    ///
    /// Siblings are in the order of their starts. The line of a span has its name, and its type if
    /// it differs from the name. Spans with an unknown parent are not indented. Spans deeper than
    /// 64 levels are not indented further.
    #[must_use]
    pub fn tree(&self) -> String {
        tree::tree(&lock(&self.kept).spans)
    }

    /// Compares the [tree](Self::tree) with an expected tree.
    ///
    /// The common indentation of the expected lines is ignored, and so are empty lines around them,
    /// so you can indent the expectation with the test. If the expected tree has no events, events
    /// are not compared.
    ///
    /// # Errors
    ///
    /// [`TreeMismatchError`], whose `Debug` and `Display` show both trees, so that `unwrap` in a test does.
    pub fn expect_tree(&self, expected: &str) -> Result<(), TreeMismatchError> {
        tree::expect(&lock(&self.kept).spans, expected)
    }

    fn update(&self, span: &Span, update: impl FnOnce(&mut KeptSpan)) {
        let kept = &mut *lock(&self.kept);
        let place = kept.places.of(&span.key());
        if let Some(found) = place.and_then(|at| kept.spans.get_mut(at)) {
            update(found);
        }
    }
}

impl SpanProcessor for InMemory {
    fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    fn startup(&self) -> Result<(), HookError> {
        lock(&self.kept).startups += 1;
        Ok(())
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let recorded = RecordedSpan::new(span.to_record_at_start(), span.parent_id().cloned());
        let trace_id = span.trace().map(|trace| trace.id().clone());
        let kept = &mut *lock(&self.kept);
        kept.places.put(span.key(), kept.spans.len());
        kept.spans.push(KeptSpan {
            span: recorded,
            trace_id,
            has_ended: false,
        });
        Ok(())
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        let event = Arc::new(Event::clone(event));
        self.update(span, |kept| kept.span.span.events.push(event));
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        // Of a span that nobody ended, it shows that.
        if span.is_unfinished() {
            return Ok(());
        }
        let end_time = span.end_time();
        self.update(span, |kept| {
            kept.span.span.end_time = end_time;
            kept.has_ended = true;
        });
        Ok(())
    }

    fn shutdown(&self) -> Result<(), HookError> {
        lock(&self.kept).shutdowns += 1;
        Ok(())
    }
}

/// Shows how much it holds.
impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("spans", &lock(&self.kept).spans.len())
            .field("disclosure", &self.disclosure)
            .finish()
    }
}
