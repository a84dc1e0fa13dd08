//! The span of a scope before it starts: it waits until somebody needs it.
//!
//! A scope is started by its details, and then run by a future which may be given another context.
//! So the span starts when the future is polled first, or when anything else needs it: a guard, an
//! event, a header. What is said before is kept.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::{EXECUTE_TOOL, INVOKE_AGENT};
use agentspan_queue::fork::Origin;
use agentspan_queue::{contain, lock};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::current_tool::{CurrentTool, SaidBy};
use super::latest::{Latest, Standing};
use super::span::{CurrentSpan, SharedSpan};
use super::starting::{Starting, Starts};
use crate::baggage::{ScopeIdentity, with_merged_baggage};
use crate::tracer::ScopeTracer;

/// All that is known of a span that has not started.
pub(crate) struct Waiting {
    pub(crate) tracer: TracerOfScope,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start_time: SystemTime,
    pub(crate) links: Vec<Link>,
    pub(crate) attributes: Latest<KeyValue>,
    pub(crate) end_time: Option<SystemTime>,
    pub(crate) home: Home,
    /// The process in which the scope was started.
    pub(crate) origin: Origin,
}

/// Where a scope was started.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) context: Context,
    /// Whether the scope was told to start in that context.
    is_explicit: bool,
}

pub(crate) enum TracerOfScope {
    Default(&'static ScopeTracer),
    Own(ScopeTracer),
}

impl TracerOfScope {
    fn get(&self) -> &ScopeTracer {
        match self {
            Self::Default(tracer) => tracer,
            Self::Own(tracer) => tracer,
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.get().profile()
    }
}

/// The outcome of the start of a span.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// The context of the start, with the scope's span in it. Without a span, the context that the
    /// scope was told to start in, if it was.
    pub(crate) context: Option<Context>,
    /// Whether the span in the context is that of the scope.
    pub(crate) has_ids: bool,
    /// None when the span is not recorded, and the context only passes its ids on.
    pub(crate) span: Option<Arc<SharedSpan>>,
}

/// Room for attributes that are recorded once a span has started.
const MORE: usize = 3;

/// Whether the span before did not have to hold its attributes. Says no more than for what room is
/// made.
static IS_BESIDE: AtomicBool = AtomicBool::new(false);

/// The start of a span that is needed while it starts, by its own sampler or processors.
pub(super) static NOTHING: Started = Started {
    context: None,
    has_ids: false,
    span: None,
};

impl Started {
    /// The context with the scope's span; none if there is nothing to pass on.
    pub(super) fn context_with_ids(&self) -> Option<&Context> {
        self.context.as_ref().filter(|_| self.has_ids)
    }

    /// No span, and where the scope is all the same.
    fn without_span(told: Option<&Context>) -> Self {
        Self {
            context: told.cloned(),
            ..NOTHING.clone()
        }
    }
}

/// A span that starts when it is needed.
pub(crate) struct Deferred {
    started: OnceLock<Started>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    /// There in the first phase.
    waiting: Option<Waiting>,
}

#[derive(Clone, Copy)]
enum Phase {
    Waiting,
    /// A thread runs the sampler and the processors, without the lock: they are other people's
    /// code.
    Starting {
        by: ThreadMark,
        /// Another thread waits for it.
        is_awaited: bool,
    },
    Started,
    /// The waiting start is in an `Arc` now, for several handles.
    Moved,
}

/// Tells threads apart, also while one is torn down, when the standard library's handle may be
/// gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ThreadMark(usize);

impl ThreadMark {
    fn here() -> Self {
        thread_local! {
            static MARK: u8 = const { 0 };
        }
        MARK.with(|mark| Self(std::ptr::from_ref(mark).addr()))
    }
}

impl Deferred {
    pub(crate) fn new(waiting: Waiting) -> Self {
        Self::with(OnceLock::new(), Phase::Waiting, Some(waiting))
    }

    /// A span that has started already.
    pub(crate) fn of(started: Started) -> Self {
        Self::with(OnceLock::from(started), Phase::Started, None)
    }

    /// Stands where the span is in an `Arc`.
    pub(crate) fn moved() -> Self {
        Self::with(OnceLock::new(), Phase::Moved, None)
    }

    fn with(started: OnceLock<Started>, phase: Phase, waiting: Option<Waiting>) -> Self {
        Self {
            started,
            state: Mutex::new(State { phase, waiting }),
            changed: Condvar::new(),
        }
    }

