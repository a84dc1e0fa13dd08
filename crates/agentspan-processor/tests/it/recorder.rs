//! A processor that writes down how it is called, and misbehaves when told to.

use std::fmt;
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{EventDetails, SpanDetails};
use agentspan_processor::span::SpanBuilder;
use agentspan_processor::span_processor::Hook;
use agentspan_processor::{
    HookError, HookFuture, Span, SpanEvent, SpanProcessor, active_span_stack,
};

/// What a processor does in a hook besides writing it down.
type Behaviour = dyn Fn(Hook, &str) -> Result<(), HookError> + Send + Sync;

/// Writes down its calls as `hook name depth`, or `hook.await name depth` for asynchronous ones; an event
/// as `on_event name/event depth`.
#[derive(Clone)]
pub(crate) struct Recorder {
    calls: Arc<Mutex<Vec<String>>>,
    behaviour: Arc<Behaviour>,
    is_async: bool,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self::behaving(|_, _| Ok(()))
    }

    /// Does this in each hook, with the hook and the name of the span.
    pub(crate) fn behaving(
        behaviour: impl Fn(Hook, &str) -> Result<(), HookError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            calls: Arc::default(),
            behaviour: Arc::new(behaviour),
            is_async: true,
        }
    }

    /// Fails in a hook of the span of that name.
    pub(crate) fn failing(hook: Hook, name: &'static str) -> Self {
        Self::behaving(move |called, span| {
            if called == hook && span == name {
                Err(HookError::message(format!("{hook} failed")))
            } else {
                Ok(())
            }
        })
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// How often there is a call that starts like this.
    pub(crate) fn count(&self, prefix: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.starts_with(prefix)).count()
    }

    fn call(
        &self,
        hook: Hook,
        suffix: &str,
        span: Option<&Span>,
        event: Option<&str>,
    ) -> Result<(), HookError> {
        let name = span.map_or("", Span::name);
        let event = event.map(|event| format!("/{event}")).unwrap_or_default();
        let depth = active_span_stack().len();
        let call = format!("{hook}{suffix} {name}{event} {depth}");
        self.calls.lock().unwrap().push(call);
        (self.behaviour)(hook, name)
    }

    fn call_async<'a>(
        &'a self,
        hook: Hook,
        span: Option<&'a Span>,
        event: Option<&'a str>,
    ) -> HookFuture<'a> {
        if !self.is_async {
            return HookFuture::ready(self.call(hook, "", span, event));
        }
        HookFuture::new(async move {
            yield_once().await;
            self.call(hook, ".await", span, event)
        })
    }
}

impl SpanProcessor for Recorder {
    fn startup(&self) -> Result<(), HookError> {
        self.call(Hook::Startup, "", None, None)
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.call(Hook::OnStart, "", Some(span), None)
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.call(Hook::OnEvent, "", Some(span), Some(&event.name))
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.call(Hook::OnEnd, "", Some(span), None)
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.call(Hook::Shutdown, "", None, None)
    }

    fn startup_async(&self) -> HookFuture<'_> {
        self.call_async(Hook::Startup, None, None)
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.call_async(Hook::OnStart, Some(span), None)
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        self.call_async(Hook::OnEvent, Some(span), Some(&event.name))
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.call_async(Hook::OnEnd, Some(span), None)
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        self.call_async(Hook::Shutdown, None, None)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

/// Is pending once, whatever the executor.
pub(crate) async fn yield_once() {
    let mut has_yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            std::task::Poll::Ready(())
        } else {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    })
    .await;
}

/// A span of no special type.
pub(crate) fn span(name: &'static str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name)
}

/// An event of no special type.
pub(crate) const EVENT: EventDetails = EventDetails::Plain;

/// The types of the exceptions that a span tells of, and their messages.
pub(crate) fn exceptions(span: &Span) -> Vec<(String, String)> {
    let raised = span.events().filter_map(|event| match &event.details {
        EventDetails::ExceptionRaised(raised) => Some((
            raised.exception_type.clone(),
            raised
                .exception_message
                .reveal()
                .cloned()
                .unwrap_or_default(),
        )),
        _ => None,
    });
    raised.collect()
}
