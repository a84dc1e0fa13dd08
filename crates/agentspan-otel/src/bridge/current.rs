//! Represents an Agent Spec span in a context of OpenTelemetry.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanContext, Status};

use crate::scope::span::{CurrentSpan, SharedSpan};

/// The OpenTelemetry span of an Agent Spec span, for other instrumentation.
///
/// Others may add to it, but its Agent Spec span says when it ends: its record is complete only then.
#[derive(Debug)]
pub(super) struct BridgedSpan(CurrentSpan);

impl BridgedSpan {
    pub(super) fn new(shared: &Arc<SharedSpan>) -> Self {
        Self(CurrentSpan(Arc::clone(shared)))
    }
}

impl Span for BridgedSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        self.0.add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        self.0.span_context()
    }

    fn is_recording(&self) -> bool {
        self.0.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.0.set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.0.set_status(status);
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.0.update_name(new_name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.0.add_link(span_context, attributes);
    }

    fn end_with_timestamp(&mut self, _timestamp: SystemTime) {}
}