    /// The outcome of the start, if the span has started.
    pub(crate) fn started(&self) -> Option<&Started> {
        self.started.get()
    }

    /// Changes what is known of a span that has not started.
    pub(crate) fn while_waiting<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> Option<T> {
        lock(&self.state).waiting.as_mut().map(change)
    }

    /// Sets an attribute of a span that has not started. Gives it back if it has.
    #[inline]
    pub(crate) fn put(&self, attribute: KeyValue, standing: Standing) -> Result<(), KeyValue> {
        match &mut lock(&self.state).waiting {
            Some(waiting) => waiting.attributes.put(attribute, standing),
            None => return Err(attribute),
        }
        Ok(())
    }

    /// Starts the span, unless it has started, in the context that is chosen. None if it was moved.
    ///
    /// Waits for another thread that starts it already.
    #[inline]
    pub(crate) fn start(&self, choose: &dyn Fn(Home) -> Context) -> Option<&Started> {
        match self.started.get() {
            Some(started) => Some(started),
            None => self.start_now(choose),
        }
    }

    fn start_now(&self, choose: &dyn Fn(Home) -> Context) -> Option<&Started> {
        let mut state = match self.take() {
            Taken::Waiting(state) => state,
            Taken::Started(started) => return Some(started),
            Taken::Moved => return None,
        };
        let by = ThreadMark::here();
        let is_awaited = false;
        state.phase = Phase::Starting { by, is_awaited };
        let waiting = state.waiting.take();
        drop(state);
        let announce = Announce(self);
        let started = waiting.map_or_else(|| NOTHING.clone(), |waiting| waiting.start(choose));
        let started = self.started.get_or_init(|| started);
        drop(announce);
        Some(started)
    }

    /// Moves what waits into `shared`, for a second handle. Gives what has started already.
    pub(crate) fn share(&self, shared: &OnceLock<Arc<Self>>) -> Option<&Started> {
        match self.take() {
            Taken::Started(started) => Some(started),
            // Under the lock, so that whoever finds it moved finds it there.
            Taken::Waiting(mut state) => {
                if let Some(waiting) = state.waiting.take() {
                    shared.get_or_init(|| Arc::new(Self::new(waiting)));
                }
                state.phase = Phase::Moved;
                None
            }
            Taken::Moved => None,
        }
    }

    /// Takes the waiting start, under the lock. If another thread has taken it, waits until that
    /// thread has started it.
    fn take(&self) -> Taken<'_> {
        let mut state = lock(&self.state);
        loop {
            match &mut state.phase {
                Phase::Waiting => return Taken::Waiting(state),
                Phase::Starting { by, is_awaited } => {
                    *is_awaited = true;
                    if *by == ThreadMark::here() {
                        return Taken::Started(&NOTHING);
                    }
                }
                Phase::Started => return Taken::Started(self.started.get().unwrap_or(&NOTHING)),
                Phase::Moved => return Taken::Moved,
            }
            let changed = self.changed.wait(state);
            state = changed.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Shows nothing of what was recorded.
impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred")
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

enum Taken<'a> {
    Waiting(MutexGuard<'a, State>),
    Started(&'a Started),
    Moved,
}

/// Wakes those that wait for a start, also if other people's code panics in it.
struct Announce<'a>(&'a Deferred);

impl Drop for Announce<'_> {
    fn drop(&mut self) {
        let before = mem::replace(&mut lock(&self.0.state).phase, Phase::Started);
        // Waking nobody is a call of the operating system, too.
        if matches!(
            before,
            Phase::Starting {
                is_awaited: true,
                ..
            }
        ) {
            self.0.changed.notify_all();
        }
    }
}

impl Home {
    /// The context that was current.
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context,
            is_explicit: false,
        }
    }

    /// The context that the scope was told to start in.
    pub(crate) fn told(context: Context) -> Self {
        Self {
            context,
            is_explicit: true,
        }
    }

    /// Whether the scope was told to start there.
    pub(crate) fn is_told(&self) -> bool {
        self.is_explicit
    }

