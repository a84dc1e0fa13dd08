//! Calls the hooks of processors one after the other, and handles their errors and panics.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use agentspan_model::agentspec::Disclosure;
use agentspan_queue::contain::{self, Foreign};

use crate::in_hook::InHook;
use crate::span_processor::Hook;
use crate::{ErrorPolicy, HookError, HookFuture, Span, SpanEvent, SpanProcessor, TraceError};

/// The processors of a trace. Spans share them.
pub(crate) type Processors = Option<Arc<[Observer]>>;

/// A processor of a trace, with what it is asked once.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    pub(crate) processor: Foreign<Arc<dyn SpanProcessor>>,
    pub(crate) disclosure: Disclosure,
    /// Whether it may have something to make current with a span.
    pub(crate) activates: bool,
}

impl Observer {
    /// Asks the processor. One that panics sees masks, and makes nothing current.
    fn new(processor: Arc<dyn SpanProcessor>) -> Self {
        Self {
            disclosure: disclosure_of(&*processor),
            activates: activates(&*processor),
            processor: Foreign::new(processor),
        }
    }

    /// `None` only while this is dropped.
    #[inline]
    pub(crate) fn processor(&self) -> Option<&dyn SpanProcessor> {
        self.processor.get().map(|processor| &**processor)
    }
}

/// The disclosure to a processor: masks, if it panics over the question.
pub(crate) fn disclosure_of(processor: &dyn SpanProcessor) -> Disclosure {
    contain::call(|| processor.disclosure()).unwrap_or(Disclosure::Masked)
}

/// Whether a processor may have something to make current: not if it panics over the question.
pub(crate) fn activates(processor: &dyn SpanProcessor) -> bool {
    contain::call(|| processor.activates()).unwrap_or(false)
}

/// How errors call a processor.
pub(crate) fn name_of(processor: &dyn SpanProcessor) -> String {
    let name = contain::call(|| processor.name().to_owned());
    name.unwrap_or_else(|_| "a processor whose name panics".to_owned())
}

/// Asks the processors of a trace what they are to see.
pub(crate) fn observers(
    processors: impl IntoIterator<Item = Arc<dyn SpanProcessor>>,
) -> Processors {
    let list: Arc<[_]> = processors.into_iter().map(Observer::new).collect();
    (!list.is_empty()).then_some(list)
}

/// A hook of a span, with what it is called with besides the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanHook {
    Start,
    /// The event at this index.
    Event(usize),
    End,
}

impl SpanHook {
    fn name(self) -> Hook {
        match self {
            Self::Start => Hook::OnStart,
            Self::Event(_) => Hook::OnEvent,
            Self::End => Hook::OnEnd,
        }
    }

    fn call(self, processor: &dyn SpanProcessor, view: &Span) -> Result<(), HookError> {
        contained(|| match self {
            Self::Start => processor.on_start(view),
            Self::Event(index) => match view.event(index) {
                Some(event) => processor.on_event(&event, view),
                None => Ok(()),
            },
            Self::End => processor.on_end(view),
        })
    }

    /// Whether a processor is to hear it.
    #[inline]
    fn is_for(self, span: &Span, index: usize) -> bool {
        self == Self::Start || span.started().contains(index)
    }

    /// Calls it with a handle made for the processor, and notes whether it has started the span.
    #[inline]
    fn call_with_view(
        self,
        span: &Span,
        index: usize,
        observer: &Observer,
    ) -> Result<(), HookError> {
        let Some(processor) = observer.processor() else {
            return Ok(());
        };
        let view = span.seen_with(observer.disclosure);
        match self {
            Self::Event(event) => {
                let _in_hook = InHook::enter(processor)?;
                contained(|| processor.take_event(event, view))
            }
            Self::Start | Self::End => self.call_and_note(span, index, processor, &view),
        }
    }

    /// Calls it with the handle itself, which shows what the processor is to see from then on.
    #[inline]
    fn call_with_own(self, span: &mut Span, index: usize) -> Result<(), HookError> {
        let Some(disclosure) = span.observers().get(index).map(|one| one.disclosure) else {
            return Ok(());
        };
        span.show_with(disclosure);
        match span.observers().get(index).and_then(Observer::processor) {
            Some(processor) => self.call_and_note(span, index, processor, span),
            None => Ok(()),
        }
    }

    #[inline]
    fn call_and_note(
        self,
        span: &Span,
        index: usize,
        processor: &dyn SpanProcessor,
        view: &Span,
    ) -> Result<(), HookError> {
        let _in_hook = InHook::enter(processor)?;
        self.call(processor, view)?;
        if self == Self::Start {
            span.started().insert(index);
        }
        Ok(())
    }

