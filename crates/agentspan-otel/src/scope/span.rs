//! The span that a scope puts into the context.

use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{Span, SpanContext, Status};
use opentelemetry_sdk::trace::Span as SdkSpan;

/// A span as the tracer made it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and a box would cost an allocation per scope"
)]
pub(crate) enum StartedSpan {
    Sdk(SdkSpan),
    Boxed(BoxedSpan),
}

macro_rules! each {
    ($self:expr, $span:ident => $body:expr) => {
        match $self {
            StartedSpan::Sdk($span) => $body,
            StartedSpan::Boxed($span) => $body,
        }
    };
}

impl StartedSpan {
    pub(crate) fn is_recording(&self) -> bool {
        each!(self, span => span.is_recording())
    }

    pub(crate) fn span_context(&self) -> &SpanContext {
        each!(self, span => span.span_context())
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        each!(self, span => span.end_with_timestamp(timestamp));
    }
}

/// A span that keeps its attributes and status until it ends.
///
/// In the reference a key that is set again moves to the end, and the last error is the one that
/// counts. The SDK's span appends every attribute and compares the texts of errors. So this one
/// holds both, and writes them once, when it ends.
#[derive(Debug)]
pub(crate) struct ScopeSpan {
    /// None once the span has ended.
    span: Option<StartedSpan>,
    span_context: SpanContext,
    attributes: Vec<KeyValue>,
    status: Status,
}

impl ScopeSpan {
    pub(crate) fn new(span: StartedSpan, attributes: Vec<KeyValue>) -> Self {
        Self {
            span_context: span.span_context().clone(),
            span: Some(span),
            attributes,
            status: Status::Unset,
        }
    }
}

impl Span for ScopeSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = &mut self.span {
            each!(span, span => span.add_event_with_timestamp(name, timestamp, attributes));
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    fn is_recording(&self) -> bool {
        self.span.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if self.span.is_some() {
            set(&mut self.attributes, attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if self.status != Status::Ok && status != Status::Unset {
            self.status = status;
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(span) = &mut self.span {
            each!(span, span => span.update_name(new_name));
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = &mut self.span {
            each!(span, span => span.add_link(span_context, attributes));
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        each!(&mut span, span => {
            span.set_attributes(self.attributes.drain(..));
            span.set_status(mem::take(&mut self.status));
        });
        if let Some(mut span) = hand_over(span, timestamp) {
            span.end_with_timestamp(timestamp);
        }
    }
}

impl Drop for ScopeSpan {
    /// Ends the span of a scope that was leaked, so that its attributes are not lost.
    fn drop(&mut self) {
        self.end_with_timestamp(SystemTime::now());
    }
}

/// Sets an attribute; a key that is there already moves to the end.
fn set(attributes: &mut Vec<KeyValue>, attribute: KeyValue) {
    if let Some(at) = attributes.iter().position(|a| a.key == attribute.key) {
        attributes.remove(at);
    }
    attributes.push(attribute);
}

/// What the scope that is ending on this thread has to end itself.
#[expect(
    clippy::large_enum_variant,
    reason = "one slot per thread, and a box would cost an allocation per scope"
)]
enum Ending {
    No,
    Wanted,
    Span(StartedSpan, SystemTime),
}

thread_local! {
    static ENDING: Cell<Ending> = const { Cell::new(Ending::No) };
}

/// Runs `end`, which ends a [`ScopeSpan`] inside a context, and tells the span's processors after it.
///
/// A span inside a context is behind a lock, and processors are other people's code that may look
/// at the current span. So the span is taken out under the lock and ends after it.
pub(crate) fn end_outside_of_the_lock(end: impl FnOnce()) {
    // At the end of a thread the slot may be gone. Then nothing is handed over, and the span ends
    // at once.
    let _ = ENDING.try_with(|slot| slot.set(Ending::Wanted));
    end();
    let ended = ENDING.try_with(|slot| slot.replace(Ending::No));
    if let Ok(Ending::Span(mut span, timestamp)) = ended {
        span.end_with_timestamp(timestamp);
    }
}

/// Gives `span` to [`end_outside_of_the_lock`], or back when nobody waits for it.
fn hand_over(span: StartedSpan, timestamp: SystemTime) -> Option<StartedSpan> {
    let mut span = Some(span);
    let _ = ENDING.try_with(|slot| match (slot.replace(Ending::No), span.take()) {
        (Ending::Wanted, Some(span)) => slot.set(Ending::Span(span, timestamp)),
        (other, kept) => {
            slot.set(other);
            span = kept;
        }
    });
    span
}
