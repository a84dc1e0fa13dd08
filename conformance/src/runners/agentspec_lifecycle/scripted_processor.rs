//! A processor that writes down how it is called, and fails where the script says so.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use agentspan_model::agentspec::{Disclosure, Event, EventDetails};
use agentspan_processor::span_processor::Hook;
use agentspan_processor::{
    HookError, HookFuture, Span, SpanEvent, SpanProcessor, active_span_stack,
};

use super::outcome::{CallRecord, CalledSpan, EventRecord, ExceptionRecord};
use super::script::ProcessorInput;

/// All calls of all processors in order.
#[derive(Clone, Default)]
pub(super) struct CallLog(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    calls: Vec<CallRecord>,
    /// A span whose start fails is seen by processors only.
    spans: Vec<Span>,
}

impl CallLog {
    pub(super) fn calls(&self) -> Vec<CallRecord> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.calls.clone()
    }

    /// The span of this name that started last.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = seen.spans.iter().rev().find(|span| span.name() == name);
        found.cloned()
    }
}

pub(super) struct ScriptedProcessor {
    pub(super) input: ProcessorInput,
    pub(super) log: CallLog,
}

impl ScriptedProcessor {
    fn called(
        &self,
        hook: Hook,
        is_async: bool,
        span: Option<&Span>,
        event: Option<&Event>,
    ) -> Result<(), HookError> {
        let record = CallRecord {
            processor: self.input.name.clone(),
            hook: hook.as_str(),
            r#async: is_async,
            span: span.map(called_span),
            event: event.map(event_record),
            stack_depth: active_span_stack().len(),
        };
        {
            let mut seen = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.calls.push(record);
            if hook == Hook::OnStart {
                seen.spans.extend(span.cloned());
            }
        }
        let event = event.map(|event| &*event.name);
        match self
            .input
            .raises(hook.as_str(), span.map(Span::name), event)
        {
            Some(error) => {
                let type_name = error.r#type.clone();
                Err(HookError::new(error).with_type_name(type_name))
            }
            None => Ok(()),
        }
    }

    fn called_async<'a>(
        &'a self,
        hook: Hook,
        span: Option<&'a Span>,
        event: Option<&'a Event>,
    ) -> HookFuture<'a> {
        HookFuture::new(async move { self.called(hook, true, span, event) })
    }
}

impl SpanProcessor for ScriptedProcessor {
    /// The file holds the messages of exceptions.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Clear
    }

    fn startup(&self) -> Result<(), HookError> {
        self.called(Hook::Startup, false, None, None)
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.called(Hook::OnStart, false, Some(span), None)
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.called(Hook::OnEvent, false, Some(span), Some(event))
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.called(Hook::OnEnd, false, Some(span), None)
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.called(Hook::Shutdown, false, None, None)
    }

    fn startup_async(&self) -> HookFuture<'_> {
        self.called_async(Hook::Startup, None, None)
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.called_async(Hook::OnStart, Some(span), None)
    }

    fn on_event_async<'a>(&'a self, event: &'a SpanEvent<'a>, span: &'a Span) -> HookFuture<'a> {
        self.called_async(Hook::OnEvent, Some(span), Some(event))
    }

    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        self.called_async(Hook::OnEnd, Some(span), None)
    }

    fn shutdown_async(&self) -> HookFuture<'_> {
        self.called_async(Hook::Shutdown, None, None)
    }
}

impl fmt::Debug for ScriptedProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input.name)
    }
}

fn called_span(span: &Span) -> CalledSpan {
    CalledSpan {
        span: span.name().into(),
        parent: span.parent().map(|parent| parent.name().into()),
        started: span.start_time().is_some(),
        ended: span.end_time().is_some(),
    }
}

pub(super) fn event_record(event: &Event) -> EventRecord {
    EventRecord {
        name: event.name.to_string(),
        class: event.type_name().unwrap_or_default().into(),
        exception: match &event.details {
            EventDetails::ExceptionRaised(raised) => Some(ExceptionRecord {
                exception_type: raised.exception_type.clone(),
                exception_message: raised
                    .exception_message
                    .reveal()
                    .cloned()
                    .unwrap_or_default(),
                has_stacktrace: raised
                    .exception_stacktrace
                    .reveal()
                    .is_some_and(|trace| !trace.is_empty()),
            }),
            _ => None,
        },
    }
}