    async fn call_async<'a>(
        self,
        processor: &'a dyn SpanProcessor,
        view: &'a Span,
        event: Option<&'a SpanEvent<'a>>,
    ) -> Result<(), HookError> {
        let hook = contained_future(|| match (self, event) {
            (Self::Start, _) => processor.on_start_async(view),
            (Self::Event(_), Some(event)) => processor.on_event_async(event, view),
            (Self::Event(_), None) => HookFuture::ready(Ok(())),
            (Self::End, _) => processor.on_end_async(view),
        });
        let mut hook = pin!(hook);
        poll_fn(|task| match InHook::enter(processor) {
            Ok(_in_hook) => hook.as_mut().poll(task),
            Err(too_deep) => Poll::Ready(Err(too_deep)),
        })
        .await
    }
}

/// Calls a hook of a span for all processors that it is for: none, if it started before a fork. The parent ends it.
#[inline]
pub(crate) fn dispatch(span: &Span, hook: SpanHook) -> Result<(), TraceError> {
    if span.observers().is_empty() || span.is_of_parent_process() {
        return Ok(());
    }
    dispatch_to_processors(span, hook)
}

fn dispatch_to_processors(span: &Span, hook: SpanHook) -> Result<(), TraceError> {
    // Hooks are contained: while none fails, nothing can cut this short.
    for (index, observer) in span.observers().iter().enumerate() {
        if hook.is_for(span, index) {
            if let Err(error) = hook.call_with_view(span, index, observer) {
                return go_on(span, hook, index, error);
            }
        }
    }
    Ok(())
}

/// Goes on after a hook has failed.
#[cold]
fn go_on(span: &Span, hook: SpanHook, failed: usize, error: HookError) -> Result<(), TraceError> {
    let mut rest = Rest::new(span, hook);
    rest.round.next = failed + 1;
    rest.round.fail_at(span, failed, error);
    rest.call();
    rest.round.finish()
}

/// As [`dispatch`], for who owns the handle: hooks are shown that one, and none is made for them.
#[inline]
pub(crate) fn dispatch_own(span: &mut Span, hook: SpanHook) -> Result<(), TraceError> {
    if span.observers().is_empty() || span.is_of_parent_process() {
        return Ok(());
    }
    dispatch_own_to_processors(span, hook)
}

fn dispatch_own_to_processors(span: &mut Span, hook: SpanHook) -> Result<(), TraceError> {
    let own = span.disclosure();
    for index in 0..span.observers().len() {
        if hook.is_for(span, index) {
            if let Err(error) = hook.call_with_own(span, index) {
                return go_on_with_own(span, own, hook, index, error);
            }
        }
    }
    span.show_with(own);
    Ok(())
}

/// Goes on after a hook has failed.
#[cold]
fn go_on_with_own(
    span: &mut Span,
    disclosure: Disclosure,
    hook: SpanHook,
    failed: usize,
    error: HookError,
) -> Result<(), TraceError> {
    let mut round = Round::new(hook);
    round.next = failed + 1;
    let mut rest = OwnRest {
        span,
        disclosure,
        round,
    };
    rest.round.fail_at(rest.span, failed, error);
    rest.call();
    rest.round.finish()
}

/// Calls the asynchronous hook of a span for all processors that it is for.
///
/// Dropped before it is done, it calls the synchronous hook for the processors that it has not reached,
/// except when the span is just starting: they do not learn of it then.
pub(crate) async fn dispatch_async(span: &Span, hook: SpanHook) -> Result<(), TraceError> {
    if span.is_of_parent_process() {
        return Ok(());
    }
    let mut rest = Rest::new(span, hook);
    while let Some((index, observer)) = rest.round.next(span) {
        let Some(processor) = observer.processor() else {
            continue;
        };
        let view = span.seen_with(observer.disclosure);
        let event = match hook {
            SpanHook::Event(index) => view.event(index),
            SpanHook::Start | SpanHook::End => None,
        };
        match hook.call_async(processor, &view, event.as_ref()).await {
            Ok(()) if hook == SpanHook::Start => span.started().insert(index),
            Ok(()) => {}
            Err(error) => rest.round.fail_at(span, index, error),
        }
    }
    rest.round.finish()
}

/// One hook of one span on its way through the processors.
struct Round {
    hook: SpanHook,
    next: usize,
    first_error: Option<TraceError>,
}

