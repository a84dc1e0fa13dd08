//! The stack of active traces and spans of this thread.
//!
//! Code that runs between two `await`s stays on one thread, so the stack lives in a thread-local.
//! Guards push and pop entries. A future with a span pushes the span before each poll and pops it
//! afterwards, together with the entries that the code inside left on the stack.
//!
//! The stack is never borrowed while foreign code runs, since making an entry current and dropping
//! it call processors.
//!
//! Foreign code does not run either when the thread-local is destroyed, also by
//! `std::process::exit`: other thread-locals may be gone by then, and a panic in the destructor of
//! a thread-local aborts the process. Entries that are still on the stack are leaked.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task;

use agentspan_queue::contain::ThreadBound;
use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::span::SpanKey;
use crate::span_processor::ActiveGuard;
use crate::{Span, Trace};

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack(Vec::new())) };
    // Without a destructor, and so without a check whether it has run.
    static NEXT_TOKEN: Cell<u64> = const { Cell::new(0) };
}

/// The active spans of a thread, the innermost last.
struct Stack(Vec<Entry>);

/// Runs when the thread ends, or leaves the process. Frees what is ours.
impl Drop for Stack {
    fn drop(&mut self) {
        // Leaked guards and a call of `exit` leave entries.
        self.0.drain(..).for_each(mem::forget);
    }
}

/// Something that is active.
#[derive(Clone, Debug)]
pub(crate) enum Active {
    /// A trace that has no root span yet.
    Trace(Trace),
    Span(Span),
    Companion(Arc<dyn Companion>),
}

/// Something else that is current together with a [`Context`], such as a context of OpenTelemetry.
pub trait Companion: fmt::Debug + Send + Sync {
    /// Makes it current on this thread until the guard is dropped.
    fn activate(&self) -> Box<dyn ActiveGuard>;
}

/// Something that is active on this thread.
#[derive(Debug)]
struct Entry {
    token: Token,
    active: Active,
    /// The guards of the contexts that processors made current with it.
    guards: Vec<ThreadBound<Box<dyn ActiveGuard>>>,
}

/// Identifies an entry, in whatever thread's stack it is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u64);

impl Token {
    /// Each thread takes its tokens from blocks of its own, so that threads do not share a counter.
    fn fresh() -> Self {
        const BLOCK: u64 = 1 << 20;
        static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);
        let token = NEXT_TOKEN.try_with(|place| {
            let next = place.get();
            let token = if next % BLOCK == 0 {
                // Only the uniqueness of what this returns counts.
                NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed)
            } else {
                next
            };
            place.set(token + 1);
            token
        });
        Self(token.unwrap_or_else(|_| NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed)))
    }
}

impl Entry {
    fn make(token: Token, mut active: Active) -> Self {
        let guards = match &mut active {
            Active::Trace(_) => Vec::new(),
            Active::Span(span) => span.activate(),
            Active::Companion(it) => Vec::from_iter(ThreadBound::make(|| it.activate())),
        };
        Self {
            token,
            active,
            guards,
        }
    }

    /// Takes back what processors made current, the last first.
    fn deactivate(mut self) -> Active {
        while self.guards.pop().is_some() {}
        self.active
    }
}

/// Runs `f` with the stack, or returns `None` while the thread is being torn down.
fn with_stack<T>(f: impl FnOnce(&mut Vec<Entry>) -> T) -> Option<T> {
    STACK
        .try_with(|stack| stack.try_borrow_mut().ok().map(|mut stack| f(&mut stack.0)))
        .ok()
        .flatten()
}

fn push_entry(token: Token, active: Active) {
    let entry = Entry::make(token, active);
    with_stack(|stack| stack.push(entry));
}

fn pop_entry(token: Token) {
    let entry = with_stack(|stack| {
        let is_wanted = |entry: &Entry| entry.token == token;
        // Nearly always the last one.
        if stack.last().is_some_and(is_wanted) {
            return stack.pop();
        }
        let at = stack.iter().rposition(is_wanted)?;
        Some(stack.remove(at))
    });
    drop(entry.flatten().map(Entry::deactivate));
}

/// Removes the entry and those above it, and returns those above it, the lowest first.
fn split_off_above(token: Token, above: &mut Vec<(Token, Active)>) {
    // Nobody else takes this entry off, so that it is looked for once.
    let is_there = with_stack(|stack| stack.iter().rev().any(|entry| entry.token == token));
    if is_there != Some(true) {
        return;
    }
    while let Some(entry) = with_stack(Vec::pop).flatten() {
        let found = entry.token;
        let active = entry.deactivate();
        if found == token {
            break;
        }
        above.push((found, active));
    }
    above.reverse();
}

