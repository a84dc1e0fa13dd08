//! Failures.

use crate::agentspec::{Sensitive, dump::member_set};

/// An operation in the span failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExceptionRaised {
    /// The type of the error or exception.
    pub exception_type: String,
    /// Its message.
    pub exception_message: Sensitive<String>,
    /// The stack trace. By default, there is none. In the events that `agentspan-processor` adds, it
    /// is the type and the message, without frames, also with `RUST_BACKTRACE`.
    pub exception_stacktrace: Sensitive<String>,
}

member_set!(ExceptionRaised {
    exception_type,
    exception_message,
    exception_stacktrace = Sensitive::new(String::new()),
});

impl ExceptionRaised {
    /// Creates the event without a stack trace.
    #[must_use]
    pub fn new(exception_type: impl Into<String>, exception_message: impl Into<String>) -> Self {
        Self {
            exception_type: exception_type.into(),
            exception_message: Sensitive::new(exception_message.into()),
            exception_stacktrace: Sensitive::new(String::new()),
        }
    }

    /// Sets the stack trace.
    #[must_use]
    pub fn with_stacktrace(mut self, stacktrace: impl Into<String>) -> Self {
        self.exception_stacktrace = Sensitive::new(stacktrace.into());
        self
    }
}
