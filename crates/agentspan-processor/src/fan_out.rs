//! Passes all hooks to several processors, isolated from each other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use agentspan_model::agentspec::Disclosure;
use agentspan_queue::contain::{Foreign, ThreadBound};
use agentspan_queue::lock;

use crate::dispatch::{activates, contained, contained_future, disclosure_of, report};
use crate::not_started::NotStarted;
use crate::span_processor::{ActiveGuard, Hook};
use crate::{HookError, HookFuture, Span, SpanEvent, SpanProcessor};

/// Passes all hooks to several processors, each with its own disclosure, and isolates their
/// failures from each other.
///
/// A trace does much the same with its own processors. Use a `FanOut` where only one processor
/// fits, for instance behind a [`BackgroundQueue`](crate::BackgroundQueue) or a
/// [`Filter`](crate::Filter), or for processors whose failures must not reach a trace with the
/// policy [`Propagate`](crate::ErrorPolicy::Propagate). Failures are logged and
/// [counted](Self::failures).
///
/// If an asynchronous hook is dropped while it waits for a target, the synchronous hooks of the later targets
/// are called. If a span or a trace was just starting, `on_end` or `shutdown` of the earlier targets is called
/// instead.
///
/// ```
/// use agentspan_model::agentspec::Disclosure;
/// use agentspan_processor::{FanOut, InMemory, Trace};
///
/// # fn main() -> Result<(), agentspan_processor::TraceError> {
/// let masked = InMemory::new();
/// let clear = InMemory::new().with_disclosure(Disclosure::Clear);
/// let both = FanOut::new().with_target(masked.clone()).with_target(clear.clone());
/// Trace::builder().with_processor(both).start()?.end()?;
/// assert_eq!(masked.tree(), clear.tree());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct FanOut {
    targets: Vec<Target>,
}

#[derive(Debug)]
struct Target {
    processor: Foreign<Box<dyn SpanProcessor>>,
    failures: AtomicU64,
    not_started: Mutex<NotStarted>,
}

impl FanOut {
    /// A fan-out without processors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a processor. Hooks run in the order in which they were added.
    #[must_use]
    pub fn with_target(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.targets.push(Target {
            processor: Foreign::new(Box::new(processor)),
            failures: AtomicU64::new(0),
            not_started: Mutex::default(),
        });
        self
    }

    /// The number of failed or panicked hooks of each processor, in the order in which they were
    /// added.
    #[must_use]
    pub fn failures(&self) -> Vec<u64> {
        let failures = |target: &Target| target.failures.load(Ordering::Relaxed);
        self.targets.iter().map(failures).collect()
    }

    fn each(&self, call: Call<'_>) -> Result<(), HookError> {
        for target in &self.targets {
            target.call(call);
        }
        Ok(())
    }

    fn each_async<'a>(&'a self, call: Call<'a>) -> HookFuture<'a> {
        HookFuture::new(async move {
            let mut rest = Rest {
                targets: self.targets.iter(),
                reached: Vec::new(),
                call,
            };
            for target in rest.targets.by_ref() {
                if let Some(processor) = target.processor_for(call) {
                    let seen = call.seen_by(processor);
                    let event = seen.event();
                    let future = contained_future(|| seen.call_async(processor, event.as_ref()));
                    let result = future.await;
                    if result.is_ok() && call.is_beginning() {
                        rest.reached.push(target);
                    }
                    target.note(call, processor, result);
                }
            }
            rest.reached.clear();
            Ok(())
        })
    }
}

/// The targets that an asynchronous hook has not reached. Dropped before it has reached them all, it calls their
/// synchronous hooks; of what was just beginning it lets those hear the end that heard the beginning.
struct Rest<'a> {
    targets: std::slice::Iter<'a, Target>,
    /// The targets that heard a beginning.
    reached: Vec<&'a Target>,
    call: Call<'a>,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        match self.call.end() {
            Some(end) => {
                let end = end.in_drop();
                self.reached.drain(..).for_each(|target| target.call(end));
            }
            None => {
                let call = self.call.in_drop();
                self.targets.by_ref().for_each(|target| target.call(call));
            }
        }
    }
}

impl Target {
    fn call(&self, call: Call<'_>) {
        if let Some(processor) = self.processor_for(call) {
            let seen = call.seen_by(processor);
            let result = contained(|| seen.call(processor));
            self.note(call, processor, result);
        }
    }

    /// `None` only while this is dropped.
    fn processor(&self) -> Option<&dyn SpanProcessor> {
        self.processor.get().map(|processor| &**processor)
    }

    /// The processor, if it wants to hear of a call.
    fn processor_for(&self, call: Call<'_>) -> Option<&dyn SpanProcessor> {
        let is_wanted = match (call.hook, call.span) {
            (Hook::OnEvent | Hook::OnEnd, Some(span)) => !lock(&self.not_started).contains(span),
            _ => true,
        };
        self.processor().filter(|_| is_wanted)
    }

    fn note(&self, call: Call<'_>, processor: &dyn SpanProcessor, result: Result<(), HookError>) {
        let Err(error) = result else { return };
        self.failures.fetch_add(1, Ordering::Relaxed);
        report(None, call.hook, processor, &error);
        if let (Hook::OnStart, Some(span)) = (call.hook, call.span) {
            lock(&self.not_started).insert(span);
        }
    }
}

/// A hook with what it is called with.
#[derive(Clone, Copy)]
struct Call<'a> {
    hook: Hook,
    span: Option<&'a Span>,
    event: Option<usize>,
    /// It comes out of a drop in asynchronous code, and must not wait.
    is_in_drop: bool,
}