impl Round {
    const fn new(hook: SpanHook) -> Self {
        Self {
            hook,
            next: 0,
            first_error: None,
        }
    }

    #[inline]
    fn next<'a>(&mut self, span: &'a Span) -> Option<(usize, &'a Observer)> {
        let observers = span.observers();
        loop {
            let index = self.next;
            let observer = observers.get(index)?;
            self.next += 1;
            if self.hook.is_for(span, index) {
                return Some((index, observer));
            }
        }
    }

    fn fail_at(&mut self, span: &Span, index: usize, source: HookError) {
        if let Some(processor) = span.observers().get(index).and_then(Observer::processor) {
            self.fail(span, processor, source);
        }
    }

    #[cold]
    fn fail(&mut self, span: &Span, processor: &dyn SpanProcessor, source: HookError) {
        let hook = self.hook.name();
        match span.policy() {
            ErrorPolicy::Report => report(span.trace(), hook, processor, &source),
            ErrorPolicy::Propagate => {
                count(span.trace());
                if self.hook != SpanHook::End {
                    self.next = usize::MAX;
                }
                let error = || TraceError::Hook {
                    hook,
                    processor: name_of(processor),
                    source,
                };
                self.first_error = self.first_error.take().or_else(|| Some(error()));
            }
        }
    }

    fn finish(&mut self) -> Result<(), TraceError> {
        self.next = usize::MAX;
        self.first_error.take().map_or(Ok(()), Err)
    }
}

/// The processors that were not reached yet. Dropped, it calls their hooks, unless the span is just starting.
struct Rest<'a> {
    span: &'a Span,
    round: Round,
}

impl<'a> Rest<'a> {
    fn new(span: &'a Span, hook: SpanHook) -> Self {
        Self {
            span,
            round: Round::new(hook),
        }
    }

    fn call(&mut self) {
        let Self { span, round } = self;
        while let Some((index, observer)) = round.next(span) {
            if let Err(error) = round.hook.call_with_view(span, index, observer) {
                round.fail_at(span, index, error);
            }
        }
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if self.round.hook != SpanHook::Start {
            self.call();
        }
    }
}

/// As [`Rest`], for who owns the handle: it is shown to the hooks, with the disclosure that is meant for them.
struct OwnRest<'a> {
    span: &'a mut Span,
    /// The disclosure of the handle, when no hook runs.
    disclosure: Disclosure,
    round: Round,
}

impl OwnRest<'_> {
    fn call(&mut self) {
        let Self { span, round, .. } = self;
        while let Some((index, _)) = round.next(span) {
            if let Err(error) = round.hook.call_with_own(span, index) {
                round.fail_at(span, index, error);
            }
        }
    }
}

impl Drop for OwnRest<'_> {
    fn drop(&mut self) {
        if self.round.hook != SpanHook::Start {
            self.call();
        }
        self.span.show_with(self.disclosure);
    }
}

/// Logs and counts a failure that goes no further.
pub(crate) fn report(
    trace: Option<&crate::Trace>,
    hook: Hook,
    processor: &dyn SpanProcessor,
    error: &HookError,
) {
    count(trace);
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::processor::hooks",
            hook = hook.as_str(),
            processor = processor.name(),
            error_type = error.type_name(),
            error = %error,
            "a hook of a processor failed"
        );
    });
}

/// Logs an error that can come out of nothing, such as that of a span that is dropped.
pub(crate) fn report_unheard(result: Result<(), TraceError>) {
    if let Err(TraceError::Hook {
        hook,
        processor,
        source,
    }) = result
    {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::processor::hooks",
                hook = hook.as_str(),
                processor,
                error_type = source.type_name(),
                error = %source,
                "a hook of a processor failed where nobody could be told"
            );
        });
    }
}

pub(crate) fn count(trace: Option<&crate::Trace>) {
    if let Some(trace) = trace {
        trace.count_failure();
    }
}

/// Runs a hook; a panic becomes an error.
pub(crate) fn contained(f: impl FnOnce() -> Result<(), HookError>) -> Result<(), HookError> {
    contain::call(f).unwrap_or_else(|panicked| Err(HookError::panicked(panicked)))
}

/// Makes and awaits the future of a hook; a panic becomes an error.
pub(crate) async fn contained_future<'a>(
    f: impl FnOnce() -> HookFuture<'a>,
) -> Result<(), HookError> {
    let result = contain::future(f).await;
    result.unwrap_or_else(|panicked| Err(HookError::panicked(panicked)))
}