/// Keeps an entry on the stack of this thread until it is dropped.
#[derive(Debug)]
pub(crate) struct Pushed {
    token: Token,
    /// The entry is on the stack of this thread.
    not_send: PhantomData<*const ()>,
}

impl Pushed {
    pub(crate) fn new(active: Active) -> Self {
        let token = Token::fresh();
        push_entry(token, active);
        Self {
            token,
            not_send: PhantomData,
        }
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        pop_entry(self.token);
    }
}

/// The active trace: the trace of the current span, or a trace that is just starting.
///
/// A trace that has ended is not active, even if its spans are.
#[must_use]
pub fn current_trace() -> Option<Trace> {
    with_stack(|stack| active_trace(stack).cloned()).flatten()
}

fn active_trace(stack: &[Entry]) -> Option<&Trace> {
    stack.iter().rev().find_map(|entry| {
        let trace = match &entry.active {
            Active::Trace(trace) => Some(trace),
            Active::Span(span) => span.trace(),
            Active::Companion(_) => None,
        };
        trace.filter(|trace| trace.is_active())
    })
}

/// Whether processors observe a span that starts here; `None` outside of a trace. Its trace is the
/// trace of its parent, or else the active trace.
#[inline]
pub(crate) fn observed_here() -> Option<bool> {
    with_stack(|stack| {
        let of_parent = open_spans(stack).next().and_then(Span::trace);
        let trace = of_parent.filter(|trace| trace.is_active());
        let trace = trace.or_else(|| active_trace(stack));
        trace.map(Trace::is_observed)
    })
    .flatten()
}

/// Whether processors observe a span that starts here.
#[inline]
pub(crate) fn is_observed_here() -> bool {
    observed_here().unwrap_or(false)
}

/// The current span: the innermost span that was made current and has not ended.
#[must_use]
pub fn current_span() -> Option<Span> {
    with_stack(|stack| open_spans(stack).next().cloned()).flatten()
}

/// The active spans that have not ended, the outermost first.
///
/// A span that was made current several times appears once, at its last position.
#[must_use]
pub fn active_span_stack() -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut seen: HashSet<SpanKey> = HashSet::new();
    with_stack(|stack| {
        let new = open_spans(stack).filter(|span| seen.insert(span.key()));
        spans.extend(new.cloned());
    });
    spans.reverse();
    spans
}

fn open_spans(stack: &[Entry]) -> impl Iterator<Item = &Span> {
    stack.iter().rev().filter_map(|entry| match &entry.active {
        Active::Span(span) if !span.has_ended() => Some(span),
        _ => None,
    })
}

pin_project! {
    /// A future in which a span is current. Made by [`Span::wrap`].
    ///
    /// The span is current while the future is polled, on any thread, but not in between: other
    /// tasks of the thread do not see it. Spans that start inside become its children.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct InSpan<F> {
        // None only while this is dropped.
        #[pin]
        future: Option<F>,
        placed: Placed,
    }

    /// The future is dropped while the span is current.
    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _off = this.placed.put_on();
            this.future.set(None);
        }
    }
}

impl<F> InSpan<F> {
    pub(crate) fn new(future: F, active: Active) -> Self {
        Self {
            future: Some(future),
            placed: Placed::new(active),
        }
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let this = self.project();
        let off = this.placed.put_on();
        let polled = poll_some(this.future, cx);
        if polled.is_ready() {
            // An entry that was made current inside, and that the future's output holds, stays
            // current.
            off.leave_above();
        }
        polled
    }
}

/// Polls the future, which is there until it is dropped.
fn poll_some<F: Future>(
    future: Pin<&mut Option<F>>,
    cx: &mut task::Context<'_>,
) -> task::Poll<F::Output> {
    match future.as_pin_mut() {
        Some(future) => future.poll(cx),
        None => task::Poll::Pending,
    }
}

/// What is on the stack while a future is polled.
#[derive(Debug)]
pub(crate) struct Placed {
    active: Active,
    /// The entries that the future left on the stack when it was polled last, the lowest first.
    above: Vec<(Token, Active)>,
}

impl Placed {
    pub(crate) const fn new(active: Active) -> Self {
        Self {
            active,
            above: Vec::new(),
        }
    }

    /// Puts entries on the stack, and takes them off when the result is dropped, also by a panic.
    pub(crate) fn put_on(&mut self) -> TakeOff<'_> {
        let token = Token::fresh();
        push_entry(token, self.active.clone());
        for (token, active) in self.above.drain(..) {
            push_entry(token, active);
        }
        TakeOff {
            token,
            above: &mut self.above,
        }
    }
}