impl<'a> Call<'a> {
    fn of(hook: Hook, span: Option<&'a Span>) -> Self {
        Self {
            hook,
            span,
            event: None,
            is_in_drop: false,
        }
    }

    fn of_event(event: &SpanEvent<'_>, span: &'a Span) -> Self {
        Self {
            hook: Hook::OnEvent,
            span: Some(span),
            event: Some(event.index()),
            is_in_drop: false,
        }
    }

    fn in_drop(self) -> Self {
        Self {
            is_in_drop: true,
            ..self
        }
    }

    /// The call that goes with a beginning. `None` for one that is none.
    fn end(self) -> Option<Self> {
        let hook = match self.hook {
            Hook::Startup => Hook::Shutdown,
            Hook::OnStart => Hook::OnEnd,
            Hook::OnEvent | Hook::OnEnd | Hook::Shutdown => return None,
        };
        Some(Self { hook, ..self })
    }

    fn is_beginning(self) -> bool {
        self.end().is_some()
    }

    /// The call as a processor may see it: never more than was seen here.
    fn seen_by(self, processor: &dyn SpanProcessor) -> Seen {
        let narrowed = |span: &Span| match span.disclosure() {
            Disclosure::Clear => span.seen_with(disclosure_of(processor)),
            Disclosure::Masked => span.clone(),
        };
        Seen {
            hook: self.hook,
            span: self.span.map(narrowed),
            event: self.event,
            is_in_drop: self.is_in_drop,
        }
    }
}

struct Seen {
    hook: Hook,
    span: Option<Span>,
    event: Option<usize>,
    is_in_drop: bool,
}

impl Seen {
    fn event(&self) -> Option<SpanEvent<'_>> {
        self.span.as_ref()?.event(self.event?)
    }

    fn call(&self, processor: &dyn SpanProcessor) -> Result<(), HookError> {
        match (self.hook, &self.span) {
            (Hook::Startup, _) => processor.startup(),
            (Hook::Shutdown, _) if self.is_in_drop => processor.shutdown_on_drop(),
            (Hook::Shutdown, _) => processor.shutdown(),
            (Hook::OnStart, Some(span)) => processor.on_start(span),
            (Hook::OnEnd, Some(span)) => processor.on_end(span),
            (Hook::OnEvent, Some(span)) => match self.event() {
                Some(event) => processor.on_event(&event, span),
                None => Ok(()),
            },
            (Hook::OnStart | Hook::OnEnd | Hook::OnEvent, None) => Ok(()),
        }
    }

    fn call_async<'a>(
        &'a self,
        processor: &'a dyn SpanProcessor,
        event: Option<&'a SpanEvent<'a>>,
    ) -> HookFuture<'a> {
        match (self.hook, &self.span) {
            (Hook::Startup, _) => processor.startup_async(),
            (Hook::Shutdown, _) => processor.shutdown_async(),
            (Hook::OnStart, Some(span)) => processor.on_start_async(span),
            (Hook::OnEnd, Some(span)) => processor.on_end_async(span),
            (Hook::OnEvent, Some(span)) => match event {
                Some(event) => processor.on_event_async(event, span),
                None => HookFuture::ready(Ok(())),
            },
            (Hook::OnStart | Hook::OnEnd | Hook::OnEvent, None) => HookFuture::ready(Ok(())),
        }
    }
}

/// Asks for as much as the target that may see most; each target gets what it may see.
impl SpanProcessor for FanOut {
    fn disclosure(&self) -> Disclosure {
        let mut targets = self.targets.iter().filter_map(Target::processor);
        if targets.any(|processor| disclosure_of(processor) == Disclosure::Clear) {
            Disclosure::Clear
        } else {
            Disclosure::Masked
        }
    }

    fn startup(&self) -> Result<(), HookError> {
        self.each(Call::of(Hook::Startup, None))
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.each(Call::of(Hook::OnStart, Some(span)))
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.each(Call::of_event(event, span))
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.each(Call::of(Hook::OnEnd, Some(span)))
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.each(Call::of(Hook::Shutdown, None))
    }

    fn shutdown_on_drop(&self) -> Result<(), HookError> {
        self.each(Call::of(Hook::Shutdown, None).in_drop())
    }

    fn startup_async(&self) -> HookFuture<'_> {
        self.each_async(Call::of(Hook::Startup, None))
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.each_async(Call::of(Hook::OnStart, Some(span)))
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        self.each_async(Call::of_event(event, span))
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.each_async(Call::of(Hook::OnEnd, Some(span)))
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        self.each_async(Call::of(Hook::Shutdown, None))
    }

    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        let mut guards = Vec::new();
        let targets = self.targets.iter().filter_map(Target::processor);
        for processor in targets.filter(|processor| activates(*processor)) {
            let seen = Call::of(Hook::OnStart, Some(span)).seen_by(processor);
            // As if there were none for a target that panics.
            let activate = || seen.span.and_then(|span| processor.activate(&span));
            let made = ThreadBound::make(activate).ok();
            guards.extend(made.and_then(ThreadBound::transpose));
        }
        if guards.is_empty() {
            None
        } else {
            Some(Box::new(Guards(guards)))
        }
    }

    fn activates(&self) -> bool {
        let mut targets = self.targets.iter().filter_map(Target::processor);
        targets.any(activates)
    }
}

/// The guards of several targets.
#[derive(Debug)]
struct Guards(Vec<ThreadBound<Box<dyn ActiveGuard>>>);

impl ActiveGuard for Guards {}

/// The last is dropped first.
impl Drop for Guards {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}