    /// Where the scope goes if its future is polled first where `current` is the context.
    ///
    /// That is where the scope was told to start. Otherwise it is the span that is current there,
    /// as if the scope were started there. Where no span is current, such as in a spawned task, it
    /// is the span of the scope's start, with the baggage of both.
    pub(crate) fn parent_in(self, current: &Context) -> Context {
        let has_span = |context: &Context| context.span().span_context().is_valid();
        if self.is_explicit {
            self.context
        } else if has_span(current) || current.is_telemetry_suppressed() {
            current.clone()
        } else if has_span(&self.context) {
            with_merged_baggage(&self.context, current, &self.context)
        } else if is_bare(current) {
            self.context
        } else {
            with_merged_baggage(current, current, &self.context)
        }
    }
}

/// Whether a context holds nothing. Without a span and baggage there may be values of any type,
/// such as a token, which nobody can ask for but those who know the type.
fn is_bare(context: &Context) -> bool {
    // The number is nowhere else.
    context.baggage().is_empty() && format!("{context:?}").contains("entries count: 0")
}

impl Waiting {
    fn start(self, choose: &dyn Fn(Home) -> Context) -> Started {
        if !self.origin.is_here() {
            // It waits in the process that this one was forked from, too, and starts there.
            return NOTHING.clone();
        }
        let profile = self.tracer.profile();
        let is_told = self.home.is_told();
        let parent = &choose(self.home);
        let told = is_told.then_some(parent);
        let is_invocation = self.name.starts_with(INVOKE_AGENT);
        let is_tool = self.name.starts_with(EXECUTE_TOOL);
        let mut builder = SpanBuilder::from_name(self.name);
        builder.span_kind = Some(self.kind);
        builder.start_time = Some(self.start_time);
        if !IS_BESIDE.load(Relaxed) {
            // So that their list is allocated once.
            builder.attributes = Some(Vec::with_capacity(self.attributes.items().len() + MORE));
        }
        if !self.links.is_empty() {
            builder.links = Some(self.links);
        }
        let starting = Starting::begin(Starts::Scope { is_invocation });
        // Samplers and span processors are foreign code: without a span goes on who has one that
        // panics.
        let span = contain::call(|| self.tracer.get().start(builder, parent));
        let collected = starting.finish();
        let Ok(span) = span else {
            return Started::without_span(told);
        };
        if !span.is_recording() {
            // A span that a sampler dropped still decides for its children; any other has no say.
            let ids = span.span_context();
            let has_say = ids.is_valid() && ids != parent.span().span_context();
            return match has_say {
                true => Started {
                    context: Some(parent.with_remote_span_context(ids.clone())),
                    has_ids: true,
                    span: None,
                },
                false => Started::without_span(told),
            };
        }
        let beside = collected.beside(span.span_context().span_id());
        if beside.is_some() != IS_BESIDE.load(Relaxed) {
            IS_BESIDE.store(beside.is_some(), Relaxed);
        }
        // The attributes from baggage, without the keys that the scope has itself, and then those.
        let mut attributes = self.attributes;
        let names_agent = ScopeIdentity::names_agent(attributes.own());
        attributes.put_before(collected.attributes);
        let missing = ScopeIdentity::missing_in(attributes.own(), profile, parent);
        for missing in missing.into_iter().flatten() {
            attributes.put(missing, Standing::Own);
        }
        if !names_agent {
            let description = ScopeIdentity::description_in(parent, attributes.items(), profile);
            attributes.put_before(description.to_vec());
        }
        let mut inside = ScopeIdentity::add_to(parent, attributes.items(), profile);
        let span = Arc::new(SharedSpan::new(span, attributes, beside));
        if is_tool {
            inside = CurrentTool::add_to(&inside, &span, SaidBy::Attributes);
        }
        if let Some(end_time) = self.end_time {
            span.set_end_time(end_time);
        }
        Started {
            context: Some(inside.with_span(CurrentSpan::of_scope(&span))),
            has_ids: true,
            span: Some(span),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::Baggage;
    use opentelemetry::trace::SpanContext;

    use super::*;

    #[test]
    fn a_context_with_anything_in_it_is_not_bare() {
        let bare = Context::new();
        assert!(is_bare(&bare));
        assert!(!is_bare(&bare.with_value("a token")));
        assert!(!is_bare(&bare.with_remote_span_context(SpanContext::NONE)));
        let baggage = Baggage::from_iter([KeyValue::new("k", "v")]);
        assert!(!is_bare(&bare.with_baggage(baggage)));
    }
}
