//! Failures of spans.

use crate::agentspec::{EventDetails, ExceptionRaised, MASK, Sensitive, Span};
use crate::attribute::{AttributeValue::Str, KeyVisitor};
use crate::keys;
use crate::masked::debug_masked;

/// The failure of a span.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The type of the error or exception.
    pub error_type: &'a str,
    /// Its message, if it may be shown.
    pub message: Option<&'a str>,
}

debug_masked!(Failure<'_> shows { error_type } hides { message });

impl<'a> Failure<'a> {
    /// The last failure of a span.
    pub(super) fn of(span: &'a Span, content: bool) -> Option<Self> {
        let exception = span.events.iter().rev().find_map(|event| {
            if let EventDetails::ExceptionRaised(exception) = &event.details {
                Some(exception)
            } else {
                None
            }
        })?;
        Some(Self {
            error_type: &exception.exception_type,
            message: revealed(&exception.exception_message, content),
        })
    }

    /// The description of the span's status: the message if it may be shown, else the type.
    #[must_use]
    pub fn status_description(&self) -> &'a str {
        self.message.unwrap_or(self.error_type)
    }

    pub(super) fn visit(&self, visitor: &mut dyn KeyVisitor) {
        visitor.visit_key(keys::ERROR_TYPE.into(), Str(self.error_type));
    }
}

/// The attributes of an exception event. The message is masked rather than absent, so that readers of
/// OpenTelemetry's exceptions find one.
pub(super) fn visit_event(
    exception: &ExceptionRaised,
    content: bool,
    visitor: &mut dyn KeyVisitor,
) {
    let message = revealed(&exception.exception_message, content);
    let stacktrace = revealed(&exception.exception_stacktrace, content);
    visitor.visit_key(keys::EXCEPTION_TYPE.into(), Str(&exception.exception_type));
    visitor.visit_key(keys::EXCEPTION_MESSAGE.into(), Str(message.unwrap_or(MASK)));
    if let Some(stacktrace) = stacktrace.filter(|text| !text.is_empty()) {
        visitor.visit_key(keys::EXCEPTION_STACKTRACE.into(), Str(stacktrace));
    }
}

fn revealed(text: &Sensitive<String>, content: bool) -> Option<&str> {
    content.then(|| text.reveal()).flatten().map(String::as_str)
}