pub(crate) struct TakeOff<'a> {
    token: Token,
    above: &'a mut Vec<(Token, Active)>,
}

impl TakeOff<'_> {
    /// Takes its own entry off only.
    pub(crate) fn leave_above(self) {
        pop_entry(self.token);
    }
}

impl Drop for TakeOff<'_> {
    fn drop(&mut self) {
        split_off_above(self.token, self.above);
    }
}

/// The active trace and spans. Use it to carry them to another thread, a spawned task or a
/// callback.
///
/// A spawned task with the context of its parent:
///
/// ```
/// # use agentspan_processor::{Context, Span, current_span};
/// # use agentspan_model::agentspec::SpanDetails;
/// # fn spawn<T>(future: impl Future<Output = T> + Send) -> T { futures_executor::block_on(future) }
/// # fn main() -> Result<(), agentspan_processor::TraceError> {
/// let span = Span::builder(SpanDetails::Plain).start()?;
/// let task = Context::current().wrap(async { current_span() });
/// assert_eq!(spawn(task).map(|span| span.id().clone()), Some(span.id().clone()));
/// # Ok(())
/// # }
/// ```
///
/// If new spans only need a parent, [`Span::wrap`] is cheaper, because a context carries the whole
/// stack. In a program that also has scopes or baggage, `AgentContext` of `agentspan-otel` carries
/// those, too.
#[derive(Clone, Debug, Default)]
pub struct Context(Vec<Active>);

impl Context {
    /// A context in which nothing is active.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// The active trace and spans of this thread or task.
    #[must_use]
    pub fn current() -> Self {
        let is_own = |active: &&Active| !matches!(active, Active::Companion(_));
        let actives = with_stack(|stack| {
            let actives = stack.iter().map(|entry| &entry.active);
            actives.filter(is_own).cloned().collect()
        });
        Self(actives.unwrap_or_default())
    }

    /// Adds `companion` to this context. It becomes current after the traces and spans of the context,
    /// each time that a future is polled, and before everything that is entered later.
    pub fn with_companion(mut self, companion: Arc<dyn Companion>) -> Self {
        self.0.push(Active::Companion(companion));
        self
    }

    /// Runs `f` with this context in place of the current context.
    pub fn in_context<T>(self, f: impl FnOnce() -> T) -> T {
        let mut entries = tokens(self.0);
        let _swapped = Swapped::new(&mut entries);
        f()
    }

    /// Polls a future or a stream with this context in place of the current context.
    ///
    /// # Cancel safety
    ///
    /// It is as cancel safe as `future`.
    pub fn wrap<F>(self, future: F) -> InContext<F> {
        InContext {
            future: Some(future),
            entries: tokens(self.0),
        }
    }
}

fn tokens(actives: Vec<Active>) -> Vec<(Token, Active)> {
    let with_token = |active| (Token::fresh(), active);
    actives.into_iter().map(with_token).collect()
}

pin_project! {
    /// A future or a stream with its own [`Context`]. Made by [`Context::wrap`].
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless they are polled"]
    pub struct InContext<F> {
        // None only while this is dropped.
        #[pin]
        future: Option<F>,
        entries: Vec<(Token, Active)>,
    }

    /// The future is dropped in its context.
    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _swapped = Swapped::new(this.entries);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let this = self.project();
        let _swapped = Swapped::new(this.entries);
        poll_some(this.future, cx)
    }
}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<Option<S::Item>> {
        let this = self.project();
        let _swapped = Swapped::new(this.entries);
        match this.future.as_pin_mut() {
            Some(stream) => stream.poll_next(cx),
            None => task::Poll::Pending,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.future {
            Some(stream) => stream.size_hint(),
            None => (0, None),
        }
    }
}

/// Has put its own entries in the place of the stack, and puts that back when it is dropped.
struct Swapped<'a> {
    own: &'a mut Vec<(Token, Active)>,
    outer: Vec<Entry>,
}

impl<'a> Swapped<'a> {
    fn new(own: &'a mut Vec<(Token, Active)>) -> Self {
        let outer = with_stack(mem::take).unwrap_or_default();
        for (token, active) in own.drain(..) {
            push_entry(token, active);
        }
        Self { own, outer }
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        while let Some(entry) = with_stack(Vec::pop).flatten() {
            let token = entry.token;
            self.own.push((token, entry.deactivate()));
        }
        self.own.reverse();
        let outer = mem::take(&mut self.outer);
        drop(with_stack(|stack| mem::replace(stack, outer)));
    }
}
